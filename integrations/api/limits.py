"""How much somebody may ask at once: token buckets in this process, by a key such as a token's id or an address."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_KEYS: Final = 10_000


class Standing(NamedTuple):
    """Whether one more is allowed, how many remain at once, and in how many whole seconds all or one will be back."""

    allowed: bool
    remaining: int
    full_after: int
    next_after: int


@dataclass
class Buckets:
    """At most `burst` at once and `per_minute` in the long run, for each key. One thread uses it: that of the loop."""

    per_minute: int
    burst: int

    def __post_init__(self) -> None:
        self._kept: dict[str, tuple[float, float]] = {}

    def look(self, key: str, now: float) -> Standing:
        """How this key stands at `now` (seconds), without taking anything."""
        level = self._level(key, now)
        return self._standing(level >= 1, level)

    def take(self, key: str, now: float) -> Standing:
        """Take one, if one is there."""
        level = self._level(key, now)
        allowed = level >= 1
        if allowed:
            level -= 1
        self._kept[key] = (level, max(now, self._kept.get(key, (0.0, now))[1]))
        if len(self._kept) > MOST_KEYS:
            self._forget(now)
        return self._standing(allowed, level)

    def _level(self, key: str, now: float) -> float:
        level, at = self._kept.get(key, (float(self.burst), now))
        return min(float(self.burst), level + max(0.0, now - at) * self.per_minute / 60)

    def _standing(self, allowed: bool, level: float) -> Standing:
        a_second = self.per_minute / 60
        full, one = math.ceil((self.burst - level) / a_second), math.ceil(max(0.0, 1 - level) / a_second)
        return Standing(allowed, int(level), full, max(1, one))

    def _forget(self, now: float) -> None:
        """Those that are full again say nothing; if too many are left, the older half goes."""
        kept = {key: state for key, state in self._kept.items() if self._level(key, now) < self.burst}
        if len(kept) > MOST_KEYS // 2:
            kept = dict(sorted(kept.items(), key=lambda item: item[1][1])[-MOST_KEYS // 2 :])
        self._kept = kept
