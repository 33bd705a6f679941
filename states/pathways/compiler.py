"""Turns a checked pathway file into a `Pathway`: worked out here, once, so that nothing is worked out at each move.

`states.pathways.loader` calls it after `states.pathways.checks` found nothing wrong. The machine says what leads where;
the file says what else happens on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from states.calendar import WEEKDAYS, Calendar
from states.facts import PAST
from states.guards import GUARDS
from states.guards.binding import bind
from states.machine import build_machine, lookup
from states.pathway import (
    Branch,
    Care,
    DeadlineTemplate,
    GuardUse,
    LadderStep,
    Pathway,
    RecordKind,
    RecordStep,
    State,
    StateKind,
    TaskTemplate,
    Text,
    Transition,
    WaiverTerms,
)
from states.pathways.branches import Branches, when_of
from states.pathways.schema import DeadlinePart, PathwayFile, TextPart, TimerPart, TransitionPart
from states.pathways.ways import PREVIOUS, arrows_of


def compile_pathway(file: PathwayFile, content_hash: str) -> Pathway:
    """The pathway of a file without problems."""
    states = {key: State(key, part.title.text, StateKind(part.kind), part.shared) for key, part in file.states.items()}
    tasks = {
        key: TaskTemplate(key, part.title.text, part.role, part.state, part.priority, part.base, part.due, part.record)
        for key, part in file.tasks.items()
    }
    deadlines = {key: _deadline(key, part) for key, part in file.deadlines.items()}
    deadlines |= {key: _timer(key, part) for key, part in file.timers.items()}
    branches = Branches(file, states, tasks, deadlines)
    table = _table(file, branches)
    return Pathway(
        name=file.pathway,
        version=file.version,
        title=file.title.text,
        content_hash=content_hash,
        timezone=file.timezone,
        calendar=_calendar(file),
        initial=file.initial,
        states=MappingProxyType(states),
        triggers=_texts(file.triggers),
        fields=_texts(file.fields),
        roles=_texts(file.roles),
        close_reasons=_texts(file.reasons.close),
        hold_reasons=_texts(file.reasons.hold),
        record_reasons=_texts(file.reasons.record),
        waive_reasons=_texts(file.reasons.waive),
        tasks=MappingProxyType(tasks),
        deadlines=MappingProxyType(deadlines),
        records=MappingProxyType(
            {key: RecordKind(key, part.title.text, _texts(part.states)) for key, part in file.records.items()}
        ),
        vulnerabilities=MappingProxyType(dict(file.vulnerabilities)),
        care=Care(file.care.levels, file.care.flags, frozenset(file.care.notes)),
        entries=MappingProxyType({key: branches.of_entry(key) for key in states}),
        registration=branches.of_registration(file.initial, file.registration),
        table=MappingProxyType(table),
        needed=MappingProxyType(_needed(table.values())),
        urgent_deadlines=frozenset(key for key, template in deadlines.items() if template.urgent),
    )


def _table(file: PathwayFile, branches: Branches) -> dict[tuple[str, str], Transition]:
    words = file.words
    ways = lookup(build_machine(file.states, file.initial, arrows_of(file)))
    table = {}
    for part in file.transitions:
        guards = tuple(bind(GUARDS[each.guard], each.with_, words, when_of(each.when)) for each in part.guards)
        for source in part.from_:
            # A way back that nobody can have come by is no way at all.
            goals = ways.get((source, part.trigger), ())
            if goals:
                made = {goal or source: branches.of_transition(source, part, goal) for goal in goals}
                table[source, part.trigger] = Transition(
                    state=source,
                    trigger=part.trigger,
                    internal=part.to is None,
                    to_previous=part.to == PREVIOUS,
                    roles=frozenset(part.roles),
                    guards=guards,
                    branches=MappingProxyType(made),
                    only=None if part.to == PREVIOUS else next(iter(made.values())),
                    reads=_reads(guards, made.values()) | _also_read(part),
                    record=_step(part),
                    takes_back=part.takes_back,
                    waives=part.waives,
                    details=part.details or part.record is not None,
                )
    return table


def _also_read(part: TransitionPart) -> frozenset[str]:
    """The groups of facts that a transition reads beside its guards and conditions."""
    tells = part.record is not None and part.record.kind == "consent" and bool(part.announce)
    groups = {"records": part.record is not None, "shown": tells, PAST: part.takes_back, "clocks": part.waives}
    return frozenset(group for group, read in groups.items() if read)


def _step(part: TransitionPart) -> RecordStep | None:
    step = part.record
    return None if step is None else RecordStep(step.kind, tuple(step.from_), step.to)


def _reads(guards: Iterable[GuardUse], branches: Iterable[Branch]) -> frozenset[str]:
    groups = {group for guard in guards for group in guard.reads}
    for branch in branches:
        conditions = [rule.when for rule in branch.ends]
        conditions += [rule.when for rule in branch.sets if rule.when is not None]
        conditions += [rule.when for rule in branch.opens if rule.when is not None]
        groups |= {group for condition in conditions for group in condition.reads}
        if any(rule.unless_open for rule in branch.sets):
            groups.add("deadlines")
        if any(rule.unless_open for rule in branch.opens):
            groups.add("tasks")
    return frozenset(groups)


def _needed(transitions: Iterable[Transition]) -> dict[str, frozenset[str]]:
    needed: dict[str, frozenset[str]] = {}
    for transition in transitions:
        needed[transition.trigger] = needed.get(transition.trigger, frozenset()) | transition.reads
    return needed


def _calendar(file: PathwayFile) -> Calendar:
    part = file.calendar
    return Calendar(
        file.timezone,
        weekend=[WEEKDAYS.index(day) for day in part.weekend],
        country=part.holidays,
        days_off=part.days_off,
        working_days=part.working_days,
    )


def _deadline(key: str, part: DeadlinePart) -> DeadlineTemplate:
    return DeadlineTemplate(
        key=key,
        kind="deadline",
        title=part.title.text,
        owner=part.owner,
        state=part.state,
        base=part.base,
        due=part.due,
        reminders=tuple(part.reminders),
        ladder=tuple(LadderStep(step.after, step.role) for step in part.ladder),
        urgent=part.urgent,
        announce=part.announce,
        record=part.record,
        waiver=None if part.waiver is None else WaiverTerms(part.waiver.extend, part.waiver.lift, part.waiver.times),
    )


def _timer(key: str, part: TimerPart) -> DeadlineTemplate:
    return DeadlineTemplate(
        key=key,
        kind="timer",
        title=part.title.text,
        owner=part.owner,
        state=part.state,
        base=part.base,
        due=part.due,
        before=part.before,
        trigger=part.trigger,
        reason=part.reason,
        data=part.data,
        record=part.record,
    )


def _texts(parts: Mapping[str, TextPart]) -> Mapping[str, Text]:
    return MappingProxyType({key: part.text for key, part in parts.items()})
