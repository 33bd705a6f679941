"""The ways of a pathway file: which trigger leads from where to where, with the way back worked out.

The compiler gives them to the machine, the checks walk them.
"""

from __future__ import annotations

from typing import Final

from states.machine import Arrow
from states.pathways.schema import PathwayFile

PREVIOUS: Final = "previous"
"""As the goal of a transition: back to where the case came from."""


def arrows_of(file: PathwayFile) -> list[Arrow]:
    """Every way of every trigger; a way back becomes one arrow for each state that the case may have come from."""
    arrows = []
    for part in file.transitions:
        for source in part.from_:
            if part.to == PREVIOUS:
                arrows += [Arrow(part.trigger, source, origin, back=True) for origin in origins_of(file, source)]
            else:
                arrows.append(Arrow(part.trigger, source, part.to, back=False))
    return arrows


def origins_of(file: PathwayFile, state: str) -> list[str]:
    """The active states from which a case can have come into a hold or final state, by one step or through a hold."""
    sources = {source for part in file.transitions if part.to == state for source in part.from_}
    holds = {key for key in sources if file.states[key].kind == "hold"}
    sources |= {origin for hold in holds if hold != state for origin in origins_of(file, hold)}
    return [key for key, part in file.states.items() if key in sources and part.kind == "active"]
