"""Checks that a pathway can be walked: every state is entered and can end, every part is used, clocks are in order.

`states.pathways.loader` runs it on files whose names are all known; each problem names the line and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable

from states.calendar import Span
from states.pathways.schema import EntryPart, PathwayFile
from states.pathways.source import Problem, Source
from states.pathways.ways import arrows_of

_MONTH_SECONDS = 28 * 86_400


def walk_problems(file: PathwayFile, source: Source) -> list[Problem]:
    """States never entered or without an end, parts that nothing uses, reminders and ladders out of order."""
    return [*_states(file, source), *_records(file, source), *_unused(file, source), *_clocks(file, source)]


def _states(file: PathwayFile, source: Source) -> list[Problem]:
    forward: dict[str, set[str]] = {key: set() for key in file.states}
    backward: dict[str, set[str]] = {key: set() for key in file.states}
    ways_back = set()
    for arrow in arrows_of(file):
        if arrow.back:  # leads to where the case was before: nowhere new
            ways_back.add(arrow.source)
        elif arrow.dest is not None:
            forward[arrow.source].add(arrow.dest)
            backward[arrow.dest].add(arrow.source)
    finals = [key for key, part in file.states.items() if part.kind == "final"]
    if not finals:
        return [source.problem(("states",), "No state is final: no case could ever be closed.", "Add kind: final.")]
    problems = []
    for key in file.states.keys() - _reached(forward, [file.initial]):
        what = f"No case can ever come into '{key}'."
        problems.append(source.problem(("states", key), what, "Add a transition to it, or remove it."))
    for key in file.states.keys() - _reached(backward, finals) - ways_back:
        what = f"A case in '{key}' can never be closed."
        problems.append(source.problem(("states", key), what, "Add a transition that leads on to a final state."))
    return problems


def _records(file: PathwayFile, source: Source) -> list[Problem]:
    """Records are made in a state that some step makes them in, and go on from there."""
    problems = []
    steps = [part.record for part in file.transitions if part.record is not None]
    for kind, part in file.records.items():
        ways: dict[str, set[str]] = {status: set() for status in part.states}
        made = []
        for step in steps:
            if step.kind == kind and not step.from_:
                made.append(step.to)
            for status in step.from_ if step.kind == kind else ():
                ways[status].add(step.to)
        for status in part.states.keys() - _reached(ways, made):
            what = f"No record of the kind '{kind}' can ever be '{status}'."
            problems.append(
                source.problem(("records", kind, "states", status), what, "Add a step to it, or remove it.")
            )
    return problems


def _reached(ways: dict[str, set[str]], starts: list[str]) -> set[str]:
    found, left = set(starts), list(starts)
    while left:
        new = ways[left.pop()] - found
        found |= new
        left += new
    return found


def _unused(file: PathwayFile, source: Source) -> list[Problem]:
    entries: list[EntryPart] = [file.registration]
    entries += [entry for state in file.states.values() for entry in (state.on_entry, state.on_return) if entry]
    opened = {each.task for entry in entries for each in entry.open}
    opened |= {each.task for part in file.transitions for each in part.tasks.open}
    begun = {each.deadline for entry in entries for each in entry.set}
    begun |= {each.deadline for part in file.transitions for each in part.deadlines.set}
    fired = {part.trigger for part in file.transitions}
    acting = {role for part in file.transitions for role in part.roles}
    acting |= {task.role for task in file.tasks.values()} | {clock.owner for clock in file.timers.values()}
    for deadline in file.deadlines.values():
        acting |= {deadline.owner, *(step.role for step in deadline.ladder)}
    problems = []
    for section, keys, used, what in (
        ("tasks", file.tasks.keys(), opened, "The task '{}' is never opened."),
        ("deadlines", file.deadlines.keys(), begun, "The deadline '{}' is never set."),
        ("timers", file.timers.keys(), begun, "The timer '{}' is never set."),
        ("triggers", file.triggers.keys(), fired, "The trigger '{}' does nothing in any state."),
        ("roles", file.roles.keys(), acting, "The role '{}' has nothing to do."),
    ):
        for key in keys - used:
            problems.append(source.problem((section, key), what.format(key), "Use it, or remove it."))
    return problems


def _clocks(file: PathwayFile, source: Source) -> list[Problem]:
    problems = []
    for key, part in file.deadlines.items():
        for index, reminder in enumerate(part.reminders):
            path = ("deadlines", key, "reminders", index)
            if part.due.exact and not reminder.exact:
                what = "A deadline of hours needs reminders in hours."
                problems.append(source.problem(path, what, "Write it like PT6H."))
            elif _shortest(reminder) >= _shortest(part.due):
                what = f"The reminder, {reminder} before the deadline, comes before its clock starts ({part.due})."
                problems.append(source.problem(path, what, "Shorten it."))
        steps = [_shortest(step.after) for step in part.ladder]
        for index in _not_growing(steps):
            what = "This step of the ladder does not come after the one before it."
            problems.append(source.problem(("deadlines", key, "ladder", index), what, "Put the steps in order."))
    for key, timer in file.timers.items():
        if timer.before is not None and _shortest(timer.before) >= _shortest(timer.due):
            what = "The timer would run out before it starts."
            problems.append(source.problem(("timers", key, "before"), what, "Shorten it."))
    return problems


def _not_growing(steps: list[int]) -> Iterable[int]:
    return (index for index in range(1, len(steps)) if steps[index] <= steps[index - 1])


def _shortest(span: Span) -> int:
    """The span in seconds at its shortest, to compare two."""
    return span.months * _MONTH_SECONDS + (span.days + span.working_days) * 86_400 + span.seconds
