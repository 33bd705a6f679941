"""Un enfant arrive seul : personne ne le fait avancer avant que quelqu'un réponde de lui. Personnes fictives."""

from __future__ import annotations

from datetime import date, timedelta

from life import all_moved, begin
from sqlmodel import Session

from models import Guardian, JournalRow, Vulnerability
from states.casework.guardians import GuardianRecorded, GuardianStep, record_guardians, verify_guardians
from states.casework.screening import Assessed, Screened, record_assessments, record_screenings
from states.casework.vulnerabilities import VulnerabilityStep, address_vulnerabilities
from states.instruments import bundled_catalogue
from states.journal import verify_journal
from states.moves import OutcomeKind


def test_un_enfant_de_15_ans_seul_depuis_agadez_ne_quitte_pas_l_evaluation_sans_tuteur(session: Session) -> None:
    life = begin(session)
    child = life.arrives(
        15,
        given_names="Enfant fictif",
        birth_date=date(2008, 6, 3),
        departure_country="NER",
        departure_place="Agadez",
        vulnerabilities=("unaccompanied_child",),
    )

    # L'horloge part avec l'enregistrement : le dossier est une urgence avant que quelqu'un l'ouvre.
    arrived = life.now
    assert life.priority(child) == "emergency"
    assert life.triggers(child) == ["register", "identify_vulnerability", "raise_emergency"]
    clocks = life.clocks(child)
    assert clocks["vulnerability_emergency"] == clocks["emergency_response"] == arrived + timedelta(hours=24)
    assert clocks["guardian_found"] == arrived + timedelta(hours=72)
    (found,) = life.rows(Vulnerability, child)
    assert (found.kind, found.urgency, found.status, found.source) == (
        *("unaccompanied_child", "emergency", "identified", "manifest"),
    )
    life.office_works()
    assert life.tasks(child) == {
        "confirm_arrival": "intake_officer",
        "emergency_response": "psychosocial_worker",
        "find_guardian": "case_worker",
        "vulnerability_emergency": "vulnerability_focal_point",
    }

    # Le journal et les partenaires n'apprennent pas ce qu'il en est.
    for row in life.rows(JournalRow, child):
        assert "child" not in str(row.data)
    assert [event.data for event in life.events(child)] == [
        {"case": life.caseload.case(child).code, "state": "registered"}
    ]

    life.wait(hours=2)
    life.does(child, "confirm_arrival", "intake_officer")
    life.caseload.agree([child], now=life.now)
    life.does(child, "begin_screening", "case_worker")

    # Le point focal prend l'enfant en charge, et l'évaluation se fait.
    focal = life.signed(child, "vulnerability_focal_point")
    all_moved(address_vulnerabilities(session, [VulnerabilityStep(**focal, vulnerability=found.code)], now=life.now))
    assert "vulnerability_emergency" not in life.clocks(child)
    screened = Screened(**life.signed(child, "vulnerability_focal_point"), found=("unaccompanied_child", "detention"))
    all_moved(record_screenings(session, [screened], new_code=life.caseload.new_code, now=life.now))
    assert [(each.kind, each.source) for each in life.rows(Vulnerability, child)] == [
        ("unaccompanied_child", "manifest"),
        ("detention", "screening"),
    ]
    assessed = Assessed(**life.signed(child, "psychosocial_worker"), instrument="k6", answers=(2, 1, 1, 0, 1, 1))
    (recorded,) = record_assessments(session, [assessed], catalogue=bundled_catalogue(), now=life.now)
    assert (recorded.outcome.kind, recorded.raised) == (OutcomeKind.MOVED, None)

    # Tout y est, sauf le tuteur : personne n'y peut rien, pas même la coordination.
    for role in ("case_worker", "vulnerability_focal_point", "coordinator"):
        refused = life.tries(child, "begin_planning", role)
        assert [reason.code for reason in refused.reasons] == ["guardian_recorded"]
        assert "tuteur" in refused.reasons[0].text_fr

    # Une mise en suspens ne le contourne pas : on en revient là d'où l'on venait.
    life.does(child, "hold", "case_worker", reason="medical")
    life.wait(days=1)
    life.does(child, "resume", "case_worker")
    assert life.state(child) == "screening"
    assert [each.code for each in life.tries(child, "begin_planning", "case_worker").reasons] == ["guardian_recorded"]

    # Les jours passent sans tuteur : rappel, retard, puis la coordination est prévenue.
    life.wait(days=6)
    assert {("overdue", "case_worker"), ("escalation", "coordinator")} <= life.told(child)
    assert life.tasks(child)["find_guardian"] == "case_worker"

    # Un oncle répond de l'enfant.
    uncle = GuardianRecorded(
        **life.signed(child, "case_worker"),
        code=life.caseload.new_code(),
        relation="relative",
        name="Oncle fictif",
        phone="+22370000015",
    )
    all_moved(record_guardians(session, [uncle], now=life.now))
    assert not {"find_guardian", "replace_guardian"} & life.tasks(child).keys()
    assert "guardian_found" not in life.clocks(child)
    life.does(child, "begin_planning", "case_worker")
    assert life.state(child) == "planning"

    # Il reste à vérifier, et c'est fait.
    life.office_works()
    assert life.tasks(child)["verify_guardian"] == "vulnerability_focal_point"
    verified = GuardianStep(**life.signed(child, "vulnerability_focal_point"), guardian=uncle.code)
    all_moved(verify_guardians(session, [verified], now=life.now))
    (guardian,) = life.rows(Guardian, child)
    assert (guardian.status, guardian.relation, guardian.verified_at) == ("verified", "relative", life.now)
    assert "verify_guardian" not in life.tasks(child)

    # Les partenaires ont appris les étapes partagées, rien d'autre.
    assert [event.type for event in life.events(child)] == [
        *("case.registered", "case.arrived", "case.advanced", "case.held", "case.resumed", "case.advanced"),
    ]
    assert verify_journal(session).broken == []
