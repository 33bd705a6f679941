"""Which moves a change of the pathway frees or refuses for a case, and whether it leaves it any way forward. Pure.

Only triggers whose transition differs between the two versions are decided on, with the old rules and with the new.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from states.change.comparison import transitions_of
from states.change.passage import Passage
from states.decide import possible
from states.facts import Facts
from states.moves import ANYBODY, Actor, Reason
from states.pathway import Pathway, StateKind, Transition
from states.pathways.schema import PathwayFile, TransitionPart

_ASKED: Final = ("to", "record", "roles", "guards")
"""The fields of a transition that decide whether it is possible; all others say what it does."""


class Way(StrEnum):
    """A trigger that somebody may use now and could not before, or the other way round."""

    FREED = "freed"
    REFUSED = "refused"


class WayChange(NamedTuple):
    """What becomes of one trigger for one case; `reasons` are those of the side that refuses."""

    trigger: str
    way: Way
    reasons: tuple[Reason, ...]


class Ways:
    """The triggers that may be possible in one version and not in the other, by state of the old version."""

    def __init__(self, way: Passage, old: PathwayFile, new: PathwayFile) -> None:
        self._way = way
        before = transitions_of(old, way.names.states)
        after = transitions_of(new, {})
        self._differing: dict[str, tuple[str, ...]] = {}
        for state in way.old.states:
            goal = way.names.state(state)
            found = [
                trigger
                for trigger in {**way.old.triggers, **way.new.triggers}
                if goal in way.new.states
                and (
                    _asked(before.get((state, trigger))) != _asked(after.get((goal, trigger)))
                    or _goals(way.old, state, trigger, way) != _goals(way.new, goal, trigger, None)
                )
            ]
            if found:
                self._differing[state] = tuple(found)
        self._forward = {state: tuple(_forward(way.old, state)) for state in way.old.states}
        self._forward_in_new = {state: tuple(_forward(way.new, state)) for state in way.new.states}

    @property
    def groups(self) -> frozenset[str]:
        """The groups of facts that `changes_for` and `is_stuck` look at."""
        groups: set[str] = set()
        for state, triggers in self._differing.items():
            for trigger in (*triggers, *self._forward[state], *self._forward_in_new[self._way.names.state(state)]):
                groups |= self._way.old.needs(trigger) | self._way.new.needs(trigger)
        return frozenset(groups)

    def changes_for(self, facts: Facts, now: datetime) -> list[WayChange]:
        """Every trigger that the change frees or refuses for the case; whoever may use it counts, in whatever role."""
        changes = []
        moved = self._moved(facts)
        for trigger in self._differing.get(facts.state, ()):
            before, after = _refused(self._way.old, facts, trigger, now), _refused(self._way.new, moved, trigger, now)
            if before and not after:
                changes.append(WayChange(trigger, Way.FREED, before))
            elif after and not before:
                changes.append(WayChange(trigger, Way.REFUSED, after))
        return changes

    def is_stuck(self, facts: Facts, now: datetime) -> bool:
        """Whether the case could go forward and could not any more. Forward is to another state in which it is open and
        not on hold; from where nothing leads to one, it is closure."""
        if facts.state not in self._differing:
            return False
        moved = self._moved(facts)
        if any(not _refused(self._way.new, moved, each, now) for each in self._forward_in_new[moved.state]):
            return False
        return any(not _refused(self._way.old, facts, each, now) for each in self._forward[facts.state])

    def _moved(self, facts: Facts) -> Facts:
        names = self._way.names
        previous = facts.previous_state
        return replace(
            facts,
            state=names.state(facts.state),
            previous_state=None if previous is None else names.state(previous),
            plan=names.plan(facts.plan),
        )


def _asked(part: TransitionPart | None) -> tuple[object, ...] | None:
    return None if part is None else tuple(getattr(part, field) for field in _ASKED)


def _goals(pathway: Pathway, state: str, trigger: str, way: Passage | None) -> frozenset[str]:
    """Where a way back may lead, called as in the new version: what else leads into the state decides on that."""
    transition = pathway.table.get((state, trigger))
    if transition is None or not transition.to_previous:
        return frozenset()
    return frozenset(way.names.state(goal) if way else goal for goal in transition.branches)


def _forward(pathway: Pathway, state: str) -> Iterator[str]:
    ways = [each for (source, _), each in pathway.table.items() if source == state and not each.internal]
    onward = [each for each in ways if _leads_to(pathway, each, StateKind.ACTIVE)]
    for each in onward or [each for each in ways if _leads_to(pathway, each, StateKind.FINAL)]:
        yield each.trigger


def _leads_to(pathway: Pathway, transition: Transition, kind: StateKind) -> bool:
    return any(pathway.states[goal].kind is kind for goal in transition.branches)


def _refused(pathway: Pathway, facts: Facts, trigger: str, now: datetime) -> tuple[Reason, ...]:
    """Every reason against the trigger, for the role that has the fewest; none: somebody may use it."""
    transition = pathway.table.get((facts.state, trigger))
    if transition is None:
        return possible(pathway, facts, Actor(""), trigger, now).reasons
    fewest: tuple[Reason, ...] = ()
    for role in sorted(transition.roles):
        reasons = possible(pathway, facts, Actor(role, ANYBODY, facts.office_id), trigger, now).reasons
        if not reasons:
            return ()
        if not fewest or len(reasons) < len(fewest):
            fewest = reasons
    return fewest
