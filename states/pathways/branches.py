"""Works out, once, everything that a transition does on its way to one state. `states.pathways.compiler` calls it.

What goes without saying in the file is made explicit: a state that is left ends its tasks and deadlines, a final state
ends all, a hold state makes the clocks stand still, what begins anew ends what was begun before.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from states.moves import Announce, Effect, EndDeadline, EndTask, HoldClocks, ResumeClocks, SetPriority
from states.pathway import Branch, DeadlineTemplate, EndRule, OpenRule, SetRule, State, StateKind, TaskTemplate, When
from states.pathways.schema import (
    EntryPart,
    OpenTaskPart,
    PathwayFile,
    RegistrationPart,
    SetDeadlinePart,
    TransitionPart,
    WhenPart,
)
from states.pathways.ways import PREVIOUS

Ending = EndTask | EndDeadline


class Branches:
    """Makes the branches of one pathway file, from its parts and their compiled templates."""

    def __init__(
        self,
        file: PathwayFile,
        states: Mapping[str, State],
        tasks: Mapping[str, TaskTemplate],
        deadlines: Mapping[str, DeadlineTemplate],
    ) -> None:
        self._parts = file.states
        self._states = states
        self._tasks = tasks
        self._deadlines = deadlines

    def of_transition(self, source: str, part: TransitionPart, goal: str | None) -> Branch:
        """What `part` does to a case in `source`, on its way to `goal` (none: the state does not change)."""
        entry = self._entry(source, part, goal)
        opens = tuple(self._open(each) for each in (*entry.open, *part.tasks.open))
        sets = tuple(self._set(each) for each in (*entry.set, *part.deadlines.set))
        fixed, conditional = _ends(part, self._left(source, goal), _restarts(source, goal, opens, sets))
        fixed += self._clocks(source, part, goal)
        if part.priority:
            fixed.append(SetPriority(part.priority))
        announces = tuple(self._announce(event, goal or source) for event in part.announce)
        return Branch(goal or source, part.priority, tuple(fixed), conditional, sets, opens, announces)

    def of_registration(self, initial: str, part: RegistrationPart) -> Branch:
        """What begins with a case."""
        entry = self._parts[initial].on_entry
        return Branch(
            to_state=initial,
            sets=tuple(self._set(each) for each in (*entry.set, *part.set)),
            opens=tuple(self._open(each) for each in (*entry.open, *part.open)),
            announces=tuple(self._announce(event, initial) for event in part.announce),
        )

    def of_entry(self, state: str) -> Branch:
        """What entering the state begins."""
        entry = self._parts[state].on_entry
        return Branch(
            to_state=state,
            sets=tuple(self._set(each) for each in entry.set),
            opens=tuple(self._open(each) for each in entry.open),
        )

    def _entry(self, source: str, part: TransitionPart, goal: str | None) -> EntryPart:
        """What entering the goal begins; a case that is resumed goes on with what it had."""
        if goal is None:
            return EntryPart()
        state = self._parts[goal]
        if part.to != PREVIOUS:
            return state.on_entry
        return EntryPart() if self._states[source].kind is StateKind.HOLD else state.on_return or state.on_entry

    def _left(self, source: str, goal: str | None) -> dict[tuple[type, str], Ending]:
        """What is cancelled because the case leaves its state; nothing when it is only put on hold."""
        if goal is None or self._states[goal].kind is StateKind.HOLD:
            return {}
        ending: tuple[str | None, ...] = (source,)
        if self._states[goal].kind is StateKind.FINAL:
            # A held case still has the held tasks and clocks of the state that it came from.
            ending = (None, *self._states) if self._states[source].kind is StateKind.HOLD else (None, source)
        ends: dict[tuple[type, str], Ending] = {}
        for key, task in self._tasks.items():
            if task.state in ending:
                ends[EndTask, key] = EndTask(key, done=False)
        for key, clock in self._deadlines.items():
            if clock.state in ending:
                ends[EndDeadline, key] = EndDeadline(key, met=False)
        return ends

    def _clocks(self, source: str, part: TransitionPart, goal: str | None) -> list[Effect]:
        if goal and self._states[goal].kind is StateKind.HOLD:
            return [HoldClocks()]
        if part.to == PREVIOUS and self._states[source].kind is StateKind.HOLD:
            return [ResumeClocks()]
        return []

    def _open(self, part: OpenTaskPart) -> OpenRule:
        return OpenRule(self._tasks[part.task], when_of(part.when), part.unless_open)

    def _set(self, part: SetDeadlinePart) -> SetRule:
        return SetRule(self._deadlines[part.deadline], when_of(part.when), part.unless_open)

    def _announce(self, event: str, state: str) -> Announce:
        data = {"state": state} if self._states[state].shared else {}
        return Announce(event, MappingProxyType(data))


def when_of(part: WhenPart | None) -> When | None:
    """The compiled condition."""
    if part is None:
        return None
    return When(
        priority=tuple(part.priority) if part.priority else None,
        reason=tuple(part.reason) if part.reason else None,
        data=tuple((name, tuple(values)) for name, values in part.data.items()),
        need=part.need,
        without=part.without,
    )


def _restarts(
    source: str, goal: str | None, opens: tuple[OpenRule, ...], sets: tuple[SetRule, ...]
) -> list[tuple[Ending, When | None]]:
    """What may be open already and begins anew, under the condition of the beginning: a case never has two of a key."""
    scopes = (None, source) if goal is None else (None,)
    return [
        *((EndTask(each.template.key, False), each.when) for each in opens if _restarts_in(each, scopes)),
        *((EndDeadline(each.template.key, False), each.when) for each in sets if _restarts_in(each, scopes)),
    ]


def _restarts_in(rule: OpenRule | SetRule, scopes: tuple[str | None, ...]) -> bool:
    return rule.template.state in scopes and not rule.unless_open


def _ends(
    part: TransitionPart, left: dict[tuple[type, str], Ending], restarts: list[tuple[Ending, When | None]]
) -> tuple[list[Effect], tuple[EndRule, ...]]:
    """What ends for certain, and what ends under a condition. Each key once: as the transition says it, else because
    its state is left, else because it begins anew."""
    said: list[tuple[Ending, When | None]] = [
        *((EndTask(each.task, True), when_of(each.when)) for each in part.tasks.complete),
        *((EndTask(each.task, False), when_of(each.when)) for each in part.tasks.cancel),
        *((EndDeadline(each.deadline, True), when_of(each.when)) for each in part.deadlines.meet),
        *((EndDeadline(each.deadline, False), when_of(each.when)) for each in part.deadlines.cancel),
    ]
    always = left | {(type(effect), effect.key): effect for effect, when in restarts if when is None}
    fixed: list[Effect] = []
    conditional: list[EndRule] = []
    seen: set[tuple[type, str]] = set()
    for effect, when in said:
        seen.add((type(effect), effect.key))
        otherwise = always.pop((type(effect), effect.key), None)
        if when is None:
            fixed.append(effect)
        else:
            conditional.append(EndRule(when, effect, otherwise))
    seen |= always.keys()
    for effect, when in restarts:
        if when is not None and (type(effect), effect.key) not in seen:
            conditional.append(EndRule(when, effect, None))
    return [*fixed, *always.values()], tuple(conditional)
