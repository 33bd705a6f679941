"""Reminders before a deadline, and the sending of every notice that waits for the digest of the night.

The dispatch of a transition arms the reminders of its cases; the nightly run and the sweep of urgent deadlines send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select
from sqlmodel import Session, col

from models.case import Case, JournalRow
from models.types import BigId, UtcDateTime
from models.work import Deadline, DeadlineStatus, Notice, Task, TaskStatus
from states import bulk
from states.calendar import Calendar
from states.notices import NewNotice, NoticeKind, write_deadline_notices
from states.pathway import DeadlineTemplate, Pathway
from states.pathways.shelf import pathways_of

_CANCEL = bulk.SetStatement(
    "UPDATE notice SET cancelled_at = r.at FROM {rows} WHERE notice.id = r.id", id=BigId, at=UtcDateTime()
)
# A line for a role goes to whoever of that role has an open task of the case, the newest first, if there is somebody.
_SEND = bulk.SetStatement(
    """
    UPDATE notice SET sent_at = r.at, staff_id = COALESCE(notice.staff_id, (
        SELECT task.staff_id FROM task
        WHERE task.case_id = notice.case_id AND task.status = 'open' AND task.role = notice.role
        AND task.staff_id IS NOT NULL ORDER BY task.id DESC LIMIT 1
    ))
    FROM {rows} WHERE notice.id = r.id
    """,
    id=BigId,
    at=UtcDateTime(),
)


class Released(NamedTuple):
    """Lines sent, and lines cancelled because what they were about is over."""

    sent: int = 0
    cancelled: int = 0


def arm_reminders(session: Session, *, case_ids: Sequence[int], now: datetime) -> int:
    """Write the reminders of the open deadlines of these cases, cancel those that no longer apply, count the new ones.

    A deadline that stood still while its case was held is reminded as much later. Of reminders whose time has already
    come, only the last is written, and only if the deadline ran by then: what was due within a day from the start is
    not reminded of two days before. Nothing is written for what is already due, and no reminder of a deadline is sent
    twice. Five statements, however many cases.
    """
    deadlines = session.execute(_running(case_ids, now)).all()
    pathways = pathways_of(session, {deadline.pathway_version_id for deadline in deadlines})
    waiting, sent = _reminders_of(session, case_ids)
    wanted: dict[tuple[int, int, datetime], NewNotice] = {}
    for deadline in deadlines:
        pathway = pathways[deadline.pathway_version_id]
        template = pathway.deadlines[deadline.key]
        for step, send_at in reminder_times(template, pathway.calendar, deadline.due_at, deadline.started_at, now):
            if (deadline.id, step) not in sent:
                wanted[deadline.id, step, send_at] = NewNotice(
                    *(deadline.case_id, NoticeKind.REMINDER, template.owner, deadline.office_id, send_at),
                    step=step,
                    deadline_id=deadline.id,
                )
    _cancel(session, [id_ for key, id_ in waiting.items() if key not in wanted], now)
    return write_deadline_notices(session, [notice for key, notice in wanted.items() if key not in waiting])


def reminder_times(
    template: DeadlineTemplate, calendar: Calendar, due_at: datetime, started_at: datetime, now: datetime
) -> list[tuple[int, datetime]]:
    """The reminders (step, instant) of a deadline that are still to be sent at `now`, as `arm_reminders` describes."""
    times = sorted((calendar.subtract(due_at, span), step) for step, span in enumerate(template.reminders))
    late = [(step, time) for time, step in times if started_at < time <= now]
    return late[-1:] + [(step, time) for time, step in times if time > max(started_at, now)]


def release_notices(session: Session, *, now: datetime, limit: int) -> Released:
    """Send up to `limit` lines whose time has come, or cancel them; nothing is left when all counts are 0.

    A reminder is sent while its deadline is open, not yet due, and still due on the day that it was reckoned from; an
    overdue or escalated deadline, a refused timer or a task while it is open. Lines with the same `sent_at` make one
    digest for each person (`staff_id`), or for the role in an office where nobody in particular has the case. Four
    statements at most.
    """
    notices = session.execute(_waiting(now, limit)).all()
    pathways = pathways_of(session, {notice.pathway_version_id for notice in notices})
    timely = [notice.id for notice in notices if _still_true(notice, pathways, now)]
    _cancel(session, {notice.id for notice in notices}.difference(timely), now)
    if timely:
        _SEND.execute(session, [(id_, bulk.time_text(now)) for id_ in timely])
    return Released(len(timely), len(notices) - len(timely))


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


def _waiting(now: datetime, limit: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(col(Notice.id), col(Notice.kind), col(Notice.step), col(Notice.send_at), col(Notice.task_id)),
            *(col(Deadline.status), col(Deadline.due_at), col(Deadline.key), col(Case.pathway_version_id)),
            col(Task.status).label("task_status"),
        )
        .join(Case, col(Case.id) == col(Notice.case_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .outerjoin(Task, col(Task.id) == col(Notice.task_id))
        .where(col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None), col(Notice.send_at) <= now)
        .order_by(col(Notice.send_at), col(Notice.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Notice)
    )


def _still_true(notice: Any, pathways: Mapping[int, Pathway], now: datetime) -> bool:
    if notice.status is None:
        return notice.task_status in (None, TaskStatus.OPEN)
    if notice.status != DeadlineStatus.OPEN:
        return False
    if notice.kind != NoticeKind.REMINDER:
        return bool(notice.due_at <= now)
    pathway = pathways[notice.pathway_version_id]
    span = pathway.deadlines[notice.key].reminders[notice.step]
    return bool(notice.due_at > now and pathway.calendar.subtract(notice.due_at, span) == notice.send_at)


def _cancel(session: Session, notice_ids: Iterable[int | None], now: datetime) -> None:
    rows = [(id_, bulk.time_text(now)) for id_ in notice_ids]
    if rows:
        _CANCEL.execute(session, rows)
