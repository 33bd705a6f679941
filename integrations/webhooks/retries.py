"""When to try again: the schedule that Standard Webhooks proposes, with jitter, and what Retry-After asks for.

`record` asks it for each attempt that failed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

SCHEDULE: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long each attempt waits after the failure of the one before it; ten attempts in a little over three days."""

JITTER: Final = 0.1
"""Up to a tenth of the delay is added, so that what failed together does not come back together."""

LONGEST_RETRY_AFTER: Final = timedelta(hours=24)


def next_attempt(
    failed: int, now: datetime, *, jitter: float, retry_after: timedelta = timedelta(0)
) -> datetime | None:
    """When to try again after `failed` (at least 1) attempts of a round, or None when the schedule is used up.

    `jitter` is a random number from 0 to 1. What the partner asks for can only make the wait longer.
    """
    if failed >= len(SCHEDULE):
        return None
    return now + max(SCHEDULE[failed] * (1 + JITTER * jitter), retry_after)


def wanted_wait(header: str | None, now: datetime) -> timedelta:
    """What a Retry-After header asks for (seconds or an HTTP date), at most a day; nothing when it cannot be read."""
    if header is None:
        return timedelta(0)
    text = header.strip()
    if text.isascii() and text.isdigit():
        # Longer numbers would overflow, and are capped anyway.
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return timedelta(0)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST_RETRY_AFTER)
