"""Checks what a pathway means, beyond what keeps it from being loaded: `segin pathway check` and publishing ask it.

A published version is never checked again, so that what is found here must not keep cases from going on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from states.machine import Arrow
from states.moves import SYSTEM
from states.pathway import Text
from states.pathways.contradictions import Contradictions
from states.pathways.history import history_problems
from states.pathways.loader import read_file
from states.pathways.problems import FileProblems, Problem, Severity
from states.pathways.schema import PathwayFile
from states.pathways.source import Path, Source
from states.pathways.ways import Walks, arrows_of, reached


def check_pathway(text: str, name: str, *, staffed: Collection[str] | None = None) -> list[Problem]:
    """Everything to be said about the pathway written in `text`, errors and warnings, in the order of the lines.

    `name` is what problems call the file, `staffed` the roles that somebody has (none: not looked at).
    """
    try:
        file, source = read_file(text, name)
    except FileProblems as error:
        return list(error.problems)
    found = [*meaning_problems(file, source), *(staff_problems(file, source, staffed) if staffed is not None else ())]
    return sorted(found, key=lambda problem: (problem.line, problem.code))


def meaning_problems(file: PathwayFile, source: Source) -> list[Problem]:
    """What a file says that cannot be meant, although every name in it is known."""
    arrows = arrows_of(file)
    walks = Walks(file.initial, arrows)
    contradictions = Contradictions(file, source, walks)
    found = contradictions.problems()
    if contradictions.dead:
        found += _without_the_dead(file, source, arrows, contradictions.dead)
    found += history_problems(file, source, walks, contradictions)
    found += _endless_records(file, source)
    found += _same_texts(source)
    return found


def errors_of(problems: Collection[Problem]) -> list[Problem]:
    """Those that keep a pathway from being published."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def staff_problems(file: PathwayFile, source: Source, staffed: Collection[str]) -> list[Problem]:
    """Roles that nobody has, with what waits for them."""
    waiting: dict[str, list[int]] = {role: [0, 0, 0] for role in file.roles if role not in (*staffed, SYSTEM.role)}
    named = [(task.role, 0) for task in file.tasks.values()]
    named += [(clock.owner, 1) for clock in file.clocks.values()]
    named += [(step.role, 2) for deadline in file.deadlines.values() for step in deadline.ladder]
    for role, place in named:
        if role in waiting:
            waiting[role][place] += 1
    found = []
    for role, counts in waiting.items():
        if any(counts):
            found.append(source.problem(("roles", role), "nobody_has_role", role=role, waiting=_counted(counts)))
    return found


_WAITING: Final = (
    Text("tâche(s)", "task(s)"),
    Text("échéance(s)", "deadline(s)"),
    Text("marche(s) d'escalade", "escalation step(s)"),
)


def _counted(counts: Sequence[int]) -> Text:
    named = [(count, words) for count, words in zip(counts, _WAITING, strict=True) if count]
    return Text(", ".join(f"{n} {words.fr}" for n, words in named), ", ".join(f"{n} {words.en}" for n, words in named))


def _without_the_dead(
    file: PathwayFile, source: Source, arrows: list[Arrow], dead: Collection[tuple[str, str]]
) -> Iterator[Problem]:
    """States that only ways lead to, or from, which nobody can ever take."""
    alive = [arrow for arrow in arrows if (arrow.source, arrow.trigger) not in dead]
    walks = Walks(file.initial, alive)
    for key in file.states:
        if key not in walks.reached:
            yield source.problem(("states", key), "never_entered_so", state=key)
    backward: dict[str, list[str]] = {}
    for arrow in alive:
        if arrow.dest is not None and not arrow.back:
            backward.setdefault(arrow.dest, []).append(arrow.source)
    finals = [key for key, part in file.states.items() if part.kind == "final"]
    closing = reached(backward, finals) | {arrow.source for arrow in alive if arrow.back}
    for key in file.states:
        if key in walks.reached and key not in closing:
            yield source.problem(("states", key), "never_closed_so", walk=walks.to(key), state=key)


def _endless_records(file: PathwayFile, source: Source) -> Iterator[Problem]:
    for kind, part in file.records.items():
        backward: dict[str, list[str]] = {}
        for way in file.transitions:
            for status in way.record.from_ if way.record is not None and way.record.kind == kind else ():
                backward.setdefault(way.record.to if way.record else "", []).append(status)
        leaving = {status for sources in backward.values() for status in sources}
        ends = [status for status in part.states if status not in leaving]
        for status in part.states.keys() - reached(backward, ends):
            path: Path = ("records", kind, "states", status)
            yield source.problem(path, "record_never_ends", kind=kind, status=status)


def _same_texts(source: Source) -> Iterator[Problem]:
    """Texts of several words that are the same in both languages; a single word may well be."""
    left: list[tuple[Path, Any]] = [((), source.value)]
    while left:
        path, value = left.pop()
        if isinstance(value, list):
            left += [((*path, at), each) for at, each in enumerate(value)]
        elif isinstance(value, dict):
            fr = value.get("fr")
            if isinstance(fr, str) and fr == value.get("en") and len(fr.split()) > 1:
                yield source.problem(path, "same_text", text=fr)
            left += [((*path, key), each) for key, each in value.items()]
