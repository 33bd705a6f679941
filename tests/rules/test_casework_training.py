"""Training: places are given in turn and never twice, attendance is counted by day, and each step is in the journal."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select
from supported_cases import codes, course, in_state, rows, sign, wanted
from synthetic_cases import START, Caseload, open_caseload

from models import Attendance, Deadline, Event, JournalRow, Task, TrainingEnrolment, WrongUse
from states.casework.course_end import cancel_course, close_course
from states.casework.courses import NewCourse, add_course, read_seats
from states.casework.leftovers import release_leftovers
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
    leave_waiting_list,
    record_attendance,
)
from states.casework.waiting import offer_free_places, waiting_list
from states.moves import Outcome, OutcomeKind
from states.sweep import sweep_deadlines

MOVED, REFUSED = OutcomeKind.MOVED, OutcomeKind.REFUSED
DAYS = [date(2024, 1, 9) + timedelta(days=number) for number in range(4)]


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def status(caseload: Caseload) -> dict[str, str]:
    """Where every enrolment is."""
    query = select(TrainingEnrolment.code, TrainingEnrolment.status).order_by(TrainingEnrolment.code)
    return dict(caseload.session.exec(query).all())


def only(outcomes: list[Outcome]) -> Outcome:
    (outcome,) = outcomes
    return outcome


def end(caseload: Caseload, case_id: int, code: str, reason: str) -> EndOfEnrolment:
    return EndOfEnrolment(**sign(caseload, case_id, "training_officer"), enrolment=code, reason=reason)


def test_training_goes_from_enrolment_through_attendance_to_a_certificate(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_training")
    session, place = caseload.session, course(caseload, 10)
    other = course(caseload, 10, "SOUDURE-1")
    me = partial(sign, caseload, case_id, "training_officer")

    def attends(*days: tuple[date, bool]) -> Outcome:
        sheet = AttendanceSheet(**me(), enrolment="E1", days=days)
        return only(record_attendance(session, [sheet], now=START + timedelta(days=7)))

    assert codes(attends((DAYS[0], True))) == ["no_such_record"]
    assert only(enrol(session, [wanted(caseload, case_id, "E1", place)], now=START)).kind is MOVED
    assert codes(only(enrol(session, [wanted(caseload, case_id, "E2", other)], now=START))) == ["no_record_in"]
    assert codes(only(enrol(session, [wanted(caseload, case_id, "E2", place)], now=START))) == [
        *("no_record_in", "already_asked"),
    ]
    # A certificate needs attendance.
    certificate = Certificate(**me(), enrolment="E1", number="C-7")
    assert codes(only(certify(session, [certificate], now=START))) == ["wrong_record_state"]
    assert attends((DAYS[0], True), (DAYS[1], True), (DAYS[2], False)).kind is MOVED
    assert attends((DAYS[2], True), (DAYS[1], False), (DAYS[3], True)).kind is MOVED
    later = START + timedelta(days=90)
    certificate = Certificate(**me(), enrolment="E1", number="C-7")
    assert only(certify(session, [certificate], now=later)).kind is MOVED

    (row,) = rows(caseload, TrainingEnrolment, case_id)
    assert (row.status, row.course, row.days_attended) == ("completed", "couture", 3)
    assert (row.certificate_at, row.certificate_number) == (later, "C-7")
    assert {each.day: each.present for each in session.exec(select(Attendance))} == {
        **dict.fromkeys(DAYS, True),
        DAYS[1]: False,
    }
    assert [event.type for event in rows(caseload, Event, case_id)][-2:] == ["training.enrolled", "training.certified"]
    steps = [row.data for row in rows(caseload, JournalRow, case_id) if "record" in row.data]
    assert [step["record"]["to"] for step in steps] == ["enrolled", "attending", "attending", "completed"]
    assert (steps[0]["course"], steps[1]["days"], steps[1]["present"]) == (place, 3, 2)


@pytest.mark.parametrize(
    "days",
    [
        (),
        ((DAYS[0], True), (DAYS[0], False)),
        ((date(2024, 3, 1), True),),
        ((date(2023, 12, 31), True),),
    ],
)
def test_attendance_is_for_days_of_the_course_that_have_come(caseload: Caseload, days: Any) -> None:
    (case_id,) = in_state(caseload, "start_training")
    enrol(caseload.session, [wanted(caseload, case_id, "E1", course(caseload, 1))], now=START)
    sheet = AttendanceSheet(**sign(caseload, case_id), enrolment="E1", days=days)
    with pytest.raises(WrongUse, match="days of the course"):
        record_attendance(caseload.session, [sheet], now=START + timedelta(days=20))


def test_a_full_course_refuses_names_its_places_and_sends_to_the_waiting_list(caseload: Caseload) -> None:
    first, second, third = in_state(caseload, "start_training", 3)
    session, place = caseload.session, course(caseload, 2)
    early = wanted(caseload, third, "E0", place)
    assert codes(only(join_waiting_list(session, [early], now=START))) == ["place_free"]
    # In one batch: whoever is refused takes no place, and comes after those whom the pathway lets through.
    batch = [wanted(caseload, first, "E1", place), wanted(caseload, first, "E1b", place)]
    batch += [wanted(caseload, second, "E2", place), wanted(caseload, third, "E3", place)]
    outcomes = enrol(session, batch, now=START)
    assert [codes(outcome) for outcome in outcomes] == [[], ["no_record_in", "already_asked"], [], ["course_full"]]
    assert "2 places" in outcomes[3].reasons[0].text_fr
    assert status(caseload) == {"E1": "enrolled", "E2": "enrolled"}
    assert only(join_waiting_list(session, [early], now=START)).kind is MOVED
    again = only(join_waiting_list(session, [early], now=START))
    assert again.kind is OutcomeKind.ALREADY_DONE
    seats = read_seats(session, [place])[place]
    assert (seats.free, seats.taken, seats.in_line) == (0, 2, 1)


def test_a_step_that_the_pathway_refuses_leaves_its_place_to_the_next(caseload: Caseload) -> None:
    (there,) = in_state(caseload, "start_training")
    (elsewhere,) = caseload.register_many(1)
    place = course(caseload, 1)
    outcomes = enrol(
        caseload.session,
        [wanted(caseload, elsewhere, "E1", place), wanted(caseload, there, "E2", place)],
        now=START,
    )
    assert [codes(outcome) for outcome in outcomes] == [["wrong_state"], []]
    assert status(caseload) == {"E2": "enrolled"}


def test_people_wait_by_urgency_then_by_the_day_of_asking_and_are_told_why(caseload: Caseload) -> None:
    on_it, early, late, urgent, held = in_state(caseload, "start_training", 5)
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, on_it, "E0", place)], now=START)
    for number, case_id in enumerate((early, late, held, urgent), start=1):
        moment = START + timedelta(days=number)
        assert only(join_waiting_list(session, [wanted(caseload, case_id, f"E{number}", place)], now=moment)).kind
    caseload.advance(urgent, "raise_urgent")
    caseload.advance(held, "raise_emergency", role="coordinator")
    caseload.advance(held, "hold", reason="medical")
    turns = waiting_list(session, place)
    assert [(turn.rank, turn.waiting.case_id, turn.waiting.held) for turn in turns] == [
        *((1, held, True), (2, urgent, False), (3, early, False), (4, late, False)),
    ]
    assert turns[0].why.fr.endswith("Le dossier est en suspens : il garde son rang, la place va au suivant.")
    assert turns[2].why == (
        "Priorité : normale ; demande du 2024-01-09 ; 2 personne(s) avant.",
        "Priority: normal; asked on 2024-01-09; 2 before.",
    )
    # The place goes to the first who can take it, at once.
    assert only(drop_out(session, [end(caseload, on_it, "E0", "family_issues")], now=START)).kind is MOVED
    assert status(caseload)["E4"] == "offered"
    assert rows(caseload, Task, urgent)[-1].key == "answer_offer"
    # Nobody jumps the line.
    (fresh,) = in_state(caseload, "start_training")
    assert codes(only(enrol(session, [wanted(caseload, fresh, "E9", place)], now=START))) == ["course_full"]
    # Who declines leaves the place to the next.
    assert only(leave_waiting_list(session, [end(caseload, urgent, "E4", "declined")], now=START)).kind is MOVED
    assert {code: at for code, at in status(caseload).items() if code != "E0"} == {
        "E1": "offered",
        "E2": "waiting",
        "E3": "waiting",
        "E4": "withdrawn",
    }
    (row,) = rows(caseload, TrainingEnrolment, urgent)
    assert row.reason == "declined"


def test_who_comes_last_does_not_take_a_place_that_others_wait_for(caseload: Caseload) -> None:
    on_it, waits, comes = in_state(caseload, "start_training", 3)
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, on_it, "E0", place)], now=START)
    caseload.advance(waits, "raise_urgent")
    join_waiting_list(session, [wanted(caseload, waits, "E1", place)], now=START)
    caseload.advance(on_it, "close", reason="left_area")
    # The closed case holds its place until the night; then it goes to who waits, not to who asks.
    assert codes(only(enrol(session, [wanted(caseload, comes, "E2", place)], now=START))) == ["course_full"]
    assert release_leftovers(session, now=START + timedelta(hours=1), limit=100).enrolments == 1
    assert release_leftovers(session, now=START + timedelta(hours=1), limit=100).enrolments == 0
    assert status(caseload) == {"E0": "dropped_out", "E1": "offered"}
    (left,) = rows(caseload, TrainingEnrolment, on_it)
    assert left.reason == "case_closed"
    assert rows(caseload, JournalRow, on_it)[-1].to_state == "closed"


def test_an_offer_without_an_answer_lapses_and_goes_to_the_next_in_the_night(caseload: Caseload) -> None:
    on_it, first, second = in_state(caseload, "start_training", 3)
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, on_it, "E0", place)], now=START)
    for number, case_id in enumerate((first, second), start=1):
        join_waiting_list(session, [wanted(caseload, case_id, f"E{number}", place)], now=START + timedelta(days=number))
    drop_out(session, [end(caseload, on_it, "E0", "other")], now=START)
    (offer,) = [row for row in rows(caseload, Deadline, first) if row.key == "place_offer"]
    assert (offer.record, offer.status) == ("E1", "open")
    assert offer_free_places(session, now=START) == 0
    night = offer.due_at + timedelta(hours=1)
    while sweep_deadlines(session, as_of=night, limit=100).seen:
        pass
    assert status(caseload) == {"E0": "dropped_out", "E1": "lapsed", "E2": "waiting"}
    assert offer_free_places(session, now=night) == 1
    assert offer_free_places(session, now=night) == 0
    assert status(caseload)["E2"] == "offered"
    assert [row.status for row in rows(caseload, Task, first) if row.key == "enrol"] == ["done", "open"]
    accepted = OnEnrolment(**sign(caseload, second, "training_officer"), enrolment="E2")
    assert only(accept_offers(session, [accepted], now=night)).kind is MOVED
    assert status(caseload)["E2"] == "enrolled"
    (row,) = [row for row in rows(caseload, Deadline, second) if row.key == "place_offer"]
    assert row.status == "cancelled"
    late = OnEnrolment(**sign(caseload, first, "training_officer"), enrolment="E1")
    assert codes(only(accept_offers(session, [late], now=night))) == ["wrong_record_state"]


def test_a_drop_out_has_a_reason_of_the_pathway_and_asks_for_another_course(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_training")
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, case_id, "E1", place)], now=START)
    assert codes(only(drop_out(session, [end(caseload, case_id, "E1", "no_idea")], now=START))) == ["reason_in"]
    assert only(drop_out(session, [end(caseload, case_id, "E1", "critical_illness")], now=START)).kind is MOVED
    (row,) = rows(caseload, TrainingEnrolment, case_id)
    assert (row.status, row.reason) == ("dropped_out", "critical_illness")
    assert [task.status for task in rows(caseload, Task, case_id) if task.key == "enrol"] == ["done", "open"]
    assert only(enrol(session, [wanted(caseload, case_id, "E2", place)], now=START)).kind is MOVED


def test_a_cancelled_course_ends_with_everybody_on_it_and_in_its_line(caseload: Caseload) -> None:
    on_it, waits = in_state(caseload, "start_training", 2)
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, on_it, "E1", place)], now=START)
    join_waiting_list(session, [wanted(caseload, waits, "E2", place)], now=START)
    by: dict[str, Any] = {"actor": caseload.staff["training_officer"], "correlation_id": "x", "now": START}
    with pytest.raises(WrongUse, match="Somebody else"):
        cancel_course(session, place, expected_version=2, **by)
    assert [outcome.kind for outcome in cancel_course(session, place, expected_version=1, **by)] == [MOVED, MOVED]
    assert status(caseload) == {"E1": "dropped_out", "E2": "withdrawn"}
    assert {row.reason for id_ in (on_it, waits) for row in rows(caseload, TrainingEnrolment, id_)} == {
        "course_cancelled"
    }
    assert cancel_course(session, place, expected_version=1, **by) == []
    assert codes(only(enrol(session, [wanted(caseload, waits, "E3", place)], now=START))) == ["course_not_open"]


def test_a_closed_course_takes_nobody_more_and_goes_on(caseload: Caseload) -> None:
    on_it, waits, comes = in_state(caseload, "start_training", 3)
    session, place = caseload.session, course(caseload, 1)
    enrol(session, [wanted(caseload, on_it, "E1", place)], now=START)
    join_waiting_list(session, [wanted(caseload, waits, "E2", place)], now=START)
    close_course(session, place, expected_version=1)
    with pytest.raises(WrongUse, match="closed"):
        close_course(session, place, expected_version=2)
    drop_out(session, [end(caseload, on_it, "E1", "other")], now=START)
    assert offer_free_places(session, now=START) == 0
    assert codes(only(enrol(session, [wanted(caseload, comes, "E3", place)], now=START))) == ["course_not_open"]
    assert status(caseload) == {"E1": "dropped_out", "E2": "waiting"}


def test_courses_that_cannot_be_are_refused(caseload: Caseload) -> None:
    actor = caseload.staff["coordinator"]
    good: dict[str, Any] = {
        "code": "C",
        "title": "couture",
        "place": "Kayes",
        "capacity": 1,
        "starts_on": START.date(),
        "ends_on": START.date(),
        "provider": "x",
    }
    for wrong in ({"capacity": 0}, {"ends_on": date(2023, 1, 1)}, {"provider": None}):
        with pytest.raises(WrongUse):
            add_course(caseload.session, NewCourse(**{**good, **wrong}), actor=actor, now=START)
    add_course(caseload.session, NewCourse(**good), actor=actor, now=START)
    with pytest.raises(WrongUse, match="already"):
        add_course(caseload.session, NewCourse(**good), actor=actor, now=START)
    (case_id,) = in_state(caseload, "start_training")
    with pytest.raises(WrongUse, match="no course"):
        enrol(caseload.session, [wanted(caseload, case_id, "E1", "UNHEARD-OF")], now=START)
    over = START + timedelta(days=2)
    assert codes(only(enrol(caseload.session, [wanted(caseload, case_id, "E1", "C")], now=over))) == ["course_not_open"]


def test_a_batch_fills_a_course_in_its_order(caseload: Caseload) -> None:
    case_ids = in_state(caseload, "start_training", 12)
    place = course(caseload, 10)
    outcomes = enrol(
        caseload.session,
        [wanted(caseload, each, f"E{number:02}", place) for number, each in enumerate(case_ids)],
        now=START,
    )
    assert [outcome.kind for outcome in outcomes] == [MOVED] * 10 + [REFUSED] * 2
    assert len(rows(caseload, TrainingEnrolment, case_ids[0])) == 1
    assert read_seats(caseload.session, [place])[place].free == 0
