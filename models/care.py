"""What a case carries beside its state: assessments, plan, sessions, training, grant.

`states.casework` writes them; guards read them through `states.facts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, sensitive


class CasePlan(SQLModel, table=True):
    """The reintegration plan, drafted with the returnee and approved by another person than its author.

    `needs` names the care states that the plan asks for (psychosocial, training, livelihood)."""

    __tablename__ = "case_plan"
    __table_args__ = (UniqueConstraint("case_id", "revision", name="uq_plan_case_revision"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str | None = internal(default=None, unique=True)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    revision: int = internal(default=1)
    status: str = internal(default="draft")
    needs: list[str] = sensitive(default_factory=list, sa_type=Json)
    items: list[dict[str, Any]] = sensitive(default_factory=list, sa_type=Json)
    author_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    drafted_at: datetime = internal(sa_type=UtcDateTime)
    approver_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    approved_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class PsychosocialSession(SQLModel, table=True):
    """One session of psychosocial care: individual, family or group."""

    __tablename__ = "psychosocial_session"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    kind: str = sensitive(default="individual")
    held_at: datetime = sensitive(sa_type=UtcDateTime)
    attended: bool = sensitive(default=True)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note: str | None = sensitive(default=None)
