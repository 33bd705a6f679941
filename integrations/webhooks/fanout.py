"""From the outbox to what partners are owed: their own events, and a delivery for each subscription that wants one.

The dispatch flow calls `fan_out` until nothing is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, update
from sqlmodel import Session, col, select

from integrations.bridges.formats import TAKEN
from integrations.sharing.projection import enqueue
from integrations.sharing.wanted import RECEIVING, wants
from integrations.webhooks.line import Line, lock_subscriptions, move_up
from models.partner import CLOUDEVENTS, Channel, Delivery, DeliveryStatus, Event, Partner, Subscription
from models.sharing import PartnerEvent
from states.bulk import insert_into

_DELIVERIES = insert_into(
    "delivery",
    *("event_id", "subscription_id", "partner_event_id", "case_id", "sequence"),
    *("status", "attempts", "replayed_after", "lease_token"),
)


class Choice(NamedTuple):
    """An event that the partner of a subscription is owed. `here`: through this very subscription."""

    event: Row[Any]
    subscription: Subscription
    here: bool


@dataclass
class Received:
    """Who was owed the events that others correct, by their uids: the partners, and those of their subscriptions that
    have deliveries."""

    partners: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    subscriptions: dict[str, set[int | None]] = field(default_factory=lambda: defaultdict(set))


def fan_out(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """Put up to `limit` waiting events in line for their partners, in order, and make the deliveries. How many of
    these; 0 means that no event waits any more.

    A partner is owed an event whether its subscription is disabled or not. Several at once are right: they follow one
    another on the lock of the subscriptions, because an event that overtook an earlier one of its case here could reach
    the partner first.
    """
    while True:
        subscriptions = _subscriptions(session)
        events = _take(session, now, limit)
        if not events:
            return 0
        lines = deliver(session, choose(events, subscriptions, received_of(session, events)))
        if lines:
            move_up(session, set(lines), now=now)
            return len(lines)


def gets_deliveries(subscription: Subscription, event_type: str) -> bool:
    """Whether an event of this type that its partner is owed is sent to it by itself, now or once it is not paused any
    more. A mapping takes one type alone."""
    return (
        subscription.channel == Channel.WEBHOOK
        and subscription.status in RECEIVING
        and (subscription.format == CLOUDEVENTS or event_type == TAKEN)
    )


def choose(events: Sequence[Row[Any]], subscriptions: Sequence[Subscription], received: Received) -> list[Choice]:
    """Who is owed what. A correction goes to those who `received` what it corrects, whatever they filter; what is
    chosen here is noted there."""
    chosen = []
    for event in events:
        if event.corrects is None:
            found = [Choice(event, each, here=True) for each in _addressed(event, subscriptions)]
        else:
            found = [
                Choice(event, each, here=each.id in received.subscriptions[event.corrects])
                for each in subscriptions
                if each.partner_id in received.partners[event.corrects]
            ]
        received.partners[event.uid] |= {each.subscription.partner_id for each in found}
        received.subscriptions[event.uid] |= {each.subscription.id for each in found if each.here}
        chosen += found
    return chosen


def deliver(session: Session, chosen: Sequence[Choice]) -> list[Line]:
    """Put the events in line for the partners, and make the deliveries. The line of each delivery."""
    ids = enqueue(session, {(each.event.id, each.subscription.partner_id) for each in chosen})
    rows = [
        (event.id, subscription.id, id_, event.case_id, event.sequence, DeliveryStatus.PENDING, 0, 0, 0)
        for event, subscription, here in chosen
        if here and gets_deliveries(subscription, event.type)
        if (id_ := ids.get((event.id, subscription.partner_id))) is not None
    ]
    if rows:
        _DELIVERIES.execute(session, rows)
    return [(subscription_id, case_id) for _event_id, subscription_id, _id, case_id, *_rest in rows]


def received_of(session: Session, events: Sequence[Row[Any]]) -> Received:
    """Who was owed the events which these correct."""
    received = Received()
    corrected = sorted({event.corrects for event in events if event.corrects is not None})
    if corrected:
        of_it = and_(
            col(Delivery.event_id) == col(PartnerEvent.event_id), col(Delivery.partner_event_id) == col(PartnerEvent.id)
        )
        found = (
            select(Event.uid, PartnerEvent.partner_id, col(Delivery.subscription_id))
            .join(PartnerEvent, col(PartnerEvent.event_id) == col(Event.id))
            .outerjoin(Delivery, of_it)
            .where(col(Event.uid).in_(corrected))
        )
        for uid, partner_id, subscription_id in session.exec(found):
            received.partners[uid].add(partner_id)
            if subscription_id is not None:
                received.subscriptions[uid].add(subscription_id)
    return received


def _addressed(event: Row[Any], subscriptions: Sequence[Subscription]) -> list[Subscription]:
    """Those that want the event. One that is for certain partners goes to them alone, and reaches each of them: through
    the subscriptions that want it, and when none of these gets it now, through all that the partner has."""
    wanting = [each for each in subscriptions if wants(each, event.type, event.region_pcode)]
    if event.only_for is None:
        return wanting
    heard = {each.partner_id for each in wanting if each.status in RECEIVING}
    return [
        each
        for each in subscriptions
        if each.partner_id in event.only_for and (each in wanting or each.partner_id not in heard)
    ]


def _subscriptions(session: Session) -> Sequence[Subscription]:
    """All of active partners, also those that get no deliveries now."""
    statement = (
        select(Subscription.id)
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .where(col(Partner.active))
    )
    return lock_subscriptions(session, session.exec(statement).all())


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
