"""Whether the journal rows that carried a case to another version of its pathway, or back, are in order. Pure.

`states.journal` asks while it folds a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from states.change.mapping import names_of
from states.history import MIGRATE, UNMIGRATE
from states.pathway import Pathway, StateKind


class Standing(NamedTuple):
    """Where a case is: on which version, in which state, and the state that it would go back to."""

    version_id: int
    state: str
    previous: str | None


class Carried(NamedTuple):
    """A row that carries, as far as its order goes: its trigger, its states, the version that it leads to, its data."""

    trigger: str
    to_state: str
    version_id: int
    data: Mapping[str, Any]


def stands_after(
    row: Carried, at: Standing, before: tuple[str, Standing] | None, pathways: Mapping[int, Pathway]
) -> Standing | None:
    """Where the case stands after the row; none: the row is not in order.

    `at` is where it stood, `before` the trigger of the row before and where the case stood before that one.
    """
    if row.trigger == UNMIGRATE:
        if before is None or before[0] != MIGRATE:
            return None
        back = before[1]
        return back if (row.version_id, row.to_state) == (back.version_id, back.state) else None
    names = names_of(row.data.get("names", {}))
    old, new = pathways.get(at.version_id), pathways.get(row.version_id)
    goal = names.state(at.state)
    if old is None or new is None or row.data.get("from") != at.version_id or row.to_state != goal:
        return None
    kind = old.states[at.state].kind
    if goal not in new.states or new.states[goal].kind is not kind or kind is StateKind.FINAL:
        return None
    return Standing(row.version_id, goal, None if at.previous is None else names.state(at.previous))
