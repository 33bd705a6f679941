"""Turns the effects of decisions into rows and writes them: for a whole batch one statement a kind of row.

`states.advance` and `states.registration` fill one `Writes` a batch and write it in their caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Boolean, Integer, String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, as_time, insert_into, time_text
from states.chain import JOURNAL_COLUMNS, NewRow
from states.gather import CaseRow
from states.moves import (
    Announce,
    Corrects,
    Effect,
    EndDeadline,
    EndTask,
    HoldClocks,
    Move,
    OpenTask,
    ResumeClocks,
    RewriteDeadline,
    RewriteTask,
    SetDeadline,
    SetRecord,
    UndoStep,
    WaiveDeadline,
)
from states.records import DETAIL_TABLES, RECORD_TABLES
from states.rewrites import (
    INSERT_WAIVERS,
    REWRITE_DEADLINES,
    REWRITE_TASKS,
    WAIVE_DEADLINES,
    deadline_row,
    task_row,
    waiver_row,
)
from states.undoing import undo_steps

_INSERT_JOURNAL = insert_into("journal", *JOURNAL_COLUMNS)
_INSERT_TASKS = insert_into(
    "task",
    *("case_id", "seq", "key", "state", "role", "office_id", "priority", "status", "opened_at", "due_at"),
    *("first_due_at", "record"),
)
_INSERT_DEADLINES = insert_into(
    "deadline",
    *("case_id", "seq", "key", "kind", "state", "due_at", "first_due_at", "next_at", "status", "level"),
    "record",
)
_INSERT_EVENTS = insert_into(
    "event",
    *("uid", "case_id", "sequence", "seq", "type", "occurred_at", "region_pcode", "data", "correlation_id"),
    *("only_for", "corrects"),
)
_END_TASKS = SetStatement(
    "UPDATE task SET status = r.status, closed_at = r.at, closed_seq = r.seq, done_by = r.done_by FROM {rows} "
    "WHERE task.case_id = r.case_id AND task.key = r.key AND task.status IN ('open', 'held') "
    "AND (r.record IS NULL OR task.record = r.record)",
    case_id=BigId,
    key=String(),
    status=String(),
    at=UtcDateTime(),
    seq=Integer(),
    done_by=BigId,
    record=String(),
)
_END_DEADLINES = SetStatement(
    "UPDATE deadline SET closed_at = r.at, closed_seq = r.seq, status = CASE WHEN NOT r.met THEN 'cancelled' "
    "WHEN deadline.kind = 'timer' THEN 'fired' WHEN r.at <= deadline.due_at THEN 'kept' ELSE 'late' END FROM {rows} "
    "WHERE deadline.case_id = r.case_id AND deadline.key = r.key AND deadline.status IN ('open', 'held') "
    "AND (r.record IS NULL OR deadline.record = r.record)",
    case_id=BigId,
    key=String(),
    met=Boolean(),
    at=UtcDateTime(),
    seq=Integer(),
    record=String(),
)
_HOLD_TASKS = SetStatement(
    "UPDATE task SET status = 'held' WHERE status = 'open' AND case_id IN (SELECT r.case_id FROM {rows})",
    case_id=BigId,
)
_HOLD_DEADLINES = SetStatement(
    "UPDATE deadline SET status = 'held' WHERE status = 'open' AND case_id IN (SELECT r.case_id FROM {rows})",
    case_id=BigId,
)
_HELD_TASKS = SetStatement(
    "SELECT id, case_id, due_at FROM task WHERE status = 'held' AND case_id IN (SELECT r.case_id FROM {rows})",
    case_id=BigId,
)
_HELD_DEADLINES = SetStatement(
    "SELECT id, case_id, due_at, next_at FROM deadline "
    "WHERE status = 'held' AND case_id IN (SELECT r.case_id FROM {rows})",
    case_id=BigId,
)
_RESUME_TASKS = SetStatement(
    "UPDATE task SET status = 'open', due_at = r.due_at FROM {rows} WHERE task.id = r.task_id",
    task_id=BigId,
    due_at=UtcDateTime(),
)
_RESUME_DEADLINES = SetStatement(
    "UPDATE deadline SET status = 'open', due_at = r.due_at, next_at = r.next_at FROM {rows} "
    "WHERE deadline.id = r.deadline_id",
    deadline_id=BigId,
    due_at=UtcDateTime(),
    next_at=UtcDateTime(),
)
_SET_RECORDS = {
    kind: SetStatement(
        f"UPDATE {where.table} SET status = r.to_status FROM {{rows}} "  # noqa: S608
        f"WHERE {where.table}.code = r.code AND {where.table}.status = r.from_status",
        code=String(),
        from_status=String(),
        to_status=String(),
    )
    for kind, where in RECORD_TABLES.items()
}


_TAKE_BACK = [
    SetStatement(
        f"UPDATE {table} SET taken_back_at = r.at FROM {{rows}} "  # noqa: S608
        f"WHERE {table}.case_id = r.case_id AND {table}.seq = r.seq",
        case_id=BigId,
        seq=Integer(),
        at=UtcDateTime(),
    )
    for table in sorted(set(DETAIL_TABLES.values()))
]


class Writes:
    """The rows of a batch, gathered case by case and written at once.

    For each case its own row comes first (the caller writes it), then what ends, then what is rewritten, held or goes
    on, then what begins: a task that a transition ends and opens anew is ended once and opened once.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._at = time_text(now)
        self._journal: list[tuple[Any, ...]] = []
        self._ended_tasks: list[tuple[Any, ...]] = []
        self._ended_deadlines: list[tuple[Any, ...]] = []
        self._rewritten_tasks: list[tuple[Any, ...]] = []
        self._rewritten_deadlines: list[tuple[Any, ...]] = []
        self._waivers: list[tuple[Any, ...]] = []
        self._taken_back: list[tuple[Any, ...]] = []
        self._undone: list[tuple[int, UndoStep, int | None]] = []
        self._held: list[tuple[int]] = []
        self._resumed: dict[int, timedelta] = {}
        self._tasks: list[tuple[Any, ...]] = []
        self._deadlines: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []
        self._records: dict[str, list[tuple[str, str, str]]] = {}

    def add(self, case: CaseRow, row: NewRow, effects: Iterable[Effect], move: Move) -> None:
        """Note what one move brings with it; `case` is the case as it was before."""
        self._journal.append(tuple(row))
        at, case_id, seq, announced = self._at, case.id, row.seq, 0
        for effect in effects:
            if isinstance(effect, EndTask):
                status, done_by = ("done", move.actor.id) if effect.done else ("cancelled", None)
                self._ended_tasks.append((case_id, effect.key, status, at, seq, done_by, effect.record))
            elif isinstance(effect, EndDeadline):
                self._ended_deadlines.append((case_id, effect.key, effect.met, at, seq, effect.record))
            elif isinstance(effect, OpenTask):
                key, role, state, priority, due_at, record = effect
                due = time_text(due_at)
                opened = (case_id, seq, key, state, role, case.office_id, priority)
                self._tasks.append((*opened, "open", at, due, due, record))
            elif isinstance(effect, SetDeadline):
                key, kind, state, due_at, next_at, record = effect
                due = time_text(due_at)
                self._deadlines.append(
                    (case_id, seq, key, kind, state, due, due, time_text(next_at), "open", 0, record)
                )
            elif isinstance(effect, Announce):
                announced += 1
                uid = _event_uid(row.hash, effect.type, announced)
                data = {"case": case.code, **effect.data}
                what = (uid, case_id, case.events + announced, seq, effect.type, at)
                whom = effect.only_for, effect.data.get("corrects")
                self._events.append((*what, case.region_pcode, data, move.correlation_id, *whom))
            elif isinstance(effect, SetRecord):
                if effect.from_status is not None:
                    step = (effect.code, effect.from_status, effect.to_status)
                    self._records.setdefault(effect.kind, []).append(step)
            elif isinstance(effect, RewriteTask):
                self._rewritten_tasks.append(task_row(case_id, effect))
            elif isinstance(effect, RewriteDeadline):
                self._rewritten_deadlines.append(deadline_row(case_id, effect))
            elif isinstance(effect, WaiveDeadline):
                self._waivers.append(waiver_row(case_id, seq, effect, move, at))
            elif isinstance(effect, Corrects):
                self._taken_back.append((case_id, effect.seq, at))
            elif isinstance(effect, UndoStep):
                self._undone.append((case_id, effect, move.actor.id))
            elif isinstance(effect, HoldClocks):
                self._held.append((case_id,))
            elif isinstance(effect, ResumeClocks) and case.held_at is not None:
                self._resumed[case_id] = self._now - case.held_at

    def write(self, session: Session) -> None:
        """At most one statement for each kind of row (two for clocks that go on, and one for each table of details when
        something is taken back), whatever the number of cases."""
        for statement, rows in (
            (_INSERT_JOURNAL, self._journal),
            (_END_TASKS, self._ended_tasks),
            (_END_DEADLINES, self._ended_deadlines),
            (REWRITE_TASKS, self._rewritten_tasks),
            (REWRITE_DEADLINES, self._rewritten_deadlines),
            (INSERT_WAIVERS, self._waivers),
            (WAIVE_DEADLINES, self._waivers),
            (_HOLD_TASKS, self._held),
            (_HOLD_DEADLINES, self._held),
        ):
            if rows:
                statement.execute(session, rows)
        if self._resumed:
            self._resume(session)
        for statement in _TAKE_BACK if self._taken_back else ():
            statement.execute(session, self._taken_back)
        for kind, steps in self._records.items():
            _SET_RECORDS[kind].execute(session, steps)
        if self._undone:
            undo_steps(session, self._undone, self._now)
        for statement, rows in (
            (_INSERT_TASKS, self._tasks),
            (_INSERT_DEADLINES, self._deadlines),
            (_INSERT_EVENTS, self._events),
        ):
            if rows:
                statement.execute(session, rows)

    def _resume(self, session: Session) -> None:
        """Every held clock of the case goes on, due as much later as it stood still; exact to the microsecond."""
        cases = [(case_id,) for case_id in self._resumed]

        def later(case_id: int, moment: Any) -> str | None:
            return None if moment is None else time_text(as_time(moment) + self._resumed[case_id])

        tasks = [(id_, later(case_id, due)) for id_, case_id, due in _HELD_TASKS.execute(session, cases)]
        _RESUME_TASKS.execute(session, tasks)
        deadlines = [
            (id_, later(case_id, due), later(case_id, next_at))
            for id_, case_id, due, next_at in _HELD_DEADLINES.execute(session, cases)
        ]
        _RESUME_DEADLINES.execute(session, deadlines)


def _event_uid(row_hash: str, type_: str, index: int) -> str:
    """The same for the same event whenever it is computed: from its journal row, its type and its place in it."""
    return "evt_" + blake2b(f"{row_hash}{type_}{index}".encode(), digest_size=16).hexdigest()
