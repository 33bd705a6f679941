"""Which deliveries are due, and taking them for one sender, for a while. Read and written by the sender's turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, and_, exists, or_, select, update
from sqlmodel import Session, col

from integrations.webhooks.circuit import OPENS_AFTER, is_open
from integrations.webhooks.envelope import AnnouncedEvent, EventNotInCatalogue, envelope
from models.partner import Delivery, DeliveryStatus, Event, Partner, Subscription
from models.partner_access import SigningSecret


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A subscription as the sender needs it. `failures` counts its failed attempts in a row, `others` are the secrets
    and keys that sign beside its secret."""

    subscription_id: int
    url: str
    secret: str = field(repr=False)
    failures: int = 0
    others: tuple[str, ...] = field(default=(), repr=False)

    @property
    def on_probation(self) -> bool:
        """Whether its circuit is open, so that one delivery alone may try it."""
        return is_open(self.failures)


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
    """The active subscriptions that have a delivery due, do not rest and did not ask for time."""
    due = exists().where(col(Delivery.subscription_id) == col(Subscription.id), col(Delivery.next_attempt_at) <= now)
    active = and_(col(Subscription.status) == "active", col(Partner.active))
    return _endpoints(session, now, active, due, _has_rested(now))


def endpoint_of(session: Session, subscription_id: int, *, now: datetime) -> Endpoint | None:
    """A subscription as the sender sees it, whether anything is due or not; None when there is none."""
    return next(iter(_endpoints(session, now, col(Subscription.id) == subscription_id)), None)


def claim_probes(session: Session, endpoints: Sequence[Endpoint], *, now: datetime, lease: timedelta) -> set[int]:
    """Of the endpoints on probation, the ids of those that this sender may try with one delivery: the others rest.

    Whoever is allowed to lets the endpoint rest until the lease ends, so that two senders never probe at once.
    """
    ids = [endpoint.subscription_id for endpoint in endpoints if endpoint.on_probation]
    if not ids:
        return set()
    # Locked by somebody means that somebody records or claims there: it is no moment for a probe.
    free = (
        select(col(Subscription.id))
        .where(
            *(col(Subscription.id).in_(ids), col(Subscription.failures) >= OPENS_AFTER),
            *(_has_rested(now), col(Subscription.status) == "active"),
        )
        .with_for_update(skip_locked=True, key_share=True)
        .cte("free")
    )
    taken = session.execute(
        update(Subscription)
        .where(col(Subscription.id).in_(select(free.c.id)))
        .values(not_before=now + lease)
        .returning(col(Subscription.id))
        .execution_options(synchronize_session=False)
    )
    return {id_ for id_ in taken.scalars() if id_ is not None}


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


def _endpoints(session: Session, now: datetime, *which: ColumnElement[bool]) -> list[Endpoint]:
    """With all the secrets that are in force, in one statement."""
    in_force = and_(
        col(SigningSecret.subscription_id) == col(Subscription.id),
        or_(col(SigningSecret.expires_at).is_(None), col(SigningSecret.expires_at) > now),
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            *(col(Subscription.id), col(Subscription.url), col(Subscription.secret), col(Subscription.failures)),
            col(SigningSecret.secret).label("other"),
        )
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .outerjoin(SigningSecret, in_force)
        .where(*which)
        .order_by(col(Subscription.id), col(SigningSecret.id).desc())
    )
    found: list[Endpoint] = []
    for _, rows in groupby(session.execute(statement), key=lambda row: row.id):
        first, *more = rows
        others = tuple(row.other for row in (first, *more) if row.other is not None)
        found.append(Endpoint(first.id, first.url, first.secret, first.failures, others))
    return found


def _has_rested(now: datetime) -> ColumnElement[bool]:
    return or_(col(Subscription.not_before).is_(None), col(Subscription.not_before) <= now)


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
