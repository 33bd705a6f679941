"""Checks the ways, guards and effects of a pathway file's transitions; `states.pathways.checks` runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from states.guards import GUARDS
from states.guards.binding import parameter_problems
from states.pathways.problems import listed
from states.pathways.schema import (
    EndDeadlinePart,
    EndTaskPart,
    GuardPart,
    OpenTaskPart,
    PathwayFile,
    RecordStepPart,
    SetDeadlinePart,
    TransitionPart,
    WhenPart,
)
from states.pathways.source import Findings, Path
from states.pathways.ways import PREVIOUS, origins_of


class TransitionChecks:
    """The checks of one file; what they find goes into its `findings`."""

    def __init__(self, file: PathwayFile, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._words = file.words
        self._records = {key: part.record for key, part in {**file.tasks, **file.clocks}.items()}
        self._tasks = {key: part.state for key, part in file.tasks.items()}
        self._clocks = {key: part.state for key, part in file.clocks.items()}

    def check(self, path: Path, part: TransitionPart) -> None:
        """One transition; the names of its trigger, roles and events are checked elsewhere."""
        for index, guard in enumerate(part.guards):
            self._check_guard((*path, "guards", index), guard)
        named = [("from", state) for state in part.from_]
        if part.to is not None and part.to != PREVIOUS:
            named.append(("to", part.to))
        states = self._file.states
        if part.record is not None:
            self._check_record(path, part, part.record)
        unknown = [key for where, key in named if not self._findings.known((*path, where), "state", key, states)]
        if not unknown:
            self._check_goal(path, part)
            self._check_effects(path, part)

    def check_begins(
        self, path: Path, opens: Sequence[OpenTaskPart], sets: Sequence[SetDeadlinePart], goals: Sequence[str]
    ) -> None:
        """What is begun exists, once, and belongs to the case or to the state in which the case will be."""
        self._check_each((*path, "open"), "task", [(each.task, each.when) for each in opens], self._tasks, goals)
        named = [(each.deadline, each.when) for each in sets]
        self._check_each((*path, "set"), "deadline or timer", named, self._clocks, goals)

    def _check_record(self, path: Path, part: TransitionPart, step: RecordStepPart) -> None:
        kinds = self._file.records
        if part.to is not None:
            self._findings.add((*path, "to"), "step_moves_case")
        if self._findings.known((*path, "record", "kind"), "kind of record", step.kind, kinds):
            for status in step.from_:
                self._findings.known((*path, "record", "from"), "state of it", status, kinds[step.kind].states)
            self._findings.known((*path, "record", "to"), "state of it", step.to, kinds[step.kind].states)

    def _check_goal(self, path: Path, part: TransitionPart) -> None:
        states, goal = self._file.states, part.to
        if goal is not None and not part.announce:
            self._findings.add(path, "nobody_hears")
        for source in part.from_:
            kind = states[source].kind
            if goal == PREVIOUS and kind == "active":
                self._findings.add((*path, "to"), "no_way_back", state=source)
            elif goal == source:
                self._findings.add((*path, "to"), "leads_to_itself", state=goal)
            elif goal in states and (kind == "final" or (kind == "hold" and states[goal].kind != "final")):
                self._findings.add((*path, "to"), "only_back", state=source, goal=goal, previous=PREVIOUS)

    def _check_effects(self, path: Path, part: TransitionPart) -> None:
        if part.to == PREVIOUS:
            goals = [origin for source in part.from_ for origin in origins_of(self._file, source)]
        else:
            goals = [part.to] if part.to is not None else part.from_
        self.check_begins((*path, "tasks"), part.tasks.open, [], goals)
        self.check_begins((*path, "deadlines"), [], part.deadlines.set, goals)
        begun_tasks = {each.task: each.when for each in part.tasks.open}
        begun_clocks = {each.deadline: each.when for each in part.deadlines.set}
        kind = part.record.kind if part.record else None
        for key in (*begun_tasks, *begun_clocks):
            about = self._records.get(key)
            if about not in (None, kind):
                self._findings.add(path, "other_record", key=key, record=about)
        self._check_ends((*path, "tasks"), "complete", part.tasks.complete, part, begun_tasks)
        self._check_ends((*path, "tasks"), "cancel", part.tasks.cancel, part, begun_tasks)
        self._check_ends((*path, "deadlines"), "meet", part.deadlines.meet, part, begun_clocks)
        self._check_ends((*path, "deadlines"), "cancel", part.deadlines.cancel, part, begun_clocks)
        for name, first, second in (
            ("tasks", part.tasks.complete, part.tasks.cancel),
            ("deadlines", part.deadlines.meet, part.deadlines.cancel),
        ):
            ended = Counter(_key(each) for each in (*first, *second))
            for key in sorted(key for key, times in ended.items() if times > 1):
                self._findings.add((*path, name), "ends_twice", key=key)

    def _check_ends(
        self,
        path: Path,
        how: str,
        ends: Sequence[EndTaskPart | EndDeadlinePart],
        part: TransitionPart,
        begun: Mapping[str, WhenPart | None],
    ) -> None:
        """What is ended exists, can be open in one of the states, and begins anew only under the same condition."""
        tasks = path[-1] == "tasks"
        scopes, kind = (self._tasks, "task") if tasks else (self._clocks, "deadline or timer")
        anywhere = any(self._file.states[source].kind == "hold" for source in part.from_)
        for index, each in enumerate(ends):
            where, key = (*path, how, index), _key(each)
            self._check_when(where, each.when)
            if not self._findings.known(where, kind, key, scopes):
                continue
            if scopes[key] not in (None, *part.from_) and not anywhere:
                self._findings.add(where, "cannot_be_open", key=key, state=scopes[key])
            if each.when is not None and begun.get(key) not in (None, each.when):
                self._findings.add(where, "two_conditions", key=key)

    def _check_each(
        self,
        path: Path,
        kind: str,
        begun: Sequence[tuple[str, WhenPart | None]],
        scopes: Mapping[str, str | None],
        goals: Sequence[str],
    ) -> None:
        seen: set[str] = set()
        for index, (key, when) in enumerate(begun):
            where = (*path, index)
            self._check_when(where, when)
            if not self._findings.known(where, kind, key, scopes):
                continue
            if key in seen:
                self._findings.add(where, "begins_twice", key=key)
            seen.add(key)
            if scopes[key] is not None and set(goals) != {scopes[key]}:
                found = listed([*dict.fromkeys(goals)])
                self._findings.add(where, "begins_elsewhere", key=key, state=scopes[key], found=found)

    def _check_guard(self, path: Path, part: GuardPart) -> None:
        self._check_when(path, part.when)
        if self._findings.known((*path, "guard"), "guard", part.guard, GUARDS):
            for name, code, values in parameter_problems(GUARDS[part.guard], part.with_, self._words):
                where = (*path, "with", name) if name else path
                if code == "unknown_name":
                    self._findings.known(where, **values)
                else:
                    self._findings.add(where, code, **values)

    def _check_when(self, path: Path, part: WhenPart | None) -> None:
        if part is None:
            return
        for reason in part.reason or ():
            self._findings.known((*path, "when", "reason"), "reason", reason, self._words["reason"])
        if part.need is not None:
            self._findings.known((*path, "when", "need"), "state", part.need, self._file.states)


def _key(part: EndTaskPart | EndDeadlinePart) -> str:
    return part.task if isinstance(part, EndTaskPart) else part.deadline
