"""Turns a checked pathway file into a `Pathway`: what a transition does is worked out here, once, not at each move.

What goes without saying in the file is made explicit: a state that is left ends its tasks and deadlines, a final state
ends all, a hold state makes the clocks stand still, a clock that is set anew ends the one that runs.
`states.loader` calls it after `states.pathway_checks` found nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from states.calendar import WEEKDAYS, Calendar
from states.guard_binding import Words, bind
from states.guards import GUARDS
from states.machine import Arrow, build_machine, lookup
from states.moves import Announce, Effect, EndDeadline, EndTask, HoldClocks, ResumeClocks, SetPriority
from states.pathway import (
    Branch,
    DeadlineTemplate,
    EndRule,
    GuardUse,
    LadderStep,
    OpenRule,
    Pathway,
    SetRule,
    State,
    StateKind,
    TaskTemplate,
    Text,
    Transition,
    When,
)
from states.pathway_schema import (
    EntryPart,
    OpenTaskPart,
    PathwayFile,
    SetDeadlinePart,
    TextPart,
    TransitionPart,
    WhenPart,
)

PREVIOUS: Final = "previous"
"""As the goal of a transition: back to where the case came from."""


def compile_pathway(file: PathwayFile, content_hash: str) -> Pathway:
    """The pathway of a file without problems."""
    return _Compiler(file).pathway(content_hash)


def words_of(file: PathwayFile) -> Words:
    """The keys and titles that guards' parameters may name, by kind."""
    reasons = {**file.reasons.hold, **file.reasons.close}
    parts: dict[str, Mapping[str, TextPart]] = {
        "role": file.roles,
        "reason": reasons,
        "state": {key: state.title for key, state in file.states.items()},
        "deadline": {key: clock.title for key, clock in {**file.deadlines, **file.timers}.items()},
    }
    return {kind: {key: _text(part) for key, part in known.items()} for kind, known in parts.items()}


def arrows_of(file: PathwayFile) -> list[Arrow]:
    """Every way of every trigger; a way back becomes one arrow for each state that the case may have come from."""
    arrows = []
    for part in file.transitions:
        for source in part.from_:
            if part.to == PREVIOUS:
                arrows += [Arrow(part.trigger, source, origin, back=True) for origin in origins_of(file, source)]
            else:
                arrows.append(Arrow(part.trigger, source, part.to, back=False))
    return arrows


def origins_of(file: PathwayFile, state: str) -> list[str]:
    """The active states from which a case can have come into a hold or final state, by one step or through a hold."""
    sources = {source for part in file.transitions if part.to == state for source in part.from_}
    holds = {key for key in sources if file.states[key].kind == "hold"}
    sources |= {origin for hold in holds if hold != state for origin in origins_of(file, hold)}
    return [key for key, part in file.states.items() if key in sources and part.kind == "active"]


