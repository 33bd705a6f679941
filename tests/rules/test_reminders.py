"""Reminders: written in time, moved with the due date, sent while they are true, and each sent once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from night_cases import ARRIVAL, NightCases
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from models.work import Notice, Task
from states.assignment import assign_tasks
from states.calendar import Calendar, Span
from states.notices import NewNotice, NoticeKind, write_deadline_notices
from states.pathway import DeadlineTemplate, Text
from states.releases import Released, release_notices
from states.reminders import arm_reminders, reminder_times
from states.sweep import sweep_deadlines

DAY = timedelta(days=1)
DUE = datetime(2024, 1, 16, tzinfo=UTC)
"""`begin` of a case that arrived on 5 January, reminded 3 days and 1 day before."""
FIRST, LAST = DUE - 3 * DAY, DUE - DAY


@pytest.fixture
def cases(session: Session) -> NightCases:
    return NightCases(session)


def _arm(session: Session, case_ids: list[int], now: datetime) -> int:
    return arm_reminders(session, case_ids=case_ids, now=now)


def _release(session: Session, now: datetime) -> Released:
    return release_notices(session, now=now, day=now.date(), limit=1000)


def _waiting(session: Session) -> list[datetime]:
    waiting = select(Notice.send_at).where(col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None))
    return list(session.exec(waiting.order_by(col(Notice.send_at))))


def test_the_reminders_of_open_deadlines_are_written_once(cases: NightCases, session: Session) -> None:
    case_ids = cases.register(3)
    assert _arm(session, case_ids, ARRIVAL) == 6
    assert _arm(session, case_ids, ARRIVAL) == 0
    assert _waiting(session) == [FIRST] * 3 + [LAST] * 3
    notice = session.exec(select(Notice)).first()
    assert notice is not None
    assert (notice.kind, notice.role, notice.office_id) == ("reminder", "case_worker", cases.office.id)


def test_only_the_named_cases_are_reminded(cases: NightCases, session: Session) -> None:
    first, _ = cases.register(2)
    assert _arm(session, [first], ARRIVAL) == 2


def test_a_held_case_is_not_reminded_and_a_resumed_one_as_much_later(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    cases.move(case_ids, "hold", ARRIVAL + DAY, reason="medical")
    assert _arm(session, case_ids, ARRIVAL + DAY) == 0
    assert _waiting(session) == []
    cases.move(case_ids, "resume", ARRIVAL + 11 * DAY)
    assert _arm(session, case_ids, ARRIVAL + 11 * DAY) == 2
    assert _waiting(session) == [FIRST + 10 * DAY, LAST + 10 * DAY]


def test_a_hold_of_no_time_at_all_brings_the_same_reminders_back(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    cases.move(case_ids, "hold", ARRIVAL + DAY, reason="medical")
    _arm(session, case_ids, ARRIVAL + DAY)
    cases.move(case_ids, "resume", ARRIVAL + DAY)
    assert _arm(session, case_ids, ARRIVAL + DAY) == 2
    assert _waiting(session) == [FIRST, LAST]
    assert len(session.exec(select(Notice)).all()) == 2, "cancelled lines wait again, none is written twice"


def test_a_deadline_met_is_not_reminded(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    cases.move(case_ids, "start_care", ARRIVAL + DAY)
    assert _release(session, FIRST) == Released(sent=0, cancelled=1)
    _arm(session, case_ids, FIRST)
    assert _waiting(session) == []


def test_a_reminder_is_sent_when_its_time_has_come(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    assert _release(session, FIRST - timedelta(seconds=1)) == Released()
    assert _release(session, FIRST) == Released(sent=1, digests=1)
    assert _release(session, FIRST) == Released()
    assert _waiting(session) == [LAST]


def test_a_line_goes_to_whoever_has_a_task_of_the_case(cases: NightCases, session: Session) -> None:
    with_task, without = cases.register(2)
    task = session.exec(select(Task).where(Task.case_id == without)).one()
    task.status = "done"
    assign_tasks(session, case_ids=[with_task], now=ARRIVAL, limit=10)
    _arm(session, [with_task, without], ARRIVAL)
    assert _release(session, FIRST) == Released(sent=2, digests=2)
    sent = session.exec(select(Notice.case_id, Notice.staff_id).where(col(Notice.sent_at) == FIRST)).all()
    assert dict(sent) == {with_task: cases.staff["case_worker"].id, without: None}


def test_many_lines_make_one_digest_a_person(cases: NightCases, session: Session) -> None:
    case_ids = cases.register(40)
    assign_tasks(session, case_ids=None, now=ARRIVAL, limit=100)
    _arm(session, case_ids, ARRIVAL)
    assert _release(session, FIRST + timedelta(hours=2)) == Released(sent=40, digests=1)
    digests = session.exec(select(Notice.sent_at, Notice.staff_id).where(col(Notice.sent_at).is_not(None)).distinct())
    assert digests.all() == [(FIRST + timedelta(hours=2), cases.staff["case_worker"].id)]


def test_a_reminder_of_another_due_date_is_cancelled(cases: NightCases, session: Session) -> None:
    (case_id,) = cases.register()
    _arm(session, [case_id], ARRIVAL)
    cases.clock(case_id, "begin").due_at = DUE + 5 * DAY
    session.flush()
    assert _release(session, FIRST) == Released(cancelled=1)


def test_a_reminder_that_comes_after_the_due_time_is_cancelled(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    assert _release(session, DUE) == Released(cancelled=2)
    assert _arm(session, case_ids, DUE) == 0, "what is due is overdue, not reminded"


def test_a_dispatch_that_comes_late_sends_the_last_reminder_only(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    assert _arm(session, case_ids, LAST + timedelta(hours=1)) == 1
    assert _waiting(session) == [LAST]
    assert _release(session, LAST + timedelta(hours=2)).sent == 1
    assert _arm(session, case_ids, LAST + timedelta(hours=3)) == 0


def test_no_reminder_is_sent_twice_across_a_hold(cases: NightCases, session: Session) -> None:
    case_ids = cases.register()
    _arm(session, case_ids, ARRIVAL)
    _release(session, FIRST)
    cases.move(case_ids, "hold", FIRST + timedelta(hours=1), reason="medical")
    _arm(session, case_ids, FIRST + timedelta(hours=1))
    cases.move(case_ids, "resume", FIRST + 10 * DAY)
    assert _arm(session, case_ids, FIRST + 10 * DAY) == 1, "the second reminder alone is still to come"


def test_overdue_and_escalated_lines_are_sent_while_the_deadline_is_open(cases: NightCases, session: Session) -> None:
    open_case, done_case = cases.register(2)
    night = DUE + 2 * DAY
    sweep_deadlines(session, as_of=night, limit=100)
    assert len(_waiting(session)) == 8
    cases.move([done_case], "start_care", night)
    assert _release(session, night) == Released(sent=4, cancelled=4, digests=2)
    sent = session.exec(select(Notice.case_id, Notice.kind).where(col(Notice.sent_at).is_not(None))).all()
    assert sorted(sent) == sorted([(open_case, "overdue"), (open_case, "escalation")] * 2)


def test_a_line_about_the_case_as_a_whole_is_always_sent(cases: NightCases, session: Session) -> None:
    (case_id,) = cases.register()
    line = NewNotice(case_id, NoticeKind.TIMER_REFUSED, "coordinator", cases.office.id, ARRIVAL)
    assert write_deadline_notices(session, [line]) == 1
    assert _release(session, ARRIVAL) == Released(sent=1, digests=1)


def test_the_number_of_statements_is_constant(cases: NightCases, session: Session, engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for size, now in ((1, ARRIVAL), (30, ARRIVAL + timedelta(hours=1))):
        case_ids = cases.register(size, at=now)
        seen.clear()
        assert _arm(session, case_ids, now) == 2 * size
        counts.append(len(seen))
        _release(session, FIRST)
    assert counts == [5, 5]


@pytest.mark.parametrize(
    ("started", "now", "expected"),
    [
        (DUE - 10 * DAY, DUE - 9 * DAY, [(0, FIRST), (1, LAST)]),
        (DUE - 10 * DAY, FIRST, [(0, FIRST), (1, LAST)]),
        (DUE - 10 * DAY, FIRST + DAY, [(0, FIRST), (1, LAST)]),
        (DUE - 10 * DAY, LAST, [(1, LAST)]),
        (FIRST + DAY, FIRST + DAY, [(1, LAST)]),
        (LAST, LAST, []),
    ],
)
def test_which_reminders_are_still_to_be_sent(
    started: datetime, now: datetime, expected: list[tuple[int, datetime]]
) -> None:
    template = DeadlineTemplate(
        *("begin", "deadline", Text("", ""), "case_worker", None, "now", Span(days=10)),
        reminders=(Span(days=3), Span(days=1)),
    )
    assert reminder_times(template, Calendar(ZoneInfo("Africa/Bamako")), DUE, started, now) == expected
