"""The state machine of one pathway version, built once with `transitions` and shared by every case.

The compiler takes its lookup table from it, so that the machine and `states.decide` cannot disagree; a throwaway token
stands for a case, never a database row. Nothing else in the house imports `transitions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from transitions import EventData, Machine, MachineError


class Arrow(NamedTuple):
    """One way that a trigger can take: from `source` to `dest` (none: the state does not change). `back`: only for a
    case that came from `dest`."""

    trigger: str
    source: str
    dest: str | None
    back: bool


@dataclass(slots=True)
class Token:
    """Stands for a case while the machine moves it."""

    state: str
    previous: str | None = None


def build_machine(states: Iterable[str], initial: str, arrows: Iterable[Arrow]) -> Machine:
    """A machine without a model and without doors of its own (`auto_transitions` would open one into every state)."""
    machine = Machine(
        model=None, states=list(states), initial=initial, auto_transitions=False, send_event=True, queued=False
    )
    for arrow in arrows:
        came_from: Any = partial(_came_from, arrow.dest) if arrow.back else None
        machine.add_transition(arrow.trigger, arrow.source, arrow.dest, conditions=came_from)
    return machine


def lookup(machine: Machine) -> dict[tuple[str, str], tuple[str | None, ...]]:
    """(state, trigger) to the states that it may lead to, read from the machine; none: the state does not change."""
    return {
        (state, trigger): tuple(transition.dest for transition in transitions)
        for trigger, event in machine.events.items()
        for state, transitions in event.transitions.items()
    }


def fire(machine: Machine, trigger: str, token: Token) -> bool:
    """Moves the token; False when the machine knows no such way for it."""
    event = machine.events.get(trigger)
    if event is None:
        return False
    try:
        return bool(event.trigger(token))
    except MachineError:
        return False


def _came_from(origin: str | None, event: EventData) -> bool:
    token = event.model
    return isinstance(token, Token) and token.previous == origin
