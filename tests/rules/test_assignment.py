"""Who gets a task: by role, then office, then who has least to do; the same every time, and in few statements."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from synthetic_rows import SyntheticRows

from models.database import write_session
from models.staff import Staff
from models.staffing import Absence, TaskAssignment
from models.work import Notice, Task
from states.absences import Away, keeps_away
from states.assignment import Colleague, Wanted, assign_tasks, share_out
from states.handover import leave

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


def _away(session: Session, person: Staff, first: int, last: int | None, now: datetime = NOW) -> None:
    session.add(
        Absence(
            staff_id=person.id or 0,
            from_at=now + timedelta(days=first),
            until_at=None if last is None else now + timedelta(days=last),
            reason="leave",
            recorded_at=now,
        )
    )
    session.flush()


def test_nobody_gets_a_task_while_away_or_one_due_while_they_will_be(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    absent, leaving, busy = (rows.staff("case_worker", office) for _ in range(3))
    _away(session, absent, -1, 3)
    _away(session, leaving, 2, 9)
    case = rows.case(office)
    for _ in range(5):
        rows.task(case, staff_id=busy.id)
    before, during, after = (rows.task(case, due_at=NOW + timedelta(days=days)) for days in (1, 5, 10))
    never, past = rows.task(case), rows.task(case, due_at=NOW - timedelta(days=1))
    assert _assign(session) == 5
    owners = [_owner(session, task) for task in (before, during, after, never, past)]
    assert owners == [leaving.id, busy.id, leaving.id, leaving.id, leaving.id]


def test_when_all_of_an_office_are_away_the_roving_colleague_helps_out(session: Session) -> None:
    rows = SyntheticRows(session)
    here, there = rows.office(), rows.office()
    absent, roving = rows.staff("case_worker", here), rows.staff("case_worker")
    rows.staff("case_worker", there)
    _away(session, absent, -1, None)
    task = rows.task(rows.case(here))
    assert _assign(session) == 1
    assert _owner(session, task) == roving.id


def test_what_only_absent_colleagues_could_take_waits_and_does_not_stand_in_the_way(session: Session) -> None:
    rows = SyntheticRows(session)
    office = rows.office()
    absent = rows.staff("psychologist", office)
    worker = rows.staff("case_worker", office)
    _away(session, absent, -1, 2)
    orphans = [rows.task(rows.case(office), role="psychologist", priority="emergency") for _ in range(3)]
    task = rows.task(rows.case(office))
    assert _assign(session, limit=1) == 1
    assert _owner(session, task) == worker.id
    assert _assign(session) == 0
    later = NOW + timedelta(days=2)
    assert assign_tasks(session, case_ids=None, now=later, limit=10) == 3
    assert {_owner(session, orphan) for orphan in orphans} == {absent.id}


def test_each_task_given_is_written_down(session: Session) -> None:
    rows = SyntheticRows(session)
    worker = rows.staff("case_worker")
    tasks = [rows.task(rows.case()) for _ in range(2)]
    _assign(session)
    entries = session.exec(select(TaskAssignment).order_by(col(TaskAssignment.task_id))).all()
    assert [(each.task_id, each.from_staff_id, each.to_staff_id, each.cause, each.at) for each in entries] == [
        (task.id, None, worker.id, "turn", NOW) for task in tasks
    ]


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


def test_somebody_who_leaves_meanwhile_is_left_with_nothing(engine: Engine) -> None:
    with write_session(engine) as session:
        rows = SyntheticRows(session)
        leaver, *_ = (rows.staff("case_worker") for _ in range(3))
        case = rows.case()
        for _ in range(60):
            rows.task(case)
        session.commit()
        leaver_id = leaver.id
    started, gone = threading.Barrier(3), threading.Event()

    def work() -> None:
        started.wait()
        with write_session(engine) as session:
            while _assign(session, limit=3):
                session.commit()

    def go() -> None:
        started.wait()
        with write_session(engine) as session:
            leave(session, session.get_one(Staff, leaver_id), now=NOW, by=None)
            session.commit()
        gone.set()

    threads = [threading.Thread(target=each) for each in (work, work, go)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with write_session(engine) as session:
        _assign(session)
        owners = Counter(session.exec(select(Task.staff_id)).all())
    assert gone.is_set()
    assert owners.total() == 60
    assert not owners.keys() & {leaver_id, None}


OFFICES = st.sampled_from([None, 1, 2])
MOMENTS = st.integers(-3, 12).map(lambda days: NOW + timedelta(days=days))
AWAY = st.tuples(MOMENTS, st.none() | MOMENTS).map(lambda times: Away(*times))


@given(
    people=st.lists(st.tuples(OFFICES, st.integers(0, 4), st.lists(AWAY, max_size=2)), max_size=6),
    wanted=st.lists(st.tuples(OFFICES, st.none() | MOMENTS), max_size=25),
)
def test_each_task_goes_to_whoever_has_least_of_those_who_can_take_it(
    people: list[tuple[int | None, int, list[Away]]], wanted: list[tuple[int | None, datetime | None]]
) -> None:
    """Against a naive search through all colleagues for each task."""
    colleagues = [
        Colleague(id_, "case_worker", office, load, tuple(away)) for id_, (office, load, away) in enumerate(people, 1)
    ]
    tasks = [Wanted(id_, 1, "case_worker", office, due, "normal") for id_, (office, due) in enumerate(wanted, 1)]
    loads = {colleague.id: colleague.load for colleague in colleagues}
    expected: list[int | None] = []
    for task in tasks:
        fit = [one for one in colleagues if not any(keeps_away(away, task.due_at, NOW) for away in one.away)]
        local = [one for one in fit if one.office_id == task.office_id]
        pool = local or [one for one in fit if one.office_id is None]
        owner = min(((loads[one.id], one.id) for one in pool), default=(0, None))[1]
        if owner is not None:
            loads[owner] += 1
        expected.append(owner)
    assert share_out(tasks, colleagues, NOW) == expected


@given(people=st.integers(1, 8), load=st.integers(0, 5), tasks=st.integers(0, 60))
def test_among_equals_nobody_has_two_tasks_more_than_another(people: int, load: int, tasks: int) -> None:
    colleagues = [Colleague(id_, "case_worker", 1, load) for id_ in range(1, people + 1)]
    wanted = [Wanted(id_, 1, "case_worker", 1, None, "normal") for id_ in range(tasks)]
    counts = Counter(share_out(wanted, colleagues, NOW))
    shares = [counts[colleague.id] for colleague in colleagues]
    assert sum(shares) == tasks
    assert max(shares) - min(shares) <= 1


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
