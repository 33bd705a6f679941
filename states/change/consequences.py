"""What a change of the pathway would mean for the cases that are open on the old version; nothing is written.

`segin pathway diff` asks for the whole caseload, a dry run of `segin pathway migrate` for the next wave.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median_low
from typing import Final, NamedTuple

from sqlmodel import Session

from states.change.caseload import Running, load_running
from states.change.passage import Passage, breaches, crossing
from states.change.verdicts import Verdict, objections, verdict_of
from states.change.ways import Way, Ways
from states.moves import Effect, EndDeadline, EndTask, OpenTask, Reason, RewriteDeadline, SetDeadline

EXAMPLES: Final = 5
"""So many cases are named for each reason why one cannot be moved."""


class CaseVerdict(NamedTuple):
    """What becomes of one case: the state that it is in, the one that it would be in, the verdict and why."""

    code: str
    state: str
    goal: str
    verdict: Verdict
    reasons: tuple[Reason, ...]


class Objection(NamedTuple):
    """A reason why cases cannot be moved: how many in which state, and the codes of some."""

    verdict: Verdict
    state: str
    reason: Reason
    cases: int
    examples: tuple[str, ...]


class Shift(NamedTuple):
    """How running clocks of one key would move: how many, by how much (later is positive), and for how many the due
    time would be past that is not past now (`run_out`), or the other way round (`relieved`)."""

    key: str
    moved: int
    least: timedelta
    middle: timedelta
    most: timedelta
    run_out: int
    relieved: int


class MoveChange(NamedTuple):
    """For how many cases in a state a trigger would be freed, or refused, and for which reasons (with their number)."""

    state: str
    trigger: str
    way: Way
    cases: int
    reasons: tuple[tuple[Reason, int], ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    """The sum over the cases that were looked at.

    `states` has how many are in each state of the old version, `goals` where they would be. `stuck` counts, by state,
    those that could go forward and could not any more; `cancelled` and `begun` count tasks and clocks by key;
    `breached` cases have a clock that would run out by the move.
    """

    cases: int
    states: dict[str, int]
    goals: dict[str, str]
    verdicts: dict[Verdict, int]
    objections: tuple[Objection, ...]
    shifts: tuple[Shift, ...]
    moves: tuple[MoveChange, ...]
    stuck: dict[str, int]
    cancelled: dict[str, int]
    begun: dict[str, int]
    breached: int


def consequences(
    session: Session, way: Passage, ways: Ways, chunks: Iterable[list[int]], now: datetime
) -> Consequences:
    """What the change would do to the cases with these ids. The number of statements is constant for each chunk."""
    tally = _Tally(way, ways, now)
    for chunk in chunks:
        for running in load_running(session, chunk, sorted(way.groups | ways.groups)):
            tally.add(running)
    return tally.sum()


def verdicts(session: Session, way: Passage, chunks: Iterable[list[int]]) -> Iterator[CaseVerdict]:
    """The verdict on each case, in the order of the ids."""
    for chunk in chunks:
        for running in load_running(session, chunk, sorted(way.groups)):
            case, reasons = running.case, objections(way, running)
            goal = way.names.state(case.state)
            yield CaseVerdict(case.code, case.state, goal, verdict_of(reasons), tuple(reasons))


@dataclass
class _Tally:
    """Counts, case by case."""

    way: Passage
    ways: Ways
    now: datetime
    states: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    against: dict[tuple[str, Reason], list[str]] = field(default_factory=lambda: defaultdict(list))
    against_verdict: dict[tuple[str, Reason], Verdict] = field(default_factory=dict)
    shifts: dict[str, list[timedelta]] = field(default_factory=lambda: defaultdict(list))
    run_out: Counter[str] = field(default_factory=Counter)
    relieved: Counter[str] = field(default_factory=Counter)
    moves: dict[tuple[str, str, Way], Counter[Reason]] = field(default_factory=lambda: defaultdict(Counter))
    move_cases: Counter[tuple[str, str, Way]] = field(default_factory=Counter)
    stuck: Counter[str] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    begun: Counter[str] = field(default_factory=Counter)
    breached: int = 0

    def add(self, running: Running) -> None:
        case = running.case
        self.states[case.state] += 1
        reasons = objections(self.way, running)
        verdict = verdict_of(reasons)
        self.verdicts[verdict] += 1
        for reason in reasons:
            self.against[case.state, reason].append(case.code)
            self.against_verdict[case.state, reason] = verdict_of([reason])
        if reasons:
            return
        effects = crossing(self.way, running, self.now)
        self.breached += breaches(running, effects, self.now) > 0
        self._add_effects(running, effects)
        for trigger, kind, why in self.ways.changes_for(running.facts, self.now):
            self.move_cases[case.state, trigger, kind] += 1
            self.moves[case.state, trigger, kind].update(why)
        self.stuck[case.state] += self.ways.is_stuck(running.facts, self.now)

    def _add_effects(self, running: Running, effects: tuple[Effect, ...]) -> None:
        due = {clock.id: clock.due_at for clock in running.clocks}
        for effect in effects:
            if isinstance(effect, RewriteDeadline):
                before = due[effect.id]
                if effect.due_at != before:
                    self.shifts[effect.key].append(effect.due_at - before)
                    self.run_out[effect.key] += effect.status == "open" and effect.due_at <= self.now < before
                    self.relieved[effect.key] += effect.status == "open" and before <= self.now < effect.due_at
            elif isinstance(effect, EndTask | EndDeadline):
                self.cancelled[effect.key] += 1
            elif isinstance(effect, OpenTask | SetDeadline):
                self.begun[effect.key] += 1

    def sum(self) -> Consequences:
        return Consequences(
            cases=self.states.total(),
            states={key: self.states[key] for key in self.way.old.states if self.states[key]},
            goals={key: self.way.names.state(key) for key in self.way.old.states if self.states[key]},
            verdicts={verdict: self.verdicts[verdict] for verdict in Verdict},
            objections=tuple(
                Objection(self.against_verdict[place], *place, len(codes), tuple(codes[:EXAMPLES]))
                for place, codes in self.against.items()
            ),
            shifts=tuple(
                Shift(
                    *(key, len(moved), min(moved), median_low(moved), max(moved)),
                    *(self.run_out[key], self.relieved[key]),
                )
                for key, moved in sorted(self.shifts.items())
            ),
            moves=tuple(
                MoveChange(*place, self.move_cases[place], tuple(reasons.most_common()))
                for place, reasons in sorted(self.moves.items())
            ),
            stuck={key: self.stuck[key] for key in self.way.old.states if self.stuck[key]},
            cancelled=dict(sorted(self.cancelled.items())),
            begun=dict(sorted(self.begun.items())),
            breached=self.breached,
        )
