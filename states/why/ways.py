"""The ways on of a pathway: which triggers take a case nearer to its closure, worked out from the table once.

`states.why.reasoning` asks. A pathway names its states in the order in which a case goes through them, so a way on
leads to an active state that is named later; from where there is none, to a final one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from states.moves import SYSTEM, EndDeadline, EndTask
from states.pathway import Branch, Pathway, StateKind, Transition


class Way(NamedTuple):
    """One way on: its transition, the state that it leads to, and how many moves closure is away from there."""

    transition: Transition
    goal: str
    left: int


@lru_cache(maxsize=16)
def ways_on(pathway: Pathway) -> Mapping[str, tuple[Way, ...]]:
    """The ways on from every active state, those nearest to closure first."""
    order = {key: place for place, key in enumerate(pathway.states)}
    active = [key for key, state in pathway.states.items() if state.kind is StateKind.ACTIVE]
    steps: dict[str, list[tuple[Transition, str]]] = {key: [] for key in active}
    ends: dict[str, list[tuple[Transition, str]]] = {key: [] for key in active}
    for (source, _), transition in pathway.table.items():
        if source not in steps or transition.internal or transition.to_previous or transition.takes_back:
            continue
        for goal in transition.branches:
            kind = pathway.states[goal].kind
            if kind is StateKind.FINAL:
                ends[source].append((transition, goal))
            elif kind is StateKind.ACTIVE and order[goal] > order[source]:
                steps[source].append((transition, goal))
    left: dict[str, int] = {key: 0 for key, state in pathway.states.items() if state.kind is StateKind.FINAL}
    found: dict[str, tuple[Way, ...]] = {}
    for source in reversed(active):
        ways = [Way(transition, goal, left[goal]) for transition, goal in steps[source] or ends[source]]
        found[source] = tuple(sorted(ways, key=lambda way: (way.left, order[way.goal])))
        left[source] = 1 + min((way.left for way in ways), default=len(order))
    return MappingProxyType(found)


@lru_cache(maxsize=16)
def finishers(pathway: Pathway) -> Mapping[tuple[str, str], tuple[Transition, ...]]:
    """By state and task: the transitions in it that complete the task, or the clock of that name."""
    found: dict[tuple[str, str], list[Transition]] = {}
    for (source, _), transition in pathway.table.items():
        for branch in transition.branches.values():
            for key in completed(branch):
                found.setdefault((source, key), []).append(transition)
    return MappingProxyType({key: tuple(transitions) for key, transitions in found.items()})


def completed(branch: Branch) -> frozenset[str]:
    """The tasks that a branch completes and the deadlines that it meets."""
    effects = (*branch.fixed, *(rule.effect for rule in branch.ends))
    return frozenset(
        effect.key
        for effect in effects
        if (isinstance(effect, EndTask) and effect.done) or (isinstance(effect, EndDeadline) and effect.met)
    )


@lru_cache(maxsize=64)
def people(pathway: Pathway, roles: frozenset[str]) -> tuple[str, ...]:
    """Those of the roles that people have, in the order of the pathway."""
    return tuple(role for role in pathway.roles if role in roles and role != SYSTEM.role)


@lru_cache(maxsize=16)
def facts_needed(pathway: Pathway) -> frozenset[str]:
    """The groups of facts that the guards of the ways on read."""
    ways = [way for each in ways_on(pathway).values() for way in each]
    return frozenset().union(*(pathway.needs(way.transition.trigger) for way in ways))
