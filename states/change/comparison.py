"""What differs between two pathway files, part by part, as values. `states.change.sentences` says it in words.

It compares what the files say, not what the compiler makes of it, so that each change is told once, where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from states.pathways.schema import (
    CalendarPart,
    CarePart,
    DeadlineEffects,
    EntryPart,
    PathwayFile,
    ReasonsPart,
    TaskEffects,
    TextPart,
    TransitionPart,
    WaiverPart,
)

TRANSITIONS: Final = "transitions"
WHOLE: Final = "pathway"
"""The part that stands for the file itself: its title, its time zone, its calendar."""

_GROUPS = (CalendarPart, CarePart, DeadlineEffects, EntryPart, ReasonsPart, TaskEffects, WaiverPart)
_UNCOMPARED: Final = frozenset({"pathway", "version", TRANSITIONS})


class ChangeKind(StrEnum):
    """`renamed`: a state that has another key, as the mapping says."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


class Change(NamedTuple):
    """One difference. `part` is a section of the file (`states`, `reasons.close`, `transitions`, `pathway`), `key` what
    it is about there (a transition's is `state/trigger`), `field` what changed in it (none: all of it).

    `old` and `new` are parts of the file as `states.pathways.schema` reads them.
    """

    part: str
    key: str
    kind: ChangeKind
    field: str | None
    old: Any
    new: Any


def compare(old: PathwayFile, new: PathwayFile, renamed: Mapping[str, str]) -> list[Change]:
    """Every difference, in the order of the file. `renamed` maps keys of states of `old` to those that they have in
    `new`; a state that shares its new key with another is not compared, but counts as removed."""
    names = _renames(old, new, renamed)
    changes = [Change("states", after, ChangeKind.RENAMED, None, before, after) for before, after in names.items()]
    before = _with_names(old, names)
    for part in PathwayFile.model_fields:
        if part not in _UNCOMPARED:
            changes += _section(part, getattr(before, part), getattr(new, part))
    changes += _entries(TRANSITIONS, _ways(before), _ways(new))
    return changes


def transitions_of(file: PathwayFile, names: Mapping[str, str]) -> dict[tuple[str, str], TransitionPart]:
    """Each transition by the file's own state and trigger, the states that it names called as `names` says; the parts
    differ exactly where the transitions do."""
    return {
        (state, part.trigger): part.model_copy(
            update={"from_": [names.get(state, state)], "to": None if part.to is None else names.get(part.to, part.to)}
        )
        for part in file.transitions
        for state in part.from_
    }


def touched_states(changes: list[Change], old: PathwayFile) -> frozenset[str]:
    """The states of `old` for which something changed: the state itself, what begins or ends with it, or a way out."""
    back = {change.new: change.old for change in changes if change.kind is ChangeKind.RENAMED}
    touched = set()
    for part, key, *_ in changes:
        if part == "states":
            touched.add(key)
        elif part == TRANSITIONS:
            touched.add(key.partition("/")[0])
        elif part in ("tasks", "deadlines", "timers"):
            template = getattr(old, part).get(key)
            if template is not None and template.state is not None:
                touched.add(template.state)
    return frozenset(back.get(key, key) for key in touched) & old.states.keys()


def _renames(old: PathwayFile, new: PathwayFile, mapping: Mapping[str, str]) -> dict[str, str]:
    goals = [mapping.get(key, key) for key in old.states]
    return {
        before: after
        for before, after in mapping.items()
        if before in old.states and after in new.states and before != after and goals.count(after) == 1
    }


def _with_names(file: PathwayFile, names: Mapping[str, str]) -> PathwayFile:
    """The same file with other keys for some of its states."""
    if not names:
        return file

    def called(state: str | None) -> str | None:
        return None if state is None else names.get(state, state)

    def scoped(parts: Mapping[str, Any]) -> dict[str, Any]:
        return {key: part.model_copy(update={"state": called(part.state)}) for key, part in parts.items()}

    ways = [
        part.model_copy(update={"from_": [names.get(key, key) for key in part.from_], "to": called(part.to)})
        for part in file.transitions
    ]
    return file.model_copy(
        update={
            "initial": called(file.initial),
            "states": {names.get(key, key): part for key, part in file.states.items()},
            "tasks": scoped(file.tasks),
            "deadlines": scoped(file.deadlines),
            "timers": scoped(file.timers),
            "transitions": ways,
        }
    )


def _ways(file: PathwayFile) -> dict[str, TransitionPart]:
    """Each transition by `state/trigger`, as if it were written for this state alone."""
    return {
        f"{state}/{part.trigger}": part.model_copy(update={"from_": [state]})
        for part in file.transitions
        for state in part.from_
    }


def _section(part: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, Mapping):
        yield from _entries(part, old, new)
    elif _has_parts(old):
        for name in type(old).model_fields:
            if isinstance(getattr(old, name), Mapping):
                yield from _entries(f"{part}.{name}", getattr(old, name), getattr(new, name))
            else:
                yield from _field(WHOLE, part, f"{part}.{name}", getattr(old, name), getattr(new, name))
    else:
        yield from _field(WHOLE, part, part, old, new)


def _entries(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key, value in old.items():
        if key not in new:
            yield Change(part, key, ChangeKind.REMOVED, None, value, None)
        else:
            yield from _differences(part, key, value, new[key])
    for key, value in new.items():
        if key not in old:
            yield Change(part, key, ChangeKind.ADDED, None, None, value)


def _differences(part: str, key: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, TextPart) or not isinstance(old, BaseModel):
        yield from _field(part, key, None, old, new)
        return
    for name in type(old).model_fields:
        yield from _field(part, key, name, getattr(old, name), getattr(new, name, None))


def _field(part: str, key: str, name: str | None, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if _has_parts(old) and type(old) is type(new):
        for inner in type(old).model_fields:
            yield from _field(part, key, f"{name}.{inner}", getattr(old, inner), getattr(new, inner))
    else:
        yield Change(part, key, ChangeKind.CHANGED, name, old, new)


def _has_parts(value: Any) -> bool:
    """Whether a change in it is told field by field; every other value is told as a whole."""
    return isinstance(value, _GROUPS)
