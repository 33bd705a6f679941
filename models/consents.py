"""What returnees agree to, for each purpose and recipient. `states.casework.consents` writes it, guards read it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal


class ConsentStatus(StrEnum):
    """What a consent is; each is a state of the pathway's record `consent`."""

    GIVEN = "given"
    REFUSED = "refused"
    REVOKED = "revoked"


class Consent(SQLModel, table=True):
    """One answer of a person: for one purpose (assistance, sharing), to one recipient, of one day.

    The recipient is a partner, or any partner when the person said so (`any_partner`), else the programme itself.
    `information` lists what may be shared, by the codes of `states.referral_words`. `source` says how it was heard:
    interview, form (whose scan has the SHA-256 `form_sha256`) or manifest. `guardian` answered for a minor. The newest
    answer for a purpose and recipient counts.
    """

    __tablename__ = "consent"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    status: str = personal(default=ConsentStatus.GIVEN)
    purpose: str = personal()
    partner_id: int | None = personal(default=None, foreign_key="partner.id", sa_type=BigId)
    any_partner: bool = personal(default=False)
    information: list[str] = personal(default_factory=list, sa_type=Json)
    source: str = internal(default="interview")
    form_sha256: str | None = internal(default=None)
    guardian: str | None = personal(default=None)
    witness: str | None = personal(default=None)
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    revoked_at: datetime | None = personal(default=None, sa_type=UtcDateTime)
    revoked_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
