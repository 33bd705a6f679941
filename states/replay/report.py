"""What a replay found, as frozen values: the command line prints them, the API and the console will show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import NamedTuple

from states.pathway import Pathway, Text
from states.replay.tally import CaseDifference, Tally
from states.replay.walk import Window


class Closings(NamedTuple):
    """Cases by how their closing differs. `not_closed`: closed in truth, not under the policy; `only_new` the other way
    round. The days are medians of those that close earlier and later (none: there are none)."""

    same: int
    earlier: int
    later: int
    not_closed: int
    only_new: int
    days_earlier: float | None
    days_later: float | None


class RefusalLine(NamedTuple):
    """A reason for which a trigger is refused, and how often: `follows` counts those that are only so because the case
    was not where it really was, `later` those that would have been possible after all, later on."""

    trigger: str
    title: Text
    code: str
    missing: str | None
    reason: Text
    moves: int
    follows: int
    later: int


class DeadlineLine(NamedTuple):
    """One deadline in truth and under the policy: how many were set, kept and breached."""

    key: str
    title: Text
    set_old: int
    set_new: int
    kept_old: int
    kept_new: int
    breached_old: int
    breached_new: int


class TaskLine(NamedTuple):
    """The tasks that a role had to do, and would have had."""

    role: str
    title: Text
    old: int
    new: int

    @property
    def more(self) -> int:
        return self.new - self.old


class StateLine(NamedTuple):
    """How many of the cases stood in a state at the end, and would have stood in it."""

    state: str
    title: Text
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """The proposed pathway over the past between two instants. Each list has the greatest differences first; `cases`
    are those that would have gone another way."""

    name: str
    version: int
    since: datetime
    until: datetime
    replayed: int
    moves: int
    unknown: int
    refused_moves: int
    following_moves: int
    later_moves: int
    refused_cases: int
    cases_breached: int
    cases_spared: int
    closings: Closings
    refusals: list[RefusalLine]
    deadlines: list[DeadlineLine]
    tasks: list[TaskLine]
    states: list[StateLine]
    cases: list[CaseDifference]


def report_of(tally: Tally, pathway: Pathway, versions: Mapping[int, Pathway], window: Window) -> ReplayReport:
    """What the sum of all batches says, in the words of the proposed pathway and of those that the cases ran on."""
    pathways = [pathway, *versions.values()]
    return ReplayReport(
        name=pathway.name,
        version=pathway.version,
        since=window.since,
        until=window.until,
        replayed=tally.cases,
        moves=tally.moves,
        unknown=tally.unknown,
        refused_moves=tally.refused_moves,
        following_moves=tally.following_moves,
        later_moves=tally.later_moves,
        refused_cases=tally.refused_cases,
        cases_breached=tally.cases_breached,
        cases_spared=tally.cases_spared,
        closings=_closings(tally),
        refusals=_refusals(tally, pathways),
        deadlines=_deadlines(tally, pathways),
        tasks=_tasks(tally, pathways),
        states=_states(tally, pathways),
        cases=sorted(tally.differences, key=_weight),
    )


def _closings(tally: Tally) -> Closings:
    days = [each.days for each in tally.differences if each.days]
    earlier, later = [-each for each in days if each < 0], [each for each in days if each > 0]
    return Closings(
        same=tally.closings["same"],
        earlier=tally.closings["earlier"],
        later=tally.closings["later"],
        not_closed=tally.closings["not_closed"],
        only_new=tally.closings["only_new"],
        days_earlier=median(earlier) if earlier else None,
        days_later=median(later) if later else None,
    )


def _refusals(tally: Tally, pathways: Sequence[Pathway]) -> list[RefusalLine]:
    lines = [
        RefusalLine(
            *(trigger, _title(trigger, (each.triggers for each in pathways)), reason.code, reason.missing),
            *(Text(reason.text_fr, reason.text_en), moves, tally.following[trigger, reason]),
            tally.later[trigger, reason],
        )
        for (trigger, reason), moves in tally.refusals.items()
    ]
    return sorted(lines, key=lambda line: (line.follows - line.moves, -line.moves, line.trigger, line.reason))


def _deadlines(tally: Tally, pathways: Sequence[Pathway]) -> list[DeadlineLine]:
    old, new = tally.deadlines
    titles = [{key: each.title for key, each in one.deadlines.items()} for one in pathways]
    lines = [
        DeadlineLine(
            *(key, _title(key, titles), _ends(old, key), _ends(new, key), old[key, "kept"], new[key, "kept"]),
            *(tally.breaches[0][key], tally.breaches[1][key]),
        )
        for key in {key for key, _ in (*old, *new)}
    ]
    return sorted(lines, key=lambda line: (-abs(line.breached_new - line.breached_old), line.key))


def _ends(ends: Counter[tuple[str, str]], key: str) -> int:
    return sum(number for (named, _), number in ends.items() if named == key)


def _tasks(tally: Tally, pathways: Sequence[Pathway]) -> list[TaskLine]:
    roles: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    for by_role, tasks in zip(roles, tally.tasks, strict=True):
        for (role, _), number in tasks.items():
            by_role[role] += number
    old, new = roles
    lines = [
        TaskLine(role, _title(role, (each.roles for each in pathways)), old[role], new[role]) for role in {*old, *new}
    ]
    return sorted(lines, key=lambda line: (-abs(line.more), line.role))


def _states(tally: Tally, pathways: Sequence[Pathway]) -> list[StateLine]:
    """In the order of the pathway; states that only the versions of the time have stand at the end."""
    old, new = tally.states
    keys = dict.fromkeys(key for each in pathways for key in each.states if key in old or key in new)
    titles = [{key: each.title for key, each in one.states.items()} for one in pathways]
    return [StateLine(key, _title(key, titles), old[key], new[key]) for key in keys]


def _weight(case: CaseDifference) -> tuple[bool, float, int, str]:
    """Those whose closing differs most come first, then those with most breaches and refusals."""
    never = (case.closed_old is None) != (case.closed_new is None)
    return not never, -abs(case.days or 0), -len(case.breached) - len(case.refused), case.code


def _title(key: str, words: Iterable[Mapping[str, Text]]) -> Text:
    return next((named[key] for named in words if key in named), Text(key, key))
