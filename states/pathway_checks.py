"""Checks that a pathway file's parts fit together: every name is known, everything begun belongs where it begins.

`states.loader` runs it after Pydantic accepted the shape; each problem names the line and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from models.events import EVENT_TYPES
from states.compiler import PREVIOUS, origins_of, words_of
from states.guard_binding import parameter_problems
from states.guards import GUARDS
from states.pathway_schema import (
    ClockPart,
    EndDeadlinePart,
    EndTaskPart,
    GuardPart,
    PathwayFile,
    TransitionPart,
    WhenPart,
)
from states.yaml_source import Path, Problem, Source


def name_problems(file: PathwayFile, source: Source) -> list[Problem]:
    """Everything that names what is not there, or names it where it has no meaning."""
    checker = _Names(file, source)
    checker.check()
    return checker.problems


class _Names:
    def __init__(self, file: PathwayFile, source: Source) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._source = source
        self._clocks: dict[str, ClockPart] = {**file.deadlines, **file.timers}
        self._words = words_of(file)

    def check(self) -> None:
        self._check_definitions()
        self._check_states()
        self._check_clocks()
        seen: dict[tuple[str, str], int] = {}
        for index, part in enumerate(self._file.transitions):
            path: Path = ("transitions", index)
            for state in part.from_:
                first = seen.setdefault((state, part.trigger), index)
                if first != index:
                    line = self._source.line(("transitions", first))
                    what = (
                        f"'{part.trigger}' from '{state}' is also on line {line}: a trigger has one meaning in a state."
                    )
                    self._add((*path, "from"), what, "Take the state out of one of the two.")
            self._check_transition(path, part)

    def _add(self, path: Path, what: str, remedy: str) -> None:
        self.problems.append(self._source.problem(path, what, remedy))

    def _known(self, path: Path, kind: str, key: str, known: Iterable[str]) -> bool:
        names = list(known)
        if key in names:
            return True
        close = get_close_matches(key, names, 1)
        remedy = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(names)}."
        self._add(path, f"There is no {kind} '{key}'.", remedy)
        return False

    def _state(self, path: Path, key: str) -> bool:
        return self._known(path, "state", key, self._file.states)

    def _role(self, path: Path, key: str) -> None:
        self._known(path, "role", key, self._file.roles)

    def _check_definitions(self) -> None:
        file = self._file
        if self._state(("initial",), file.initial) and file.states[file.initial].kind != "active":
            self._add(("initial",), "A case cannot begin in a hold or final state.", "Name an active state.")
        if PREVIOUS in file.states:
            self._add(
                ("states", PREVIOUS), f"'{PREVIOUS}' is the word for the way back.", "Give the state another name."
            )
        for key in sorted(file.deadlines.keys() & file.timers.keys()):
            self._add(("timers", key), f"'{key}' is also a deadline.", "Give one of the two another name.")
        for key, task in file.tasks.items():
            self._role(("tasks", key, "role"), task.role)
            if task.state is not None:
                self._state(("tasks", key, "state"), task.state)

    def _check_states(self) -> None:
        file = self._file
        for key, state in file.states.items():
            for name, entry in (("on_entry", state.on_entry), ("on_return", state.on_return)):
                if entry is not None:
                    self._check_begins(("states", key, name), entry.open, entry.set, [key])
        registration = file.registration
        self._check_begins(("registration",), registration.open, registration.set, [file.initial])
        self._check_events(("registration", "announce"), registration.announce)

    def _check_clocks(self) -> None:
        for key, part in self._file.deadlines.items():
            path: Path = ("deadlines", key)
            self._role((*path, "owner"), part.owner)
            for index, step in enumerate(part.ladder):
                self._role((*path, "ladder", index, "role"), step.role)
            if part.state is not None and self._state((*path, "state"), part.state):
                if part.announce and not self._file.states[part.state].shared:
                    what = f"'{key}' would tell partners about the state '{part.state}', which is not shared."
                    self._add((*path, "announce"), what, "Leave the announcement out.")
            if part.announce:
                self._check_events((*path, "announce"), [part.announce])
        for key, timer in self._file.timers.items():
            path = ("timers", key)
            self._role((*path, "owner"), timer.owner)
            self._state((*path, "state"), timer.state)
            if self._known((*path, "trigger"), "trigger", timer.trigger, self._file.triggers):
                self._check_timer_fires(path, timer.trigger, timer.state)
            if timer.reason is not None:
                self._known((*path, "reason"), "reason", timer.reason, self._words["reason"])

    def _check_timer_fires(self, path: Path, trigger: str, state: str) -> None:
        part = next((each for each in self._file.transitions if each.trigger == trigger and state in each.from_), None)
        if part is None:
            what = f"The timer's trigger '{trigger}' is not possible in its state '{state}'."
            self._add((*path, "trigger"), what, "Add a transition from that state, or name another trigger.")
        elif "system" not in part.roles:
            what = f"Timers act as 'system', which may not use '{trigger}' in '{state}'."
            self._add((*path, "trigger"), what, "Add system to the roles of that transition.")

    def _check_transition(self, path: Path, part: TransitionPart) -> None:
        self._known((*path, "trigger"), "trigger", part.trigger, self._file.triggers)
        for role in part.roles:
            self._role((*path, "roles"), role)
        self._check_events((*path, "announce"), part.announce)
        for index, guard in enumerate(part.guards):
            self._check_guard((*path, "guards", index), guard)
        known = [self._state((*path, "from"), state) for state in part.from_]
        if part.to not in (None, PREVIOUS):
            known.append(self._state((*path, "to"), part.to or ""))
        if all(known):
            self._check_ways(path, part)

    def _check_ways(self, path: Path, part: TransitionPart) -> None:
        states = self._file.states
        if part.to is not None and not part.announce:
            self._add(path, "The state changes and no event says so.", "Add announce, for instance [case.advanced].")
        for source in part.from_:
            kind = states[source].kind
            if part.to == PREVIOUS and kind == "active":
                what = f"'{source}' is an active state: a case is not sent back from it by itself."
                self._add((*path, "to"), what, "Name the state that the case goes to.")
            if part.to in states and (part.to == source or kind == "final"):
                what = f"'{source}' cannot lead to '{part.to}'."
                self._add(
                    (*path, "to"), what, "Leave 'to' out for what happens within a state; reopen with 'previous'."
                )
            if part.to in states and kind == "hold" and states[part.to].kind != "final":
                what = f"From the hold state '{source}' a case goes back to where it came from, or ends."
                self._add((*path, "to"), what, f"Write to: {PREVIOUS}.")
        if part.to == PREVIOUS:
            goals = [origin for source in part.from_ for origin in origins_of(self._file, source)]
        else:
            goals = [part.to] if part.to is not None else part.from_
        self._check_begins((*path, "tasks"), part.tasks.open, [], goals)
        self._check_begins((*path, "deadlines"), [], part.deadlines.set, goals)
        for name in ("complete", "cancel"):
            self._check_ends((*path, "tasks", name), getattr(part.tasks, name), part.from_)
        for name in ("meet", "cancel"):
            self._check_ends((*path, "deadlines", name), getattr(part.deadlines, name), part.from_)

    def _check_begins(
        self, path: Path, opens: Sequence[EndTaskPart], sets: Sequence[EndDeadlinePart], goals: list[str]
    ) -> None:
        """What belongs to a state may only begin where the case will be in that state."""
        for index, each in enumerate(opens):
            where = (*path, "open", index)
            self._check_when(where, each.when)
            if self._known(where, "task", each.task, self._file.tasks):
                self._check_scope(where, each.task, self._file.tasks[each.task].state, goals)
        for index, begun in enumerate(sets):
            where = (*path, "set", index)
            self._check_when(where, begun.when)
            if self._known(where, "deadline or timer", begun.deadline, self._clocks):
                self._check_scope(where, begun.deadline, self._clocks[begun.deadline].state, goals)

    def _check_scope(self, path: Path, key: str, state: str | None, goals: list[str]) -> None:
        if state is not None and set(goals) != {state}:
            what = f"'{key}' belongs to '{state}', but begins where the case is in: {', '.join(dict.fromkeys(goals))}."
            self._add(path, what, "Begin it there, or leave its state out so that it belongs to the case.")

    def _check_ends(self, path: Path, ends: Sequence[EndTaskPart | EndDeadlinePart], sources: list[str]) -> None:
        holds = any(self._file.states[source].kind == "hold" for source in sources)
        seen: set[str] = set()
        for index, each in enumerate(ends):
            where = (*path, index)
            self._check_when(where, each.when)
            if isinstance(each, EndTaskPart):
                key, known, kind = each.task, {k: t.state for k, t in self._file.tasks.items()}, "task"
            else:
                key, known, kind = each.deadline, {k: c.state for k, c in self._clocks.items()}, "deadline or timer"
            if not self._known(where, kind, key, known):
                continue
            state = known[key]
            if state is not None and state not in sources and not holds:
                what = f"'{key}' belongs to '{state}' and cannot be open here."
                self._add(where, what, "Leave it out, or add the state to 'from'.")
            if key in seen:
                self._add(where, f"'{key}' ends twice.", "Keep one of the two.")
            seen.add(key)

    def _check_events(self, path: Path, events: list[str]) -> None:
        for event in events:
            self._known(path, "event type", event, EVENT_TYPES)

    def _check_guard(self, path: Path, part: GuardPart) -> None:
        self._check_when(path, part.when)
        if not self._known((*path, "guard"), "guard", part.guard, GUARDS):
            return
        for name, what, remedy in parameter_problems(GUARDS[part.guard], part.with_, self._words):
            self._add((*path, "with", name) if name else path, what, remedy)

    def _check_when(self, path: Path, part: WhenPart | None) -> None:
        if part is None:
            return
        for reason in part.reason or ():
            self._known((*path, "when", "reason"), "reason", reason, self._words["reason"])
        if part.need is not None:
            self._state((*path, "when", "need"), part.need)
