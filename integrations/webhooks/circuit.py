"""An endpoint that fails again and again is left alone for a while: when its circuit opens, and how long it rests.

`record` asks it after each attempt, `claim` lets a single probe through once the rest is over, and the sender sends no
more of what it holds. A success closes the circuit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from integrations.webhooks.outcomes import NOT_OF_ENDPOINT, OK
from integrations.webhooks.retries import JITTER

OPENS_AFTER: Final = 5
"""Failed attempts in a row, of whatever deliveries, after which an endpoint rests."""

FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=15)
FAILS_AT_MOST: Final = timedelta(days=5)
"""So long an endpoint may fail without a single success before its subscription is disabled."""

_DOUBLINGS: Final = 5  # after which every rest is the longest


def is_open(failures: int) -> bool:
    """Whether an endpoint that has failed so often in a row rests."""
    return failures >= OPENS_AFTER


def count(failures: int, outcome: str, *, claimed_at: int) -> int:
    """The failures in a row after one more attempt, which was claimed when they were `claimed_at`.

    Only a probe makes the rests longer: what was on its way when the circuit opened says nothing new.
    """
    if outcome in NOT_OF_ENDPOINT:
        return failures
    if outcome == OK:
        return 0
    return max(failures, min(failures + 1, max(OPENS_AFTER, claimed_at + 1)))


def rest(failures: int, *, jitter: float) -> timedelta:
    """How long an endpoint whose circuit is open rests: 30 seconds, doubling with each failed probe to 15 minutes, and
    up to a tenth longer. `jitter` is a random number from 0 to 1."""
    doublings = min(failures - OPENS_AFTER, _DOUBLINGS)
    return min(FIRST_REST * (1 << doublings), LONGEST_REST) * (1 + JITTER * jitter)
