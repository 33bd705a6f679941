"""Counts what the two walks of each case came to.

`states.replay.chunks` fills one `Tally`; `states.replay.report` says what the sums mean.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from states.moves import Reason
from states.replay.asking import Refused
from states.replay.simulated import Simulated
from states.replay.walk import CaseReplay, Window

SECONDS_A_DAY = 86_400


class CaseDifference(NamedTuple):
    """A case that would have gone another way. `days`: by how much later it would have closed (less than 0: earlier);
    none when it would not have closed, or only then. `refused` are its real moves that the policy refuses."""

    code: str
    state_old: str
    state_new: str
    closed_old: datetime | None
    closed_new: datetime | None
    days: float | None
    refused: tuple[Refused, ...]
    breached: tuple[str, ...]
    spared: tuple[str, ...]


@dataclass
class Tally:
    """`moves` counts the real moves that were asked, `unknown` those of them of which the past does not tell all that
    guards ask. Of the `refused_moves` some are refused only because the case is elsewhere (`following_moves`), some
    possible later (`later_moves`); `refusals`, `following` and `later` count the same by trigger and reason, a move
    once for each of its reasons.

    `closings` counts cases by how their closing differs (same, earlier, later, not_closed, only_new); those open at the
    end of both walks are not counted. `cases_breached` have more breaches of a deadline in the new walk, `cases_spared`
    fewer. As (old, new): `deadlines` counts clocks by key and end, `breaches` those too late by key, `tasks` what was
    opened by role and key, `states` cases by the state at the end.
    """

    cases: int = 0
    moves: int = 0
    unknown: int = 0
    refused_cases: int = 0
    refused_moves: int = 0
    following_moves: int = 0
    later_moves: int = 0
    cases_breached: int = 0
    cases_spared: int = 0
    closings: Counter[str] = field(default_factory=Counter)
    refusals: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    following: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    later: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    deadlines: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    breaches: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    tasks: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    states: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    differences: list[CaseDifference] = field(default_factory=list)

    def add_case(self, replayed: CaseReplay, window: Window) -> None:
        """One more case."""
        history, old, new, refused, moves, unknown = replayed
        self.cases += 1
        self.moves += moves
        self.unknown += unknown
        how, days = _closing(old.closed_at, new.closed_at)
        self.closings[how] += how != "open"
        self._add_refusals(refused)
        breaches = tuple(self._add_walk(place, each, window) for place, each in enumerate((old, new)))
        added, spared = breaches[1] - breaches[0], breaches[0] - breaches[1]
        self.cases_breached += bool(added)
        self.cases_spared += bool(spared)
        if refused or added or spared or how not in ("same", "open") or old.state != new.state:
            self.differences.append(
                CaseDifference(
                    *(history.code, old.state, new.state, old.closed_at, new.closed_at, days, tuple(refused)),
                    *(tuple(sorted(added.elements())), tuple(sorted(spared.elements()))),
                )
            )

    def _add_refusals(self, refused: list[Refused]) -> None:
        self.refused_cases += bool(refused)
        for each in refused:
            self.refused_moves += 1
            self.following_moves += each.follows
            self.later_moves += each.made_at is not None
            for reason in each.reasons:
                named = each.trigger, reason
                self.refusals[named] += 1
                self.following[named] += each.follows
                self.later[named] += each.made_at is not None

    def _add_walk(self, place: int, case: Simulated, window: Window) -> Counter[str]:
        """One of the two walks; gives its breaches by deadline."""
        breaches: Counter[str] = Counter()
        self.tasks[place].update(case.opened)
        self.states[place][case.state] += 1
        for stopped in (*case.stopped, *case.running(window.until)):
            self.deadlines[place][stopped.key, stopped.how] += 1
            breaches[stopped.key] += stopped.breached
        breaches = +breaches
        self.breaches[place].update(breaches)
        return breaches


def _closing(old: datetime | None, new: datetime | None) -> tuple[str, float | None]:
    """How the closing differs, and by how many days."""
    if old is None or new is None:
        return ("open" if old is new else "not_closed" if new is None else "only_new"), None
    days = (new - old).total_seconds() / SECONDS_A_DAY
    return ("same" if not days else "earlier" if days < 0 else "later"), days
