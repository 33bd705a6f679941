"""Counts of what there is and what waits, for receipts of nights and for whoever watches over the whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, SQLModel, col

from models.calendars import Waiver
from models.case import Case, JournalRow
from models.follow_up import FollowUpVisit
from models.partner import Delivery, Event
from models.work import Deadline, DeadlineStatus, Notice, Task, TaskStatus


def tally(session: Session) -> dict[str, Any]:
    """Cases by state, and what is open, overdue or waiting. One statement for each
    count."""
    states = session.execute(select(col(Case.state), func.count().label("number")).group_by(col(Case.state)))
    clock = col(Deadline.status) == DeadlineStatus.OPEN
    return {
        "cases": {row.state: row.number for row in states},
        "tasks_open": _count(session, Task, col(Task.status) == TaskStatus.OPEN),
        "tasks_unassigned": _count(session, Task, col(Task.status) == TaskStatus.OPEN, col(Task.staff_id).is_(None)),
        "deadlines_open": _count(session, Deadline, clock),
        "deadlines_overdue": _count(session, Deadline, clock, col(Deadline.overdue_at).is_not(None)),
        "deadlines_waived": _count(session, Waiver),
        "notices_waiting": _count(session, Notice, col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None)),
        "transitions_waiting": _count(session, JournalRow, col(JournalRow.dispatch_id).is_(None)),
        "events_waiting": _count(session, Event, col(Event.fanned_out_at).is_(None)),
        "deliveries_waiting": _count(session, Delivery, col(Delivery.finished_at).is_(None)),
    }


class VisitCount(NamedTuple):
    """Follow-up visits made, and how many cases they met: a visit to a household is one, for several cases."""

    visits: int
    cases: int


def visits_made(session: Session, *, since: datetime, until: datetime) -> VisitCount:
    """The visits from `since` until before `until`, each occasion once, each case once. One statement."""
    visits, cases = session.execute(
        select(
            func.count(func.distinct(col(FollowUpVisit.occasion))),
            func.count(func.distinct(col(FollowUpVisit.case_id))),
        ).where(
            col(FollowUpVisit.visited_at) >= since,
            col(FollowUpVisit.visited_at) < until,
            col(FollowUpVisit.taken_back_at).is_(None),
        )
    ).one()
    return VisitCount(visits, cases)


def _count(session: Session, table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
