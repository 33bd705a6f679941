"""What a subscription missed while it was disabled: the deliveries that fan-out did not make for it.

`subscriptions.resume` calls it, so that a partner misses nothing however long its endpoint was gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, exists, select
from sqlmodel import Session, col

from integrations.webhooks.fanout import choose, deliver, received_of
from integrations.webhooks.line import Line, hold_back, move_up
from models.partner import Delivery, Event, Subscription
from models.sharing import PartnerEvent

CHUNK: Final = 1000


def deliver_missed(session: Session, subscription: Subscription, *, now: datetime) -> int:
    """Make the deliveries of all that the partner is owed through this subscription and that was never made into one,
    in the order of the events. How many.

    The subscription is locked by the caller, and active again.
    """
    of_partner = select(Subscription).where(col(Subscription.partner_id) == subscription.partner_id)
    siblings = session.scalars(of_partner.order_by(col(Subscription.id))).all()
    lines: list[Line] = []
    after = 0
    while events := _missed(session, subscription, after):
        received = received_of(session, events)
        chosen = [
            choice
            for event in events
            for choice in choose(
                [event], [each for each in siblings if each.created_at <= event.fanned_out_at], received
            )
            if choice.subscription.id == subscription.id
        ]
        lines += deliver(session, chosen)
        after = events[-1].id
    if lines:
        hold_back(session, set(lines))
        move_up(session, set(lines), now=now)
    return len(lines)


def _missed(session: Session, subscription: Subscription, after: int) -> Sequence[Row[Any]]:
    """The next events that the partner is owed since the subscription exists, and of which it has no delivery."""
    made = exists().where(col(Delivery.event_id) == col(Event.id), col(Delivery.subscription_id) == subscription.id)
    return session.execute(
        select(
            *(col(Event.id), col(Event.uid), col(Event.case_id), col(Event.sequence), col(Event.type)),
            *(col(Event.region_pcode), col(Event.only_for), col(Event.corrects), col(Event.fanned_out_at)),
        )
        .join(PartnerEvent, col(PartnerEvent.event_id) == col(Event.id))
        .where(
            *(col(PartnerEvent.partner_id) == subscription.partner_id, col(Event.id) > after, ~made),
            col(Event.fanned_out_at) >= subscription.created_at,
        )
        .order_by(col(Event.id))
        .limit(CHUNK)
    ).all()
