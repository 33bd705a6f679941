"""Which deliveries are due, and taking them for one sender, for a while. Read and written by the sender's turns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, update
from sqlmodel import Session, col

from integrations.webhooks.circuit import OPENS_AFTER, is_open
from models.partner import CLOUDEVENTS, Delivery, DeliveryStatus, Partner, Subscription
from models.partner_access import SigningSecret


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A subscription as the sender needs it. `failures` counts its failed attempts in a row, `others` are the secrets
    and keys that sign beside its secret, `format` is that of what it gets."""

    subscription_id: int
    url: str
    secret: str = field(repr=False)
    failures: int = 0
    others: tuple[str, ...] = field(default=(), repr=False)
    format: str = CLOUDEVENTS

    @property
    def on_probation(self) -> bool:
        """Whether its circuit is open, so that one delivery alone may try it."""
        return is_open(self.failures)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may send until `lease_until`. `number` is that of the attempt, `round_number` the
    same since the last replay. `planned_at` is when its schedule would have had it sent, if this is a probe ahead of
    that time. `bodies` fills in the rest: `event_uid` is the partner's own id of the event, `body` what it may
    see; `withheld` is the outcome when it may see nothing."""

    delivery_id: int
    lease_token: int
    lease_until: datetime
    number: int
    round_number: int
    endpoint: Endpoint
    case_id: int
    event_id: int
    partner_event_id: int | None
    planned_at: datetime | None = None
    event_uid: str = ""
    body: bytes = field(default=b"", repr=False)
    withheld: str | None = None


_ACTIVE: Final = and_(col(Subscription.status) == "active", col(Partner.active))
_OF_IT: Final = col(Delivery.subscription_id) == col(Subscription.id)
_WAITS: Final = and_(col(Delivery.next_attempt_at).is_not(None), col(Delivery.status) == DeliveryStatus.PENDING)


def due_endpoints(session: Session, *, now: datetime) -> Sequence[Endpoint]:
    """The active subscriptions that have a delivery due, do not rest and did not ask for time.

    One that has rested is due for a probe even when what waits for it is to be tried later: else a quiet partner that
    is well again would have to wait for the next try of its one event.
    """
    due = exists().where(_OF_IT, col(Delivery.next_attempt_at) <= now)
    probe = and_(col(Subscription.failures) >= OPENS_AFTER, exists().where(_OF_IT, _WAITS))
    return _endpoints(session, now, _ACTIVE, or_(due, probe), _has_rested(now))


def active_endpoints(session: Session, ids: Collection[int], *, now: datetime) -> dict[int, Endpoint]:
    """Those of these subscriptions that are active, as they are now."""
    if not ids:
        return {}
    found = _endpoints(session, now, _ACTIVE, col(Subscription.id).in_(ids))
    return {endpoint.subscription_id: endpoint for endpoint in found}


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


def give_probe_back(session: Session, subscription_id: int, until: datetime) -> None:
    """Let somebody else probe at once: nothing was sent by whoever was allowed to until then."""
    session.execute(
        update(Subscription)
        .where(col(Subscription.id) == subscription_id, col(Subscription.not_before) == until)
        .values(not_before=None)
        .execution_options(synchronize_session=False)
    )


def claim(session: Session, endpoint: Endpoint, *, room: int, now: datetime, lease: timedelta) -> list[Claimed]:
    """Take up to `room` due deliveries of one subscription, longest due first; at most one of each case.

    A delivery whose lease ran out is due again. Senders that claim at once skip each other's rows. Of an endpoint on
    probation it is one, the earliest, due or not.
    """
    until = now + lease
    mine = col(Delivery.subscription_id) == endpoint.subscription_id
    if endpoint.on_probation:
        return _claim_probe(session, endpoint, mine, now, until)
    due = _earliest(mine, col(Delivery.next_attempt_at) <= now, room=room).cte("due")
    return _take(session, endpoint, col(Delivery.id).in_(select(due.c.id)), until)


def _claim_probe(
    session: Session, endpoint: Endpoint, mine: ColumnElement[bool], now: datetime, until: datetime
) -> list[Claimed]:
    first = session.execute(_earliest(mine, or_(col(Delivery.next_attempt_at) <= now, _WAITS), room=1)).first()
    if first is None:
        return []
    taken = _take(session, endpoint, col(Delivery.id) == first.id, until)
    return [replace(each, planned_at=first.next_attempt_at) for each in taken] if first.next_attempt_at > now else taken


def _earliest(*which: ColumnElement[bool], room: int) -> Select[*tuple[Any, ...]]:
    return (
        select(col(Delivery.id), col(Delivery.next_attempt_at))
        .where(*which)
        .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
        .limit(room)
        .with_for_update(skip_locked=True)
    )


def _take(session: Session, endpoint: Endpoint, which: ColumnElement[bool], until: datetime) -> list[Claimed]:
    taken = session.execute(
        update(Delivery)
        .where(which)
        .values(
            status=DeliveryStatus.SENDING,
            lease_token=col(Delivery.lease_token) + 1,
            lease_until=until,
            next_attempt_at=until,
        )
        .returning(
            *(col(Delivery.id), col(Delivery.lease_token), col(Delivery.attempts), col(Delivery.replayed_after)),
            *(col(Delivery.case_id), col(Delivery.event_id), col(Delivery.partner_event_id)),
        )
        .execution_options(synchronize_session=False)
    )
    return [
        Claimed(
            delivery_id=row.id,
            lease_token=row.lease_token,
            lease_until=until,
            number=row.attempts + 1,
            round_number=row.attempts - row.replayed_after + 1,
            endpoint=endpoint,
            case_id=row.case_id,
            event_id=row.event_id,
            partner_event_id=row.partner_event_id,
        )
        for row in sorted(taken, key=lambda row: row.id)
    ]


def _endpoints(session: Session, now: datetime, *which: ColumnElement[bool]) -> list[Endpoint]:
    """With all the secrets that are in force, in one statement."""
    in_force = and_(
        col(SigningSecret.subscription_id) == col(Subscription.id),
        or_(col(SigningSecret.expires_at).is_(None), col(SigningSecret.expires_at) > now),
    )
    statement: Select[*tuple[Any, ...]] = (
        select(
            *(col(Subscription.id), col(Subscription.url), col(Subscription.secret), col(Subscription.failures)),
            *(col(Subscription.format), col(SigningSecret.secret).label("other")),
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
        found.append(Endpoint(first.id, first.url, first.secret, first.failures, others, first.format))
    return found


def _has_rested(now: datetime) -> ColumnElement[bool]:
    return or_(col(Subscription.not_before).is_(None), col(Subscription.not_before) <= now)
