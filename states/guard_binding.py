"""How a guard is declared, and how a pathway binds it to parameters. `states.guards` declares, the compiler binds.

A guard is a pure predicate `(facts, move, now, **parameters) -> bool`; bound to its parameters it gives None or its one
named refusal, which is made here, once, with the pathway's own words in French and English.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from states.facts import FACT_GROUPS, Facts
from states.moves import Move, Reason
from states.pathway import GuardUse, Text, When

Predicate = Callable[..., bool]
Words = Mapping[str, Mapping[str, Text]]
"""What a pathway knows, by kind (role, close_reason, task, ...): key to title."""


@dataclass(frozen=True)
class Names:
    """Marks a guard's parameter as one or more keys of a kind that the pathway must know."""

    kind: str


Roles = Annotated[tuple[str, ...], Names("role")]
Reasons = Annotated[tuple[str, ...], Names("reason")]
NeedKey = Annotated[str, Names("state")]
DeadlineKey = Annotated[str, Names("deadline")]


@dataclass(frozen=True)
class Guard:
    """A declared guard. `asks` tells which part of a move it checks, so that a preview knows what to ask for."""

    name: str
    predicate: Predicate
    reads: frozenset[str]
    text: Text
    missing: str | None
    asks: str | None

    @property
    def parameters(self) -> dict[str, Any]:
        """Annotation by name."""
        hints = get_type_hints(self.predicate, include_extras=True)
        signature = inspect.signature(self.predicate).parameters.values()
        return {each.name: hints[each.name] for each in signature if each.kind is each.KEYWORD_ONLY}


GUARDS: Final[dict[str, Guard]] = {}
"""Every guard that a pathway may name."""


def guard(
    *, fr: str, en: str, reads: tuple[str, ...] = (), missing: str | None = None, asks: str | None = None
) -> Callable[[Predicate], Predicate]:
    """Declares the decorated predicate as a guard of its own name. The texts may use its parameters in braces."""
    unknown = set(reads) - set(FACT_GROUPS)
    if unknown:
        raise ValueError(f"no such group of facts: {', '.join(sorted(unknown))}")

    def declare(predicate: Predicate) -> Predicate:
        name = predicate.__name__
        GUARDS[name] = Guard(name, predicate, frozenset(reads), Text(fr, en), missing, asks)
        return predicate

    return declare


def parameter_problems(declared: Guard, given: Mapping[str, Any], words: Words) -> list[tuple[str | None, str, str]]:
    """What is wrong with a guard's parameters: (parameter, what, remedy)."""
    known = declared.parameters
    problems: list[tuple[str | None, str, str]] = []
    for name in given:
        if name not in known:
            what = f"The guard {declared.name} has no parameter '{name}'."
            problems.append((name, what, f"It takes: {', '.join(known) or 'none'}."))
    for name, annotation in known.items():
        if name not in given:
            problems.append((None, f"The guard {declared.name} needs the parameter '{name}'.", "Add it under 'with'."))
            continue
        try:
            value = _adapter(annotation).validate_python(given[name])
        except ValidationError as error:
            what = f"'{name}' of the guard {declared.name} is not usable: {error.errors()[0]['msg']}."
            problems.append((name, what, "See the guard's parameters in docs/pathway.md."))
            continue
        kind = _kind(annotation)
        for key in value if isinstance(value, tuple) else (value,):
            if kind and key not in words[kind]:
                problems.append((name, f"There is no {kind} '{key}'.", f"Known: {', '.join(words[kind])}."))
    return problems


def bind(declared: Guard, given: Mapping[str, Any], words: Words, when: When | None) -> GuardUse:
    """The guard with parameters that `parameter_problems` found nothing wrong with."""
    values = {
        name: _adapter(annotation).validate_python(given[name]) for name, annotation in declared.parameters.items()
    }
    labels = {
        language: {
            name: _label(values[name], _kind(hint), words, language) for name, hint in declared.parameters.items()
        }
        for language in Text._fields
    }
    refusal = Reason(
        declared.name,
        declared.text.fr.format(**labels["fr"]),
        declared.text.en.format(**labels["en"]),
        declared.missing.format(**values) if declared.missing else None,
    )
    predicate = partial(declared.predicate, **values) if values else declared.predicate

    def check(facts: Facts, move: Move, now: datetime) -> Reason | None:
        return None if predicate(facts, move, now) else refusal

    asks = declared.asks.format(**values) if declared.asks else None
    choices = next((value for value in values.values() if isinstance(value, tuple)), ()) if asks else ()
    reads = declared.reads | (when.reads if when else frozenset())
    return GuardUse(declared.name, check, refusal, when, reads, asks, choices)


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(strict=False, coerce_numbers_to_str=False))


def _kind(annotation: Any) -> str | None:
    if get_origin(annotation) is not Annotated:
        return None
    return next((mark.kind for mark in get_args(annotation) if isinstance(mark, Names)), None)


def _label(value: Any, kind: str | None, words: Words, language: str) -> str:
    keys = value if isinstance(value, tuple) else (value,)
    return ", ".join(words[kind][key].in_(language) if kind else str(key) for key in keys)
