"""Chance that is the same in every run: each question has one answer for a seed, whoever asks first.

The simulated staff and returnees ask it; no generator is shared, so one more question changes no other answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Luck:
    """The draws of one seed. `question` names what is asked, about whom."""

    seed: int

    def draw(self, *question: object) -> float:
        """A number from 0 up to 1."""
        text = "/".join(map(str, (self.seed, *question)))
        return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56

    def happens(self, share: float, *question: object) -> bool:
        """Whether it happens, to this share of all."""
        return self.draw(*question) < share

    def between(self, bounds: Sequence[int], *question: object) -> int:
        """A whole number within both bounds, nearer to the first more often than not."""
        low, high = bounds
        return low + int((high - low + 1) * self.draw(*question) ** 1.8)

    def pick(self, options: Sequence[T], *question: object) -> T:
        """One of the options, each as likely."""
        return options[int(len(options) * self.draw(*question))]

    def pick_by_share(self, shares: Mapping[str, float], *question: object) -> str | None:
        """One of the names by its share, or None for what the shares leave."""
        left = self.draw(*question)
        for name, share in shares.items():
            left -= share
            if left < 0:
                return name
        return None
