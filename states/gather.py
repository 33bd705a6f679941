"""Reads what guards need to know about a batch of cases: one statement for the cases, one for each group asked for.

`states.advance` calls it for the triggers of its moves, previews for all groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement, as_date, as_json, as_time
from states.calendar import LocalDays
from states.calendars.offices import office_days
from states.fact_rows import Reader, of_cases
from states.facts import PAST, ClockFact, Facts, PlanFact
from states.gather_contacts import CONTACT_GROUPS
from states.gather_living import LIVING
from states.gather_protection import PROTECTION_GROUPS
from states.past import read_pasts


class CaseRow(NamedTuple):
    """The columns of a case that deciding and writing need."""

    id: int
    code: str
    pathway_version_id: int
    state: str
    entered_state_at: datetime
    previous_state: str | None
    held_at: datetime | None
    version: int
    events: int
    journal_head: str
    priority: str
    closure_reason: str | None
    office_id: int | None
    arrival_date: date
    region_pcode: str | None
    registered_at: datetime
    closed_at: datetime | None


_CASES = 'SELECT {columns} FROM "case" WHERE id IN (SELECT r.id FROM {{rows}}) ORDER BY id'.format(  # noqa: S608
    columns=", ".join(CaseRow._fields)
)
_READ_CASES = SetStatement(_CASES, id=BigId)
_LOCK_CASES = SetStatement(f"{_CASES} {{lock}}", id=BigId)


def load_cases(session: Session, case_ids: Iterable[int], *, lock: bool = False) -> dict[int, CaseRow]:
    """The cases that exist, by id, in the order of their ids; with `lock` nobody else changes them until the commit.

    Every writer locks cases before anything else and in this order, so that no two wait for each other.
    """
    statement = _LOCK_CASES if lock else _READ_CASES
    return {row[0]: _case_row(row) for row in statement.execute(session, [(case_id,) for case_id in case_ids]).all()}


def gather_facts(session: Session, case_ids: Iterable[int], groups: Collection[str]) -> dict[int, Facts]:
    """The facts of the cases that exist, by id, with these groups of `FACT_GROUPS` filled in."""
    return facts_of(session, load_cases(session, case_ids).values(), groups)


def facts_of(session: Session, cases: Collection[CaseRow], groups: Collection[str]) -> dict[int, Facts]:
    """The facts of cases that are already loaded; one statement for each group, and one for the offices' calendars."""
    calendars = office_days(session)
    fields: dict[int, dict[str, Any]] = {case.id: {} for case in cases}
    ids = [(case.id,) for case in cases]
    pasts = read_pasts(session, fields) if PAST in groups else {}
    for case_id, past in pasts.items():
        fields[case_id]["past"] = past
    for group in groups:
        if group == PAST:
            continue
        statement, read = _GROUPS[group]
        for case_id, rows in groupby(statement.execute(session, ids).all(), key=itemgetter(0)):
            fields[case_id].update(read(rows))
    return {case.id: _facts(case, calendars.of(case.office_id), fields[case.id]) for case in cases}


def reader_of(group: str) -> Reader:
    """What the rows of one case mean for the facts of this group; the replay reads rows of the past with it."""
    return _GROUPS[group][1]


def _case_row(row: Sequence[Any]) -> CaseRow:
    id_, code, version_id, state, entered_at, previous, held_at, *middle, arrival, region, registered_at, closed_at = (
        row
    )
    return CaseRow(
        *(id_, code, version_id, state, as_time(entered_at), previous, as_time(held_at)),
        *(*middle, as_date(arrival), region, as_time(registered_at), as_time(closed_at)),
    )


def _facts(case: CaseRow, days: LocalDays, groups: dict[str, Any]) -> Facts:
    return Facts(
        case_id=case.id,
        state=case.state,
        version=case.version,
        entered_state_at=case.entered_state_at,
        arrival_date=case.arrival_date,
        registered_at=case.registered_at,
        previous_state=case.previous_state,
        held_at=case.held_at,
        priority=case.priority,
        closure_reason=case.closure_reason,
        region_pcode=case.region_pcode,
        office_id=case.office_id,
        local_days=days,
        **groups,
    )


def _plan(rows: Iterator[Any]) -> dict[str, Any]:
    *_, (_, status, needs, author_id, approver_id) = rows
    return {"plan": PlanFact(status, frozenset(as_json(needs)), author_id, approver_id)}


def _sessions(rows: Iterator[Any]) -> dict[str, Any]:
    ((_, attended),) = rows
    return {"sessions_attended": attended}


def _tasks(rows: Iterator[Any]) -> dict[str, Any]:
    found = [(key, status) for _, key, status in rows]
    return {
        "open_tasks": frozenset(key for key, status in found if status != "done"),
        "done_tasks": frozenset(key for key, status in found if status == "done"),
    }


def _deadlines(rows: Iterator[Any]) -> dict[str, Any]:
    return {"open_deadlines": frozenset(key for _, key in rows)}


def _clocks(rows: Iterator[Any]) -> dict[str, Any]:
    return {"clocks": tuple(ClockFact(id_, key, code, as_time(due), n) for _, id_, key, code, due, n in rows)}


_GROUPS: dict[str, tuple[SetStatement, Reader]] = {
    **CONTACT_GROUPS,
    **PROTECTION_GROUPS,
    "plan": (
        of_cases(
            "status, needs, author_id, approver_id",
            "case_plan",
            "AND status <> 'taken_back' ORDER BY case_id, revision",
        ),
        _plan,
    ),
    "sessions": (
        of_cases("COUNT(*)", "psychosocial_session", "AND attended AND taken_back_at IS NULL GROUP BY case_id"),
        _sessions,
    ),
    **LIVING,
    "tasks": (
        of_cases("key, status", "task", "AND status IN ('open', 'held', 'done') ORDER BY case_id"),
        _tasks,
    ),
    "deadlines": (
        of_cases("key", "deadline", "AND status IN ('open', 'held') ORDER BY case_id"),
        _deadlines,
    ),
    "clocks": (
        of_cases(
            "id, key, record, due_at, (SELECT COUNT(*) FROM waiver WHERE waiver.deadline_id = deadline.id)",
            "deadline",
            "AND status IN ('open', 'held') ORDER BY case_id, id",
        ),
        _clocks,
    ),
}
