"""The clocks of a case that exists only in a replay, and how its deadlines end. `simulated` keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

Key = tuple[str, str | None]
"""A task or clock of a case: its template, and the record that it is about."""


class Stopped(NamedTuple):
    """A deadline and how it ended: kept, late, cancelled, waived or open. `breached`: it ran past its due time, and did
    so after counting began."""

    key: str
    record: str | None
    begun_at: datetime
    due_at: datetime
    how: str
    breached: bool


@dataclass(slots=True)
class Clock:
    """A clock that runs, or is `held` and stands still.

    `next_at` is when a timer is looked at, `tries` how often its move was refused. `added` is how much later it is due
    than when it began, because it stood still or was given more time (`waivers` times). `overdue`: it was so before
    counting began; `missed`: it was so before it was given more time. `number` tells the clocks of a case apart.
    """

    kind: str
    state: str | None
    begun_at: datetime
    due_at: datetime
    next_at: datetime
    number: int
    held: bool = False
    tries: int = 0
    added: timedelta = timedelta(0)
    waivers: int = 0
    overdue: bool = False
    missed: bool = False

    def stopped(self, key: Key, how: str, ran_until: datetime) -> Stopped:
        """How the deadline ended, which ran until that instant."""
        breached = (self.missed or ran_until > self.due_at) and not self.overdue
        return Stopped(*key, self.begun_at, self.due_at, how, breached)
