"""Who gets a task: by role, then office, then who has least to do; the same every time, and in few statements."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from synthetic_rows import SyntheticRows

from models.database import write_session
from models.work import Notice, Task
from states.assignment import Colleague, Wanted, assign_tasks, share_out

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def _assign(session: Session, case_ids: list[int] | None = None, limit: int = 100) -> int:
    return assign_tasks(session, case_ids=case_ids, now=NOW, limit=limit)


def _owner(session: Session, task: Task) -> int | None:
    session.refresh(task)
    return task.staff_id


def test_a_task_goes_to_its_role_in_the_office_of_the_case(session: Session) -> None:
    rows = SyntheticRows(session)
    here, there = rows.office(), rows.office()
    rows.staff("coordinator", here)
    rows.staff("case_worker", there)
    rows.staff("case_worker")
    rows.staff("case_worker", here, active=False)
    expected = rows.staff("case_worker", here)
    task = rows.task(rows.case(here))
    assert _assign(session) == 1
    assert _owner(session, task) == expected.id


def test_an_office_without_the_role_falls_back_on_staff_of_no_office(session: Session) -> None:
    rows = SyntheticRows(session)
    here, there = rows.office(), rows.office()
    rows.staff("case_worker", there)
    roving = rows.staff("case_worker")
    tasks = [rows.task(rows.case(here)), rows.task(rows.case())]
    assert _assign(session) == 2
    assert [_owner(session, task) for task in tasks] == [roving.id, roving.id]


def test_what_nobody_can_take_stays_and_does_not_stand_in_the_way(session: Session) -> None:
    rows = SyntheticRows(session)
    here = rows.office()
    orphans = [rows.task(rows.case(here), role="psychologist", priority="emergency") for _ in range(3)]
    worker = rows.staff("case_worker", here)
    task = rows.task(rows.case(here))
    assert _assign(session, limit=1) == 1
    assert _owner(session, task) == worker.id
    assert _assign(session, limit=1) == 0
    assert {_owner(session, orphan) for orphan in orphans} == {None}
    late = rows.staff("psychologist", here)
    assert _assign(session) == 3
    assert {_owner(session, orphan) for orphan in orphans} == {late.id}


def test_whoever_has_least_to_do_gets_the_next_and_the_lowest_id_at_a_tie(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    busy, idle, third = (rows.staff("case_worker", office) for _ in range(3))
    case = rows.case(office)
    for _ in range(2):
        rows.task(case, staff_id=busy.id)
    rows.task(case, staff_id=busy.id, status="done")
    rows.task(case, staff_id=third.id)
    tasks = [rows.task(case) for _ in range(5)]
    assert _assign(session) == 5
    assert [_owner(session, task) for task in tasks] == [idle.id, idle.id, third.id, busy.id, idle.id]


def test_a_convoy_is_shared_out_evenly(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    people = [rows.staff("case_worker", office).id for _ in range(4)]
    for _ in range(40):
        rows.task(rows.case(office))
    assert _assign(session, limit=100) == 40
    loads = Counter(session.exec(select(Task.staff_id)).all())
    assert loads == dict.fromkeys(people, 10)


def test_emergencies_come_first_and_they_alone_are_announced(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    rows.staff("case_worker", office)
    case = rows.case(office)
    normal = rows.task(case, due_at=NOW)
    rows.task(case, priority="urgent")
    emergency = rows.task(case, priority="emergency", due_at=NOW + timedelta(days=3))
    assert _assign(session, limit=1) == 1
    assert _owner(session, emergency) is not None
    assert _owner(session, normal) is None
    assert _assign(session) == 2
    notices = session.exec(select(Notice)).all()
    assert [(notice.kind, notice.task_id, notice.staff_id) for notice in notices] == [
        ("assigned", emergency.id, emergency.staff_id)
    ]
    assert notices[0].sent_at == NOW, "an emergency does not wait for the night's digest"


def test_only_open_tasks_of_the_named_cases_are_touched(session: Session) -> None:
    rows = SyntheticRows(session)
    worker = rows.staff("case_worker")
    first, second = rows.case(), rows.case()
    wanted = rows.task(first)
    others = [rows.task(second), rows.task(first, status="held"), rows.task(first, status="done")]
    assert _assign(session, case_ids=[first.id or 0]) == 1
    assert _owner(session, wanted) == worker.id
    assert {_owner(session, task) for task in others} == {None}
    assert _assign(session, case_ids=[first.id or 0]) == 0


def test_an_emergency_taken_away_is_announced_to_the_next_person(session: Session) -> None:
    rows = SyntheticRows(session)
    leaver = rows.staff("case_worker")
    task = rows.task(rows.case(), priority="emergency")
    _assign(session)
    session.refresh(task)
    leaver.active, task.staff_id = False, None
    successor = rows.staff("case_worker")
    assert _assign(session) == 1
    assert session.exec(select(Notice.staff_id)).all() == [successor.id]


def test_the_number_of_statements_does_not_depend_on_the_number_of_tasks(session: Session, engine: Engine) -> None:
    rows = SyntheticRows(session)
    rows.staff("case_worker")
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for size in (1, 50):
        case = rows.case()
        for _ in range(size):
            rows.task(case, priority="emergency")
        seen.clear()
        assert _assign(session) == size
        counts.append(len(seen))
    assert counts == [7, 7]


def test_two_dispatches_at_once_assign_each_task_once(engine: Engine) -> None:
    with write_session(engine) as session:
        rows = SyntheticRows(session)
        for _ in range(3):
            rows.staff("case_worker")
        case = rows.case()
        for _ in range(60):
            rows.task(case)
        session.commit()
    assigned: list[int] = []

    def work() -> None:
        with write_session(engine) as session:
            while count := _assign(session, limit=7):
                session.commit()
                assigned.append(count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with write_session(engine) as session:
        free = session.exec(select(Task.id).where(col(Task.staff_id).is_(None))).all()
    assert (sum(assigned), free) == (60, [])


def test_sharing_out_is_fair_within_a_batch_and_repeatable() -> None:
    colleagues = [
        Colleague(1, "case_worker", 10, 0),
        Colleague(2, "case_worker", 10, 1),
        Colleague(3, "case_worker", None, 0),
        Colleague(4, "coordinator", None, 5),
    ]
    places = [
        *(("case_worker", 10), ("case_worker", 10), ("case_worker", 10), ("case_worker", 11), ("case_worker", None)),
        ("coordinator", 10),
    ]
    wanted = [Wanted(number, 1, role, office_id, None, "normal") for number, (role, office_id) in enumerate(places)]
    assert share_out(wanted, colleagues, NOW) == [1, 1, 2, 3, 3, 4]
    assert share_out(wanted, list(reversed(colleagues)), NOW) == [1, 1, 2, 3, 3, 4]
