"""Moves the clocks and tasks that a change of a calendar moves, and says so in the journal of each case.

`segin calendar` shows them before the change is made and moves them afterwards, chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from models.calendars import CalendarChange
from models.case import Case
from models.types import utc_text
from models.work import Deadline, DeadlineStatus
from states.calendars.changes import read_recorded
from states.calendars.offices import OfficeDays
from states.calendars.shifts import Moved, Shift, counted_in, shifts
from states.entries import Entry, new_entry, write_entries
from states.gather import CaseRow, load_cases
from states.history import CHANGE_CALENDAR
from states.moves import Actor, Move
from states.pathway import Pathway
from states.pathways.shelf import pathways_of
from states.reminders import arm_reminders


class Progress(NamedTuple):
    """What one chunk did: the last case that was looked at (none: all were), and counts of what moved."""

    last_case_id: int | None
    cases: int
    deadlines: int
    tasks: int


def affected_cases(session: Session, before: OfficeDays, after: OfficeDays, *, above: int, limit: int) -> Sequence[int]:
    """Ids, in order, of up to `limit` open cases above `above` in the offices whose calendar differs."""
    own = before.offices.keys() | after.offices.keys()
    differ = sorted(office_id for office_id in own if before.of(office_id) != after.of(office_id))
    where: ColumnElement[bool] = col(Case.office_id).in_(differ)
    if before.of(None) != after.of(None):
        where = or_(where, col(Case.office_id).is_(None), col(Case.office_id).not_in(sorted(own)))
    query = select(col(Case.id)).where(col(Case.id) > above, col(Case.closed_at).is_(None), where)
    return cast("Sequence[int]", session.scalars(query.order_by(col(Case.id)).limit(limit)).all())


def preview(session: Session, before: OfficeDays, after: OfficeDays, *, now: datetime, chunk: int) -> Iterator[Moved]:
    """Everything that a change from `before` to `after` would move, in the order of the cases; nothing is written."""
    above = 0
    while ids := affected_cases(session, before, after, above=above, limit=chunk):
        for shift in shifts(session, before, after, now=now, case_ids=ids).values():
            yield from shift.moved
        above = ids[-1]


def move_clocks(session: Session, change: CalendarChange, *, now: datetime, above: int, limit: int) -> Progress:
    """Move the clocks of up to `limit` cases above the id `above`, as a recorded change asks; the caller commits.

    Each case that it touches gets one journal row, by whoever made the change, that names what moved from when to when.
    Reminders are armed anew. A run that was interrupted can begin from the first case again: what has moved stays.
    """
    before, after = (OfficeDays(read_recorded(rows)) for rows in (change.before, change.after))
    ids = affected_cases(session, before, after, above=above, limit=limit)
    if not ids:
        change.finished_at = now
        session.flush()
        return Progress(None, 0, 0, 0)
    cases = load_cases(session, ids, lock=True)
    found = shifts(session, before, after, now=now, case_ids=ids)
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    actor = Actor(change.recorded_as, change.recorded_by)
    entries = [
        _entry(change, cases[case_id], pathways[cases[case_id].pathway_version_id], shift, actor, now)
        for case_id, shift in found.items()
    ]
    write_entries(session, entries, now)
    arm_reminders(session, case_ids=sorted(_to_remind(session, cases, pathways) | found.keys()), now=now)
    moved = [each.what for shift in found.values() for each in shift.moved]
    tasks = moved.count("task")
    change.cases += len(found)
    change.deadlines += len(moved) - tasks
    change.tasks += tasks
    session.flush()
    return Progress(ids[-1], len(found), len(moved) - tasks, tasks)


def unfinished_change(session: Session) -> CalendarChange | None:
    """The oldest change whose clocks were not all moved yet."""
    query = select(CalendarChange).where(col(CalendarChange.finished_at).is_(None)).order_by(col(CalendarChange.id))
    return session.scalars(query.limit(1)).first()


def _entry(change: CalendarChange, case: CaseRow, pathway: Pathway, shift: Shift, actor: Actor, now: datetime) -> Entry:
    told = [
        {"what": each.what, "key": each.key, "from": utc_text(each.old), "to": utc_text(each.new)}
        for each in shift.moved
    ]
    move = Move(
        case.id,
        CHANGE_CALENDAR,
        actor,
        command_id=f"calendar:{change.id}:{case.code}",
        correlation_id=f"calendar:{change.id}",
        data={"change": change.id, "moved": told},
    )
    return new_entry(pathway, case, move, case.state, case.state, shift.effects, now)


def _to_remind(session: Session, cases: Mapping[int, CaseRow], pathways: Mapping[int, Pathway]) -> set[int]:
    """The cases with a clock whose reminders are counted in working days, wherever the clock itself is due."""
    keys = {key for pathway in pathways.values() for key in counted_in(pathway).reminded}
    query = select(col(Deadline.case_id)).where(
        col(Deadline.case_id).in_(cases.keys()),
        col(Deadline.status) == DeadlineStatus.OPEN,
        col(Deadline.key).in_(sorted(keys)),
    )
    return set(session.scalars(query)) if keys else set()
