"""The catalogue of events: every type that a pathway may announce, with the shape of its thin data.

`states.pathways.checks` refuses an announcement that is not listed here; `integrations.webhooks` builds the envelopes.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CaseEvent(BaseModel):
    """Thin by intent: a partner learns that something happened to a case that it knows by its code, and asks for
    the details that it may see. `state` is there only for states that the pathway marks as shared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str = Field(description="Code of the case; never a name or a reference number")
    state: str | None = Field(default=None, description="State that the case is in now, when the pathway shares it")


class DeadlineEvent(CaseEvent):
    """A deadline passed without its work being done."""

    deadline: str = Field(description="Key of the deadline in the pathway")


class ReferralEvent(CaseEvent):
    """Something happened to an orientation to a partner's service, or to the consent that it leans on. Only the partner
    to which the person was referred is told."""

    referral: str = Field(description="Code of the referral")


class CorrectionEvent(CaseEvent):
    """An earlier event of the case told of a mistake, which was taken back. Only those who received it are told."""

    corrects: str = Field(description="Id of the earlier event")


EVENT_TYPES: dict[str, type[CaseEvent]] = {
    "case.registered": CaseEvent,
    "case.arrived": CaseEvent,
    "case.advanced": CaseEvent,
    "case.held": CaseEvent,
    "case.resumed": CaseEvent,
    "case.closed": CaseEvent,
    "case.reopened": CaseEvent,
    "case.migrated": CaseEvent,
    "case.corrected": CorrectionEvent,
    "plan.approved": CaseEvent,
    "training.enrolled": CaseEvent,
    "training.certified": CaseEvent,
    "grant.approved": CaseEvent,
    "grant.delivered": CaseEvent,
    "visit.recorded": CaseEvent,
    "deadline.overdue": DeadlineEvent,
    "referral.made": ReferralEvent,
    "referral.answered": ReferralEvent,
    "referral.done": ReferralEvent,
    "referral.revoked": ReferralEvent,
    "referral.expired": ReferralEvent,
    "consent.revoked": ReferralEvent,
}
