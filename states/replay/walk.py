"""Walks one case through its real past twice: under the versions that it ran on, and under the proposed pathway.

`states.replay.chunks` calls it for each case of a batch. Both walks use the same simulation, so that what differs
between them comes from the policy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from states.change.mapping import NO_NAMES, Names, names_of
from states.decide import decide
from states.facts import Facts
from states.history import MIGRATE, UNMIGRATE
from states.moves import Decision
from states.replay.asking import Asking, Policy, Refused, end_tasks, without_guards
from states.replay.history import History, Row
from states.replay.simulated import Simulated


class Window(NamedTuple):
    """From when the proposed pathway counts, and up to when the past is replayed."""

    since: datetime
    until: datetime


class CaseReplay(NamedTuple):
    """One case at the end of both walks. `unknown` counts moves for which the past does not tell all that guards ask;
    they were let through. `moves` counts the real moves that were asked."""

    history: History
    old: Simulated
    new: Simulated
    refused: list[Refused]
    moves: int
    unknown: int


def walk_case(history: History, policy: Policy, window: Window) -> CaseReplay:
    """Both walks of one case. Before the window begins, what really happened holds for both."""
    first, *rows = history.rows
    called = _called(history.rows)
    old = Simulated(history, policy.versions[first.version_id], first.at, called.get(first.seq, NO_NAMES))
    ended = list(history.ended)
    before = [row for row in rows if row.at < window.since]
    for row in before:
        end_tasks(old, ended, row.at)
        old = _follow(old, row, policy, old.facts(row.at), called)
    if first.at < window.since:
        end_tasks(old, ended, window.since)
        old.begin_counting(window.since)
        new = old.moved_to(policy.pathway, policy.names, window.since, plan=policy.names)
    else:
        new = Simulated(history, policy.pathway, first.at, policy.names)
    asking = Asking(new, policy, max(first.at, window.since), list(ended))
    for row in rows[len(before) :]:
        end_tasks(old, ended, row.at)
        facts = old.facts(row.at)
        asking.ask(row, old.pathway, facts)
        old = _follow(old, row, policy, facts, called)
    end_tasks(old, ended, window.until)
    asking.run_until(window.until, whole=False)
    return CaseReplay(history, old, new, asking.refused, asking.moves, asking.unknown)


def _follow(old: Simulated, row: Row, policy: Policy, facts: Facts, called: Mapping[int, Names]) -> Simulated:
    """A real move, as it was made under the version of the time: whether its guards held is no question any more."""
    pathway = policy.versions[row.version_id]
    if pathway is not old.pathway:
        opened, stopped = old.opened, old.stopped
        names = NO_NAMES if old.state in pathway.states else Names({old.state: row.to_state})
        old = old.moved_to(pathway, names, row.at, plan=called.get(row.seq, old.names))
        old.opened, old.stopped = opened + old.opened, stopped
    if row.timer is not None:
        old.clocks.pop((row.timer, row.move.record), None)
        facts = old.facts(row.at)
    verdict = decide(without_guards(pathway), facts, row.move, row.at)
    if isinstance(verdict, Decision):
        old.make(verdict, row.at, row.move.reason, row.move.actor.id)
    else:  # no move of the pathway: the journal says where the case is
        old.seq += 1
        if row.to_state != old.state:
            old.enter(row.to_state, row.at, row.move.reason)
    return old


def _called(rows: Sequence[Row]) -> dict[int, Names]:
    """What the states that plans ask for today were called from the first row on, and from each one on that moved the
    case to another version, by the number of the row: `states.change.plan_needs` renamed them."""
    renamed: dict[int, Mapping[str, str]] = {rows[0].seq: {}}
    for row in rows:
        if row.move.trigger == MIGRATE:
            renamed[row.seq] = names_of(row.move.data["names"]).states
        elif row.move.trigger == UNMIGRATE:
            renamed[row.seq] = {new: old for old, new in renamed.get(row.move.data["undoes"], {}).items()}
    called: dict[int, Names] = {}
    back: dict[str, str] = {}
    for seq, names in reversed(renamed.items()):
        called[seq] = Names(back)
        before = {new: old for old, new in names.items()}
        back = {**before, **{today: before.get(then, then) for today, then in back.items()}}
    return called
