"""Checks that what a pathway file names is there and means something where it is named.

`states.pathways.loader` runs it after Pydantic accepted the shape; each problem names the line and the remedy.
"""

from __future__ import annotations

from typing import Final

from models.events import EVENT_TYPES
from states.decide import REGISTER
from states.history import CHANGE_CALENDAR, MIGRATE, UNMIGRATE
from states.moves import SYSTEM
from states.pathways.problems import Problem
from states.pathways.schema import DeadlinePart, PathwayFile, TimerPart, TransitionPart
from states.pathways.source import Findings, Path, Source
from states.pathways.transition_checks import TransitionChecks
from states.pathways.ways import PREVIOUS
from states.records import RECORD_TABLES

NO_TRIGGERS: Final = frozenset({REGISTER, MIGRATE, UNMIGRATE, CHANGE_CALENDAR})
"""What the journal calls rows that no transition of a pathway made."""


def name_problems(file: PathwayFile, source: Source) -> list[Problem]:
    """Everything that names what is not there, or names it where it has no meaning."""
    findings = Findings(source)
    _check_definitions(file, findings)
    checks = TransitionChecks(file, findings)
    for key, state in file.states.items():
        for name, entry in (("on_entry", state.on_entry), ("on_return", state.on_return)):
            if entry is not None:
                checks.check_begins(("states", key, name), entry.open, entry.set, [key])
    checks.check_begins(("registration",), file.registration.open, file.registration.set, [file.initial])
    _check_events(findings, ("registration", "announce"), file.registration.announce)
    for key, task in file.tasks.items():
        findings.known(("tasks", key, "role"), "role", task.role, file.roles)
        if task.state is not None:
            findings.known(("tasks", key, "state"), "state", task.state, file.states)
        _check_scope(file, findings, ("tasks", key), task.state, task.record)
    for key, deadline in file.deadlines.items():
        _check_deadline(file, findings, key, deadline)
    _check_timers(file, findings)
    _check_transitions(file, findings, checks)
    return findings.problems


def _check_definitions(file: PathwayFile, findings: Findings) -> None:
    if findings.known(("initial",), "state", file.initial, file.states) and file.states[file.initial].kind != "active":
        findings.add(("initial",), "initial_not_active")
    if PREVIOUS in file.states:
        findings.add(("states", PREVIOUS), "reserved_name", name=PREVIOUS)
    for key in file.triggers.keys() & NO_TRIGGERS:
        findings.add(("triggers", key), "reserved_name", name=key)
    for key, part in file.records.items():
        findings.known(("records", key), "kind of record", key, RECORD_TABLES)
        if part.made_with is not None:
            findings.known(("records", key, "made_with"), "kind of record", part.made_with, file.records)
    for role in file.care.notes:
        findings.known(("care", "notes"), "role", role, file.roles)
    for key in file.care.levels:
        findings.known(("care", "levels", key), "instrument", key, file.words["instrument"])
    for key in file.vulnerabilities:
        findings.known(("vulnerabilities", key), "vulnerability", key, file.words["vulnerability"])
    for key in sorted(file.deadlines.keys() & file.timers.keys()):
        findings.add(("timers", key), "also_a_deadline", key=key)


def _check_deadline(file: PathwayFile, findings: Findings, key: str, part: DeadlinePart) -> None:
    path: Path = ("deadlines", key)
    findings.known((*path, "owner"), "role", part.owner, file.roles)
    for index, step in enumerate(part.ladder):
        findings.known((*path, "ladder", index, "role"), "role", step.role, file.roles)
    _check_scope(file, findings, path, part.state, part.record)
    if part.waiver is not None and part.waiver.extend is None and not part.waiver.lift:
        findings.add((*path, "waiver"), "empty_waiver", key=key)
    known = part.state is None or findings.known((*path, "state"), "state", part.state, file.states)
    if part.announce is None:
        return
    _check_events(findings, (*path, "announce"), [part.announce])
    if known and part.state is not None and not file.states[part.state].shared:
        findings.add((*path, "announce"), "state_not_shared", key=key, state=part.state)


