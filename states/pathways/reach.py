"""Checks that a pathway can be walked: every state is entered and can end, every part is used, clocks are in order.

`states.pathways.loader` runs it on files whose names are all known; each problem names the line and the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable

from states.calendar import Span
from states.pathway import Text
from states.pathways.problems import SHOWN, Problem, listed
from states.pathways.schema import EntryPart, PathwayFile
from states.pathways.source import Source
from states.pathways.ways import Walks, arrows_of, reached

_MONTH_SECONDS = 28 * 86_400


def walk_problems(file: PathwayFile, source: Source) -> list[Problem]:
    """States never entered or without an end, parts that nothing uses, reminders and ladders out of order."""
    return [*_states(file, source), *_records(file, source), *_unused(file, source), *_clocks(file, source)]


def _states(file: PathwayFile, source: Source) -> list[Problem]:
    finals = [key for key, part in file.states.items() if part.kind == "final"]
    if not finals:
        return [source.problem(("states",), "no_final_state")]
    arrows = arrows_of(file)
    walks = Walks(file.initial, arrows)
    backward: dict[str, list[str]] = {}
    for arrow in arrows:
        if arrow.dest is not None and not arrow.back:
            backward.setdefault(arrow.dest, []).append(arrow.source)
    problems = []
    for key in file.states.keys() - walks.reached:
        why = _why_never([*dict.fromkeys(backward.get(key, []))])
        problems.append(source.problem(("states", key), "never_entered", state=key, why=why))
    ways_back = {arrow.source for arrow in arrows if arrow.back}
    ahead = {at: [str(each.dest) for each in ways] for at, ways in walks.ahead.items()}
    endless = file.states.keys() - reached(backward, finals) - ways_back
    for at, key in enumerate(each for each in file.states if each in endless):
        leads = _leads(reached(ahead, [key]) - {key}) if at < SHOWN else _NO_END
        walk = walks.to(key)
        problems.append(source.problem(("states", key), "never_closed", walk=walk, state=key, leads=leads))
    return problems


def _leads(goals: set[str]) -> Text:
    on = listed(sorted(goals))
    return Text(f"il ne mène qu'à : {on}", f"it leads only to: {on}") if goals else _NOWHERE


_NO_END = Text("il ne mène à aucun état final", "it leads to no final state")
_NOWHERE = Text("il ne mène nulle part", "it leads nowhere")
_NO_WAY = Text("aucune transition n'y mène", "no transition leads to it")


def _why_never(sources: list[str]) -> Text:
    if not sources:
        return _NO_WAY
    named = listed(sources)
    return Text(
        f"seuls y mènent des états où aucun dossier n'arrive ({named})",
        f"only states that no case comes into lead to it ({named})",
    )


def _records(file: PathwayFile, source: Source) -> list[Problem]:
    """Records are made in a state that some step makes them in, and go on from there."""
    problems = []
    steps = [part.record for part in file.transitions if part.record is not None]
    for kind, part in file.records.items():
        ways: dict[str, list[str]] = {}
        made = [step.to for step in steps if step.kind == kind and not step.from_]
        made += [next(iter(part.states))] if part.made_with is not None else []
        for step in steps:
            for status in step.from_ if step.kind == kind else ():
                ways.setdefault(status, []).append(step.to)
        for status in part.states.keys() - reached(ways, made):
            path = ("records", kind, "states", status)
            problems.append(source.problem(path, "record_never", kind=kind, status=status))
    return problems


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
    for section, keys, used, code in (
        ("tasks", file.tasks.keys(), opened, "task_never_opened"),
        ("deadlines", file.deadlines.keys(), begun, "deadline_never_set"),
        ("timers", file.timers.keys(), begun, "timer_never_set"),
        ("triggers", file.triggers.keys(), fired, "trigger_unused"),
        ("roles", file.roles.keys(), acting, "role_unused"),
    ):
        problems += [source.problem((section, key), code, key=key) for key in keys - used]
    return problems


def _clocks(file: PathwayFile, source: Source) -> list[Problem]:
    problems = []
    for key, part in file.deadlines.items():
        for index, reminder in enumerate(part.reminders):
            path = ("deadlines", key, "reminders", index)
            if part.due.exact and not reminder.exact:
                problems.append(source.problem(path, "reminder_not_in_hours"))
            elif _shortest(reminder) >= _shortest(part.due):
                problems.append(source.problem(path, "reminder_too_early", reminder=reminder, due=part.due))
        steps = [_shortest(step.after) for step in part.ladder]
        for index in _not_growing(steps):
            problems.append(source.problem(("deadlines", key, "ladder", index), "ladder_out_of_order"))
    for key, timer in file.timers.items():
        if timer.before is not None and _shortest(timer.before) >= _shortest(timer.due):
            problems.append(source.problem(("timers", key, "before"), "timer_too_early"))
    return problems


def _not_growing(steps: list[int]) -> Iterable[int]:
    return (index for index in range(1, len(steps)) if steps[index] <= steps[index - 1])


def _shortest(span: Span) -> int:
    """The span in seconds at its shortest, to compare two."""
    return span.months * _MONTH_SECONDS + (span.days + span.working_days) * 86_400 + span.seconds
