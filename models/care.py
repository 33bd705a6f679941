"""The reintegration plan of a case with its items, and the psychosocial care that it gets.

`states.casework` writes them; guards read them through `states.facts`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, sensitive


class PlanStatus(StrEnum):
    """Where a revision of the plan is, as the pathway's record `plan` has it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"


class CasePlan(SQLModel, table=True):
    """One revision of the reintegration plan, drafted with the returnee and approved by another person than its author.

    The newest approved revision is in force; earlier ones stay as they were. `needs` names the care states that the
    plan asks for (psychosocial, training, livelihood)."""

    __tablename__ = "case_plan"
    __table_args__ = (UniqueConstraint("case_id", "revision", name="uq_plan_case_revision"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    revision: int = internal(default=1)
    status: str = internal(default=PlanStatus.DRAFT)
    needs: list[str] = sensitive(default_factory=list, sa_type=Json)
    author_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    drafted_at: datetime = internal(sa_type=UtcDateTime)
    submitted_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    approver_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    approved_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class PlanItem(SQLModel, table=True):
    """One thing that a revision of the plan means to do: at which `level` (individual, community, structural), in which
    `dimension` (economic, social, psychosocial), with which goal and service, by whom, directly or by `referral`.

    Its status is that of the pathway's record `plan_item`: planned, in_progress, done, dropped (with a reason). It goes
    on under later revisions until it is done or dropped. `seq` is the journal row of the case with which it came into
    the plan; what was taken back is no item. Source: IOM Reintegration Handbook, Annex 3.
    """

    __tablename__ = "plan_item"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    plan_id: int = internal(foreign_key="case_plan.id", index=True, sa_type=BigId)
    level: str = sensitive()
    dimension: str = sensitive()
    need: str | None = sensitive(default=None)
    goal: str = sensitive()
    service: str = sensitive()
    mode: str = sensitive(default="direct")
    partner_id: int | None = sensitive(default=None, foreign_key="partner.id", sa_type=BigId)
    provider: str | None = sensitive(default=None)
    referral: str | None = internal(default=None)
    starts_on: date | None = sensitive(default=None)
    ends_on: date | None = sensitive(default=None)
    status: str = sensitive(default="planned")
    reason: str | None = sensitive(default=None)
    seq: int | None = internal(default=None)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class PsychosocialSession(SQLModel, table=True):
    """One session of psychosocial care for one case: individual, family or group, attended or missed.

    All cases of one family or group session share its `occasion`. `level` is the IASC level of care (1 to 4) that the
    results asked for on that day. The note is sealed (`models.seal`) for its place: case and session. `seq` is the
    journal row; what was taken back is no session.
    """

    __tablename__ = "psychosocial_session"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    occasion: str = internal(index=True)
    kind: str = sensitive(default="individual")
    held_at: datetime = sensitive(sa_type=UtcDateTime)
    attended: bool = sensitive(default=True)
    level: int | None = sensitive(default=None)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note_sealed: str | None = sensitive(default=None)
    seq: int | None = internal(default=None)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class SensitiveRead(SQLModel, table=True):
    """Somebody read, or was refused, something that only few may read; append-only. `record` is its code."""

    __tablename__ = "sensitive_read"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    what: str = internal()
    record: str = internal()
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    role: str = internal()
    allowed: bool = internal()
    at: datetime = internal(sa_type=UtcDateTime)
