"""What guards and conditions ask of a move, as sets of values, and whether all of it can be true at once.

Guards declare their demands in `states.guards.binding`; `states.pathways.contradictions` asks. A field is what a move
says (`reason`, `note`, `role`, `data.months`) or what is known of the case (`priority`, `plan.status`, `grant.status`).
Only what a guard cannot do without is a demand, so that whatever is found to be impossible is impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from states.pathway import PRIORITIES

_MOST_TRIES: Final = 2_000


class Patience:
    """How many combinations are tried in all; what has not proved impossible by then counts as possible."""

    def __init__(self, tries: int = 50_000) -> None:
        self.left = tries


class Values(NamedTuple):
    """The values that a field may have: those listed, or all `others`."""

    listed: frozenset[Any]
    others: bool = False

    @property
    def none(self) -> bool:
        """Whether nothing is left."""
        return not self.others and not self.listed

    def within(self, other: Values) -> Values:
        """What both allow."""
        if self.others and other.others:
            return Values(self.listed | other.listed, True)
        if self.others:
            return Values(other.listed - self.listed)
        return Values(self.listed - other.listed if other.others else self.listed & other.listed)

    def but(self) -> Values:
        """All others."""
        return Values(self.listed, not self.others)


Demands = Mapping[str, Values]
"""Field to the values that it must have one of."""

ANY: Final = Values(frozenset(), True)


def one_of(values: Iterable[Any]) -> Values:
    """Exactly these."""
    return Values(frozenset(values))


class Condition(NamedTuple):
    """One part of a condition. It is true when its field has one of the values; then `also` is true as well."""

    field: str
    values: Values
    also: Demands = MappingProxyType({})


class Rule(NamedTuple):
    """While all of `when` is true, all of `then` must be."""

    when: tuple[Condition, ...]
    then: Demands


def start(roles: Iterable[str]) -> dict[str, Values]:
    """What is known before any rule: who may ask, and which priorities there are."""
    return {"role": one_of(roles), "priority": one_of(PRIORITIES)}


def possible(known: Demands, rules: Sequence[Rule], patience: Patience) -> bool:
    """Whether some move on some case satisfies every rule. Errs on the side of yes."""
    ordered = [*(rule for rule in rules if not rule.when), *(rule for rule in rules if rule.when)]
    search = _Search(ordered, min(_MOST_TRIES, patience.left))
    found = search.possible(dict(known), 0)
    patience.left -= search.tries
    return found


def narrowed(known: Demands, demands: Demands) -> dict[str, Values] | None:
    """`known` with the demands added; None when nothing is left of a field."""
    result = dict(known)
    for field, values in demands.items():
        left = result.get(field, ANY).within(values)
        if left.none:
            return None
        result[field] = left
    return result


def meeting(conditions: Iterable[Condition], known: Demands) -> dict[str, Values] | None:
    """`known` where all the conditions are true; None when they cannot be."""
    result: dict[str, Values] | None = dict(known)
    for condition in conditions:
        if result is not None:
            result = narrowed(result, {**condition.also, condition.field: condition.values})
    return result


class _Search:
    """Tries, rule by rule, either what it demands or each way of not being in its condition."""

    def __init__(self, rules: Sequence[Rule], most: int) -> None:
        self._rules, self._most = rules, most
        self.tries = 0

    def possible(self, known: dict[str, Values], at: int) -> bool:
        if at == len(self._rules) or self.tries >= self._most:
            return True
        self.tries += 1
        rule = self._rules[at]
        demands = [rule.then, *({each.field: each.values.but()} for each in rule.when)]
        left = (narrowed(known, each) for each in demands)
        return any(self.possible(each, at + 1) for each in left if each is not None)
