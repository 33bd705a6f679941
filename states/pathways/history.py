"""What may have happened to a case by the time it is in a state: triggers fired, tasks opened, clocks set, steps taken.

`states.pathways.checker` asks it for guards and effects about things that cannot have happened on any way to them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from states.guards import GUARDS
from states.guards.binding import demands_of
from states.pathways.contradictions import Contradictions
from states.pathways.problems import Problem, listed
from states.pathways.schema import EntryPart, PathwayFile, TransitionPart
from states.pathways.source import Path, Source
from states.pathways.ways import PREVIOUS, Walks, origins_of

Happening = tuple[str, str]
"""(`trigger`, `task`, `clock` or `step`, its key); a step's key is `kind/state`."""


class History:
    """Everything that may have happened on some way to each state of one file. Errs on the side of yes."""

    def __init__(self, file: PathwayFile) -> None:
        self._file = file
        self._bits: dict[Happening, int] = {}
        self._before: dict[str, int] = {}
        self._fill()

    def may_have(self, state: str, happened: Iterable[Happening]) -> bool:
        """Whether any of these may have happened to a case in the state; what happens within it counts."""
        wanted = 0
        for each in happened:
            wanted |= self._bits.get(each, 0)
        return bool(self._before.get(state, 0) & wanted)

    def _fill(self) -> None:
        file = self._file
        entering = {
            key: self._begins(part.on_entry) | (self._begins(part.on_return) if part.on_return else 0)
            for key, part in file.states.items()
        }
        away = {key for key, part in file.states.items() if part.kind != "active"}
        # What may happen between leaving a state for a hold or an end and coming back to it.
        meanwhile = 0
        for key in away:
            meanwhile |= entering[key]
        ways: dict[str, list[tuple[int, bool, list[str]]]] = {}
        for part in file.transitions:
            does, back = self._does(part), part.to == PREVIOUS
            for state in part.from_:
                goals = origins_of(file, state) if back else [part.to or state]
                ways.setdefault(state, []).append((does, back, goals))
                if state in away or part.to in away:
                    meanwhile |= does
        self._before[file.initial] = self._begins(file.registration) | entering[file.initial]
        left = deque([file.initial])
        while left:
            state = left.popleft()
            for does, back, goals in ways.get(state, ()):
                came_with = does | (meanwhile if back else self._before[state])
                for goal in goals:
                    now = came_with | (entering[goal] if goal != state else 0) | self._before.get(goal, 0)
                    if now != self._before.get(goal):
                        self._before[goal] = now
                        left.append(goal)

    def _does(self, part: TransitionPart) -> int:
        done: list[Happening] = [("trigger", part.trigger)]
        done += [("task", each.task) for each in part.tasks.open]
        done += [("clock", each.deadline) for each in part.deadlines.set]
        if part.record is not None:
            done.append(("step", f"{part.record.kind}/{part.record.to}"))
        return self._together(done)

    def _begins(self, part: EntryPart) -> int:
        tasks: list[Happening] = [("task", each.task) for each in part.open]
        return self._together([*tasks, *(("clock", each.deadline) for each in part.set)])

    def _together(self, happened: Iterable[Happening]) -> int:
        bits = 0
        for each in happened:
            bits |= self._bits.setdefault(each, 1 << len(self._bits))
        return bits


def history_problems(file: PathwayFile, source: Source, walks: Walks, contradictions: Contradictions) -> list[Problem]:
    """Guards about what cannot have happened before them, and ends of what cannot be open."""
    history = History(file)
    found: list[Problem] = []
    for index, part in enumerate(file.transitions):
        states = [state for state in part.from_ if state in walks.reached]
        if states:
            for path, code, values in _of_transition(file, history, ("transitions", index), part, states):
                walk = contradictions.walk(part)
                found.append(source.problem(path, code, walk=walk, trigger=part.trigger, **values))
    return found


def _of_transition(
    file: PathwayFile, history: History, path: Path, part: TransitionPart, states: list[str]
) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    def never(*happened: Happening) -> bool:
        return not any(history.may_have(state, happened) for state in states)

    for at, each in enumerate(part.guards):
        guard, where = GUARDS[each.guard], (*path, "guards", at)
        by: list[Happening] = [("trigger", trigger) for trigger in guard.recorded_by]
        for field, values in demands_of(guard, each.with_).items():
            kind, _, named = field.partition(".")
            if kind in file.records and named == "status" and not values.others:
                by = []
                own = part.record is not None and part.record.kind == kind and part.record.to in values.listed
                steps: list[Happening] = [("step", f"{kind}/{status}") for status in values.listed]
                if not own and never(*steps):
                    named = listed(sorted(map(str, values.listed)))
                    yield where, "record_never_there", {"guard": each.guard, "kind": kind, "statuses": named}
        if by and part.trigger not in guard.recorded_by and never(*by):
            yield where, "never_recorded", {"guard": each.guard, "by": listed(guard.recorded_by)}
        clock = each.with_.get("deadline") if each.guard == "ran_out" else None
        if clock is not None and never(("clock", clock)):
            yield where, "clock_never_runs", {"guard": each.guard, "key": clock}
    for how, ends in (("complete", part.tasks.complete), ("cancel", part.tasks.cancel)):
        for at, task in enumerate(ends):
            if never(("task", task.task)):
                yield (*path, "tasks", how, at), "never_open_here", {"key": task.task}
    for how, clocks in (("meet", part.deadlines.meet), ("cancel", part.deadlines.cancel)):
        for at, clock_ in enumerate(clocks):
            if never(("clock", clock_.deadline)):
                yield (*path, "deadlines", how, at), "never_open_here", {"key": clock_.deadline}
