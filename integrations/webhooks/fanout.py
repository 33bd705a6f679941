"""From the outbox to deliveries: one for each event and each subscription that wants it.

The dispatch flow calls `fan_out` until nothing is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, update
from sqlmodel import Session, col, select

from integrations.webhooks.line import lock_subscriptions, move_up
from models.partner import Delivery, DeliveryStatus, Event, Partner, Subscription
from states.bulk import insert_into

RECEIVING: Final = ("active", "paused")
"""Statuses of subscriptions for which deliveries are made; those of a paused one wait."""

_DELIVERIES = insert_into(
    "delivery",
    *("event_id", "subscription_id", "case_id", "sequence", "status", "attempts", "replayed_after", "lease_token"),
)


def fan_out(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """Make the deliveries of up to `limit` waiting events, in order. How many; 0 means that no event waits any more.

    Several at once are right: they follow one another on the lock of the subscriptions, because an event that overtook
    an earlier one of its case here could reach the partner first.
    """
    while True:
        subscriptions = _receiving(session)
        events = _take(session, now, limit)
        if not events:
            return 0
        rows = _deliveries(events, subscriptions, _received(session, events))
        if rows:
            _DELIVERIES.execute(session, rows)
            move_up(session, {(row[1], row[2]) for row in rows}, now=now)
            return len(rows)


def wants(subscription: Subscription, event_type: str, region_pcode: str | None) -> bool:
    """Whether the subscription's filters let the event through. An event of no region passes no region filter."""
    return (not subscription.event_types or event_type in subscription.event_types) and (
        not subscription.regions or region_pcode in subscription.regions
    )


def _deliveries(
    events: Sequence[Row[Any]], subscriptions: Sequence[Subscription], received: dict[str, set[int | None]]
) -> list[tuple[Any, ...]]:
    """The rows of the deliveries. A correction goes to those who `received` what it corrects, whatever they filter."""
    rows = []
    for event in events:
        if event.corrects is None:
            chosen = _addressed(event, subscriptions)
        else:
            chosen = [each for each in subscriptions if each.id in received[event.corrects]]
        for subscription in chosen:
            rows.append((event.id, subscription.id, event.case_id, event.sequence, DeliveryStatus.PENDING, 0, 0, 0))
            received[event.uid].add(subscription.id)
    return rows


def _addressed(event: Row[Any], subscriptions: Sequence[Subscription]) -> list[Subscription]:
    """Those that want the event. One that is for certain partners goes to them alone, and reaches each of them: through
    the subscriptions that want it, else through all that the partner has."""
    wanting = [each for each in subscriptions if wants(each, event.type, event.region_pcode)]
    if event.only_for is None:
        return wanting
    heard = {each.partner_id for each in wanting}
    return [
        each
        for each in subscriptions
        if each.partner_id in event.only_for and (each in wanting or each.partner_id not in heard)
    ]


def _received(session: Session, events: Sequence[Row[Any]]) -> dict[str, set[int | None]]:
    """The subscriptions that have deliveries of the events which these correct, by the uid of those."""
    received: dict[str, set[int | None]] = defaultdict(set)
    corrected = sorted({event.corrects for event in events if event.corrects is not None})
    if corrected:
        found = select(Event.uid, Delivery.subscription_id).join(Delivery, col(Delivery.event_id) == col(Event.id))
        for uid, subscription_id in session.exec(found.where(col(Event.uid).in_(corrected))):
            received[uid].add(subscription_id)
    return received


def _receiving(session: Session) -> Sequence[Subscription]:
    statement = (
        select(Subscription.id)
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .where(col(Subscription.status).in_(RECEIVING), col(Partner.active))
    )
    locked = lock_subscriptions(session, session.exec(statement).all())
    return [subscription for subscription in locked if subscription.status in RECEIVING]


def _take(session: Session, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Mark the first waiting events as fanned out and give them, in the order of their ids."""
    waiting = select(Event.id).where(col(Event.fanned_out_at).is_(None)).order_by(col(Event.id)).limit(limit)
    taken = session.execute(
        update(Event)
        .where(col(Event.id).in_(waiting), col(Event.fanned_out_at).is_(None))
        .values(fanned_out_at=now)
        .returning(
            *(col(Event.id), col(Event.uid), col(Event.case_id), col(Event.sequence), col(Event.type)),
            *(col(Event.region_pcode), col(Event.only_for), col(Event.corrects)),
        )
        .execution_options(synchronize_session=False)
    )
    return sorted(taken.all(), key=lambda event: event.id)
