"""Decides what moving one case to another version of its pathway does to it, or why it cannot be moved. Pure.

The comparison of two versions over the caseload, the dry run of a wave and the wave itself all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from states.calendar import Calendar
from states.change.caseload import Running, RunningClock, RunningTask
from states.change.mapping import Names
from states.decide import clock_from, effects_of, task_from
from states.facts import Facts
from states.moves import (
    SYSTEM,
    Announce,
    Effect,
    EndDeadline,
    EndTask,
    Move,
    OpenTask,
    RewriteDeadline,
    RewriteTask,
    SetDeadline,
    SetRecord,
)
from states.pathway import Branch, DeadlineTemplate, Pathway, StateKind, TaskTemplate

MIGRATED: Final = "case.migrated"
"""The event that tells partners that a state which they know of has another name, or is now theirs to know."""

ENTERS: Final = Move(0, "", SYSTEM, command_id="", correlation_id="")
"""What conditions on entry are asked about: nobody gave a reason or data."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The way from the version `old_id` to the version `new_id` (0: a file that is not published), and what it means
    for every case alike. With `keep_deadlines` what runs keeps its due times.

    `begins` has, by state of the old version, what entering the state begins in the new version and did not begin in
    the old one. `live` are the statuses of records (kind, status) that lead on in the old version, `returns` the ways
    back in the new one (from which state to which).
    """

    old_id: int
    new_id: int
    old: Pathway
    new: Pathway
    names: Names
    keep_deadlines: bool
    begins: dict[str, Branch]
    live: frozenset[tuple[str, str]]
    returns: frozenset[tuple[str, str]]
    same_days: bool

    @property
    def groups(self) -> frozenset[str]:
        """The groups of facts that `crossing` looks at."""
        conditions = [rule.when for branch in self.begins.values() for rule in branch.sets]
        conditions += [rule.when for branch in self.begins.values() for rule in branch.opens]
        groups = {group for when in conditions if when is not None for group in when.reads}
        return frozenset(groups | {"records"} if self.live else groups)


def passage(
    old_id: int, new_id: int, old: Pathway, new: Pathway, names: Names, *, keep_deadlines: bool = False
) -> Passage:
    """The way from one version to another, worked out once."""
    begins = {}
    for state in old.states:
        goal = names.state(state)
        if goal in new.states:
            before, after = old.entries[state], new.entries[goal]
            set_before = {rule.template.key for rule in before.sets}
            opened_before = {rule.template.key for rule in before.opens}
            begins[state] = Branch(
                to_state=goal,
                sets=tuple(rule for rule in after.sets if rule.template.key not in set_before),
                opens=tuple(rule for rule in after.opens if rule.template.key not in opened_before),
            )
    live = {
        (step.record.kind, status)
        for step in old.table.values()
        if step.record is not None
        for status in step.record.sources
    }
    returns = {(state, goal) for (state, _), each in new.table.items() if each.to_previous for goal in each.branches}
    same_days = _days(old.calendar) == _days(new.calendar)
    return Passage(
        *(old_id, new_id, old, new, names, keep_deadlines, begins, frozenset(live), frozenset(returns), same_days)
    )


def crossing(way: Passage, running: Running, now: datetime) -> tuple[Effect, ...]:
    """What the move does to a case against which `states.change.verdicts.objections` found nothing.

    A task or clock goes on if the new version has its template and it belongs where the case is; else it is cancelled.
    What goes on is as the new template says, due as long after its start as that allows, and as much later as it stood
    still. Then begins what entering the state begins in the new version and did not begin in the old one.
    """
    case, facts = running.case, running.facts
    goal, back = way.names.state(case.state), _goal_back(way, case.previous_state)
    scopes = _scopes(way.new, goal, back)
    effects: list[Effect] = []
    for task in running.tasks:
        effects += _task(way, facts, task, scopes)
    for clock in running.clocks:
        effects += _clock(way, facts, clock, scopes, now)
    for record in facts.records.values():
        status = way.names.status(record.kind, record.status)
        if status != record.status and (record.kind, record.status) in way.live:
            effects.append(SetRecord(record.kind, record.code, record.status, status))
    gone = {effect.key for effect in effects if isinstance(effect, EndTask | EndDeadline)}
    runs = ({task.key for task in running.tasks} | {clock.key for clock in running.clocks}) - gone
    asked = replace(facts, plan=way.names.plan(facts.plan))
    for effect in effects_of(way.new, way.begins[case.state], asked, ENTERS, now):
        if isinstance(effect, OpenTask | SetDeadline) and effect.key not in runs:
            effects.append(effect)
    return (*effects, *_announced(way, case.state, goal))


def breaches(running: Running, effects: Iterable[Effect], now: datetime) -> int:
    """How many of the case's running clocks run out by the move itself, which they would not have by now."""
    due = {clock.id: clock.due_at for clock in running.clocks if clock.status == "open"}
    return sum(
        isinstance(effect, RewriteDeadline) and effect.due_at <= now < due.get(effect.id, now) for effect in effects
    )


