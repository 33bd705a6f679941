"""The workload and the task lists: whatever is counted is also listed, in pages, in the order of urgency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session
from synthetic_rows import SyntheticRows

from models import Absence, Task, WrongUse
from models.worklist import TaskFilter, Today, Which, count_tasks, list_tasks, task_history
from models.workload import Load, workload
from states.handover import reassign_task

NOW = datetime(2024, 3, 6, 15, tzinfo=UTC)
TODAY = Today.at(NOW, ZoneInfo("Africa/Bamako"))
ROLES = ("case_worker", "coordinator")


@pytest.fixture
def rows(session: Session) -> SyntheticRows:
    return SyntheticRows(session)


def _crowd(rows: SyntheticRows, seed: int) -> list[Task]:
    """Two offices, people of two roles here, there and nowhere, and 300 tasks of every kind."""
    random = Random(seed)
    offices = [rows.office(), rows.office(), None]
    people = [rows.staff(role, office) for role in ROLES for office in offices]
    people += [rows.staff("case_worker", active=False), rows.staff("coordinator")]
    cases = [rows.case(office, state=state) for office in offices for state in ("arrived", "screening")]
    return [
        rows.task(
            case := random.choice(cases),
            role=(owner := random.choice(people)).role,
            staff_id=random.choice([owner.id, None]),
            priority=random.choice(["emergency", "urgent", "normal"]),
            status=random.choice(["open", "open", "open", "held", "done", "cancelled"]),
            due_at=random.choice([None, NOW, *(NOW + timedelta(hours=h) for h in (-30, -1, 1, 12, 100, 160, 200))]),
            opened_at=NOW - timedelta(days=random.randint(1, 90)),
            office_id=case.office_id,
        )
        for _ in range(300)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_each_number_of_the_workload_is_that_of_a_list(rows: SyntheticRows, session: Session, seed: int) -> None:
    _crowd(rows, seed)
    for office, role in ((None, None), ("OFF1", None), (None, "case_worker"), ("OFF2", "coordinator")):
        seen = workload(session, today=TODAY, office=office, role=role)
        cells: list[tuple[Load, dict[str, Any]]] = [
            (seen.total, {}),
            (seen.unassigned, {"unassigned": True}),
            *((person.load, {"login": person.login}) for person in seen.people),
            *((group.load, {"office": group.name}) for group in seen.offices if group.name and not office),
            *((group.load, {"role": group.name}) for group in seen.roles if not role),
            *((g.unassigned, {"office": g.name, "unassigned": True}) for g in seen.offices if g.name and not office),
            *((group.unassigned, {"role": group.name, "unassigned": True}) for group in seen.roles if not role),
        ]
        for load, narrowed in cells:
            wanted: dict[str, Any] = {"office": office, "role": role} | narrowed
            for which in Which:
                filtered = TaskFilter(which=which, **wanted)
                lines = list_tasks(session, filtered, today=TODAY, limit=1000)
                assert getattr(load, which) == len(lines) == count_tasks(session, filtered, today=TODAY)
            opened = [
                line.task.opened_at for line in list_tasks(session, TaskFilter(**wanted), today=TODAY, limit=1000)
            ]
            assert load.oldest == min(opened, default=None)
        everybody = [person.load for person in seen.people]
        assert sum(load.open for load in everybody) + seen.unassigned.open == seen.total.open
        for groups in (seen.offices, seen.roles):
            assert sum(group.load.open for group in groups) == seen.total.open


def test_the_columns_mean_what_they_say(rows: SyntheticRows, session: Session) -> None:
    person = rows.staff("case_worker", rows.office())
    case = rows.case()
    midnight = datetime(2024, 3, 7, tzinfo=UTC)
    for due_at, status, priority in (
        (NOW - timedelta(microseconds=1), "open", "emergency"),
        (NOW, "open", "normal"),
        (midnight - timedelta(microseconds=1), "open", "normal"),
        (midnight, "open", "urgent"),
        (midnight + timedelta(days=6), "open", "normal"),
        (None, "open", "normal"),
        (NOW - timedelta(days=9), "held", "emergency"),
        (NOW - timedelta(days=9), "done", "emergency"),
    ):
        rows.task(case, staff_id=person.id, due_at=due_at, status=status, priority=priority)
    (seen,) = workload(session, today=TODAY).people
    assert seen.load[:-1] == (6, 1, 2, 3, 1, 1)
    assert seen.load._asdict().keys() == {*Which, "oldest"}


def test_people_without_tasks_who_is_away_and_who_left_are_shown(rows: SyntheticRows, session: Session) -> None:
    idle, absent, left, gone = rows.staff(), rows.staff(), rows.staff(active=False), rows.staff(active=False)
    session.add(Absence(staff_id=absent.id or 0, from_at=NOW, until_at=None, reason="sick", recorded_at=NOW))
    rows.task(rows.case(), staff_id=left.id)
    seen = {person.login: person for person in workload(session, today=TODAY).people}
    assert seen.keys() == {idle.login, absent.login, left.login}
    assert gone.login not in seen
    assert (seen[idle.login].load, seen[idle.login].away) == (Load(), False)
    assert (seen[absent.login].away, seen[left.login].active, seen[left.login].load.open) == (True, False, 1)


def test_pages_are_the_whole_list_in_order(rows: SyntheticRows, session: Session) -> None:
    tasks = _crowd(rows, 7)
    ranks = {"emergency": 0, "urgent": 1, "normal": 2}
    never = datetime.max.replace(tzinfo=UTC)
    expected = [
        task.id
        for task in sorted(
            (task for task in tasks if task.status == "open"),
            key=lambda task: (ranks[task.priority], task.due_at or never, task.id or 0),
        )
    ]
    found: list[int | None] = []
    while page := list_tasks(session, TaskFilter(), today=TODAY, limit=7, after=found[-1] if found else None):
        found += [line.task.id for line in page]
    assert found == expected


def test_the_filters_narrow_the_list(rows: SyntheticRows, session: Session) -> None:
    tasks = [task for task in _crowd(rows, 11) if task.status == "open"]
    soon = NOW + timedelta(hours=50)

    def found(**wanted: object) -> set[int | None]:
        lines = list_tasks(session, TaskFilter(**wanted), today=TODAY, limit=1000)  # type: ignore[arg-type]
        return {line.task.id for line in lines}

    assert found(priority="urgent") == {task.id for task in tasks if task.priority == "urgent"}
    assert found(due_before=soon) == {task.id for task in tasks if task.due_at and task.due_at < soon}
    assert found(state="arrived") | found(state="screening") == found()
    assert not found(state="arrived") & found(state="screening")
    for wanted in ({"login": "nobody"}, {"office": "NONE"}):
        with pytest.raises(WrongUse):
            found(**wanted)
    with pytest.raises(WrongUse, match="no task"):
        list_tasks(session, TaskFilter(), today=TODAY, limit=1, after=99_999)


def test_the_history_of_a_task_names_everybody_by_login(rows: SyntheticRows, session: Session) -> None:
    first, second, boss = rows.staff(), rows.staff(), rows.staff("coordinator")
    task = rows.task(rows.case())
    assert task.id is not None
    for to, by in ((first, None), (second, boss.id)):
        reassign_task(session, task.id, to, now=NOW, by=by)
    lines = [(line.giver, line.taker, line.by, line.cause) for line in task_history(session, task.id)]
    assert lines == [(None, first.login, None, "by_hand"), (first.login, second.login, boss.login, "by_hand")]


def test_the_workload_costs_the_same_statements_for_many_tasks(
    rows: SyntheticRows, session: Session, engine: Engine
) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for seed in range(2):
        _crowd(rows, seed)
        session.flush()
        seen.clear()
        workload(session, today=TODAY)
        counts.append(len(seen))
    assert counts == [3, 3]


def test_the_workload_reads_no_task_that_has_ended(sqlite_engine: Engine) -> None:
    seen: list[tuple[str, Any]] = []
    with Session(sqlite_engine) as session:
        event.listen(
            sqlite_engine, "before_cursor_execute", lambda *arguments: seen.append((arguments[2], arguments[3]))
        )
        workload(session, today=TODAY)
        sql, parameters = next((sql, parameters) for sql, parameters in seen if "FROM task" in sql)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).all()
    assert [row[3] for row in plan] == ["SCAN task USING COVERING INDEX ix_task_current"]
