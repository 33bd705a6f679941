"""Taking back the last transition of a case: what stands against it, and what puts the case back as it was.

`states.decide` calls it for a transition that takes back. Nothing is deleted: the journal gets a row that compensates,
tasks and clocks are as they were, and whoever received an event of the mistake receives its correction. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from states.facts import Facts
from states.history import ClockPast, Past, PastRow, TaskPast
from states.kept_steps import kept
from states.moves import (
    Announce,
    Corrects,
    Effect,
    EndDeadline,
    EndTask,
    Reason,
    Restore,
    RewriteDeadline,
    RewriteTask,
    SetPriority,
    SetRecord,
    UndoStep,
)
from states.pathway import Pathway, StateKind
from states.records import DETAIL_TABLES, TAKEN_BACK

CORRECTED: Final = "case.corrected"
"""The event that tells a partner that an earlier one of the case was a mistake."""

NOTHING_TO_TAKE_BACK: Final = Reason(
    "nothing_to_take_back",
    "Il n'y a pas d'action à annuler : le dossier vient d'être enregistré.",
    "There is nothing to take back: the case has only been registered.",
    "journal",
)


def correction_objections(pathway: Pathway, facts: Facts) -> list[Reason]:
    """What stands against taking back the last transition that still stands."""
    row = facts.past.last if facts.past else None
    if facts.past is None or row is None or row.from_state is None:
        return [NOTHING_TO_TAKE_BACK]
    transition = pathway.table.get((row.from_state, row.trigger))
    if transition is None:
        fr = f"La dernière ligne du journal ({row.trigger}) n'est pas une action du parcours : elle ne s'annule pas."
        en = f"The last row of the journal ({row.trigger}) is no move of the pathway: it cannot be taken back."
        return [Reason("not_a_transition", fr, en, "journal")]
    instead = kept(row)
    if instead is not None:
        return [instead]
    apart = transition.details and transition.record is None and row.trigger not in DETAIL_TABLES
    if apart or transition.waives:
        title = pathway.triggers[row.trigger]
        fr = f"« {title.fr} » se corrige en l'enregistrant à nouveau, pas en l'annulant."
        en = f"“{title.en}” is corrected by recording it anew, not by taking it back."
        return [Reason("recorded_apart", fr, en, "journal")]
    return []


def correction_effects(pathway: Pathway, facts: Facts, now: datetime) -> tuple[str, tuple[Effect, ...]]:
    """The state that the case goes back to, and everything that puts it back. Facts need the group `past`, and nothing
    stands against it."""
    past = facts.past
    if past is None or past.last is None or past.last.from_state is None:
        raise ValueError("nothing to take back")
    row, state = past.last, past.last.from_state
    effects: list[Effect] = [Corrects(row.seq)]
    if state != row.to_state:
        effects.append(_restore(pathway, facts, past))
    change = row.data.get("priority")
    if isinstance(change, Mapping):  # what the case's became; a referral has one of its own, which is text
        effects.append(SetPriority(change["from"]))
    step = row.data.get("record")
    if step is not None:
        before = step["from"] or TAKEN_BACK
        effects.append(SetRecord(step["kind"], step["code"], step["to"], before))
        effects.append(UndoStep(row.trigger, step["code"], _earlier(past, step["code"]), before))
    effects += _ended(past, row)
    effects += _tasks(pathway, past, row)
    effects += _clocks(pathway, facts, past, row, now)
    shared = {"state": state} if pathway.states[state].shared else {}
    effects += [Announce(CORRECTED, {**shared, "corrects": uid}) for uid in past.events]
    return state, tuple(effects)


def _restore(pathway: Pathway, facts: Facts, past: Past) -> Restore:
    """The case's own fields as they were in the state that it goes back to."""
    came, state = past.came, past.rows[-1].from_state or ""
    kind = pathway.states[state].kind
    at = came.at if came else facts.registered_at
    final = kind is StateKind.FINAL
    return Restore(
        entered_state_at=at,
        previous_state=_previous_state(pathway, facts, past.rows[-1]),
        held_at=at if kind is StateKind.HOLD else None,
        closure_reason=came.reason if came and final else None,
        closed_at=at if final else None,
    )


