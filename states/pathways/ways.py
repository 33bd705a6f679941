"""The ways of a pathway file: which trigger leads from where to where, the way back worked out, and shortest walks.

The compiler gives the ways to the machine, the checks walk them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from states.machine import Arrow
from states.pathways.problems import Step
from states.pathways.schema import PathwayFile

PREVIOUS: Final = "previous"
"""As the goal of a transition: back to where the case came from."""


def arrows_of(file: PathwayFile) -> list[Arrow]:
    """Every way of every trigger; a way back becomes one arrow for each state that the case may have come from."""
    arrows = []
    origins: dict[str, list[str]] = {}
    for part in file.transitions:
        for source in part.from_:
            if part.to == PREVIOUS:
                if source not in origins:
                    origins[source] = origins_of(file, source)
                arrows += [Arrow(part.trigger, source, origin, back=True) for origin in origins[source]]
            else:
                arrows.append(Arrow(part.trigger, source, part.to, back=False))
    return arrows


def origins_of(file: PathwayFile, state: str) -> list[str]:
    """The active states from which a case can have come into a hold or final state, by one step or through a hold."""
    into: dict[str, set[str]] = {}
    for part in file.transitions:
        if part.to is not None:
            into.setdefault(part.to, set()).update(part.from_)
    holds = {key for key, part in file.states.items() if part.kind == "hold"}
    found = reached({key: sources for key, sources in into.items() if key == state or key in holds}, [state])
    return [key for key, part in file.states.items() if key in found and part.kind == "active"]


def reached(ways: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """Everything that can be reached from `starts`, they included."""
    found = set(starts)
    left = list(found)
    while left:
        new = set(ways.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


class Walks:
    """The shortest walks from the initial state. A way back leads to where the case was before: nowhere new."""

    def __init__(self, initial: str, arrows: Iterable[Arrow]) -> None:
        self.ahead: dict[str, list[Arrow]] = {}
        self._last: dict[str, Arrow | None] = {initial: None}
        for arrow in arrows:
            if arrow.dest is not None and not arrow.back:
                self.ahead.setdefault(arrow.source, []).append(arrow)
        left = deque([initial])
        while left:
            for arrow in self.ahead.get(left.popleft(), ()):
                if arrow.dest is not None and arrow.dest not in self._last:
                    self._last[arrow.dest] = arrow
                    left.append(arrow.dest)

    @property
    def reached(self) -> Collection[str]:
        """The states that a case can come into."""
        return self._last.keys()

    def to(self, state: str, *then: Step) -> tuple[Step, ...]:
        """A shortest walk from the registration to the state, and on by `then`; none for a state never entered."""
        if state not in self._last:
            return ()
        steps: list[Step] = []
        arrow = self._last[state]
        while arrow is not None:
            steps.append(Step(arrow.trigger, state))
            state = arrow.source
            arrow = self._last[state]
        return (Step(None, state), *reversed(steps), *then)
