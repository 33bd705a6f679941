"""What a subscription asks for, by its own filters; what its partner may see of that is another matter.

Fan-out, and whatever hands over by message and file, ask here.
"""

from __future__ import annotations

from typing import Final

from models.partner import Subscription

RECEIVING: Final = ("active", "paused")
"""Statuses of subscriptions that get what they ask for; what is owed to a paused one waits."""


def wants(subscription: Subscription, event_type: str, region_pcode: str | None) -> bool:
    """Whether the subscription's filters let the event through. An event of no region passes no region filter."""
    return (not subscription.event_types or event_type in subscription.event_types) and (
        not subscription.regions or region_pcode in subscription.regions
    )