def _previous_state(pathway: Pathway, facts: Facts, row: PastRow) -> str | None:
    """Where the held or closed case that the row moved goes back to: where the row led to, if it led back; else it
    is what it still remembers. An active state has no way back."""
    if pathway.states[row.from_state or ""].kind is StateKind.ACTIVE:
        return None
    return row.to_state if pathway.states[row.to_state].kind is StateKind.ACTIVE else facts.previous_state


def _earlier(past: Past, code: str) -> int | None:
    """The seq of the row with which the record came to where it was before the last one."""
    rows = (row.seq for row in reversed(past.rows[:-1]) if row.data.get("record", {}).get("code") == code)
    return next(rows, None)


def _ended(past: Past, row: PastRow) -> Iterator[Effect]:
    """What the row began and is not over yet, is cancelled."""
    for task in past.tasks:
        if task.seq == row.seq and task.status in ("open", "held"):
            yield EndTask(task.key, False, task.record)
    for clock in past.clocks:
        if clock.seq == row.seq and clock.status in ("open", "held"):
            yield EndDeadline(clock.key, False, clock.record)


def _held(pathway: Pathway, past: Past, row: PastRow, seq: int) -> bool:
    """Whether what began with `seq` stood still before the row: the case was on hold, and it is older than the hold."""
    state = row.from_state or ""
    on_hold = pathway.states[state].kind is StateKind.HOLD
    return on_hold and past.came is not None and seq < past.came.seq


def _tasks(pathway: Pathway, past: Past, row: PastRow) -> Iterator[Effect]:
    """Tasks that the row ended, held or let go on, as they were before it."""
    shift = _stood_still(pathway, past, row)
    for task in past.tasks:
        if task.seq >= row.seq:
            continue
        held = _held(pathway, past, row, task.seq)
        if task.closed_seq == row.seq:
            yield _task(task, "held" if held else "open", timedelta())
        elif task.status == "held" and not held:  # the row put the case on hold
            yield _task(task, "open", timedelta())
        elif task.status == "open" and held:  # the row let it go on
            yield _task(task, "held", shift)


def _clocks(pathway: Pathway, facts: Facts, past: Past, row: PastRow, now: datetime) -> Iterator[Effect]:
    """Clocks likewise. A timer that had fired with the row starts anew, or it would fire again at once."""
    shift = _stood_still(pathway, past, row)
    for clock in past.clocks:
        if clock.seq >= row.seq:
            continue
        held = _held(pathway, past, row, clock.seq)
        if clock.closed_seq == row.seq and clock.status == "fired":
            calendar = pathway.calendar.locally(facts.local_days)
            due = pathway.deadlines[clock.key].due_from(calendar, now, now.date())
            yield _clock(clock._replace(due_at=due, next_at=due, level=0, overdue_at=None), "open", timedelta())
        elif clock.closed_seq == row.seq:
            yield _clock(clock, "held" if held else "open", timedelta())
        elif clock.status == "held" and not held:
            yield _clock(clock, "open", timedelta())
        elif clock.status == "open" and held:
            yield _clock(clock, "held", shift)


def _stood_still(pathway: Pathway, past: Past, row: PastRow) -> timedelta:
    """By how much the row, if it resumed the case, put off what had stood still."""
    if past.came is None or pathway.states[row.from_state or ""].kind is not StateKind.HOLD:
        return timedelta()
    return row.at - past.came.at


def _task(task: TaskPast, status: str, sooner: timedelta) -> RewriteTask:
    due = None if task.due_at is None else task.due_at - sooner
    return RewriteTask(task.id, task.key, task.state, task.role, task.staff_id, task.priority, status, due)


def _clock(clock: ClockPast, status: str, sooner: timedelta) -> RewriteDeadline:
    return RewriteDeadline(
        id=clock.id,
        key=clock.key,
        state=clock.state,
        status=status,
        due_at=clock.due_at - sooner,
        first_due_at=clock.first_due_at,
        next_at=None if clock.next_at is None else clock.next_at - sooner,
        level=clock.level,
        overdue_at=clock.overdue_at,
        escalated_at=clock.escalated_at,
    )
