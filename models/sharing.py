"""What partners may see and what they saw: agreements, each partner's own codes and stream of events, and its looks.

`integrations.sharing` writes it. A person's sharing ledger is the partner events and disclosures of the case.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, public, sensitive


class Showing(StrEnum):
    """`waiting` until somebody is about to send or read the event; then what the agreement and the consent made of it:
    `shown` (its bytes never change again) or `withheld` (until it is asked for anew)."""

    WAITING = "waiting"
    SHOWN = "shown"
    WITHHELD = "withheld"


class Way(StrEnum):
    """By which way a partner first had an event: sent to its endpoint, read by itself, in a message or a file; or it
    acknowledged an event before Segin knew that it had come."""

    PUSH = "push"
    FEED = "feed"
    EMAIL = "email"
    DROP = "drop"
    ACKNOWLEDGEMENT = "acknowledgement"


class SharingAgreement(SQLModel, table=True):
    """One version of an agreement with a partner: immutable, but for its end. The newest version of a code counts.

    `purpose` is that of the consents it leans on (assistance: the partner runs or oversees the programme; sharing: it
    is another service). `event_types` are those it may get; empty `regions` (P-codes) or `programmes` (names of
    pathways) mean all. `fields` are codes of `models.shared_fields`; `sensitive_fields` those that harm when leaked,
    listed apart so that none is shared by default. `acknowledge_within` is an ISO 8601 duration.
    """

    __tablename__ = "sharing_agreement"
    __table_args__ = (UniqueConstraint("code", "version", name="uq_sharing_agreement_version"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public()
    version: int = public()
    partner_id: int = internal(foreign_key="partner.id", index=True, sa_type=BigId)
    title: str = public()
    purpose: str = public()
    event_types: list[str] = public(default_factory=list, sa_type=Json)
    regions: list[str] = public(default_factory=list, sa_type=Json)
    programmes: list[str] = public(default_factory=list, sa_type=Json)
    fields: list[str] = public(default_factory=list, sa_type=Json)
    sensitive_fields: list[str] = public(default_factory=list, sa_type=Json)
    acknowledge_within: str = public(default="P3D")
    valid_from: date = public()
    valid_until: date | None = public(default=None)
    ended_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    ended_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)
    created_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class PartnerCase(SQLModel, table=True):
    """The code under which one partner knows a case. `events` counts what was shown to the partner of it."""

    __tablename__ = "partner_case"
    __table_args__ = (
        UniqueConstraint("partner_id", "case_id", name="uq_partner_case"),
        UniqueConstraint("partner_id", "code", name="uq_partner_case_code"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    code: str = internal()
    events: int = internal(default=0)


class PartnerEvent(SQLModel, table=True):
    """An event as one partner is owed it, whatever the way (push, pull, message, file): the same id and bytes on each.

    `uid` and `sequence` are the partner's own, so that two partners cannot join what they know. What is withheld takes
    neither a `position` in the partner's stream nor a `sequence` in the case's. `reason` says why it was withheld.
    `received_at` is the first time that the partner surely had it and `received_by` the `Way`, `acknowledged_at` when
    it said so itself; `reminded_at`: when it was asked again to do so.
    """

    __tablename__ = "partner_event"
    __table_args__ = (
        UniqueConstraint("event_id", "partner_id", name="uq_partner_event"),
        Index(
            "uq_partner_event_position",
            "partner_id",
            "position",
            unique=True,
            sqlite_where=text("position IS NOT NULL"),
            postgresql_where=text("position IS NOT NULL"),
        ),
        Index(
            "ix_partner_event_waiting",
            "partner_id",
            "id",
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_partner_event_case", "partner_id", "case_id"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    uid: str = internal(unique=True)
    event_id: int = internal(foreign_key="event.id", sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    status: str = internal(default=Showing.WAITING)
    reason: str | None = internal(default=None)
    position: int | None = internal(default=None, sa_type=BigId)
    sequence: int | None = internal(default=None)
    body: str | None = sensitive(default=None)
    fields: list[str] = personal(default_factory=list, sa_type=Json)
    agreement_id: int | None = internal(default=None, foreign_key="sharing_agreement.id", sa_type=BigId)
    consent_id: int | None = internal(default=None, foreign_key="consent.id", index=True, sa_type=BigId)
    shown_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    received_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    received_by: str | None = internal(default=None)
    acknowledged_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    reminded_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class Disclosure(SQLModel, table=True):
    """A look of a partner at a case through the API: which fields it got, under which agreement and consent."""

    __tablename__ = "disclosure"
    __table_args__ = (Index("ix_disclosure_case", "case_id", "partner_id"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    what: str = internal()
    fields: list[str] = personal(default_factory=list, sa_type=Json)
    agreement_id: int = internal(foreign_key="sharing_agreement.id", sa_type=BigId)
    consent_id: int | None = internal(default=None, foreign_key="consent.id", index=True, sa_type=BigId)
    at: datetime = internal(sa_type=UtcDateTime)
