"""The walk of one case under the proposed pathway: every real move is asked of `decide`, every timer fires by itself.

`states.replay.walk` goes through the journal and calls it row by row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from states.change.mapping import Names
from states.decide import decide
from states.facts import Facts
from states.moves import SYSTEM, Decision, Move, Reason, Refusal
from states.pathway import Pathway
from states.record_steps import candidates
from states.replay.clocks import Key
from states.replay.history import Ended, Row
from states.replay.simulated import Simulated
from states.timers import LONGEST_WAIT_DAYS


class Policy(NamedTuple):
    """What is replayed: the proposed pathway, which names of before are which in it, the published versions by id, and
    the nights at which timers were looked at."""

    pathway: Pathway
    names: Names
    versions: Mapping[int, Pathway]
    nights: Sequence[datetime]


class Refused(NamedTuple):
    """A real move that the proposed pathway refuses. `follows`: only because the case is not where it really was.
    `made_at`: when it would have been possible after all (none: never, or the case went on without it)."""

    at: datetime
    trigger: str
    reasons: tuple[Reason, ...]
    follows: bool
    made_at: datetime | None


class _Waiting(NamedTuple):
    """A refused move, which is tried again when something changes, and its place among the refusals."""

    place: int
    move: Move


class Asking:
    """The walk under the proposed pathway."""

    def __init__(self, new: Simulated, policy: Policy, now: datetime, ended: list[Ended]) -> None:
        self.refused: list[Refused] = []
        self.moves = 0
        self.unknown = 0
        self._new = new
        self._policy = policy
        self._now = now
        self._ended = ended
        self._waiting: list[_Waiting] = []

    def ask(self, row: Row, old: Pathway, facts: Facts) -> None:
        """The next row of the journal: a move that is asked for, or a timer, which is the pathway's own affair. `old`
        and `facts` are the version of the time and the case as it really was."""
        self.run_until(row.at, whole=row.timer is not None)
        if row.timer is not None or row.move.trigger not in old.triggers:
            return
        new, at = self._new, row.at
        move = _fitted(row.move, new, at)
        self.moves += 1
        really_here = new.state == self._policy.names.state(facts.state)
        verdict = decide(new.pathway, new.facts(at), move, at)
        if isinstance(verdict, Refusal) and really_here and _untold(verdict, decide(old, facts, row.move, at)):
            self.unknown += 1
            verdict = decide(without_guards(new.pathway), new.facts(at), move, at)
        if isinstance(verdict, Refusal):
            self._waiting.append(_Waiting(len(self.refused), move))
            self.refused.append(Refused(at, move.trigger, verdict.reasons, not really_here, None))
            return
        new.make(verdict, at, move.reason, move.actor.id)
        if verdict.to_state != verdict.from_state:
            self._waiting.clear()  # the case went on without what was waiting
        self._try_again(at)

    def run_until(self, until: datetime, *, whole: bool) -> None:
        """What happens by itself before an instant (with `whole`, at it too): timers fire, tasks are said to be done,
        and with each new record a refused move is tried again."""
        while True:
            timer = self._new.next_timer(self._policy.nights, self._now)
            record = self._next_record()
            at = min([*([timer[0]] if timer else []), *([record] if record else [])], default=None)
            if at is None or at > until or (at == until and not whole):
                break
            self._now = at
            end_tasks(self._new, self._ended, at)
            if timer is not None and timer[0] == at:
                self._fire(timer[1], at)
            self._try_again(at)
        self._now = until
        end_tasks(self._new, self._ended, until)

    def _next_record(self) -> datetime | None:
        """When something is recorded next, if a refused move waits for it."""
        if not self._waiting:
            return None
        instants = self._new.history.known.instants
        place = bisect_right(instants, self._now)
        return instants[place] if place < len(instants) else None

    def _fire(self, key: Key, at: datetime) -> None:
        """As `states.timers` does it: the timer is over when it fires; a refused one goes on and waits longer."""
        new = self._new
        template = new.pathway.deadlines[key[0]]
        clock = new.clocks.pop(key)
        move = Move(
            *(new.history.case_id, template.trigger or "", SYSTEM, "", ""),
            reason=template.reason,
            data=template.data,
            record=key[1],
            details=True,
        )
        verdict = decide(new.pathway, new.facts(at), move, at)
        if isinstance(verdict, Refusal):
            clock.next_at = at + timedelta(days=min(2**clock.tries, LONGEST_WAIT_DAYS))
            clock.tries += 1
            new.clocks[key] = clock
        else:
            new.make(verdict, at, move.reason, None)

    def _try_again(self, at: datetime) -> None:
        """The oldest refused move is asked once more, and those after it as long as they go through."""
        new = self._new
        while self._waiting:
            place, move = self._waiting[0]
            verdict = decide(new.pathway, new.facts(at), move, at)
            if isinstance(verdict, Refusal):
                return
            new.make(verdict, at, move.reason, move.actor.id)
            self.refused[place] = self.refused[place]._replace(made_at=at)
            del self._waiting[0]


def end_tasks(case: Simulated, ended: list[Ended], at: datetime) -> None:
    """What was said to be done up to an instant."""
    while ended and ended[0].at <= at:
        case.finish_task(ended[0].key, ended[0].record)
        ended.pop(0)


@lru_cache(maxsize=16)
def without_guards(pathway: Pathway) -> Pathway:
    """The same pathway, in which no guard objects."""
    return replace(pathway, table={key: replace(each, guards=()) for key, each in pathway.table.items()})


def _untold(verdict: Refusal, really: Decision | Refusal) -> bool:
    """Whether the version of the time would have objected to the same, although the move was made: then the records do
    not tell enough of the past, and it is held against nobody."""
    if isinstance(really, Decision):
        return False
    known = {(reason.code, reason.missing) for reason in really.reasons}
    return all((reason.code, reason.missing) in known for reason in verdict.reasons)


def _fitted(move: Move, case: Simulated, at: datetime) -> Move:
    """The move as the proposed pathway wants it: about a record where it was about none, or the other way round."""
    transition = case.pathway.table.get((case.state, move.trigger))
    if transition is None or (transition.record is None) == (move.record is None):
        return move
    if transition.record is None:
        return replace(move, record=None)
    found = candidates(transition.record, case.facts(at))
    made = f"{transition.record.kind}:{case.seq}"
    return replace(move, record=made if not transition.record.sources else next(iter(found), None))
