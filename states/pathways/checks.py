"""Checks that what a pathway file names is there and means something where it is named.

`states.pathways.loader` runs it after Pydantic accepted the shape; each problem names the line and the remedy.
"""

from __future__ import annotations

from models.events import EVENT_TYPES
from states.moves import SYSTEM
from states.pathways.schema import DeadlinePart, PathwayFile, TimerPart, TransitionPart
from states.pathways.source import Findings, Path, Problem, Source
from states.pathways.transition_checks import TransitionChecks
from states.pathways.ways import PREVIOUS
from states.records import RECORD_TABLES


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
        findings.add(("initial",), "A case cannot begin in a hold or final state.", "Name an active state.")
    if PREVIOUS in file.states:
        what = f"'{PREVIOUS}' is the word for the way back."
        findings.add(("states", PREVIOUS), what, "Give the state another name.")
    for key in file.records:
        findings.known(("records", key), "kind of record", key, RECORD_TABLES)
    for key in sorted(file.deadlines.keys() & file.timers.keys()):
        findings.add(("timers", key), f"'{key}' is also a deadline.", "Give one of the two another name.")


def _check_deadline(file: PathwayFile, findings: Findings, key: str, part: DeadlinePart) -> None:
    path: Path = ("deadlines", key)
    findings.known((*path, "owner"), "role", part.owner, file.roles)
    for index, step in enumerate(part.ladder):
        findings.known((*path, "ladder", index, "role"), "role", step.role, file.roles)
    _check_scope(file, findings, path, part.state, part.record)
    known = part.state is None or findings.known((*path, "state"), "state", part.state, file.states)
    if part.announce is None:
        return
    _check_events(findings, (*path, "announce"), [part.announce])
    if known and part.state is not None and not file.states[part.state].shared:
        what = f"'{key}' would tell partners about the state '{part.state}', which is not shared."
        findings.add((*path, "announce"), what, "Leave the announcement out.")


def _check_timers(file: PathwayFile, findings: Findings) -> None:
    reasons = {**file.reasons.close, **file.reasons.hold}
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
            findings.add(path, "A timer without a state would never end by itself.", "Add its state, or its record.")
            continue
        if not findings.known((*path, "state"), "state", timer.state, file.states):
            continue
        if not findings.known((*path, "trigger"), "trigger", timer.trigger, file.triggers):
            continue
        part = by_way.get((timer.state, timer.trigger))
        if part is None:
            what = f"The timer's trigger '{timer.trigger}' is not possible in its state '{timer.state}'."
            findings.add((*path, "trigger"), what, "Add a transition from that state, or name another trigger.")
        elif SYSTEM.role not in part.roles:
            what = f"Timers act as '{SYSTEM.role}', which may not use '{timer.trigger}' in '{timer.state}'."
            findings.add((*path, "trigger"), what, f"Add {SYSTEM.role} to the roles of that transition.")


def _check_record_timer(file: PathwayFile, findings: Findings, path: Path, timer: TimerPart) -> None:
    """A record's timer fires wherever the case is: its trigger is a step of such a record, for the system."""
    parts = [part for part in file.transitions if part.trigger == timer.trigger]
    steps = [part for part in parts if part.record is not None and part.record.kind == timer.record]
    if not steps or len(steps) != len(parts):
        what = f"The timer's trigger '{timer.trigger}' is not a step of the record '{timer.record}'."
        findings.add((*path, "trigger"), what, "Name a trigger whose transitions say record.")
    elif any(SYSTEM.role not in part.roles for part in steps):
        what = f"Timers act as '{SYSTEM.role}', which may not use '{timer.trigger}'."
        findings.add((*path, "trigger"), what, f"Add {SYSTEM.role} to the roles of its transitions.")


def _check_scope(file: PathwayFile, findings: Findings, path: Path, state: str | None, record: str | None) -> None:
    if record is None:
        return
    findings.known((*path, "record"), "kind of record", record, file.records)
    if state is not None:
        findings.add((*path, "state"), "It ends with a state or with a record, not with both.", "Keep one of the two.")


def _check_steps(findings: Findings, path: Path, part: TransitionPart, kinds: dict[str, str | None]) -> None:
    """A trigger is a step of one kind of record wherever it is possible, or of none."""
    kind = part.record.kind if part.record else None
    if kinds.setdefault(part.trigger, kind) != kind:
        what = f"'{part.trigger}' is a step of a record in one place and not, or of another, elsewhere."
        findings.add((*path, "record"), what, "Give one of them another trigger.")


def _check_transitions(file: PathwayFile, findings: Findings, checks: TransitionChecks) -> None:
    seen: dict[tuple[str, str], int] = {}
    kinds: dict[str, str | None] = {}
    for index, part in enumerate(file.transitions):
        path: Path = ("transitions", index)
        for state in part.from_:
            first = seen.setdefault((state, part.trigger), index)
            if first != index or part.from_.count(state) > 1:
                line = findings.line(("transitions", first))
                what = f"'{part.trigger}' from '{state}' is also on line {line}; a trigger has one meaning in a state."
                findings.add((*path, "from"), what, "Name the state in one place only.")
                break
        findings.known((*path, "trigger"), "trigger", part.trigger, file.triggers)
        for role in part.roles:
            findings.known((*path, "roles"), "role", role, file.roles)
        _check_events(findings, (*path, "announce"), part.announce)
        _check_steps(findings, path, part, kinds)
        checks.check(path, part)


def _check_events(findings: Findings, path: Path, events: list[str]) -> None:
    for event in events:
        findings.known(path, "event type", event, EVENT_TYPES)
