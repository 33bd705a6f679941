"""Sizes and limits of waves as coordinators write them: `5%`, `0.5%` or `200`."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

from models.errors import WrongUse

_WRITTEN: Final = re.compile(r"(\d{1,9})(?:[.,](\d{1,4}))?(%?)")


class Share(NamedTuple):
    """A part of a whole, in percent, or so many."""

    amount: Fraction
    percent: bool

    def of(self, whole: int) -> int:
        """So many of the whole, rounded up, and not more than there are."""
        return min(whole, ceil(self._exact(whole)))

    def exceeded_by(self, number: int, whole: int) -> bool:
        """Whether `number` of the whole is more than this."""
        return number > self._exact(whole)

    def __str__(self) -> str:
        shown = f"{float(self.amount):g}" if self.amount.denominator > 1 else str(self.amount)
        return f"{shown}%" if self.percent else shown

    def _exact(self, whole: int) -> Fraction:
        return self.amount * whole / 100 if self.percent else self.amount


def read_share(written: str) -> Share:
    """Reads `5%` or `200`. Raises WrongUse."""
    found = _WRITTEN.fullmatch(written.strip())
    amount = Fraction(f"{found[1]}.{found[2] or 0}") if found else Fraction(0)
    percent = bool(found and found[3])
    if not found or (percent and amount > 100) or (not percent and amount.denominator > 1):
        raise WrongUse(
            f"'{written}' is no part of the cases.",
            f"« {written} » n'est pas une part des dossiers.",
            remedy="Write a percentage such as 5%, or a whole number of cases such as 200.",
            remedy_fr="Écrivez un pourcentage comme 5%, ou un nombre entier de dossiers comme 200.",
        )
    return Share(amount, percent)
