"""Screening instruments (K6, K10, PHQ-4, PHQ-9, WHO-5, RHS-13): what each asks for, and what answers score.

The definitions are data, `instruments.yaml`; `states.casework` scores with them and keeps the version that it used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.errors import WrongUse

ACT_AT_ONCE = "act_at_once"
"""The flag that asks for help now, whatever the total (PHQ-9, item 9)."""


class AnswersError(WrongUse):
    """The answers do not fit the instrument. The message never repeats an answer."""


class UnknownInstrument(WrongUse):
    """There is no such instrument in the definitions, so nothing can be scored."""


class Score(NamedTuple):
    """The raw total, its band and the flags raised, in the order of the definition. `percent` only where the
    instrument reports one."""

    score: int
    band: str
    flags: tuple[str, ...]
    percent: int | None = None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Part):
    """A name for staff."""

    fr: str
    en: str


class AnswerRange(_Part):
    """The whole numbers with which one item can be answered, both ends included."""

    lowest: int = Field(ge=0)
    highest: int


class Band(_Part):
    """A named part of the scale, from this raw total up to the next band."""

    code: str
    start: int = Field(alias="from")


class Flag(_Part):
    """Raised when the sum of some items reaches a value."""

    code: str
    items: tuple[int, ...] = Field(min_length=1)
    start: int = Field(alias="from")


class Instrument(_Part):
    """One instrument as its publisher scores it."""

    title: Title
    items: int = Field(gt=0)
    answers: AnswerRange
    bands: tuple[Band, ...] = Field(min_length=1)
    flags: tuple[Flag, ...] = ()
    percent_factor: int | None = None
    source: str

    @property
    def lowest(self) -> int:
        """The least raw total."""
        return self.items * self.answers.lowest

    @property
    def highest(self) -> int:
        """The greatest raw total."""
        return self.items * self.answers.highest

    @model_validator(mode="after")
    def _covers_the_scale(self) -> Self:
        starts = [band.start for band in self.bands]
        if starts[0] != self.lowest or starts[-1] > self.highest or any(a >= b for a, b in pairwise(starts)):
            raise ValueError(f"bands must begin at {self.lowest}, rise, and stay within {self.highest}")
        if any(not 1 <= item <= self.items for flag in self.flags for item in flag.items):
            raise ValueError(f"flags may name items 1 to {self.items} only")
        return self


class Definitions(_Part):
    """The whole file: `version` is kept with every assessment that it scored."""

    version: int
    vulnerabilities: dict[str, Title]
    instruments: dict[str, Instrument]


@cache
def definitions() -> Definitions:
    """The bundled definitions."""
    text = resources.files("states").joinpath("instruments.yaml").read_text(encoding="utf-8")
    return Definitions.model_validate(yaml.safe_load(text))


def score(instrument: str, answers: Sequence[int]) -> Score:
    """Score the answers, one whole number for each item in the order of the form.

    Raises UnknownInstrument, and AnswersError when an answer is missing, too many or out of range: nothing is
    imputed.
    """
    definition = _definition(instrument)
    _check(instrument, definition, answers)
    total = sum(answers)
    return Score(
        score=total,
        band=next(band.code for band in reversed(definition.bands) if total >= band.start),
        flags=tuple(
            flag.code for flag in definition.flags if sum(answers[item - 1] for item in flag.items) >= flag.start
        ),
        percent=None if definition.percent_factor is None else total * definition.percent_factor,
    )


def _definition(instrument: str) -> Instrument:
    known = definitions().instruments
    if instrument not in known:
        raise UnknownInstrument(
            f"There is no definition for the instrument {instrument!r}, so it cannot be scored.",
            f"Il n'y a pas de définition pour l'instrument {instrument!r} : il ne peut pas être coté.",
            remedy=f"Use one of {', '.join(sorted(known))}.",
            remedy_fr=f"Choisissez parmi {', '.join(sorted(known))}.",
        )
    return known[instrument]


def _check(instrument: str, definition: Instrument, answers: Sequence[int]) -> None:
    if len(answers) != definition.items:
        raise AnswersError(
            f"{instrument} has {definition.items} items, but {len(answers)} answers were given.",
            f"{instrument} compte {definition.items} items, mais {len(answers)} réponses ont été données.",
            remedy="Give one answer for each item; an instrument with gaps is not scored.",
            remedy_fr="Donnez une réponse par item ; un instrument incomplet n'est pas coté.",
        )
    span = definition.answers
    for item, answer in enumerate(answers, start=1):
        if type(answer) is not int or not span.lowest <= answer <= span.highest:
            raise AnswersError(
                f"The answer to item {item} of {instrument} is no whole number from {span.lowest} to {span.highest}.",
                f"{instrument}, item {item} : la réponse n'est pas un entier de {span.lowest} à {span.highest}.",
            )
