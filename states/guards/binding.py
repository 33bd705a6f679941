"""How a guard is declared, and how a pathway binds it to parameters. `states.guards` declares, the compiler binds.

A guard is a pure predicate `(facts, move, now, **parameters) -> bool`; bound to its parameters it gives None or its one
named refusal, which is made here, once, with the pathway's own words in French and English. A predicate may also answer
with what is `Lacking`: then the refusal names it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from states.facts import FACT_GROUPS, Facts
from states.guards.demands import Values, one_of
from states.moves import Move, Reason
from states.pathway import GuardUse, Text, When
from states.record_words import Words


class Lacking(NamedTuple):
    """What a guard that does not hold lacks, as keys of a kind of words."""

    kind: str
    keys: tuple[str, ...]


Predicate = Callable[..., bool | Lacking]
P = TypeVar("P", bound=Predicate)


class Names(NamedTuple):
    """Marks a guard's parameter as one or more keys of a kind of words."""

    kind: str


class Parameter(NamedTuple):
    """What a parameter takes, and the kind of words that it names (none: plain values)."""

    adapter: TypeAdapter[Any]
    kind: str | None


Allowed = str | tuple[Any, ...]
"""The values that a field must have one of: a parameter's, or these."""


class Guard(NamedTuple):
    """A declared guard. `asks` tells which part of a move it checks, so that a preview knows what to ask for.

    For the checker of pathways: `demands` says what it cannot hold without (field to allowed values, see
    `states.guards.demands`), `recorded_by` which triggers write the record that it reads.
    """

    name: str
    predicate: Predicate
    parameters: Mapping[str, Parameter]
    reads: frozenset[str]
    text: Text
    missing: str | None
    asks: str | None
    demands: Mapping[str, Allowed]
    recorded_by: tuple[str, ...]


GUARDS: Final[dict[str, Guard]] = {}
"""Every guard that a pathway may name."""


def guard(
    *,
    fr: str,
    en: str,
    reads: tuple[str, ...] = (),
    missing: str | None = None,
    asks: str | None = None,
    demands: Mapping[str, Allowed] | None = None,
    recorded_by: tuple[str, ...] = (),
) -> Callable[[P], P]:
    """Declares the decorated predicate as a guard of its own name. The texts, and the fields that it demands, may use
    its parameters in braces."""
    unknown = set(reads) - set(FACT_GROUPS)
    if unknown:
        raise ValueError(f"no such group of facts: {', '.join(sorted(unknown))}")

    def declare(predicate: P) -> P:
        name = predicate.__name__
        parameters = _parameters(predicate)
        GUARDS[name] = Guard(
            *(name, predicate, parameters, frozenset(reads), Text(fr, en), missing, asks, demands or {}, recorded_by)
        )
        return predicate

    return declare


def parameter_problems(
    declared: Guard, given: Mapping[str, Any], words: Words
) -> list[tuple[str | None, str, dict[str, Any]]]:
    """What is wrong with a guard's parameters: (parameter, code of `states.pathways.name_sayings`, its values)."""
    known = declared.parameters
    called = {"guard": declared.name}
    problems: list[tuple[str | None, str, dict[str, Any]]] = []
    for name in given:
        if name not in known:
            problems.append((name, "unknown_parameter", {**called, "name": name, "known": ", ".join(known) or "–"}))
    for name, (adapter, kind) in known.items():
        if name not in given:
            problems.append((None, "parameter_missing", {**called, "name": name}))
            continue
        try:
            value = adapter.validate_python(given[name])
        except ValidationError as error:
            values = {**called, "name": name, "message": error.errors()[0]["msg"]}
            problems.append((name, "parameter_not_usable", values))
            continue
        for key in _each(value) if kind else ():
            if key not in words[kind or ""]:
                problems.append((name, "unknown_name", {"kind": kind, "key": key, "known": tuple(words[kind or ""])}))
    return problems


def bind(declared: Guard, given: Mapping[str, Any], words: Words, when: When | None) -> GuardUse:
    """The guard with parameters that `parameter_problems` found nothing wrong with."""
    values = {name: each.adapter.validate_python(given[name]) for name, each in declared.parameters.items()}
    refusal = Reason(
        declared.name,
        declared.text.fr.format(**_labels(declared, values, words, "fr")),
        declared.text.en.format(**_labels(declared, values, words, "en")),
        declared.missing.format(**values) if declared.missing else None,
    )
    predicate = partial(declared.predicate, **values) if values else declared.predicate

    def check(facts: Facts, move: Move, now: datetime) -> Reason | None:
        verdict = predicate(facts, move, now)
        if isinstance(verdict, Lacking):
            return _naming(refusal, verdict, words)
        return None if verdict else refusal

    asks = declared.asks.format(**values) if declared.asks else None
    choices = next((value for value in values.values() if isinstance(value, tuple)), ()) if asks else ()
    reads = declared.reads | (when.reads if when else frozenset())
    return GuardUse(declared.name, check, refusal, when, reads, asks, choices)


def demands_of(declared: Guard, given: Mapping[str, Any]) -> dict[str, Values]:
    """What the guard cannot hold without, with parameters that `parameter_problems` found nothing wrong with."""
    if not declared.demands:
        return {}
    values = {name: each.adapter.validate_python(given[name]) for name, each in declared.parameters.items()}
    demands = {}
    for field, allowed in declared.demands.items():
        demands[field.format(**values)] = one_of(_allowed(allowed, values))
    return demands


def _allowed(allowed: Allowed, values: Mapping[str, Any]) -> Iterable[Any]:
    return _each(values[allowed]) if isinstance(allowed, str) else allowed


def _parameters(predicate: Predicate) -> dict[str, Parameter]:
    hints = get_type_hints(predicate, include_extras=True)
    named = [each for each in inspect.signature(predicate).parameters.values() if each.kind is each.KEYWORD_ONLY]
    return {each.name: Parameter(TypeAdapter(hints[each.name]), _kind(hints[each.name])) for each in named}


def _kind(annotation: Any) -> str | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark.kind for mark in get_args(annotation) if isinstance(mark, Names)), None)


def _naming(refusal: Reason, lacking: Lacking, words: Words) -> Reason:
    titles = words[lacking.kind]
    fr, en = (
        ", ".join(titles[key].in_(each) if key in titles else str(key) for key in lacking.keys) for each in ("fr", "en")
    )
    return refusal._replace(text_fr=f"{refusal.text_fr} Il manque : {fr}.", text_en=f"{refusal.text_en} Missing: {en}.")


def _labels(declared: Guard, values: Mapping[str, Any], words: Words, language: str) -> dict[str, str]:
    labels = {}
    for name, (_, kind) in declared.parameters.items():
        titles = [words[kind][key].in_(language) if kind else str(key) for key in _each(values[name])]
        labels[name] = ", ".join(titles)
    return labels


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
