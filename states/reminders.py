"""Reminders before a deadline, written in time; `states.releases` sends them.

The dispatch of a transition arms the reminders of its cases, a change of a calendar those that it moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select
from sqlmodel import Session, col

from models.case import Case, JournalRow
from models.work import Deadline, DeadlineStatus, Notice
from states.calendar import Calendar
from states.calendars.offices import office_days
from states.notices import NewNotice, NoticeKind, cancel_notices, write_deadline_notices
from states.pathway import DeadlineTemplate
from states.pathways.shelf import pathways_of


def arm_reminders(session: Session, *, case_ids: Sequence[int], now: datetime) -> int:
    """Write the reminders of the open deadlines of these cases, cancel those that no longer apply, count the new ones.

    A deadline that stood still while its case was held is reminded as much later. Of reminders whose time has already
    come, only the last is written, and only if the deadline ran by then: what was due within a day from the start is
    not reminded of two days before. Nothing is written for what is already due, and no reminder of a deadline is sent
    twice. Six statements, however many cases.
    """
    deadlines = session.execute(_running(case_ids, now)).all()
    pathways = pathways_of(session, {deadline.pathway_version_id for deadline in deadlines})
    days = office_days(session)
    waiting, sent = _reminders_of(session, case_ids)
    wanted: dict[tuple[int, int, datetime], NewNotice] = {}
    for deadline in deadlines:
        pathway = pathways[deadline.pathway_version_id]
        template = pathway.deadlines[deadline.key]
        calendar = pathway.calendar.locally(days.of(deadline.office_id))
        for step, send_at in reminder_times(template, calendar, deadline.due_at, deadline.started_at, now):
            if (deadline.id, step) not in sent:
                wanted[deadline.id, step, send_at] = NewNotice(
                    *(deadline.case_id, NoticeKind.REMINDER, template.owner, deadline.office_id, send_at),
                    step=step,
                    deadline_id=deadline.id,
                )
    cancel_notices(session, [id_ for key, id_ in waiting.items() if key not in wanted], now)
    return write_deadline_notices(session, [notice for key, notice in wanted.items() if key not in waiting])


def reminder_times(
    template: DeadlineTemplate, calendar: Calendar, due_at: datetime, started_at: datetime, now: datetime
) -> list[tuple[int, datetime]]:
    """The reminders (step, instant) of a deadline that are still to be sent at `now`, as `arm_reminders` describes."""
    times = sorted((calendar.subtract(due_at, span), step) for step, span in enumerate(template.reminders))
    late = [(step, time) for time, step in times if started_at < time <= now]
    return late[-1:] + [(step, time) for time, step in times if time > max(started_at, now)]


def _running(case_ids: Sequence[int], now: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(col(Deadline.id), col(Deadline.case_id), col(Deadline.key), col(Deadline.due_at)),
            *(col(Case.pathway_version_id), col(Case.office_id), col(JournalRow.at).label("started_at")),
        )
        .join(Case, col(Case.id) == col(Deadline.case_id))
        .join(
            JournalRow,
            and_(col(JournalRow.case_id) == col(Deadline.case_id), col(JournalRow.seq) == col(Deadline.seq)),
        )
        .where(
            col(Deadline.case_id).in_(case_ids),
            col(Deadline.status) == DeadlineStatus.OPEN,
            col(Deadline.kind) == "deadline",
            col(Deadline.due_at) > now,
        )
        .order_by(col(Deadline.id))
    )


def _reminders_of(
    session: Session, case_ids: Sequence[int]
) -> tuple[dict[tuple[int | None, int, datetime], int | None], set[tuple[int | None, int]]]:
    """The reminders of these cases that wait (by deadline, step and instant), and those sent (deadline and step)."""
    rows = session.execute(
        select(
            col(Notice.id), col(Notice.deadline_id), col(Notice.step), col(Notice.send_at), col(Notice.sent_at)
        ).where(
            col(Notice.case_id).in_(case_ids),
            col(Notice.kind) == NoticeKind.REMINDER,
            col(Notice.cancelled_at).is_(None),
        )
    ).all()
    waiting = {(row.deadline_id, row.step, row.send_at): row.id for row in rows if row.sent_at is None}
    return waiting, {(row.deadline_id, row.step) for row in rows if row.sent_at is not None}