class _Compiler:
    def __init__(self, file: PathwayFile) -> None:
        self._file = file
        self._words = words_of(file)
        self._states = {
            key: State(key, _text(part.title), StateKind(part.kind), part.shared) for key, part in file.states.items()
        }
        self._tasks = {
            key: TaskTemplate(key, _text(part.title), part.role, part.state, part.priority, part.base, part.due)
            for key, part in file.tasks.items()
        }
        self._deadlines = _deadlines(file)

    def pathway(self, content_hash: str) -> Pathway:
        file = self._file
        calendar = Calendar(
            file.timezone,
            weekend=[WEEKDAYS.index(day) for day in file.calendar.weekend],
            country=file.calendar.holidays,
            days_off=file.calendar.days_off,
            working_days=file.calendar.working_days,
        )
        table = self._table()
        needed: dict[str, frozenset[str]] = {}
        for (_, trigger), transition in table.items():
            needed[trigger] = needed.get(trigger, frozenset()) | transition.reads
        return Pathway(
            name=file.pathway,
            version=file.version,
            title=_text(file.title),
            content_hash=content_hash,
            timezone=file.timezone,
            calendar=calendar,
            initial=file.initial,
            states=MappingProxyType(self._states),
            triggers=_texts(file.triggers),
            roles=_texts(file.roles),
            close_reasons=_texts(file.reasons.close),
            hold_reasons=_texts(file.reasons.hold),
            tasks=MappingProxyType(self._tasks),
            deadlines=MappingProxyType(self._deadlines),
            registration=self._registration(),
            table=MappingProxyType(table),
            needed=MappingProxyType(needed),
            urgent_deadlines=frozenset(key for key, template in self._deadlines.items() if template.urgent),
        )

    def _table(self) -> dict[tuple[str, str], Transition]:
        """The machine says what leads where; the file says what else happens on the way."""
        parts = {(source, part.trigger): part for part in self._file.transitions for source in part.from_}
        machine = build_machine(self._states, self._file.initial, arrows_of(self._file))
        ways = lookup(machine)
        order = [key for key in parts if key in ways]
        return {key: self._transition(key[0], parts[key], ways[key]) for key in order}

    def _transition(self, source: str, part: TransitionPart, goals: tuple[str | None, ...]) -> Transition:
        guards = tuple(bind(GUARDS[each.guard], each.with_, self._words, _when(each.when)) for each in part.guards)
        branches = {goal or source: self._branch(source, part, goal) for goal in goals}
        to_previous = part.to == PREVIOUS
        only = None if to_previous else next(iter(branches.values()))
        reads = frozenset().union(*(_reads(guards, branch) for branch in branches.values()))
        return Transition(
            state=source,
            trigger=part.trigger,
            internal=part.to is None,
            to_previous=to_previous,
            roles=frozenset(part.roles),
            guards=guards,
            branches=MappingProxyType(branches),
            only=only,
            reads=reads,
        )

    def _branch(self, source: str, part: TransitionPart, goal: str | None) -> Branch:
        target = goal or source
        entry = self._entry(source, part, goal)
        opens = tuple(self._open(each) for each in (*entry.open, *part.tasks.open))
        sets = tuple(self._set(each) for each in (*entry.set, *part.deadlines.set))
        fixed, conditional = self._ends(source, part, goal, opens, sets)
        clocks: list[Effect] = []
        if goal and self._states[goal].kind is StateKind.HOLD:
            clocks.append(HoldClocks())
        if part.to == PREVIOUS and self._states[source].kind is StateKind.HOLD:
            clocks.append(ResumeClocks())
        if part.priority:
            clocks.append(SetPriority(part.priority))
        announces = tuple(self._announce(event, target) for event in part.announce)
        return Branch(target, part.priority, (*fixed, *clocks), conditional, sets, opens, announces)

    def _entry(self, source: str, part: TransitionPart, goal: str | None) -> EntryPart:
        """What entering the goal begins; a resumed case goes on with what it had."""
        if goal is None:
            return EntryPart()
        state = self._file.states[goal]
        if part.to != PREVIOUS:
            return state.on_entry
        return EntryPart() if self._states[source].kind is StateKind.HOLD else state.on_return or state.on_entry

    def _ends(
        self,
        source: str,
        part: TransitionPart,
        goal: str | None,
        opens: tuple[OpenRule, ...],
        sets: tuple[SetRule, ...],
    ) -> tuple[list[Effect], tuple[EndRule, ...]]:
        """Each key ends at most once: as the transition says, else because its state is left or it starts anew."""
        implied: dict[tuple[type, str], EndTask | EndDeadline] = {}
        for key in self._left(source, goal, self._tasks):
            implied[EndTask, key] = EndTask(key, done=False)
        for key in self._left(source, goal, self._deadlines):
            implied[EndDeadline, key] = EndDeadline(key, met=False)
        stays = (None, source) if goal is None else (None,)
        for opened in opens:
            if opened.template.state in stays and not opened.unless_open:
                implied.setdefault((EndTask, opened.template.key), EndTask(opened.template.key, done=False))
        for begun in sets:
            if begun.template.state in stays and not begun.unless_open:
                implied.setdefault((EndDeadline, begun.template.key), EndDeadline(begun.template.key, met=False))
        said: list[tuple[EndTask | EndDeadline, WhenPart | None]] = [
            *((EndTask(each.task, done=True), each.when) for each in part.tasks.complete),
            *((EndTask(each.task, done=False), each.when) for each in part.tasks.cancel),
            *((EndDeadline(each.deadline, met=True), each.when) for each in part.deadlines.meet),
            *((EndDeadline(each.deadline, met=False), each.when) for each in part.deadlines.cancel),
        ]
        fixed: list[Effect] = []
        conditional: list[EndRule] = []
        for effect, condition in said:
            otherwise = implied.pop((type(effect), effect.key), None)
            when = _when(condition)
            if when is None:
                fixed.append(effect)
            else:
                conditional.append(EndRule(when, effect, otherwise))
        return [*fixed, *implied.values()], tuple(conditional)

    def _left(
        self, source: str, goal: str | None, templates: Mapping[str, TaskTemplate] | Mapping[str, DeadlineTemplate]
    ) -> list[str]:
        """The keys that end because the case leaves `source` for `goal`."""
        if goal is None or self._states[goal].kind is StateKind.HOLD:
            return []
        if self._states[goal].kind is StateKind.FINAL:
            held = self._states[source].kind is StateKind.HOLD
            return [key for key, template in templates.items() if held or template.state in (source, None)]
        return [key for key, template in templates.items() if template.state == source]

    def _registration(self) -> Branch:
        part, entry = self._file.registration, self._file.states[self._file.initial].on_entry
        return Branch(
            to_state=self._file.initial,
            sets=tuple(self._set(each) for each in (*entry.set, *part.set)),
            opens=tuple(self._open(each) for each in (*entry.open, *part.open)),
            announces=tuple(self._announce(event, self._file.initial) for event in part.announce),
        )

    def _open(self, part: OpenTaskPart) -> OpenRule:
        return OpenRule(self._tasks[part.task], _when(part.when), part.unless_open)

    def _set(self, part: SetDeadlinePart) -> SetRule:
        return SetRule(self._deadlines[part.deadline], _when(part.when), part.unless_open)

    def _announce(self, event: str, state: str) -> Announce:
        data = {"state": state} if self._states[state].shared else {}
        return Announce(event, MappingProxyType(data))


