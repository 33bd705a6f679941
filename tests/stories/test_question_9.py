"""Une femme victime de traite répond oui à la question 9 : l'aide vient dans la journée. Personnes fictives."""

from __future__ import annotations

from datetime import timedelta

from life import all_moved, begin, moved
from sqlmodel import Session

from models import Assessment, Deadline, JournalRow, Vulnerability
from states.assessments import assessment_history
from states.casework.screening import NOT_FOR_ROLE, Assessed, Screened, record_assessments, record_screenings
from states.casework.vulnerabilities import VulnerabilityStep, address_vulnerabilities, resolve_vulnerabilities
from states.instruments import ACT_AT_ONCE, bundled_catalogue
from states.journal import verify_journal
from states.moves import OutcomeKind

YES_TO_NINE = (1, 1, 0, 1, 0, 0, 0, 0, 2)


def test_une_femme_victime_de_traite_repond_oui_a_la_question_9_et_recoit_de_l_aide_dans_la_journee(
    session: Session,
) -> None:
    life = begin(session)
    woman = life.arrives(4, sex="F", given_names="Femme fictive", departure_country="LBY")
    assert life.priority(woman) == "normal"
    life.does(woman, "confirm_arrival", "intake_officer")
    life.caseload.agree([woman], now=life.now)
    life.does(woman, "begin_screening", "case_worker")

    # L'évaluation apprend la traite : 72 heures pour la prendre en charge, le dossier devient prioritaire.
    screened = Screened(**life.signed(woman, "vulnerability_focal_point"), found=("trafficking",))
    all_moved(record_screenings(session, [screened], new_code=life.caseload.new_code, now=life.now))
    (trafficking,) = life.rows(Vulnerability, woman)
    assert (trafficking.kind, trafficking.urgency) == ("trafficking", "urgent")
    assert life.priority(woman) == "urgent"
    clocks = life.clocks(woman)
    assert clocks["vulnerability_urgent"] == clocks["screening_urgent"] == life.now + timedelta(hours=72)
    assert "screening_normal" not in clocks

    # Le questionnaire ne revient pas à tout le monde ; qui ne le peut pas n'écrit rien.
    life.wait(hours=3)
    not_theirs = Assessed(**life.signed(woman, "case_worker"), instrument="phq9", answers=(0,) * 9)
    (refused,) = record_assessments(session, [not_theirs], catalogue=bundled_catalogue(), now=life.now)
    assert (refused.outcome.reasons, refused.raised) == ((NOT_FOR_ROLE,), None)
    assert [each.instrument for each in life.rows(Assessment, woman)] == ["vulnerability"]

    # Elle répond oui à la question 9, avec un total léger : l'urgence est déclarée avec la réponse, d'un seul tenant.
    asked = Assessed(**life.signed(woman, "psychosocial_worker"), instrument="phq9", answers=YES_TO_NINE)
    (recorded,) = record_assessments(session, [asked], catalogue=bundled_catalogue(), now=life.now)
    assert moved(recorded.outcome).to_state == "screening"
    assert recorded.raised is not None
    moved(recorded.raised)
    answered = life.now
    result = life.rows(Assessment, woman)[-1]
    assert (result.score, result.band, result.flags, result.seq) == (5, "mild", [ACT_AT_ONCE], recorded.outcome.seq)
    assert life.priority(woman) == "emergency"
    assert life.triggers(woman)[-2:] == ["record_assessment", "raise_emergency"]
    assert life.clocks(woman)["emergency_response"] == answered + timedelta(hours=24)
    assert life.clocks(woman)["screening_emergency"] == answered + timedelta(hours=24)

    # La même demande, répétée après une coupure, ne fait rien deux fois.
    (again,) = record_assessments(session, [asked], catalogue=bundled_catalogue(), now=life.now)
    assert again.raised is not None
    assert (again.outcome.kind, again.raised.kind) == (OutcomeKind.ALREADY_DONE, OutcomeKind.ALREADY_DONE)
    assert len([each for each in life.rows(Assessment, woman) if each.instrument == "phq9"]) == 1

    # Ni le journal ni un partenaire n'apprend la réponse, ni de quoi il s'agit.
    assert not any("phq9" in str(row.data) or row.note for row in life.rows(JournalRow, woman))
    assert {event.type for event in life.events(woman)} == {"case.registered", "case.arrived", "case.advanced"}
    assert all(event.data.keys() <= {"case", "state"} for event in life.events(woman))

    # Dans l'heure, la tâche est chez la personne de l'appui psychosocial, et chez personne d'autre.
    life.wait(hours=1)
    life.office_works()
    assert life.tasks(woman)["emergency_response"] == "psychosocial_worker"
    assert life.tasks(woman)["vulnerability_urgent"] == "vulnerability_focal_point"
    assert "psychosocial_instrument" not in life.tasks(woman)

    # L'aide vient dans la journée ; la traite est prise en charge avec elle.
    life.wait(hours=4)
    life.does(woman, "resolve_emergency", "psychosocial_worker")
    focal = life.signed(woman, "vulnerability_focal_point")
    all_moved(
        address_vulnerabilities(session, [VulnerabilityStep(**focal, vulnerability=trafficking.code)], now=life.now)
    )
    kept = {each.key: (str(each.status), each.closed_at) for each in life.rows(Deadline, woman)}
    assert kept["emergency_response"] == ("kept", answered + timedelta(hours=5))
    assert kept["vulnerability_urgent"][0] == "kept"
    life.does(woman, "begin_planning", "case_worker")

    # Rien ne vient après coup : ni rappel, ni escalade de ce qui est fait.
    life.wait(days=4)
    assert not {kind for kind, _ in life.told(woman)} & {"overdue", "escalation", "reminder"}

    # Un mois plus tard elle va mieux, et le dossier le montre.
    life.wait(days=30)
    calmer = Assessed(
        **life.signed(woman, "psychosocial_worker"), instrument="phq9", answers=(1, 0, 0, 1, 0, 0, 0, 0, 0)
    )
    (later,) = record_assessments(session, [calmer], catalogue=bundled_catalogue(), now=life.now)
    assert (later.outcome.kind, later.raised) == (OutcomeKind.MOVED, None)
    (history,) = assessment_history(session, woman, "psychosocial_worker")
    change = history.results[-1].since_first
    assert change is not None
    assert (change.points, change.better) == (-3, True)
    assert assessment_history(session, woman, "case_worker") == []
    step = VulnerabilityStep(**life.signed(woman, "vulnerability_focal_point"), vulnerability=trafficking.code)
    all_moved(resolve_vulnerabilities(session, [step], now=life.now))
    assert verify_journal(session).broken == []
