"""Who is away from work and when, and who had which task before whom.

`states.absences` records absences, `states.assignment` and `states.handover` give tasks and write down that they did.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import SQLModel, col

from models.types import BigId, UtcDateTime, internal, sensitive


class Absence(SQLModel, table=True):
    """Somebody is away from the instant `from_at` until, but not at, `until_at` (none: nobody knows yet).

    Both are midnights of the programme's time zone: whole days, whatever instant a task is due at.
    """

    __tablename__ = "absence"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    staff_id: int = internal(foreign_key="staff.id", index=True, sa_type=BigId)
    from_at: datetime = internal(sa_type=UtcDateTime)
    until_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    reason: str = sensitive()
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


def away_at(moment: datetime) -> ColumnElement[bool]:
    """Whether an `absence` of a query lasts at the instant."""
    until_at = col(Absence.until_at)
    return and_(col(Absence.from_at) <= moment, or_(until_at.is_(None), until_at > moment))


class AssignmentCause(StrEnum):
    """Why a task went to somebody: whose turn it was, or because it was taken from somebody."""

    TURN = "turn"
    BY_HAND = "by_hand"
    ABSENCE = "absence"
    LEFT = "left"
    OFFICE_MOVED = "office_moved"


class TaskAssignment(SQLModel, table=True):
    """A task went from one person (none: nobody had it) to another (none: nobody could take it); append-only.

    It is no change of the case, so it is not in the case's journal. `by_staff_id` none: Segin or an operator.
    """

    __tablename__ = "task_assignment"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    task_id: int = internal(foreign_key="task.id", index=True, sa_type=BigId)
    from_staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    to_staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    at: datetime = internal(sa_type=UtcDateTime)
    by_staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    cause: str = internal()
