"""Reads what taking back the last transition of cases needs: four statements, whatever the number of cases.

`states.gather` calls it for the group of facts `past`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Integer
from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement, as_json, as_time
from states.history import ClockPast, Past, PastRow, TaskPast, standing

_JOURNAL = SetStatement(
    "SELECT case_id, seq, at, trigger, from_state, to_state, reason, data FROM journal "
    "WHERE case_id IN (SELECT r.id FROM {rows}) ORDER BY case_id, seq",
    id=BigId,
)
_TASKS = SetStatement(
    "SELECT case_id, id, seq, key, state, record, role, staff_id, priority, status, due_at, closed_seq FROM task "
    "WHERE case_id IN (SELECT r.id FROM {rows}) ORDER BY case_id, id",
    id=BigId,
)
_CLOCKS = SetStatement(
    "SELECT case_id, id, seq, key, state, record, status, due_at, first_due_at, next_at, level, overdue_at, "
    "escalated_at, closed_seq FROM deadline WHERE case_id IN (SELECT r.id FROM {rows}) ORDER BY case_id, id",
    id=BigId,
)
_EVENTS = SetStatement(
    "SELECT e.case_id, e.uid FROM event AS e JOIN {rows} ON e.case_id = r.case_id AND e.seq = r.seq "
    # A sweep that found a deadline overdue wrote its event beside the row: that one is still true.
    "JOIN journal AS j ON j.case_id = e.case_id AND j.seq = e.seq AND j.correlation_id = e.correlation_id "
    "ORDER BY e.case_id, e.sequence",
    case_id=BigId,
    seq=Integer(),
)


def read_pasts(session: Session, case_ids: Collection[int]) -> dict[int, Past]:
    """The past of each case, by id."""
    ids = [(case_id,) for case_id in case_ids]
    rows: dict[int, list[PastRow]] = defaultdict(list)
    for case_id, *row in _JOURNAL.execute(session, ids):
        rows[case_id].append(PastRow(*_plain(row, times=(1,), documents=(6,))))
    stand = {case_id: tuple(standing(own)) for case_id, own in rows.items()}
    tasks: dict[int, list[TaskPast]] = defaultdict(list)
    for case_id, *row in _TASKS.execute(session, ids):
        tasks[case_id].append(TaskPast(*_plain(row, times=(9,))))
    clocks: dict[int, list[ClockPast]] = defaultdict(list)
    for case_id, *row in _CLOCKS.execute(session, ids):
        clocks[case_id].append(ClockPast(*_plain(row, times=(6, 7, 8, 10, 11))))
    events: dict[int, list[str]] = defaultdict(list)
    for case_id, uid in _EVENTS.execute(session, [(case_id, own[-1].seq) for case_id, own in stand.items() if own]):
        events[case_id].append(uid)
    return {
        case_id: Past(own, tuple(tasks[case_id]), tuple(clocks[case_id]), tuple(events[case_id]))
        for case_id, own in stand.items()
    }


def _plain(row: list[Any], *, times: tuple[int, ...], documents: tuple[int, ...] = ()) -> list[Any]:
    """The values of a row, with what SQLite gives as text at these places turned into what it is."""
    for place in times:
        row[place] = as_time(row[place])
    for place in documents:
        row[place] = as_json(row[place])
    return row
