"""Scores answers by a definition. Pure; nothing is imputed: an instrument with gaps is not scored.

`states.casework.screening` scores what staff record with it, and keeps which version scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from models.errors import WrongUse
from states.instruments.definition import WHOLE, Awaited, Band, Definition, Scorable, Scored, Summed, Weighted

ACT_AT_ONCE: Final = "act_at_once"
"""The flag that asks for help now, whatever the total (PHQ-9, item 9)."""


class AnswersError(WrongUse):
    """The answers do not fit the instrument. The message never repeats an answer."""


class NotScorable(WrongUse):
    """The official scoring of the instrument is not here; the message says what is missing and where it goes."""


class PartScore(NamedTuple):
    """The result of a subscale or dimension."""

    score: int
    band: str


class Score(NamedTuple):
    """The total and its band, the flags raised in the order of the definition, and each subscale's result. `percent`
    only where the instrument reports one; a weighted instrument's scores are thousandths."""

    score: int
    band: str
    flags: tuple[str, ...]
    percent: int | None = None
    subscales: Mapping[str, PartScore] = MappingProxyType({})


def score(definition: Definition, answers: Sequence[int]) -> Score:
    """Score the answers, one whole number for each item in the order of the form.

    Raises AnswersError when an answer is missing, too many or out of range, and NotScorable for an instrument whose
    scoring is awaited.
    """
    definition = scorable(definition)
    _check(definition, answers)
    return _summed(definition, answers) if isinstance(definition, Summed) else _weighted(definition, answers)


def scorable(definition: Definition) -> Scorable:
    """The definition, if its scoring is here. Raises NotScorable."""
    if isinstance(definition, Awaited):
        raise _not_scorable(definition)
    return definition


def band_of(bands: Sequence[Band], value: int) -> Band:
    """The band that the value falls into; the bands cover the scale and rise."""
    return next(band for band in reversed(bands) if value >= band.start)


def _summed(definition: Summed, answers: Sequence[int]) -> Score:
    counted = [_counted(definition, item, answer) for item, answer in enumerate(answers, start=1)]
    total = sum(counted)
    subscales, flags = {}, []
    for key, part in definition.subscales.items():
        value = sum(counted[item - 1] for item in part.items)
        band = band_of(part.bands, value)
        subscales[key] = PartScore(value, band.code)
        if band.flag:
            flags.append(key)
    band = band_of(definition.bands, total)
    if _acts(definition, answers, band):
        flags.append(ACT_AT_ONCE)
    percent = None if definition.percent_factor is None else total * definition.percent_factor
    return Score(total, band.code, tuple(flags), percent, subscales)


def _counted(definition: Summed, item: int, answer: int) -> int:
    if item not in definition.reverse:
        return answer
    span = definition.range_of(item)
    return span.lowest + span.highest - answer


def _weighted(definition: Weighted, answers: Sequence[int]) -> Score:
    given = dict(zip(definition.order, answers, strict=True))
    indicators = definition.indicators.items()
    subscales, flags = {}, []
    for key, dimension in definition.dimensions.items():
        inside = [(each.points[given[name]], each.weight) for name, each in indicators if each.dimension == key]
        value = _mean(inside)
        band = band_of(dimension.bands, value)
        subscales[key] = PartScore(value, band.code)
        if band.flag:
            flags.append(key)
    composite = _mean((each.points[given[name]], each.composite_weight) for name, each in indicators)
    band = band_of(definition.bands, composite)
    if _acts(definition, answers, band):
        flags.append(ACT_AT_ONCE)
    return Score(composite, band.code, tuple(flags), None, subscales)


def _mean(weighed: Iterable[tuple[Decimal, Decimal]]) -> int:
    """The weighted mean of points from 0 to 1, in thousandths, rounded half up."""
    pairs = list(weighed)
    mean = sum(points * weight for points, weight in pairs) / sum(weight for _, weight in pairs)
    return int((Decimal(mean) * WHOLE).quantize(Decimal(1), ROUND_HALF_UP))


def _acts(definition: Scored, answers: Sequence[int], band: Band) -> bool:
    """Whether a rule asks for help at once. Its items count as they were answered, reversed or not: what a rule looks
    at is what the person said."""
    return any(
        band.code in rule.bands
        or (rule.start is not None and sum(answers[item - 1] for item in rule.items) >= rule.start)
        for rule in definition.act_at_once
    )


def _check(definition: Scorable, answers: Sequence[int]) -> None:
    name, count = definition.instrument, len(definition.order)
    if len(answers) != count:
        raise AnswersError(
            f"{name} has {count} items, but {len(answers)} answers were given.",
            f"{name} compte {count} items, mais {len(answers)} réponses ont été données.",
            remedy="Give one answer for each item; an instrument with gaps is not scored.",
            remedy_fr="Donnez une réponse par item ; un instrument incomplet n'est pas coté.",
        )
    for item, answer in enumerate(answers, start=1):
        allowed = definition.allowed(item)
        if type(answer) is not int or answer not in allowed:
            least, most = allowed[0], allowed[-1]
            raise AnswersError(
                f"The answer to item {item} of {name} is no whole number from {least} to {most}.",
                f"{name}, item {item} : la réponse n'est pas un entier de {least} à {most}.",
                remedy="Look at the form again and give the number that was ticked.",
                remedy_fr="Relisez le formulaire et donnez le nombre qui y est coché.",
            )


def _not_scorable(definition: Awaited) -> NotScorable:
    missing = definition.missing
    return NotScorable(
        missing.en,
        missing.fr,
        remedy="Put the file with the official scoring into the folder of SEGIN_INSTRUMENTS_DIR; docs/instruments.md "
        "shows how it is written.",
        remedy_fr="Placez le fichier de la cotation officielle dans le dossier de SEGIN_INSTRUMENTS_DIR ; "
        "docs/instruments.md montre comment il s'écrit.",
    )
