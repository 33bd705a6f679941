"""Why a case does not go on, and the smallest action that frees it. Pure: it asks `decide` about the ways on, and
looks at who has which open work. The order in which causes are looked for is that of `states.why.cause.CauseKind`.

`states.why.ranking` calls it for the whole caseload, the edges for one case.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from states.decide import decide
from states.moves import ANYBODY, Actor, Move, Reason, Refusal
from states.pathway import PRIORITIES, Pathway, StateKind, Transition
from states.why import sentences
from states.why.cause import Cause, Clock, Situation, Unanswered, Work
from states.why.ways import Way, completed, finishers, people, ways_on

_PRESSING: Final = PRIORITIES[:2]
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Barred(NamedTuple):
    """The way on with the least in its way, and what that is (nothing: it is free)."""

    way: Way
    reasons: tuple[Reason, ...]


class Silent(NamedTuple):
    """A referral whose answer is overdue, and since when."""

    referral: Unanswered
    due_at: datetime


def why(pathway: Pathway, situation: Situation, now: datetime) -> Cause:
    """What holds the case at this instant, or that nothing does. Facts need `states.why.ways.facts_needed`."""
    facts = situation.facts
    kind = pathway.states[facts.state].kind
    if kind is StateKind.FINAL:
        return sentences.closed(pathway, facts)
    silent = _silent(situation, now)
    if kind is StateKind.HOLD:
        return sentences.held(pathway, situation, _way_back(pathway, situation), now)
    if silent is not None and silent.referral.priority in _PRESSING:
        return sentences.silent_partner(pathway, *silent, now)
    barred = _barred(pathway, situation, now)
    late_tasks = sorted((task for task in situation.tasks if _due(task) <= now), key=_due)
    late_clocks = sorted((clock for clock in situation.clocks if _is_late(clock, now)), key=_due)
    work = _lifts(pathway, situation, barred)
    unassigned = [task for task in late_tasks if task.login is None]
    if work is not None and work in unassigned:
        return sentences.nobody_assigned(pathway, work, now)
    late_here = [clock for clock in late_clocks if clock.record is None]
    if barred is not None and barred.reasons and (late_here or (work is not None and work in late_tasks)):
        late: list[Work | Clock] = [*late_here, *(task for task in late_tasks if task == work)]
        since = min(_due(each) for each in late)
        return sentences.guarded(pathway, barred.way, barred.reasons, work, since, now)
    if unassigned:
        return sentences.nobody_assigned(pathway, unassigned[0], now)
    if silent is not None:
        return sentences.silent_partner(pathway, *silent, now)
    free = barred.way if barred is not None and not barred.reasons else None
    if late_tasks:
        mover = _mover(pathway, situation, late_tasks[0])
        return sentences.late_task(pathway, late_tasks[0], mover, free, now)
    if late_clocks:
        return sentences.late_clock(pathway, late_clocks[0], free, now)
    return _in_time(pathway, situation, barred, work, now)


def _in_time(pathway: Pathway, situation: Situation, barred: Barred | None, work: Work | None, now: datetime) -> Cause:
    """Nothing is overdue: what comes next, or nothing at all."""
    if not situation.tasks and not situation.clocks:
        return sentences.forgotten(pathway, situation.facts, barred.way if barred else None, barred_by(barred), now)
    timers = sorted((clock for clock in situation.clocks if clock.kind == "timer"), key=_due)
    if not situation.tasks and timers:
        return sentences.waiting(pathway, timers[0])
    running: list[Work | Clock] = [*situation.tasks, *situation.clocks]
    due = sorted((each for each in running if not _is_timer(each)), key=_due)
    next_up = work if work is not None and work.due_at is not None else due[0] if due else None
    return sentences.on_time(pathway, situation.facts, next_up, barred_by(barred))


def barred_by(barred: Barred | None) -> Reason | None:
    """The first thing that stands in the way on."""
    return barred.reasons[0] if barred is not None and barred.reasons else None


def _barred(pathway: Pathway, situation: Situation, now: datetime) -> Barred | None:
    """The way on with the fewest reasons against it; of several the one nearest to closure."""
    found = [Barred(way, _against(pathway, way.transition, situation, now)) for way in _ways(pathway, situation)]
    return min(found, key=lambda each: len(each.reasons), default=None)


def _ways(pathway: Pathway, situation: Situation) -> tuple[Way, ...]:
    return ways_on(pathway).get(situation.facts.state, ())


def _against(pathway: Pathway, transition: Transition, situation: Situation, now: datetime) -> tuple[Reason, ...]:
    """What `decide` has against it, whoever of its roles asks: with the reason that the pathway lists first, and with
    whatever else a move may bring along."""
    fewest: tuple[Reason, ...] | None = None
    for role in people(pathway, transition.roles):
        verdict = decide(pathway, situation.facts, _assumed(pathway, transition, situation, role), now)
        reasons = verdict.reasons if isinstance(verdict, Refusal) else ()
        if fewest is None or len(reasons) < len(fewest):
            fewest = reasons
        if not any(reason.missing == "actor.role" for reason in reasons):
            break
    return fewest or ()


def _assumed(pathway: Pathway, transition: Transition, situation: Situation, role: str) -> Move:
    asks: dict[str, tuple[Any, ...]] = {guard.asks: guard.choices for guard in transition.guards if guard.asks}
    reasons = asks.pop("reason", ())
    listed = [key for key in (*pathway.close_reasons, *pathway.hold_reasons) if key in reasons]
    asks.pop("note", None)
    given = {name: choices[0] for name, choices in asks.items() if choices}
    actor = Actor(role, ANYBODY, situation.facts.office_id)
    return Move(
        *(situation.facts.case_id, transition.trigger, actor, "", ""),
        reason=listed[0] if listed else None,
        note="…",
        data=given,
        details=True,
    )


def _lifts(pathway: Pathway, situation: Situation, barred: Barred | None) -> Work | None:
    """The open task whose doing brings what bars the way: one that the way itself completes; else one that a move
    completes which asks for the same record; else one of the state's own."""
    if barred is None or not barred.reasons or not situation.tasks:
        return None
    state, ends = situation.facts.state, _completed(barred.way.transition)
    missing = {reason.missing for reason in barred.reasons if reason.missing}
    records = {field.partition(".")[0] for field in missing}

    def rank(task: Work) -> int:
        if task.key in ends:
            return 0
        asked = {
            guard.refusal.missing
            for transition in finishers(pathway).get((state, task.key), ())
            for guard in transition.guards
            if guard.refusal.missing
        }
        if asked & missing:
            return 1
        if records & {field.partition(".")[0] for field in asked}:
            return 2
        return 3 if pathway.tasks[task.key].state == state else 4

    ranked = [(rank(task), task) for task in situation.tasks if task.key in pathway.tasks]
    near = [(place, _due(task), task.opened_at, task.key, task) for place, task in ranked if place < 4]
    return min(near)[-1] if near else None


