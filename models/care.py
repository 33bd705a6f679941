"""What a case carries beside its state: consents, assessments, plan, sessions, training, grant, visits, referrals.

`states.casework` writes them; guards read them through `states.facts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive


class Consent(SQLModel, table=True):
    """What a returnee agreed to or refused: one purpose (assistance, sharing), one recipient (none: the programme)."""

    __tablename__ = "consent"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    purpose: str = personal()
    partner_id: int | None = personal(default=None, foreign_key="partner.id", sa_type=BigId)
    given: bool = personal()
    source: str = internal()
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    revoked_at: datetime | None = personal(default=None, sa_type=UtcDateTime)


class Assessment(SQLModel, table=True):
    """A vulnerability screening or a scored instrument (K6, PHQ-4, PHQ-9, WHO-5), with the version that scored it."""

    __tablename__ = "assessment"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    instrument: str = sensitive()
    version: str = internal()
    answers: dict[str, Any] = sensitive(sa_type=Json)
    score: int | None = sensitive(default=None)
    band: str | None = sensitive(default=None)
    flags: list[str] = sensitive(default_factory=list, sa_type=Json)
    assessed_at: datetime = internal(sa_type=UtcDateTime)
    assessed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


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


class TrainingEnrolment(SQLModel, table=True):
    """A place on a course: enrolled, attending, completed (with a certificate) or dropped_out (with a reason)."""

    __tablename__ = "training_enrolment"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str | None = internal(default=None, unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    course: str = personal()
    partner_id: int | None = internal(default=None, foreign_key="partner.id", sa_type=BigId)
    status: str = personal(default="enrolled")
    enrolled_at: datetime = personal(sa_type=UtcDateTime)
    days_attended: int = personal(default=0)
    certificate_at: datetime | None = personal(default=None, sa_type=UtcDateTime)
    reason: str | None = personal(default=None)


class LivelihoodGrant(SQLModel, table=True):
    """Support to start an activity, in kind. Amounts are whole francs (XOF). The approver is never the proposer.

    Status: planned, approved, procured, delivered, verified."""

    __tablename__ = "livelihood_grant"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str | None = internal(default=None, unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    activity: str = personal()
    amount_xof: int = personal()
    status: str = personal(default="planned")
    proposed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    proposed_at: datetime = internal(sa_type=UtcDateTime)
    approved_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    approved_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    procured_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    verified_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class FollowUpVisit(SQLModel, table=True):
    """A follow-up visit, known by the calendar months after follow-up began (3, 6, 12)."""

    __tablename__ = "follow_up_visit"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    months: int = internal()
    visited_at: datetime = personal(sa_type=UtcDateTime)
    outcome: str = sensitive()
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note: str | None = sensitive(default=None)


class Referral(SQLModel, table=True):
    """An orientation to a partner's service: in_progress, accepted, rejected, done or revoked. Needs a consent."""

    __tablename__ = "referral"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", index=True, sa_type=BigId)
    consent_id: int | None = internal(default=None, foreign_key="consent.id", sa_type=BigId)
    code: str = internal(unique=True)
    service: str = sensitive()
    priority: str = sensitive(default="normal")
    status: str = internal(default="in_progress")
    reason: str | None = sensitive(default=None)
    made_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    made_at: datetime = internal(sa_type=UtcDateTime)
    due_at: datetime = internal(sa_type=UtcDateTime)
    chased_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
