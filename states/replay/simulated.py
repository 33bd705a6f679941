"""A case that exists only in a replay: what decisions make of it, kept in memory as the writer keeps it in tables.

`states.replay.walk` asks `decide` and has the answer applied here. Effects mean what `states.effects` and
`states.entries` write for them; a test holds the two against each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from states.chain import remembered
from states.change.mapping import Names, names_of
from states.change.passage import ENTERS, Passage, passage
from states.decide import clock_from, effects_of, registration_effects
from states.facts import ClockFact, Facts, RecordFact
from states.moves import (
    Decision,
    Effect,
    EndDeadline,
    EndTask,
    HoldClocks,
    OpenTask,
    ResumeClocks,
    SetDeadline,
    SetPriority,
    SetRecord,
    WaiveDeadline,
)
from states.pathway import Pathway, StateKind
from states.replay.clocks import Clock, Key, Stopped
from states.replay.history import History


class Simulated:
    """One case under one pathway. `opened` counts its tasks by role and template; `stopped` has the deadlines that
    ended."""

    __slots__ = (
        *("_static", "clocks", "closed_at", "closure_reason", "done", "entered_at", "held_at", "history", "names"),
        *("opened", "pathway", "previous", "priority", "records", "seq", "state", "stopped", "tasks", "begun"),
    )

    def __init__(self, history: History, pathway: Pathway, at: datetime, names: Names) -> None:
        """A case that is registered at this instant. `names` says what the states that its plan asks for are called in
        this pathway."""
        self.history = history
        self.pathway = pathway
        self.names = names
        self.state = pathway.initial
        self.entered_at = at
        self.seq = 1
        self.previous: str | None = None
        self.held_at: datetime | None = None
        self.priority = "normal"
        self.closure_reason: str | None = None
        self.closed_at: datetime | None = None
        self.tasks: set[Key] = set()
        self.done: set[str] = set()
        self.clocks: dict[Key, Clock] = {}
        self.begun = 0
        self.records: dict[str, RecordFact] = {}
        self.opened: Counter[tuple[str, str]] = Counter()
        self.stopped: list[Stopped] = []
        self._static: dict[str, Any] = {
            "case_id": history.case_id,
            "arrival_date": history.arrival_date,
            "registered_at": history.registered_at,
            "region_pcode": history.region_pcode,
            "office_id": history.office_id,
        }
        self._apply(registration_effects(pathway, self.facts(at), at), at, None)

    def moved_to(self, pathway: Pathway, names: Names, at: datetime, *, plan: Names) -> Simulated:
        """The same case, from now on under another pathway; what was opened and ended is counted anew. `names` says
        what the states and statuses of this one are called there, `plan` what those that its plan asks for are.

        Tasks and clocks for which the pathway has no template end without a word; the other clocks are due as if they
        had begun under it. Then begins what entering the state begins there and did not begin before.
        """
        made = Simulated(self.history, pathway, at, plan)
        made.state, made.entered_at = names.state(self.state), self.entered_at
        made.previous = None if self.previous is None else names.state(self.previous)
        made.seq, made.held_at, made.priority = self.seq, self.held_at, self.priority
        made.closure_reason, made.closed_at = self.closure_reason, self.closed_at
        made.done, made.begun = set(self.done), self.begun
        made.records = {
            code: record._replace(status=names.status(record.kind, record.status))
            for code, record in self.records.items()
        }
        made.tasks = {key for key in self.tasks if key[0] in pathway.tasks}
        made.clocks = {
            key: made._restarted(key[0], clock)
            for key, clock in self.clocks.items()
            if key[0] in pathway.deadlines and pathway.deadlines[key[0]].kind == clock.kind
        }
        made.opened.clear()
        made.stopped.clear()
        running = {key for key, _ in (*made.tasks, *made.clocks)}
        begins = _crossing(self.pathway, pathway, names).begins.get(self.state)
        if begins is not None:
            effects = effects_of(pathway, begins, made.facts(at), ENTERS, at)
            fresh = [each for each in effects if isinstance(each, OpenTask | SetDeadline) and each.key not in running]
            made._apply(fresh, at, None)
        return made

    def begin_counting(self, at: datetime) -> None:
        """What was opened, ended or overdue before this instant does not count."""
        self.opened.clear()
        self.stopped.clear()
        for clock in self.clocks.values():
            clock.overdue = self._ran_until(clock, at) > clock.due_at

    def facts(self, at: datetime) -> Facts:
        """What is known of the case at that instant."""
        known = self.history.known.at(at)
        if self.names.states:
            known = known | {"plan": self.names.plan(known["plan"])}
        return Facts(
            **self._static,
            **known,
            state=self.state,
            version=self.seq,
            entered_state_at=self.entered_at,
            previous_state=self.previous,
            held_at=self.held_at,
            priority=self.priority,
            closure_reason=self.closure_reason,
            open_tasks=frozenset([key for key, _ in self.tasks]),
            done_tasks=frozenset(self.done),
            open_deadlines=frozenset([key for key, _ in self.clocks]),
            records=self.records,
            clocks=tuple([ClockFact(one.number, *key, one.due_at, one.waivers) for key, one in self.clocks.items()]),
        )

    def make(self, decision: Decision, at: datetime, reason: str | None, actor_id: int | None) -> None:
        """The decided move is made."""
        self.seq += 1
        self._apply(decision.effects, at, actor_id)
        if decision.to_state != decision.from_state:
            self.enter(decision.to_state, at, reason)

    def enter(self, state: str, at: datetime, reason: str | None) -> None:
        """The case is in another state from now on."""
        kind = self.pathway.states[state].kind
        final = kind is StateKind.FINAL
        self.previous = remembered(self.pathway, self.state, state, self.previous)
        self.state, self.entered_at = state, at
        self.held_at = at if kind is StateKind.HOLD else None
        self.closure_reason = reason if final else None
        self.closed_at = at if final else None

    def finish_task(self, key: str, record: str | None) -> None:
        """Somebody did a task that no move ends."""
        if (key, record) in self.tasks:
            self.tasks.discard((key, record))
            self.done.add(key)

    def stop_clock(self, key: Key, how: str, at: datetime) -> None:
        """A clock ends, in whatever way."""
        clock = self.clocks.pop(key, None)
        if clock is not None and clock.kind != "timer":
            self.stopped.append(clock.stopped(key, how, self._ran_until(clock, at)))

    def next_timer(self, nights: Sequence[datetime], now: datetime) -> tuple[datetime, Key] | None:
        """The first night from `now` on at which a timer is to be looked at, and which; none when there is none."""
        first: tuple[datetime, Key] | None = None
        for key, clock in self.clocks.items():
            if clock.kind == "timer" and not clock.held and (first is None or clock.next_at < first[0]):
                first = clock.next_at, key
        if first is None:
            return None
        place = bisect_left(nights, max(first[0], now))
        return (nights[place], first[1]) if place < len(nights) else None

    def running(self, until: datetime) -> Iterator[Stopped]:
        """The deadlines that have not ended before this instant, the end of the replay."""
        for key, clock in self.clocks.items():
            if clock.kind != "timer":
                yield clock.stopped(key, "open", self._ran_until(clock, until))

    def _ran_until(self, clock: Clock, at: datetime) -> datetime:
        return self.held_at if clock.held and self.held_at is not None else at

    def _apply(self, effects: Iterable[Effect], at: datetime, actor_id: int | None) -> None:
        for effect in effects:
            if isinstance(effect, EndTask):
                self._end_task(effect)
            elif isinstance(effect, EndDeadline):
                self._end_clock(effect, at)
            elif isinstance(effect, SetDeadline):
                self.begun += 1
                begun = Clock(effect.kind, effect.state, at, effect.due_at, effect.next_at, self.begun)
                self.clocks[effect.key, effect.record] = begun
            elif isinstance(effect, OpenTask):
                self.tasks.add((effect.key, effect.record))
                self.opened[effect.role, effect.key] += 1
            elif isinstance(effect, SetRecord):
                known = self.records.get(effect.code) or self.history.records.get(effect.code)
                made = known or RecordFact(effect.kind, effect.code, effect.to_status, actor_id)
                self.records = self.records | {effect.code: made._replace(status=effect.to_status)}
            elif isinstance(effect, WaiveDeadline):
                self._waive(effect, at)
            elif isinstance(effect, SetPriority):
                self.priority = effect.priority
            elif isinstance(effect, HoldClocks):
                for clock in self.clocks.values():
                    clock.held = True
            elif isinstance(effect, ResumeClocks) and self.held_at is not None:
                self._resume(at - self.held_at)

    def _end_task(self, effect: EndTask) -> None:
        for key in [key for key in self.tasks if key[0] == effect.key and effect.record in (None, key[1])]:
            self.tasks.discard(key)
            if effect.done:
                self.done.add(effect.key)

    def _end_clock(self, effect: EndDeadline, at: datetime) -> None:
        for key in [key for key in self.clocks if key[0] == effect.key and effect.record in (None, key[1])]:
            met = "kept" if at <= self.clocks[key].due_at else "late"
            self.stop_clock(key, met if effect.met else "cancelled", at)

    def _waive(self, effect: WaiveDeadline, at: datetime) -> None:
        key = next(key for key, clock in self.clocks.items() if clock.number == effect.id)
        if effect.until is None:
            self.stop_clock(key, "waived", at)
            return
        clock = self.clocks[key]
        clock.missed = clock.missed or at > clock.due_at
        clock.added += effect.until - clock.due_at
        clock.due_at = clock.next_at = effect.until
        clock.waivers += 1

    def _resume(self, stood_still: timedelta) -> None:
        for clock in self.clocks.values():
            if clock.held:
                clock.held = False
                clock.due_at += stood_still
                clock.next_at += stood_still
                clock.added += stood_still

    def _restarted(self, key: str, clock: Clock) -> Clock:
        begun = clock_from(self.pathway, self.pathway.deadlines[key], self.facts(clock.begun_at), clock.begun_at)
        moved = begun.due_at + clock.added - clock.due_at
        return replace(clock, state=begun.state, due_at=clock.due_at + moved, next_at=clock.next_at + moved)


@lru_cache(maxsize=64)
def _between(old: Pathway, new: Pathway, names: tuple[tuple[str, str], ...]) -> Passage:
    return passage(0, 0, old, new, names_of(dict(names)))


def _crossing(old: Pathway, new: Pathway, names: Names) -> Passage:
    return _between(old, new, tuple(names.as_pairs().items()))
