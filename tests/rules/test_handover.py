"""Tasks that change hands: by hand, during an absence, when somebody leaves, and from office to office."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from synthetic_rows import SyntheticRows

from models import Absence, Notice, Staff, Task, TaskAssignment, WrongUse
from states.absences import AbsenceReason, record_absence
from states.assignment import assign_tasks
from states.handover import HandedOver, hand_over_absence, leave, move_office, reassign_task
from states.notices import NewNotice, NoticeKind, write_task_notices

NOW = datetime(2024, 3, 6, 15, tzinfo=UTC)


def _absence(session: Session, person: Staff, first: int, last: int | None) -> Absence:
    return record_absence(
        session,
        person,
        first_day=date(2024, 3, 6) + timedelta(days=first),
        last_day=None if last is None else date(2024, 3, 6) + timedelta(days=last),
        reason=AbsenceReason.LEAVE,
        tz=ZoneInfo("Africa/Bamako"),
        now=NOW,
        by=None,
    )


def _owners(session: Session, tasks: list[Task]) -> list[int | None]:
    for task in tasks:
        session.refresh(task)
    return [task.staff_id for task in tasks]


def _due(days: int) -> datetime:
    return NOW + timedelta(days=days)


def test_a_task_is_given_by_hand_and_stays(session: Session) -> None:
    rows = SyntheticRows(session)
    boss, first, second = rows.staff("coordinator"), rows.staff(), rows.staff(office=rows.office())
    task = rows.task(rows.case(), staff_id=first.id, priority="emergency")
    reassign_task(session, task.id or 0, second, now=NOW, by=boss.id)
    assert _owners(session, [task]) == [second.id]
    entry = session.exec(select(TaskAssignment)).one()
    assert (entry.from_staff_id, entry.to_staff_id, entry.by_staff_id, entry.cause, entry.at) == (
        *(first.id, second.id, boss.id),
        "by_hand",
        NOW,
    )
    assert session.exec(select(Notice.staff_id)).all() == [second.id], "an emergency is announced to whoever gets it"
    assert assign_tasks(session, case_ids=None, now=NOW, limit=10) == 0


def test_a_task_is_given_by_hand_only_while_open_and_to_whom_it_can_be(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    mate = rows.staff("case_worker", office)
    task, held = rows.task(rows.case()), rows.task(rows.case(), status="held")
    absent = rows.staff()
    _absence(session, absent, 0, 1)
    for number, to, message in (
        (task.id, rows.staff("coordinator"), "for the role"),
        (task.id, rows.staff(active=False), "not at work"),
        (task.id, absent, "not at work"),
        (held.id, mate, "not open"),
        (99_999, mate, "no task"),
    ):
        with pytest.raises(WrongUse, match=message):
            reassign_task(session, number or 0, to, now=NOW, by=None)
    assert _owners(session, [task, held]) == [None, None]
    assert session.exec(select(TaskAssignment)).all() == []


def test_what_comes_due_during_an_absence_goes_to_colleagues_and_stays_there(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    away, one, two = (rows.staff("case_worker", office) for _ in range(3))
    case = rows.case(office)
    kept = [rows.task(case, staff_id=away.id, due_at=due) for due in (_due(1), _due(8), None)]
    kept += [rows.task(case, staff_id=away.id, due_at=_due(3), status=status) for status in ("held", "done")]
    due = [rows.task(case, staff_id=away.id, due_at=_due(days)) for days in (2, 3, 4, 5)]
    handed = hand_over_absence(session, _absence(session, away, 2, 5), now=NOW, by=one.id)
    assert handed == HandedOver({one.login: 2, two.login: 2})
    assert _owners(session, due) == [one.id, two.id, one.id, two.id]
    assert set(_owners(session, kept)) == {away.id}
    entries = session.exec(select(TaskAssignment)).all()
    assert {(each.from_staff_id, each.by_staff_id, each.cause) for each in entries} == {(away.id, one.id, "absence")}
    assert len(entries) == 4
    assert assign_tasks(session, case_ids=None, now=_due(9), limit=10) == 0, "nothing returns by itself"


def test_an_absence_that_has_begun_hands_over_what_is_overdue_and_without_an_end_everything(session: Session) -> None:
    rows = SyntheticRows(session)
    away, mate = rows.staff(), rows.staff()
    case = rows.case()
    tasks = [rows.task(case, staff_id=away.id, due_at=due) for due in (_due(-9), _due(90), None)]
    first = hand_over_absence(session, _absence(session, away, -1, 1), now=NOW, by=None)
    assert first == HandedOver({mate.login: 1})
    second = hand_over_absence(session, _absence(session, away, 0, None), now=NOW, by=None)
    assert second == HandedOver({mate.login: 2})
    assert _owners(session, tasks) == [mate.id] * 3


def test_what_nobody_else_can_take_waits_with_nobody(session: Session) -> None:
    rows = SyntheticRows(session)
    away, also = rows.staff(), rows.staff()
    _absence(session, also, 1, 9)
    task = rows.task(rows.case(), staff_id=away.id, due_at=_due(3))
    assert hand_over_absence(session, _absence(session, away, 2, 4), now=NOW, by=None) == HandedOver({}, left=1)
    assert _owners(session, [task]) == [None]
    assert session.exec(select(TaskAssignment.to_staff_id)).all() == [None]


def test_who_leaves_hands_everything_over_and_gets_nothing_more(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    leaver, mate = rows.staff("case_worker", office), rows.staff("case_worker", office)
    roving = rows.staff("case_worker")
    case = rows.case(office)
    open_ = [rows.task(case, staff_id=leaver.id, priority=priority) for priority in ("normal", "emergency")]
    held, done = (rows.task(case, staff_id=leaver.id, status=status) for status in ("held", "done"))
    waiting = [
        NewNotice(case.id or 0, NoticeKind.ASSIGNED, "case_worker", office.id, NOW, task_id=task.id, staff_id=leaver.id)
        for task in (open_[0], held)
    ]
    sent = NewNotice(*waiting[0]._replace(task_id=done.id, sent_at=NOW))
    write_task_notices(session, [*waiting, sent])

    handed = leave(session, leaver, now=NOW, by=roving.id)
    assert handed == HandedOver({mate.login: 2}, held=1, notices=2)
    assert (leaver.active, _owners(session, [*open_, held, done])) == (False, [mate.id, mate.id, None, leaver.id])
    session.expire_all()
    notices = {each.task_id: each.staff_id for each in session.exec(select(Notice))}
    assert notices == {open_[0].id: mate.id, open_[1].id: mate.id, held.id: None, done.id: leaver.id}
    entries = session.exec(select(TaskAssignment).order_by(col(TaskAssignment.task_id))).all()
    assert [(each.task_id, each.to_staff_id, each.cause) for each in entries] == [
        (open_[0].id, mate.id, "left"),
        (open_[1].id, mate.id, "left"),
        (held.id, None, "left"),
    ]
    with pytest.raises(WrongUse, match="left already"):
        leave(session, leaver, now=NOW, by=None)
    held.status = "open"
    assert assign_tasks(session, case_ids=None, now=NOW, limit=10) == 1
    assert _owners(session, [held]) == [mate.id], "given when the case goes on"


def test_the_last_one_of_a_role_who_leaves_leaves_tasks_without_anybody(session: Session) -> None:
    rows = SyntheticRows(session)
    leaver = rows.staff("psychologist")
    rows.staff("case_worker")
    tasks = [rows.task(rows.case(), role="psychologist", staff_id=leaver.id) for _ in range(3)]
    assert leave(session, leaver, now=NOW, by=None) == HandedOver({}, left=3)
    assert _owners(session, tasks) == [None] * 3


def test_an_office_hands_its_tasks_to_another(session: Session) -> None:
    rows = SyntheticRows(session)
    closing, other = rows.office(), rows.office()
    old, roving = rows.staff("case_worker", closing), rows.staff("case_worker")
    one, two = (rows.staff("case_worker", other) for _ in range(2))
    case = rows.case(closing)
    tasks = [rows.task(case, staff_id=owner) for owner in (old.id, old.id, roving.id, None)]
    roles = [rows.task(case, role="psychologist"), rows.task(case, status="held", staff_id=old.id)]
    done = rows.task(case, status="done", staff_id=old.id)
    elsewhere = rows.task(rows.case(other), staff_id=one.id)
    handed = move_office(session, closing, other, now=NOW, by=None)
    assert handed == HandedOver({two.login: 2, one.login: 2}, left=1, held=1)
    assert sorted(owner or 0 for owner in _owners(session, tasks)) == [one.id, one.id, two.id, two.id]
    assert _owners(session, [*roles, done, elsewhere]) == [None, None, old.id, one.id]
    assert {task.office_id for task in (*tasks, *roles, elsewhere)} == {other.id}
    assert (done.office_id, case.office_id) == (closing.id, closing.id)
    assert {each.cause for each in session.exec(select(TaskAssignment))} == {"office_moved"}
    with pytest.raises(WrongUse, match="already"):
        move_office(session, other, other, now=NOW, by=None)


def test_the_number_of_statements_does_not_depend_on_how_much_there_is(session: Session, engine: Engine) -> None:
    rows = SyntheticRows(session)
    rows.staff()
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for size in (1, 40):
        leaver = rows.staff()
        for _ in range(size):
            case = rows.case()
            rows.task(case, staff_id=leaver.id, priority="emergency")
            rows.task(case, staff_id=leaver.id, status="held")
        seen.clear()
        assert leave(session, leaver, now=NOW, by=None).held == size
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 16
