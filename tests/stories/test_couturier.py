"""Un couturier attend une place, la reçoit quand quelqu'un abandonne, et obtient son certificat. Personnes fictives."""

from __future__ import annotations

from datetime import timedelta

from life import all_moved, begin, moved
from sqlmodel import Session
from supported_cases import codes, course, in_state, wanted

from models import TrainingEnrolment
from states.casework.training import (
    AttendanceSheet,
    Certificate,
    EndOfEnrolment,
    OnEnrolment,
    accept_offers,
    certify,
    drop_out,
    enrol,
    join_waiting_list,
    record_attendance,
)
from states.casework.waiting import waiting_list
from states.journal import verify_journal


def test_un_couturier_attend_une_place_la_recoit_et_obtient_son_certificat(session: Session) -> None:
    life = begin(session)
    caseload = life.caseload
    inscrite, pressee, couturier = in_state(caseload, "start_training", 3)
    atelier = course(caseload, 1)
    all_moved(enrol(session, [wanted(caseload, inscrite, "E-INSCRITE")], now=life.now))

    # L'atelier est plein : le refus le dit, et renvoie à la liste d'attente.
    (refus,) = enrol(session, [wanted(caseload, couturier, "E-COUTURIER")], now=life.now)
    assert codes(refus) == ["course_full"]
    assert "liste d'attente" in refus.reasons[0].text_fr
    all_moved(join_waiting_list(session, [wanted(caseload, couturier, "E-COUTURIER")], now=life.now))
    assert "waiting_for_place" in life.clocks(couturier)

    # Une personne prioritaire arrive après lui et passe devant ; chacun peut lire pourquoi.
    life.wait(days=2)
    life.does(pressee, "raise_urgent", "coordinator")
    all_moved(join_waiting_list(session, [wanted(caseload, pressee, "E-PRESSEE")], now=life.now))
    assert [(tour.rank, tour.waiting.case_id, tour.why.fr) for tour in waiting_list(session, atelier)] == [
        (1, pressee, "Priorité : prioritaire ; demande du 2024-01-10 ; 0 personne(s) avant."),
        (2, couturier, "Priorité : normale ; demande du 2024-01-08 ; 1 personne(s) avant."),
    ]

    # Une place se libère : elle est proposée aussitôt. L'offre reste sans réponse et passe au suivant dans la nuit.
    abandon = EndOfEnrolment(
        **life.signed(inscrite, "training_officer"), enrolment="E-INSCRITE", reason="family_issues"
    )
    all_moved(drop_out(session, [abandon], now=life.now))
    assert "place_offer" in life.clocks(pressee)
    assert "place_offer" not in life.clocks(couturier)
    life.wait(days=11)
    assert [row.status for row in life.rows(TrainingEnrolment, pressee)] == ["lapsed"]
    assert "lapse_offer" in life.triggers(pressee)
    assert [row.status for row in life.rows(TrainingEnrolment, couturier)] == ["offered"]
    assert life.tasks(couturier)["answer_offer"] == "training_officer"

    # Il accepte, vient presque chaque jour, et le certificat clôt la formation.
    moved(
        accept_offers(
            session,
            [OnEnrolment(**life.signed(couturier, "training_officer"), enrolment="E-COUTURIER")],
            now=life.now,
        )[0]
    )
    debut = life.now.date()
    life.wait(days=6)
    jours = tuple((debut + timedelta(days=jour), jour != 3) for jour in range(6))
    feuille = AttendanceSheet(**life.signed(couturier, "training_officer"), enrolment="E-COUTURIER", days=jours)
    all_moved(record_attendance(session, [feuille], now=life.now))
    certificat = Certificate(**life.signed(couturier, "training_officer"), enrolment="E-COUTURIER", number="COU-001")
    all_moved(certify(session, [certificat], now=life.now))

    (place,) = life.rows(TrainingEnrolment, couturier)
    assert (place.status, place.days_attended, place.certificate_number) == ("completed", 5, "COU-001")
    assert [event.type for event in life.events(couturier)][-2:] == ["training.enrolled", "training.certified"]
    assert [step for step in life.triggers(couturier) if step not in ("register", "hold")][-5:] == [
        *("join_waiting_list", "offer_place", "accept_offer", "confirm_attendance", "certify"),
    ]
    assert life.clocks(couturier).keys() >= {"next_step"}
    assert verify_journal(session).broken == []
