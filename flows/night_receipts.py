"""What comes out of nights: progress while they run, receipts and a report afterwards. Counts only, never a person.

`flows.nights` makes them; the nightly flow shows them in Prefect, the command line prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class NightReceipt:
    """What one night found, changed and left: counts by name."""

    as_of: date
    before: dict[str, Any]
    changes: dict[str, int]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NightsReport:
    """The nights that were run, in order; none when `already_done`. A rehearsal (`dry_run`) has changed nothing."""

    as_of: date
    nights: tuple[NightReceipt, ...]
    already_done: bool
    dry_run: bool

    @property
    def changed(self) -> int:
        """Rows changed in all, as far as anybody cares about them: the sum of all changes of all nights."""
        return sum(sum(night.changes.values()) for night in self.nights)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the night and step it is at, of how many nights, and the changes so far of this night."""

    as_of: date
    night: int
    nights: int
    step: str
    steps_done: int
    steps: int
    changed: int
