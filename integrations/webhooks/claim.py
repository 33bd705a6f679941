"""Which deliveries are due, and taking them for one sender, for a while. Read and written by the sender's turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, exists, or_, select, update
from sqlmodel import Session, col

from integrations.webhooks.envelope import AnnouncedEvent, EventNotInCatalogue, envelope
from models.partner import Delivery, DeliveryStatus, Event, Partner, Subscription


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An active subscription with something due."""

    subscription_id: int
    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may send until `lease_until`. `number` is that of the attempt, `round_number` the
    same since the last replay; `body` is None when the event is not in the catalogue."""

    delivery_id: int
    lease_token: int
    lease_until: datetime
    number: int
    round_number: int
    endpoint: Endpoint
    case_id: int
    event_uid: str
    correlation_id: str
    body: bytes | None = field(repr=False)


def due_endpoints(session: Session, *, now: datetime) -> Sequence[Endpoint]:
    """The active subscriptions that have a delivery due and did not ask for time."""
    due = exists().where(col(Delivery.subscription_id) == col(Subscription.id), col(Delivery.next_attempt_at) <= now)
    statement = (
        select(col(Subscription.id), col(Subscription.url), col(Subscription.secret))
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .where(col(Subscription.status) == "active", col(Partner.active), due)
        .where(or_(col(Subscription.not_before).is_(None), col(Subscription.not_before) <= now))
        .order_by(col(Subscription.id))
    )
    return [Endpoint(*row) for row in session.execute(statement)]


def claim(session: Session, endpoint: Endpoint, *, room: int, now: datetime, lease: timedelta) -> list[Claimed]:
    """Take up to `room` due deliveries of one subscription, longest due first; at most one of each case.

    A delivery whose lease ran out is due again. Senders that claim at once skip each other's rows.
    """
    due = (
        select(col(Delivery.id))
        .where(col(Delivery.subscription_id) == endpoint.subscription_id, col(Delivery.next_attempt_at) <= now)
        .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
        .limit(room)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    until = now + lease
    taken = session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(select(due.c.id)))
        .values(
            status=DeliveryStatus.SENDING,
            lease_token=col(Delivery.lease_token) + 1,
            lease_until=until,
            next_attempt_at=until,
        )
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return _read(session, taken.scalars().all(), endpoint, until)


def _read(session: Session, ids: Sequence[int | None], endpoint: Endpoint, until: datetime) -> list[Claimed]:
    statement = (
        select(
            *(col(Delivery.id), col(Delivery.lease_token), col(Delivery.attempts), col(Delivery.replayed_after)),
            *(col(Event.case_id), col(Event.uid), col(Event.type), col(Event.sequence)),
            *(col(Event.occurred_at), col(Event.correlation_id), col(Event.data)),
        )
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .where(col(Delivery.id).in_(ids))
        .order_by(col(Delivery.id))
    )
    return [_claimed(row, endpoint, until) for row in session.execute(statement)]


def _claimed(row: Row[Any], endpoint: Endpoint, until: datetime) -> Claimed:
    try:
        body = envelope(cast(AnnouncedEvent, row))
    except EventNotInCatalogue:
        body = None
    return Claimed(
        delivery_id=row.id,
        lease_token=row.lease_token,
        lease_until=until,
        number=row.attempts + 1,
        round_number=row.attempts - row.replayed_after + 1,
        endpoint=endpoint,
        case_id=row.case_id,
        event_uid=row.uid,
        correlation_id=row.correlation_id,
        body=body,
    )
