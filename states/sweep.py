"""Moves on the clocks that have run out: marks what is overdue, tells and escalates, and lets timers fire.

The nightly run and the sweep of urgent deadlines call it again and again, committing each chunk, until none is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states import bulk
from states.announcements import Announcement, announce
from states.calendar import Calendar
from states.calendars.offices import office_days
from states.clocks import RunOut, run_out, sweep_correlation
from states.notices import NewNotice, NoticeKind, write_deadline_notices
from states.pathway import DeadlineTemplate, Pathway
from states.pathways.shelf import pathways_of
from states.timers import fire_timers

_MOVE_ON = bulk.SetStatement(
    "UPDATE deadline SET next_at = r.next_at, level = r.level, overdue_at = COALESCE(deadline.overdue_at, r.at), "
    "escalated_at = CASE WHEN r.level > deadline.level THEN r.at ELSE deadline.escalated_at END "
    "FROM {rows} WHERE deadline.id = r.id",
    id=BigId,
    next_at=UtcDateTime(),
    level=Integer(),
    at=UtcDateTime(),
)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one chunk did. `seen` is 0 when nothing was left to look at; the rest counts changes.

    `escalated` counts deadlines that went up their ladder, by one step or several; `refused` counts timers whose move
    the pathway did not allow, each tried again later.
    """

    seen: int = 0
    overdue: int = 0
    escalated: int = 0
    notices: int = 0
    announced: int = 0
    fired: int = 0
    refused: int = 0


class Climb(NamedTuple):
    """Where a deadline stands on its ladder, and when there is more to do about it (none: never)."""

    level: int
    next_at: datetime | None


def sweep_deadlines(
    session: Session, *, as_of: datetime, limit: int, urgent_only: bool = False, wait: bool = False
) -> SweepResult:
    """Move on up to `limit` open clocks with something to do at `as_of`, or only those that a pathway calls urgent.

    A deadline that has passed becomes overdue: `overdue_at` is `as_of`, the instant at which it was noticed (`due_at`
    tells when it was due), its owner is told, and the event that its template names goes into the outbox. Each step
    of the escalation ladder that has been reached raises `level`; when several were reached at once, only the highest
    is told. Timers fire as moves of the system. `next_at` then says when there is more to do, always after `as_of`:
    a second run at the same instant finds nothing.

    Held clocks stand still and are never touched. Those of a case that somebody is changing at this moment are left
    out on PostgreSQL, unless told to `wait`. The number of statements is constant.
    """
    clocks = run_out(session, as_of, limit, urgent_only=urgent_only, wait=wait)
    if not clocks:
        return SweepResult()
    pathways = pathways_of(session, {clock.pathway_version_id for clock in clocks})
    overdue, escalated, notices, announced = _pass_deadlines(
        session, [clock for clock in clocks if clock.kind != "timer"], pathways, as_of
    )
    timers = fire_timers(session, [clock for clock in clocks if clock.kind == "timer"], pathways, as_of)
    return SweepResult(
        seen=len(clocks),
        overdue=overdue,
        escalated=escalated,
        notices=notices + timers.notices,
        announced=announced,
        fired=timers.fired,
        refused=timers.refused,
    )


def climb(template: DeadlineTemplate, calendar: Calendar, due_at: datetime, level: int, as_of: datetime) -> Climb:
    """The steps of the ladder that were reached by `as_of`; a level once reached is kept."""
    times = [calendar.add(due_at, step.after) for step in template.ladder]
    reached = max(level, sum(time <= as_of for time in times))
    return Climb(reached, min((time for time in times[reached:] if time > as_of), default=None))


def _pass_deadlines(
    session: Session, deadlines: Sequence[RunOut], pathways: Mapping[int, Pathway], as_of: datetime
) -> tuple[int, int, int, int]:
    """Counts of deadlines newly overdue, of those escalated, of notices and of events."""
    moved: list[tuple[Any, ...]] = []
    notices: list[NewNotice] = []
    overdue = escalated = 0
    announced: list[Announcement] = []
    at = bulk.time_text(as_of)
    days = office_days(session)
    for clock in deadlines:
        pathway = pathways[clock.pathway_version_id]
        template = pathway.deadlines[clock.key]
        calendar = pathway.calendar.locally(days.of(clock.office_id))
        level, next_at = climb(template, calendar, clock.due_at, clock.level, as_of)
        moved.append((clock.id, bulk.time_text(next_at), level, at))
        if clock.overdue_at is None:
            overdue += 1
            notices.append(_notice(clock, NoticeKind.OVERDUE, template.owner, as_of, 0))
            if template.announce is not None:
                announced.append(_announcement(clock, template.announce, as_of))
        if level > clock.level:
            escalated += 1
            notices.append(_notice(clock, NoticeKind.ESCALATION, template.ladder[level - 1].role, as_of, level))
    if moved:
        _MOVE_ON.execute(session, moved)
    announce(session, announced, at=as_of)
    return overdue, escalated, write_deadline_notices(session, notices), len(announced)


def _announcement(clock: RunOut, type_: str, as_of: datetime) -> Announcement:
    """A clock becomes overdue once, or once more when it was given more time."""
    return Announcement(
        named=f"{clock.code}/{clock.seq}/{clock.key}/{clock.record or ''}/{bulk.time_text(clock.due_at)}/{type_}",
        case_id=clock.case_id,
        events=clock.events,
        seq=clock.version,
        type=type_,
        region_pcode=clock.region_pcode,
        data={"case": clock.code, "deadline": clock.key},
        correlation_id=sweep_correlation(as_of),
    )


def _notice(clock: RunOut, kind: NoticeKind, role: str, as_of: datetime, step: int) -> NewNotice:
    return NewNotice(clock.case_id, kind, role, clock.office_id, as_of, step=step, deadline_id=clock.id)