def _goal_back(way: Passage, previous: str | None) -> str | None:
    return None if previous is None else way.names.state(previous)


def _scopes(new: Pathway, goal: str, back: str | None) -> frozenset[str | None]:
    """The states with which a running task or clock of the case may end; a held case keeps those that stand still."""
    if new.states[goal].kind is not StateKind.HOLD:
        return frozenset((None, goal))
    holds = (key for key, state in new.states.items() if state.kind is StateKind.HOLD)
    return frozenset((None, back, *holds))


def _task(way: Passage, facts: Facts, task: RunningTask, scopes: frozenset[str | None]) -> Iterator[Effect]:
    before, template = way.old.tasks.get(task.key), way.new.tasks.get(task.key)
    if before is None or template is None or not _goes_on(template, task.record, scopes):
        yield EndTask(task.key, done=False, record=task.record)
        return
    fresh = task_from(way.new, template, facts.priority, facts, task.opened_at)
    rewritten = task_as_it_is(task)._replace(state=template.state)
    if template.role != before.role:
        rewritten = rewritten._replace(role=template.role, staff_id=None)
    if template.priority != before.priority:
        rewritten = rewritten._replace(priority=fresh.priority)
    if not way.keep_deadlines and (template.due != before.due or template.base != before.base or not way.same_days):
        rewritten = _task_due_at(rewritten, fresh.due_at)
    if rewritten != task_as_it_is(task):
        yield rewritten


def _clock(
    way: Passage, facts: Facts, clock: RunningClock, scopes: frozenset[str | None], now: datetime
) -> Iterator[Effect]:
    before, template = way.old.deadlines.get(clock.key), way.new.deadlines.get(clock.key)
    if (
        before is None
        or template is None
        or template.kind != clock.kind
        or not _goes_on(template, clock.record, scopes)
    ):
        yield EndDeadline(clock.key, met=False, record=clock.record)
        return
    as_it_is = clock_as_it_is(clock)
    rewritten = as_it_is._replace(state=template.state)
    if not way.keep_deadlines and (_allowed(template) != _allowed(before) or not way.same_days):
        first = clock_from(way.new, template, facts, clock.started_at).due_at
        rewritten = _due_at(rewritten, first + (clock.due_at - clock.first_due_at), first, now)
    elif template.ladder != before.ladder and clock.overdue_at is not None and clock.kind == "deadline":
        rewritten = rewritten._replace(next_at=clock.due_at)
    if rewritten != as_it_is:
        yield rewritten


def _task_due_at(task: RewriteTask, first_due_at: datetime | None) -> RewriteTask:
    """The task with another due time, as much later as the task stood still, where that is known."""
    if first_due_at is None or task.due_at is None or task.first_due_at is None:
        known = task.due_at is None or task.first_due_at is not None
        return task._replace(due_at=first_due_at, first_due_at=first_due_at if known else None)
    return task._replace(due_at=first_due_at + (task.due_at - task.first_due_at), first_due_at=first_due_at)


def _due_at(clock: RewriteDeadline, due_at: datetime, first_due_at: datetime, now: datetime) -> RewriteDeadline:
    """The clock with another due time. What is not due any more starts its ladder anew; what still is goes on where it
    is, and the sweep looks at it again."""
    moved = clock._replace(due_at=due_at, first_due_at=first_due_at)
    if due_at > now:
        return moved._replace(next_at=due_at, level=0, overdue_at=None, escalated_at=None)
    return moved._replace(next_at=due_at)


def _goes_on(template: TaskTemplate | DeadlineTemplate, record: str | None, scopes: frozenset[str | None]) -> bool:
    return template.state in scopes and (template.record is None) == (record is None)


def _allowed(template: DeadlineTemplate) -> tuple[object, ...]:
    return (template.base, template.due, template.before)


def _announced(way: Passage, state: str, goal: str) -> Iterator[Announce]:
    """Partners hear of it if it changes what they know of the case: the name of a state that they may know."""
    known_before = state if way.old.states[state].shared else None
    known = goal if way.new.states[goal].shared else None
    if known != known_before:
        yield Announce(MIGRATED, {"state": known} if known else {})


def task_as_it_is(task: RunningTask) -> RewriteTask:
    """The effect that would change nothing about the task; undoing a move writes it."""
    return RewriteTask(
        *(task.id, task.key, task.state, task.role, task.staff_id, task.priority, task.status, task.due_at),
        task.first_due_at,
    )


def clock_as_it_is(clock: RunningClock) -> RewriteDeadline:
    """The effect that would change nothing about the clock; undoing a move writes it."""
    return RewriteDeadline(
        *(clock.id, clock.key, clock.state, clock.status, clock.due_at, clock.first_due_at, clock.next_at),
        *(clock.level, clock.overdue_at, clock.escalated_at),
    )


def _days(calendar: Calendar) -> tuple[object, ...]:
    return (calendar.timezone, calendar.weekend, calendar.country, calendar.days_off, calendar.working_days)