def _check_timers(file: PathwayFile, findings: Findings) -> None:
    reasons = file.reasons.all
    by_way = {(state, part.trigger): part for part in file.transitions for state in part.from_}
    for key, timer in file.timers.items():
        path: Path = ("timers", key)
        findings.known((*path, "owner"), "role", timer.owner, file.roles)
        if timer.reason is not None:
            findings.known((*path, "reason"), "reason", timer.reason, reasons)
        _check_scope(file, findings, path, timer.state, timer.record)
        if timer.record is not None:
            _check_record_timer(file, findings, path, timer)
            continue
        if timer.state is None:
            findings.add(path, "timer_without_end")
            continue
        if not findings.known((*path, "state"), "state", timer.state, file.states):
            continue
        if not findings.known((*path, "trigger"), "trigger", timer.trigger, file.triggers):
            continue
        part = by_way.get((timer.state, timer.trigger))
        if part is None:
            findings.add((*path, "trigger"), "timer_not_possible", trigger=timer.trigger, state=timer.state)
        elif SYSTEM.role not in part.roles:
            findings.add((*path, "trigger"), "timer_not_allowed", role=SYSTEM.role, trigger=timer.trigger)


def _check_record_timer(file: PathwayFile, findings: Findings, path: Path, timer: TimerPart) -> None:
    """A record's timer fires wherever the case is: its trigger is a step of such a record, for the system."""
    parts = [part for part in file.transitions if part.trigger == timer.trigger]
    steps = [part for part in parts if part.record is not None and part.record.kind == timer.record]
    if not steps or len(steps) != len(parts):
        findings.add((*path, "trigger"), "timer_no_step", trigger=timer.trigger, record=timer.record)
    elif any(SYSTEM.role not in part.roles for part in steps):
        findings.add((*path, "trigger"), "timer_not_allowed", role=SYSTEM.role, trigger=timer.trigger)


def _check_scope(file: PathwayFile, findings: Findings, path: Path, state: str | None, record: str | None) -> None:
    if record is None:
        return
    findings.known((*path, "record"), "kind of record", record, file.records)
    if state is not None:
        findings.add((*path, "state"), "two_ends")


def _check_steps(findings: Findings, path: Path, part: TransitionPart, kinds: dict[str, str | None]) -> None:
    """A trigger is a step of one kind of record wherever it is possible, or of none."""
    kind = part.record.kind if part.record else None
    if kinds.setdefault(part.trigger, kind) != kind:
        findings.add((*path, "record"), "step_of_two", trigger=part.trigger)


def _check_transitions(file: PathwayFile, findings: Findings, checks: TransitionChecks) -> None:
    seen: dict[tuple[str, str], int] = {}
    kinds: dict[str, str | None] = {}
    for index, part in enumerate(file.transitions):
        path: Path = ("transitions", index)
        twice = len(set(part.from_)) < len(part.from_)
        for state in part.from_:
            first = seen.setdefault((state, part.trigger), index)
            if first != index or (twice and part.from_.count(state) > 1):
                line = findings.line(("transitions", first))
                findings.add((*path, "from"), "two_meanings", trigger=part.trigger, state=state, line=line)
                break
        findings.known((*path, "trigger"), "trigger", part.trigger, file.triggers)
        for role in part.roles:
            findings.known((*path, "roles"), "role", role, file.roles)
        _check_events(findings, (*path, "announce"), part.announce)
        _check_steps(findings, path, part, kinds)
        if part.waives and (part.to is not None or part.record is not None):
            findings.add((*path, "waives"), "waiver_moves", trigger=part.trigger)
        checks.check(path, part)


def _check_events(findings: Findings, path: Path, events: list[str]) -> None:
    for event in events:
        findings.known(path, "event type", event, EVENT_TYPES)
