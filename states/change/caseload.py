"""Reads the cases that a change is about, in chunks: open cases of a version, and their running tasks and clocks.

Every chunk takes the same few statements, whatever the number of cases in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlmodel import Session, col, func, select

from models.case import Case
from models.types import BigId
from states.bulk import SetStatement, as_time
from states.facts import Facts
from states.gather import CaseRow, facts_of, load_cases
from states.pathway import Pathway, StateKind

_TASKS = SetStatement(
    "SELECT id, case_id, key, record, state, role, staff_id, priority, status, opened_at, due_at, first_due_at "
    "FROM task "
    "WHERE case_id IN (SELECT r.case_id FROM {rows}) AND status IN ('open', 'held') ORDER BY case_id, id",
    case_id=BigId,
)
_CLOCKS = SetStatement(
    "SELECT d.id, d.case_id, d.key, d.kind, d.record, d.state, d.status, d.due_at, d.first_due_at, d.next_at, d.level, "
    "d.overdue_at, d.escalated_at, j.at FROM deadline AS d "
    "JOIN journal AS j ON j.case_id = d.case_id AND j.seq = d.seq "
    "WHERE d.case_id IN (SELECT r.case_id FROM {rows}) AND d.status IN ('open', 'held') ORDER BY d.case_id, d.id",
    case_id=BigId,
)


class RunningTask(NamedTuple):
    """A task that is open or held; the fields are columns."""

    id: int
    case_id: int
    key: str
    record: str | None
    state: str | None
    role: str
    staff_id: int | None
    priority: str
    status: str
    opened_at: datetime
    due_at: datetime | None
    first_due_at: datetime | None


class RunningClock(NamedTuple):
    """A clock that is open or held; the fields are columns, and `started_at`, the instant of the journal row that set
    it."""

    id: int
    case_id: int
    key: str
    kind: str
    record: str | None
    state: str | None
    status: str
    due_at: datetime
    first_due_at: datetime
    next_at: datetime | None
    level: int
    overdue_at: datetime | None
    escalated_at: datetime | None
    started_at: datetime


class Running(NamedTuple):
    """One case as a change finds it."""

    case: CaseRow
    facts: Facts
    tasks: tuple[RunningTask, ...]
    clocks: tuple[RunningClock, ...]


def open_states(pathway: Pathway) -> list[str]:
    """The states in which a case is open."""
    return [key for key, state in pathway.states.items() if state.kind is not StateKind.FINAL]


def count_open(session: Session, version_id: int, pathway: Pathway) -> dict[str, int]:
    """How many cases of the version are open, by state."""
    found = session.execute(
        select(col(Case.state), func.count())
        .where(col(Case.pathway_version_id) == version_id, col(Case.state).in_(open_states(pathway)))
        .group_by(col(Case.state))
    )
    return {state: number for state, number in found}  # noqa: C416 - rows are no pairs to the type checker


def chunks_of_open(session: Session, version_id: int, pathway: Pathway, size: int) -> Iterator[list[int]]:
    """The ids of all open cases of the version, in chunks, in order."""
    after = 0
    query = select(col(Case.id)).where(
        col(Case.pathway_version_id) == version_id, col(Case.state).in_(open_states(pathway))
    )
    while ids := list(session.scalars(query.where(col(Case.id) > after).order_by(col(Case.id)).limit(size))):
        yield [id_ for id_ in ids if id_ is not None]
        after = ids[-1] or 0


def load_running(
    session: Session, case_ids: Collection[int], groups: Collection[str], *, lock: bool = False
) -> list[Running]:
    """The cases that exist, in the order of their ids, with these groups of facts; see `load_cases` for `lock`."""
    cases = load_cases(session, case_ids, lock=lock)
    facts = facts_of(session, cases.values(), groups)
    ids = [(id_,) for id_ in cases]
    tasks = _by_case(_task(row) for row in _TASKS.execute(session, ids))
    clocks = _by_case(_clock(row) for row in _CLOCKS.execute(session, ids))
    return [Running(case, facts[id_], tasks.get(id_, ()), clocks.get(id_, ())) for id_, case in cases.items()]


def _by_case(rows: Iterator[Any]) -> dict[int, tuple[Any, ...]]:
    return {case_id: tuple(own) for case_id, own in groupby(rows, key=attrgetter("case_id"))}


def _task(row: Sequence[Any]) -> RunningTask:
    *columns, opened_at, due_at, first_due_at = row
    return RunningTask._make((*columns, as_time(opened_at), as_time(due_at), as_time(first_due_at)))


def _clock(row: Sequence[Any]) -> RunningClock:
    id_, case_id, key, kind, record, state, status, due_at, first_due_at, next_at, level, overdue, escalated, at = row
    return RunningClock(
        *(id_, case_id, key, kind, record, state, status, as_time(due_at), as_time(first_due_at), as_time(next_at)),
        *(level, as_time(overdue), as_time(escalated), as_time(at)),
    )
