"""A change of a calendar shows every deadline that it would move, then moves just those, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload, person

from models import CalendarChange, Case, Deadline, JournalRow, Notice, Office, Task, WrongUse
from models.case import JournalRow as Row
from models.database import read_session, write_session
from states.calendars.changes import Change, announcement, closure, forgetting, own_calendar, record, recorded_after
from states.calendars.moving import move_clocks, preview, unfinished_change
from states.calendars.offices import OfficeDays, office_days, recorded_days
from states.calendars.shifts import Moved
from states.history import CHANGE_CALENDAR
from states.journal import verify_journal
from states.moves import OutcomeKind
from states.pathways.loader import bundled_pathway
from states.pathways.shelf import publish
from states.reminders import arm_reminders
from states.sweep import sweep_deadlines

DAY = timedelta(days=1)
DUE = datetime(2024, 1, 26, tzinfo=UTC)
"""14 working days after Sunday 7 January 2024."""
MONDAY = date(2024, 1, 15)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def _offices(session: Session) -> tuple[int, int]:
    rows = [Office(code="KY", name="Kayes"), Office(code="GA", name="Gao")]
    session.add_all(rows)
    session.flush()
    return rows[0].id or 0, rows[1].id or 0


def _arrived(caseload: Caseload, office_id: int | None, number: int, *, at: datetime = START) -> list[int]:
    people = [person(number + 1000 * (office_id or 0), office_id=office_id) for number in range(number)]
    ids = [made.case_id for made in caseload.register(*people, now=at)]
    outcomes = caseload.advance_all(ids, "confirm_arrival", role="intake_officer", now=at)
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}
    arm_reminders(caseload.session, case_ids=ids, now=at)
    return ids


def _preview(session: Session, change: Change, now: datetime) -> list[Moved]:
    after = OfficeDays(recorded_after(recorded_days(session), change))
    return list(preview(session, office_days(session), after, now=now, chunk=3))


def _make(caseload: Caseload, change: Change, now: datetime, limit: int = 3) -> CalendarChange:
    row = record(caseload.session, change, actor=caseload.staff["coordinator"], now=now)
    above: int | None = 0
    while above is not None:
        above = move_clocks(caseload.session, row, now=now, above=above, limit=limit).last_case_id
    return row


def _clocks(session: Session, case_ids: Sequence[int], key: str = "screening_begun") -> list[Deadline]:
    query = select(Deadline).where(col(Deadline.case_id).in_(case_ids), Deadline.key == key).order_by(col(Deadline.id))
    return list(session.exec(query.execution_options(populate_existing=True)))


def _reminders(session: Session, case_ids: Sequence[int], key: str = "screening_begun") -> set[datetime]:
    query = (
        select(Notice.send_at)
        .join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .where(col(Notice.case_id).in_(case_ids), Deadline.key == key)
        .where(col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None))
    )
    return set(session.exec(query))


def test_what_a_closure_would_move_is_shown_and_then_moved_in_that_office_alone(
    caseload: Caseload, session: Session
) -> None:
    kayes, gao = _offices(session)
    here, there = _arrived(caseload, kayes, 7), _arrived(caseload, gao, 4)
    change, now = closure(MONDAY, MONDAY + DAY, "inventaire", kayes), START + DAY
    shown = _preview(session, change, now)
    assert {(each.case_id, each.what, each.key, each.old, each.new) for each in shown} == {
        (case_id, "deadline", "screening_begun", DUE, DUE + 4 * DAY) for case_id in here
    }
    assert {clock.due_at for clock in _clocks(session, here)} == {DUE}, "a preview writes nothing"
    reminded = _reminders(session, here)

    row = _make(caseload, change, now)

    assert (row.cases, row.deadlines, row.tasks, row.finished_at) == (7, 7, 0, now)
    moved = DUE + 4 * DAY
    clocks = _clocks(session, here)
    assert {(each.due_at, each.first_due_at, each.next_at) for each in clocks} == {(moved, moved, moved)}
    assert {clock.due_at for clock in _clocks(session, there)} == {DUE}
    assert reminded == {DUE - 3 * DAY}, "three working days before, from Thursday to Monday"
    assert _reminders(session, here) == {moved - 5 * DAY}, "and from Monday to Wednesday"
    assert _reminders(session, there) == reminded
    assert _preview(session, change, now) == []
    assert verify_journal(session).broken == []


def test_the_journal_of_each_case_says_what_moved_and_who_decided_it(caseload: Caseload, session: Session) -> None:
    kayes, gao = _offices(session)
    (case_id,), (other,) = _arrived(caseload, kayes, 1), _arrived(caseload, gao, 1)
    change = _make(caseload, closure(MONDAY, MONDAY, "deuil", kayes), START + DAY)
    row = session.exec(select(Row).where(Row.case_id == case_id, Row.trigger == CHANGE_CALENDAR)).one()
    assert (row.from_state, row.to_state, row.role) == ("arrived", "arrived", "coordinator")
    assert row.actor_id == caseload.staff["coordinator"].id
    assert row.data == {
        "change": change.id,
        "moved": [
            {
                "what": "deadline",
                "key": "screening_begun",
                "from": "2024-01-26T00:00:00.000000Z",
                "to": "2024-01-27T00:00:00.000000Z",
            }
        ],
    }
    assert caseload.case(case_id).version == row.seq
    assert session.exec(select(Row).where(Row.case_id == other, Row.trigger == CHANGE_CALENDAR)).all() == []


def test_an_announced_holiday_moves_what_the_estimate_had_moved(caseload: Caseload, session: Session) -> None:
    """As if the end of Ramadan, in the calendar on Tuesday 9 April 2024, had been announced for the Friday."""
    at = datetime(2024, 4, 1, 9, tzinfo=UTC)
    people = [person(number, arrival_date=date(2024, 3, 20)) for number in range(4)]
    ids = [made.case_id for made in caseload.register(*people, now=at)]
    caseload.advance_all(ids, "confirm_arrival", role="intake_officer", now=at)
    calendar = caseload.pathway.calendar
    (due,) = {clock.due_at for clock in _clocks(session, ids)}
    assert due == datetime(2024, 4, 13, tzinfo=UTC)
    change = announcement(date(2024, 4, 12), date(2024, 4, 9), "ML", None)
    shown = _preview(session, change, at)
    local = calendar.locally(OfficeDays(recorded_after([], change)).of(None))
    expected = caseload.pathway.deadlines["screening_begun"].due_from(local, at, date(2024, 3, 20))
    assert expected == datetime(2024, 4, 12, tzinfo=UTC), "a day earlier: Tuesday is worked after all"
    assert {(each.old, each.new) for each in shown} == {(due, expected)}
    _make(caseload, change, at)
    assert {clock.due_at for clock in _clocks(session, ids)} == {expected}
    _make(caseload, forgetting(date(2024, 4, 9), date(2024, 4, 12), None), at)
    assert {clock.due_at for clock in _clocks(session, ids)} == {due}, "taken back, all is as it was"
    assert verify_journal(session).broken == []


def test_what_stood_still_moves_by_as_much_and_keeps_what_it_was_given_back(
    caseload: Caseload, session: Session
) -> None:
    resumed, held = _arrived(caseload, None, 2)
    caseload.advance(resumed, "hold", reason="medical", now=START + DAY)
    caseload.advance(held, "hold", reason="medical", now=START + DAY)
    caseload.advance(resumed, "resume", now=START + 3 * DAY + timedelta(hours=5))
    gap = 2 * DAY + timedelta(hours=5)
    _make(caseload, closure(MONDAY, MONDAY, "fermé", None), START + 4 * DAY)
    (goes_on,), (stands,) = _clocks(session, [resumed]), _clocks(session, [held])
    assert (goes_on.due_at, goes_on.first_due_at, goes_on.status) == (DUE + DAY + gap, DUE + DAY, "open")
    assert (stands.due_at, stands.first_due_at, stands.status) == (DUE + DAY, DUE + DAY, "held")
    caseload.advance(held, "resume", now=START + 11 * DAY)
    (stands,) = _clocks(session, [held])
    assert (stands.due_at, stands.next_at) == (DUE + 11 * DAY, DUE + 11 * DAY)


def test_an_overdue_deadline_that_gets_more_time_begins_anew_and_one_that_does_not_stays_told(
    caseload: Caseload, session: Session
) -> None:
    kayes, gao = _offices(session)
    here, there = _arrived(caseload, kayes, 1), _arrived(caseload, gao, 1)
    night = DUE + timedelta(hours=2)
    assert sweep_deadlines(session, as_of=night, limit=100).overdue == 2
    _make(caseload, closure(MONDAY, MONDAY, "fermé", kayes), night)
    (clock,) = _clocks(session, here)
    assert (clock.overdue_at, clock.level, clock.due_at, clock.next_at) == (None, 0, DUE + DAY, DUE + DAY)
    later = DUE + 30 * DAY
    sweep_deadlines(session, as_of=later, limit=100)
    (clock,) = _clocks(session, here)
    assert clock.overdue_at == later
    _make(caseload, closure(MONDAY, MONDAY, "fermé", gao), later + DAY)
    (clock,) = _clocks(session, there)
    assert (clock.due_at, clock.overdue_at, clock.level) == (DUE + DAY, night, 1)
    told = session.exec(select(Notice.kind).where(Notice.deadline_id == clock.id, Notice.kind == "overdue")).all()
    assert told == ["overdue"]


def test_the_next_step_of_a_ladder_moves_with_the_days(caseload: Caseload, session: Session) -> None:
    case_ids = _arrived(caseload, None, 1)
    night = DUE + timedelta(hours=2)
    sweep_deadlines(session, as_of=night, limit=10)
    (clock,) = _clocks(session, case_ids)
    assert clock.next_at == datetime(2024, 1, 31, tzinfo=UTC), "Friday, Monday and Tuesday"
    _make(caseload, closure(date(2024, 1, 29), date(2024, 1, 30), "fermé", None), night)
    (clock,) = _clocks(session, case_ids)
    assert (clock.due_at, clock.next_at) == (DUE, datetime(2024, 2, 2, tzinfo=UTC))


def test_tasks_counted_in_working_days_move_too(caseload: Caseload, session: Session) -> None:
    interview = "role: intake_officer\n    state: arrived\n    due: "
    text = (
        bundled_pathway("mali")
        .replace(f"{interview}P3D", f"{interview}3 working days")
        .replace("\nversion: ", "\nversion: 90")
    )
    caseload.version_id = publish(session, text, START).id or 0
    open_case, held = _arrived(caseload, None, 2)
    caseload.advance(held, "hold", reason="medical", now=START + timedelta(hours=1))
    row = _make(caseload, closure(date(2024, 1, 9), date(2024, 1, 9), "fermé", None), START + timedelta(hours=2))
    tasks = session.exec(
        select(Task.case_id, Task.status, Task.due_at, Task.first_due_at).where(Task.key == "identity_interview")
    ).all()
    due = datetime(2024, 1, 13, tzinfo=UTC)
    assert sorted(tasks) == sorted([(open_case, "open", due, due), (held, "held", due, due)])
    assert (row.tasks, row.cases) == (2, 2)


def test_a_change_that_was_interrupted_is_finished_without_doubles(caseload: Caseload, session: Session) -> None:
    ids = _arrived(caseload, None, 9)
    row = record(session, closure(MONDAY, MONDAY, "fermé", None), actor=caseload.staff["coordinator"], now=START)
    assert move_clocks(session, row, now=START, above=0, limit=4).cases == 4
    session.commit()
    again = unfinished_change(session)
    assert again is not None
    above: int | None = 0
    moved = 0
    while above is not None:
        progress = move_clocks(session, again, now=START + DAY, above=above, limit=4)
        above, moved = progress.last_case_id, moved + progress.cases
    assert moved == 5
    assert (again.cases, again.deadlines) == (9, 9)
    assert unfinished_change(session) is None
    assert {clock.due_at for clock in _clocks(session, ids)} == {DUE + DAY}
    rows = session.exec(select(JournalRow.case_id).where(JournalRow.trigger == CHANGE_CALENDAR)).all()
    assert sorted(rows) == sorted(ids)


def test_a_new_case_is_due_by_the_calendar_of_its_office(caseload: Caseload, session: Session) -> None:
    kayes, gao = _offices(session)
    record(session, own_calendar(gao, ["friday"], "NE"), actor=caseload.staff["coordinator"], now=START)
    record(session, closure(MONDAY, MONDAY, "fermé", kayes), actor=caseload.staff["coordinator"], now=START)
    here, there, nowhere = (_arrived(caseload, office, 1) for office in (kayes, gao, None))
    template, pathway = caseload.pathway.deadlines["screening_begun"], caseload.pathway
    for case_ids, office_id in ((here, kayes), (there, gao), (nowhere, None)):
        local = pathway.calendar.locally(office_days(session).of(office_id))
        (clock,) = _clocks(session, case_ids)
        assert clock.due_at == template.due_from(local, START, date(2024, 1, 7))
    assert len({_clocks(session, ids)[0].due_at for ids in (here, there, nowhere)}) == 3


def test_closed_cases_and_hours_do_not_move(caseload: Caseload, session: Session) -> None:
    (closed, urgent) = _arrived(caseload, None, 2)
    assert caseload.advance(closed, "close", reason="transferred").kind is OutcomeKind.MOVED
    caseload.advance(urgent, "raise_emergency")
    before = {(row.id, row.due_at) for row in session.exec(select(Deadline)) if row.key != "screening_begun"}
    row = _make(caseload, closure(START.date(), MONDAY, "fermé", None), START)
    assert (row.cases, row.deadlines) == (1, 1)
    after = {
        (row.id, row.due_at)
        for row in session.exec(select(Deadline).execution_options(populate_existing=True))
        if row.key != "screening_begun"
    }
    assert before == after


def test_a_mistake_before_a_change_can_still_be_taken_back(caseload: Caseload, session: Session) -> None:
    (case_id,) = _arrived(caseload, None, 1)
    caseload.advance(case_id, "close", reason="transferred")
    caseload.advance(case_id, "correct", note="Dossier fictif confondu avec un autre", now=START + timedelta(hours=1))
    _make(caseload, closure(MONDAY, MONDAY, "fermé", None), START + DAY)
    (clock,) = _clocks(session, [case_id])
    assert (clock.status, clock.due_at) == ("open", DUE + DAY)
    outcome = caseload.advance(case_id, "correct", note="Pas encore arrivé", now=START + 2 * DAY)
    assert (outcome.kind, outcome.to_state) == (OutcomeKind.MOVED, "registered")
    assert {clock.status for clock in _clocks(session, [case_id])} == {"cancelled"}
    assert verify_journal(session).broken == []


def test_only_who_may_changes_calendars(caseload: Caseload, session: Session) -> None:
    with pytest.raises(WrongUse) as refused:
        record(session, closure(MONDAY, MONDAY, "fermé", None), actor=caseload.staff["case_worker"], now=START)
    assert "coordinator" in refused.value.remedy_fr
    assert session.exec(select(CalendarChange)).all() == []


def test_of_two_changes_at_once_the_second_knows_the_first(engine: Engine) -> None:
    with write_session(engine) as session:
        actor = open_caseload(session).staff["coordinator"]
        session.commit()
    postgres = engine.dialect.name == "postgresql"
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")

    def second() -> None:
        with write_session(engine) as session:
            record(session, closure(MONDAY + DAY, MONDAY + DAY, "deuil", None), actor=actor, now=START)
            session.commit()

    thread = Thread(target=second)
    with write_session(engine) as session:
        record(session, closure(MONDAY, MONDAY, "fermé", None), actor=actor, now=START)
        thread.start()
        while postgres and thread.is_alive() and not session.connection().scalar(waiting):
            thread.join(timeout=0.01)  # until it waits for this one, or has passed
        session.commit()
    thread.join(timeout=60)
    with read_session(engine) as session:
        first, then = session.exec(select(CalendarChange).order_by(col(CalendarChange.id))).all()
    assert first.before == []
    assert then.before == first.after
    assert len(then.after) == 2


def test_the_number_of_statements_is_constant(caseload: Caseload, session: Session, engine: Engine) -> None:
    _arrived(caseload, None, 60)
    first, *_ = session.exec(select(Case.id).order_by(col(Case.id))).all()
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    row = record(session, closure(MONDAY, MONDAY, "fermé", None), actor=caseload.staff["coordinator"], now=START)
    for above, limit in ((0, 1), (first or 0, 59)):
        session.flush()
        seen.clear()
        assert move_clocks(session, row, now=START, above=above, limit=limit).cases == limit
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 20
