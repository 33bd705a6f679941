"""Existing tasks and clocks of a case that are from now on as an effect says, waivers among them: their statements, and
the rows for them.

`states.effects` writes them with everything else that a move does.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Integer, String

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.moves import Move, RewriteDeadline, RewriteTask, WaiveDeadline

REWRITE_TASKS: Final = SetStatement(
    "UPDATE task SET state = r.state, role = r.role, priority = r.priority, status = r.status, due_at = r.due_at, "
    "first_due_at = CASE WHEN r.due_at IS NULL THEN NULL ELSE COALESCE(r.first_due_at, task.first_due_at) END, "
    "staff_id = CASE WHEN task.role <> r.role THEN r.staff_id WHEN EXISTS "
    "(SELECT 1 FROM staff AS s WHERE s.id = task.staff_id AND s.active) THEN task.staff_id END, "
    "closed_at = NULL, closed_seq = NULL, done_by = NULL FROM {rows} "
    "WHERE task.case_id = r.case_id AND task.id = r.task_id",
    case_id=BigId,
    task_id=BigId,
    state=String(),
    role=String(),
    staff_id=BigId,
    priority=String(),
    status=String(),
    due_at=UtcDateTime(),
    first_due_at=UtcDateTime(),
)
REWRITE_DEADLINES: Final = SetStatement(
    "UPDATE deadline SET state = r.state, status = r.status, due_at = r.due_at, first_due_at = r.first_due_at, "
    "next_at = r.next_at, level = r.level, overdue_at = r.overdue_at, escalated_at = r.escalated_at, "
    "closed_at = NULL, closed_seq = NULL FROM {rows} "
    "WHERE deadline.case_id = r.case_id AND deadline.id = r.deadline_id",
    case_id=BigId,
    deadline_id=BigId,
    state=String(),
    status=String(),
    due_at=UtcDateTime(),
    first_due_at=UtcDateTime(),
    next_at=UtcDateTime(),
    level=Integer(),
    overdue_at=UtcDateTime(),
    escalated_at=UtcDateTime(),
)
INSERT_WAIVERS: Final = SetStatement(
    "INSERT INTO waiver (case_id, seq, deadline_id, key, reason, due_at, until_at, waived_at, waived_by) "
    "SELECT r.case_id, r.seq, r.deadline_id, d.key, r.reason, d.due_at, r.until_at, r.at, r.waived_by FROM {rows} "
    "JOIN deadline AS d ON d.id = r.deadline_id AND d.case_id = r.case_id",
    case_id=BigId,
    seq=Integer(),
    deadline_id=BigId,
    reason=String(),
    until_at=UtcDateTime(),
    at=UtcDateTime(),
    waived_by=BigId,
)
WAIVE_DEADLINES: Final = SetStatement(
    "UPDATE deadline SET due_at = COALESCE(r.until_at, deadline.due_at), next_at = r.until_at, "
    "level = CASE WHEN r.until_at IS NULL THEN deadline.level ELSE 0 END, "
    "overdue_at = CASE WHEN r.until_at IS NULL THEN deadline.overdue_at END, "
    "status = CASE WHEN r.until_at IS NULL THEN 'waived' ELSE deadline.status END, "
    "closed_at = CASE WHEN r.until_at IS NULL THEN r.at END, closed_seq = CASE WHEN r.until_at IS NULL THEN r.seq END "
    "FROM {rows} WHERE deadline.case_id = r.case_id AND deadline.id = r.deadline_id",
    case_id=BigId,
    seq=Integer(),
    deadline_id=BigId,
    reason=String(),
    until_at=UtcDateTime(),
    at=UtcDateTime(),
    waived_by=BigId,
)


def waiver_row(case_id: int, seq: int, effect: WaiveDeadline, move: Move, at: str | None) -> tuple[Any, ...]:
    """The row of `INSERT_WAIVERS` and of `WAIVE_DEADLINES`, which comes after it."""
    return (case_id, seq, effect.id, move.reason, time_text(effect.until), at, move.actor.id)


def task_row(case_id: int, effect: RewriteTask) -> tuple[Any, ...]:
    """The row of `REWRITE_TASKS`."""
    id_, _, state, role, staff_id, priority, status, due_at, first_due_at = effect
    dues = time_text(due_at), time_text(first_due_at)
    return (case_id, id_, state, role, staff_id, priority, status, *dues)


def deadline_row(case_id: int, effect: RewriteDeadline) -> tuple[Any, ...]:
    """The row of `REWRITE_DEADLINES`."""
    id_, _, state, status, due_at, first_due_at, next_at, level, overdue_at, escalated_at = effect
    return (
        *(case_id, id_, state, status, time_text(due_at), time_text(first_due_at), time_text(next_at), level),
        *(time_text(overdue_at), time_text(escalated_at)),
    )
