"""Partner systems, what they subscribe to, and the outbox: event, delivery and attempt."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, public, sensitive


class DeliveryStatus(StrEnum):
    """`sending` is leased by a sender; `dead` has used up its attempts or was refused for good; `withheld` was not sent
    because its partner may not see the event (`models.sharing`). What is finished may be replayed."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    WITHHELD = "withheld"


class Channel(StrEnum):
    """By which way a subscription is served: `feed` waits to be asked for (the partner API), `email` and `drop` hand
    over once a night."""

    WEBHOOK = "webhook"
    FEED = "feed"
    EMAIL = "email"
    DROP = "drop"


CLOUDEVENTS: Final = "cloudevents"
"""The format of a subscription that gets events as they are; any other names a mapping of `integrations.bridges`."""


MAILTO: Final = "mailto:"
"""Before the address of a subscription by e-mail."""

CODE_FORM: Final = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
"""Codes of partners and of agreements with them."""


class Partner(SQLModel, table=True):
    """An organisation that receives events and answers referrals.

    `pseudonym_key` (hex) makes its own codes of cases and events; `position` is that of the newest event that was shown
    to it (`models.sharing`).
    """

    __tablename__ = "partner"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public(unique=True)
    name: str = public()
    active: bool = internal(default=True)
    pseudonym_key: str = sensitive(default_factory=lambda: secrets.token_hex(32))
    position: int = internal(default=0, sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)


class Subscription(SQLModel, table=True):
    """Where a partner wants which events, by which way. Empty `event_types` or `regions` means all.

    `url` is an https address (webhook), a `mailto:` address (email), the name of a folder (drop) or empty (feed).
    `language` is that of messages and files. `cursor` is the position in the partner's stream up to which they were
    handed over; `offered` that of the last one of which nobody knows whether it arrived (none: all is known).
    `secret` is a Standard Webhooks symmetric secret (`whsec_...`). Status: active, paused (its deliveries wait),
    disabled (they are made when it is resumed). `failing_since` is set from a failed attempt to the next success.
    `failures` counts the failed attempts in a row, and from `integrations.webhooks.circuit.OPENS_AFTER` on the failed
    probes: so long the endpoint rests. `not_before` is when the rest is over, or what the endpoint itself asked for
    with Retry-After."""

    __tablename__ = "subscription"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    partner_id: int = internal(foreign_key="partner.id", index=True, sa_type=BigId)
    url: str = internal()
    event_types: list[str] = internal(default_factory=list, sa_type=Json)
    regions: list[str] = internal(default_factory=list, sa_type=Json)
    secret: str = sensitive()
    status: str = internal(default="active")
    status_reason: str | None = internal(default=None)
    failing_since: datetime | None = internal(default=None, sa_type=UtcDateTime)
    failures: int = internal(default=0)
    not_before: datetime | None = internal(default=None, sa_type=UtcDateTime)
    channel: str = internal(default=Channel.WEBHOOK)
    format: str = internal(default=CLOUDEVENTS)
    language: str = internal(default="fr")
    cursor: int = internal(default=0, sa_type=BigId)
    offered: int | None = internal(default=None, sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)


class Event(SQLModel, table=True):
    """A past-tense fact about a case, written with the transition that made it: the outbox.

    `uid` never leaves Segin: each partner knows the event by an id of its own (`PartnerEvent`). `sequence` counts the
    events of the case from 1. `data` is thin: codes, never a name. `fanned_out_at` is set once its deliveries exist.
    `corrects` is the uid of an earlier event of the case that was a mistake: this one goes to those who received that
    one, and to nobody else. `only_for` lists the ids of the partners that it is for (none: everybody who subscribes).
    """

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("case_id", "sequence", name="uq_event_case_sequence"),
        Index(
            "ix_event_not_fanned_out",
            "id",
            sqlite_where=text("fanned_out_at IS NULL"),
            postgresql_where=text("fanned_out_at IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    uid: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    sequence: int = internal()
    seq: int = internal()
    type: str = public()
    occurred_at: datetime = internal(sa_type=UtcDateTime)
    region_pcode: str | None = internal(default=None)
    data: dict[str, Any] = internal(default_factory=dict, sa_type=Json)
    correlation_id: str = internal()
    only_for: list[int] | None = internal(default=None, sa_type=Json)
    corrects: str | None = internal(default=None)
    fanned_out_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class Delivery(SQLModel, table=True):
    """One event for one subscription. At most one sender holds it: `lease_token` fences a sender that woke up late.

    What is sent is the body of its `PartnerEvent`. A delivery waits until the earlier ones of the same subscription
    and case are finished: so long its `next_attempt_at` is None. Afterwards that is when it may be claimed; while it
    is being sent, when its lease ends. `attempts` counts for ever; the retry schedule leaves out `replayed_after` of
    them: those before its last replay and those by which a resting endpoint was probed ahead of the schedule.
    `finished_at` is set if and only if the status is delivered, dead or withheld."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("event_id", "subscription_id", name="uq_delivery_event_subscription"),
        Index(
            "ix_delivery_order",
            "subscription_id",
            "case_id",
            "sequence",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index(
            "ix_delivery_due",
            "subscription_id",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    event_id: int = internal(foreign_key="event.id", sa_type=BigId)
    subscription_id: int = internal(foreign_key="subscription.id", sa_type=BigId)
    partner_event_id: int | None = internal(default=None, foreign_key="partner_event.id", sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    sequence: int = internal()
    status: str = internal(default=DeliveryStatus.PENDING)
    attempts: int = internal(default=0)
    replayed_after: int = internal(default=0)
    next_attempt_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    lease_token: int = internal(default=0)
    lease_until: datetime | None = internal(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    dead_reason: str | None = internal(default=None)


class Attempt(SQLModel, table=True):
    """One POST. `outcome` is a code (ok, http_500, timeout, refused_address, ...), never a body."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("delivery_id", "number", name="uq_attempt_delivery_number"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    delivery_id: int = internal(foreign_key="delivery.id", sa_type=BigId)
    number: int = internal()
    started_at: datetime = internal(sa_type=UtcDateTime)
    duration_ms: int = internal()
    status_code: int | None = internal(default=None)
    outcome: str = internal()