def _deadlines(file: PathwayFile) -> dict[str, DeadlineTemplate]:
    templates = {}
    for key, part in file.deadlines.items():
        templates[key] = DeadlineTemplate(
            key, "deadline", _text(part.title), part.owner, part.state, part.base, part.due,
            reminders=tuple(part.reminders),
            ladder=tuple(LadderStep(step.after, step.role) for step in part.ladder),
            urgent=part.urgent,
            announce=part.announce,
        )  # fmt: skip
    for key, timer in file.timers.items():
        templates[key] = DeadlineTemplate(
            key, "timer", _text(timer.title), timer.owner, timer.state, timer.base, timer.due, timer.before,
            trigger=timer.trigger,
            reason=timer.reason,
            data=timer.data,
        )  # fmt: skip
    return templates


def _when(part: WhenPart | None) -> When | None:
    if part is None:
        return None
    return When(
        priority=frozenset(part.priority) if part.priority else None,
        reason=frozenset(part.reason) if part.reason else None,
        data=tuple((name, frozenset(values)) for name, values in part.data.items()),
        need=part.need,
        without=part.without,
    )


def _reads(guards: Iterable[GuardUse], branch: Branch) -> frozenset[str]:
    conditions = [rule.when for rule in branch.ends]
    conditions += [rule.when for rule in branch.sets if rule.when is not None]
    conditions += [rule.when for rule in branch.opens if rule.when is not None]
    groups = {group for condition in conditions for group in condition.reads}
    groups |= {group for guard in guards for group in guard.reads}
    if any(rule.unless_open for rule in branch.sets):
        groups.add("deadlines")
    if any(rule.unless_open for rule in branch.opens):
        groups.add("tasks")
    return frozenset(groups)


def _text(part: TextPart) -> Text:
    return Text(part.fr, part.en)


def _texts(parts: Mapping[str, TextPart]) -> Mapping[str, Text]:
    return MappingProxyType({key: _text(part) for key, part in parts.items()})