def _mover(pathway: Pathway, situation: Situation, task: Work) -> Transition | None:
    """The move that completes the task without leaving the state, if there is one."""
    found = finishers(pathway).get((situation.facts.state, task.key), ())
    return next((transition for transition in found if transition.internal), None)


def _way_back(pathway: Pathway, situation: Situation) -> Transition | None:
    state = situation.facts.state
    ways = [each for (source, _), each in pathway.table.items() if source == state and each.to_previous]
    return ways[0] if ways else None


def _completed(transition: Transition) -> frozenset[str]:
    return frozenset().union(*(completed(branch) for branch in transition.branches.values()))


def _silent(situation: Situation, now: datetime) -> Silent | None:
    """The most pressing referral whose answer is overdue, the longest overdue of several."""
    rank = {priority: place for place, priority in enumerate(PRIORITIES)}
    due: dict[str | None, datetime] = {}
    for clock in situation.clocks:
        if clock.kind != "timer":
            due[clock.record] = min(clock.due_at, due.get(clock.record, clock.due_at))
    late = [Silent(each, due[each.code]) for each in situation.referrals if due.get(each.code, _NEVER) <= now]
    return min(
        late,
        key=lambda each: (rank.get(each.referral.priority, len(rank)), each.due_at, each.referral.code),
        default=None,
    )


def _is_late(clock: Clock, now: datetime) -> bool:
    return clock.kind != "timer" and clock.due_at <= now


def _is_timer(each: Work | Clock) -> bool:
    return isinstance(each, Clock) and each.kind == "timer"


def _due(each: Work | Clock) -> datetime:
    return each.due_at or _NEVER
