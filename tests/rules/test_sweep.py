"""Clocks that run out: overdue, escalated, fired; once each, whatever the nights that were missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from night_cases import ARRIVAL, NightCases
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from models.partner import Event
from models.work import Deadline, Notice
from states.clocks import sweep_correlation
from states.pathways.shelf import pathways_of
from states.sweep import SweepResult, climb, sweep_deadlines

DAY = timedelta(days=1)
NIGHT = datetime(2024, 1, 6, 2, tzinfo=UTC)
"""The first night after the arrival. `begin` is due at the end of 15 January, its ladder ends on 22 January."""
BEGIN_OVERDUE = NIGHT + 10 * DAY


@pytest.fixture
def cases(session: Session) -> NightCases:
    return NightCases(session)


def _sweep(session: Session, as_of: datetime, *, limit: int = 100, urgent_only: bool = False) -> SweepResult:
    return sweep_deadlines(session, as_of=as_of, limit=limit, urgent_only=urgent_only)


def _overdue_events(session: Session) -> list[Event]:
    return list(session.exec(select(Event).where(Event.type == "deadline.overdue").order_by(col(Event.id))))


def _calm(cases: NightCases, at: datetime = NIGHT) -> int:
    """A case whose urgent clock has been dealt with: only `begin` and the timer run."""
    (case_id,) = cases.register()
    clock = cases.clock(case_id, "emergency")
    clock.status, clock.closed_at = "kept", at
    cases.session.flush()
    return case_id


def test_nothing_is_done_before_it_is_due(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    due = cases.clock(case_id, "begin").due_at
    assert due == datetime(2024, 1, 16, tzinfo=UTC)
    assert _sweep(session, due - timedelta(microseconds=1)) == SweepResult()
    assert _sweep(session, due).overdue == 1


def test_an_overdue_deadline_is_marked_told_and_announced_once(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    before = cases.case(case_id)
    assert (before.events, before.version) == (1, 1)
    assert _sweep(session, BEGIN_OVERDUE) == SweepResult(seen=1, overdue=1, notices=1, announced=1)

    clock = cases.clock(case_id, "begin")
    assert (clock.status, clock.overdue_at, clock.level, clock.escalated_at) == ("open", BEGIN_OVERDUE, 0, None)
    assert clock.next_at == datetime(2024, 1, 17, tzinfo=UTC), "the first step of the ladder, a day after it was due"
    (event_row,) = _overdue_events(session)
    case = cases.case(case_id)
    assert (event_row.sequence, event_row.seq, case.events, case.version) == (2, 1, 2, 1)
    assert event_row.data == {"case": case.code, "deadline": "begin"}
    assert event_row.occurred_at == BEGIN_OVERDUE
    assert event_row.region_pcode == "ML01"
    assert event_row.correlation_id == sweep_correlation(BEGIN_OVERDUE)
    assert event_row.uid.startswith("evt_")
    notice = session.exec(select(Notice)).one()
    assert (notice.kind, notice.role, notice.office_id, notice.send_at) == (
        "overdue",
        "case_worker",
        cases.office.id,
        BEGIN_OVERDUE,
    )
    assert _sweep(session, BEGIN_OVERDUE) == SweepResult(), "a second run at the same instant changes nothing"


def test_the_ladder_is_climbed_step_by_step_and_then_there_is_silence(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    for night in range(10, 40):
        _sweep(session, NIGHT + night * DAY)
    assert cases.notices() == [
        ("overdue", "case_worker", 0),
        ("escalation", "coordinator", 1),
        ("escalation", "manager", 2),
        ("escalation", "manager", 3),
    ]
    clock = cases.clock(case_id, "begin")
    assert (clock.level, clock.next_at, clock.overdue_at) == (3, None, BEGIN_OVERDUE)
    assert clock.escalated_at == BEGIN_OVERDUE + 7 * DAY
    assert len(_overdue_events(session)) == 1


def test_a_week_without_nights_tells_of_the_highest_step_only(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    late = BEGIN_OVERDUE + 5 * DAY
    assert _sweep(session, late) == SweepResult(seen=1, overdue=1, escalated=1, notices=2, announced=1)
    assert cases.notices() == [("overdue", "case_worker", 0), ("escalation", "manager", 2)]
    clock = cases.clock(case_id, "begin")
    assert (clock.level, clock.next_at) == (2, datetime(2024, 1, 23, tzinfo=UTC))


def test_nothing_repeats_after_the_thing_is_done(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    _sweep(session, BEGIN_OVERDUE)
    cases.move([case_id], "start_care", BEGIN_OVERDUE + timedelta(hours=8))
    told = cases.notices()
    assert _sweep(session, BEGIN_OVERDUE + DAY) == SweepResult()
    assert cases.notices() == told
    assert cases.clock(case_id, "begin").status == "late"


def test_a_held_clock_stands_still_and_goes_on_by_as_much_later(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    held_at = ARRIVAL + 8 * DAY
    cases.move([case_id], "hold", held_at, reason="medical")
    assert _sweep(session, BEGIN_OVERDUE + 3 * DAY) == SweepResult()
    resumed_at = held_at + 20 * DAY
    cases.move([case_id], "resume", resumed_at)
    due = cases.clock(case_id, "begin").due_at
    assert due == datetime(2024, 1, 16, tzinfo=UTC) + 20 * DAY
    assert _sweep(session, due - timedelta(seconds=1)) == SweepResult()
    assert _sweep(session, due).overdue == 1


def test_a_deadline_overdue_before_the_hold_is_not_announced_again(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    _sweep(session, BEGIN_OVERDUE)
    cases.move([case_id], "hold", BEGIN_OVERDUE + timedelta(hours=1), reason="medical")
    cases.move([case_id], "resume", BEGIN_OVERDUE + timedelta(hours=1) + 10 * DAY)
    result = _sweep(session, BEGIN_OVERDUE + 12 * DAY)
    assert (result.overdue, result.escalated, result.announced) == (0, 1, 0)
    assert len(_overdue_events(session)) == 1


def test_several_deadlines_of_one_case_continue_its_sequence(cases: NightCases, session: Session) -> None:
    (case_id,) = cases.register()
    result = _sweep(session, BEGIN_OVERDUE)
    assert (result.overdue, result.announced) == (2, 2)
    assert [(row.sequence, row.data["deadline"]) for row in _overdue_events(session)] == [
        (2, "emergency"),
        (3, "begin"),
    ]
    assert cases.case(case_id).events == 3
    assert len({row.uid for row in _overdue_events(session)}) == 2


def test_an_urgent_sweep_leaves_the_rest_to_the_night(cases: NightCases, session: Session) -> None:
    (case_id,) = cases.register()
    assert _sweep(session, BEGIN_OVERDUE, urgent_only=True) == SweepResult(
        seen=1, overdue=1, escalated=1, notices=2, announced=1
    )
    assert _sweep(session, BEGIN_OVERDUE, urgent_only=True) == SweepResult()
    assert cases.clock(case_id, "begin").overdue_at is None
    assert _sweep(session, BEGIN_OVERDUE).overdue == 1


def test_chunks_do_together_what_one_sweep_does(cases: NightCases, session: Session) -> None:
    cases.register(25)
    results = []
    while (result := _sweep(session, BEGIN_OVERDUE, limit=7)).seen:
        results.append(result)
    assert [result.seen for result in results] == [7, 7, 7, 7, 7, 7, 7, 1]
    assert sum(result.overdue for result in results) == 50
    assert len(session.exec(select(Notice)).all()) == 75


def test_a_timer_moves_its_case_as_the_system(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    cases.move([case_id], "start_care", ARRIVAL + DAY)
    timer = cases.clock(case_id, "visit_3")
    review = cases.clock(case_id, "review")
    review.status = "kept"
    session.flush()
    assert _sweep(session, timer.due_at) == SweepResult(seen=1, fired=1)
    timer = cases.clock(case_id, "visit_3")
    case = cases.case(case_id)
    assert (timer.status, timer.closed_at, timer.closed_seq) == ("fired", timer.due_at, case.version)
    assert case.version == 3
    assert _sweep(session, timer.due_at) == SweepResult()


def test_a_timer_that_its_own_transition_sets_anew_runs_once_more(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    cases.move([case_id], "hold", ARRIVAL + DAY, reason="medical")
    for number in range(1, 4):
        due = cases.clock(case_id, "hold_review").due_at
        assert _sweep(session, due) == SweepResult(seen=1, fired=1)
        clocks = session.exec(select(Deadline.status).where(Deadline.key == "hold_review").order_by(col(Deadline.id)))
        assert clocks.all() == ["fired"] * number + ["open"]


def test_a_timer_that_closes_its_case_ends_every_clock(cases: NightCases, session: Session) -> None:
    (case_id,) = cases.register()
    night = ARRIVAL + 100 * DAY
    result = _sweep(session, night)
    assert (result.overdue, result.fired) == (2, 1)
    case = cases.case(case_id)
    assert (case.state, case.closure_reason, case.closed_at) == ("closed", "no_show", night)
    assert {cases.clock(case_id, key).status for key in ("begin", "emergency")} == {"cancelled"}
    assert cases.clock(case_id, "no_show").status == "fired"
    assert _sweep(session, night + 30 * DAY) == SweepResult()


def test_a_refused_timer_is_told_once_and_tried_again_later_and_later(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    cases.move([case_id], "start_care", ARRIVAL + DAY)
    review, visit = cases.clock(case_id, "review"), cases.clock(case_id, "visit_3")
    review.status = visit.status = "cancelled"
    session.flush()
    first = cases.clock(case_id, "finish").due_at
    assert _sweep(session, first) == SweepResult(seen=1, refused=1, notices=1)
    assert _sweep(session, first) == SweepResult(), "no endless loop"
    timer = cases.clock(case_id, "finish")
    assert (timer.status, timer.level, timer.overdue_at, timer.closed_at) == ("open", 1, first, None)
    attempts = [day for day in range(1, 100) if _sweep(session, first + day * DAY).refused]
    assert attempts == [1, 3, 7, 15, 31, 63, 95]
    assert cases.notices() == [("timer_refused", "coordinator", 0)]
    assert cases.case(case_id).version == 2, "a refused move leaves no trace in the journal"


def test_two_timers_of_one_case_fire_one_after_the_other(cases: NightCases, session: Session) -> None:
    case_id = _calm(cases)
    cases.move([case_id], "start_care", ARRIVAL + DAY)
    night = ARRIVAL + 200 * DAY
    results = []
    while (result := _sweep(session, night)).seen:
        results.append(result)
    assert [(result.fired, result.refused) for result in results] == [(1, 0), (0, 1)]
    assert cases.clock(case_id, "visit_3").status == "fired"


def test_the_number_of_statements_is_constant(cases: NightCases, session: Session, engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for size, as_of in ((1, BEGIN_OVERDUE), (30, BEGIN_OVERDUE + DAY)):
        session.execute(Deadline.__table__.update().values(next_at=None))  # type: ignore[attr-defined]
        cases.register(size)
        seen.clear()
        assert _sweep(session, as_of).overdue == 2 * size
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 7


def test_a_level_once_reached_is_kept_when_the_due_time_moves(cases: NightCases, session: Session) -> None:
    pathway = pathways_of(session, [cases.version.id or 0])[cases.version.id or 0]
    template, due = pathway.deadlines["begin"], datetime(2024, 1, 16, tzinfo=UTC)
    assert climb(template, pathway.calendar, due, 0, due) == (0, due + DAY)
    assert climb(template, pathway.calendar, due, 2, due) == (2, due + 7 * DAY)
    assert climb(template, pathway.calendar, due, 0, due + 30 * DAY) == (3, None)
