"""Referrals (orientations) of a case to partners' services, with the fields of the inter-agency form (IASC 2017).

`states.casework.referrals` writes them; what is due when is in their clocks, what happened when in the journal.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive


class ReferralStatus(StrEnum):
    """Where a referral is; each is a state of the pathway's record `referral`."""

    IN_PROGRESS = "in_progress"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DONE = "done"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Referral(SQLModel, table=True):
    """One referral, leaning on the consent that allows it.

    Who refers is `made_by` and may be reached at `contact`; the receiver is a partner, by `partner_contact`.
    `information` lists what was shared, `services` what is asked for, `copies` who got the form (referrer, client,
    receiver), all by the codes of `states.referral_words`. Of a minor: `caregiver`, whether the caregiver knows, and
    `separation` (accompanied, separated, unaccompanied). `answer` is the code of why a partner said no, or of why the
    referral was taken back.
    """

    __tablename__ = "referral"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", index=True, sa_type=BigId)
    consent_id: int | None = internal(default=None, foreign_key="consent.id", index=True, sa_type=BigId)
    status: str = internal(default=ReferralStatus.IN_PROGRESS)
    priority: str = sensitive(default="normal")
    services: list[str] = sensitive(default_factory=list, sa_type=Json)
    reason: str | None = sensitive(default=None)
    information: list[str] = personal(default_factory=list, sa_type=Json)
    contact: str | None = personal(default=None)
    partner_contact: str | None = personal(default=None)
    channel: str | None = internal(default=None)
    copies: list[str] = internal(default_factory=list, sa_type=Json)
    language: str | None = personal(default=None)
    interpreter: bool = personal(default=False)
    caregiver: str | None = personal(default=None)
    caregiver_knows: bool | None = personal(default=None)
    separation: str | None = sensitive(default=None)
    made_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    made_at: datetime = internal(sa_type=UtcDateTime)
    answer: str | None = sensitive(default=None)
    answered_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    answered_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
