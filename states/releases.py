"""Sends the notices that wait: one digest for each person and day, and at once what cannot wait for it.

The nightly run releases the day's digests, the sweep of urgent deadlines the urgent lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Row,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, col

from models.calendars import Digest
from models.case import Case
from models.partner import Subscription
from models.sharing import PartnerEvent
from models.types import BigId, UtcDateTime
from models.work import Deadline, DeadlineStatus, Notice, Task, TaskStatus
from states import bulk
from states.calendars.offices import OfficeDays, office_days
from states.clocks import of_urgent_clocks
from states.notices import NoticeKind, cancel_notices
from states.pathway import Pathway
from states.pathways.shelf import pathways_of

_DIGEST_COLUMNS: Final[dict[str, TypeEngine[Any]]] = {
    "recipient": String(),
    "staff_id": BigId,
    "role": String(),
    "office_id": BigId,
    "day": Date(),
    "sent_at": UtcDateTime(),
    "lines": Integer(),
    "urgent": Boolean(),
}
_INSERT: Final = (
    "INSERT INTO digest (recipient, staff_id, role, office_id, day, sent_at, lines, urgent) "
    "SELECT recipient, staff_id, role, office_id, day, sent_at, lines, urgent FROM {{rows}} WHERE true "
    "ON CONFLICT {} DO UPDATE SET lines = digest.lines + excluded.lines RETURNING id, recipient, lines"
)
_OPEN_DAILY = bulk.SetStatement(_INSERT.format("(recipient, day) WHERE NOT urgent"), **_DIGEST_COLUMNS)
_OPEN_URGENT = bulk.SetStatement(_INSERT.format("(recipient, urgent, sent_at)"), **_DIGEST_COLUMNS)
_SEND = bulk.SetStatement(
    "UPDATE notice SET sent_at = r.at, staff_id = r.staff_id, digest_id = r.digest_id FROM {rows} "
    "WHERE notice.id = r.id",
    id=BigId,
    at=UtcDateTime(),
    staff_id=BigId,
    digest_id=BigId,
)


class Released(NamedTuple):
    """Lines sent, lines cancelled because what they were about is over, and the messages that were begun for them."""

    sent: int = 0
    cancelled: int = 0
    digests: int = 0


class Recipient(NamedTuple):
    """Whom a message is for: a member of staff, or (`staff_id` none) the people of a role in an office (none: in no
    office)."""

    staff_id: int | None
    role: str | None = None
    office_id: int | None = None

    @property
    def code(self) -> str:
        """As digests name it."""
        if self.staff_id is not None:
            return f"staff:{self.staff_id}"
        return f"role:{self.role}:{self.office_id or ''}"


def release_notices(session: Session, *, now: datetime, day: date, limit: int) -> Released:
    """Put up to `limit` lines whose time has come into the digests of the local day `day`, or cancel them; nothing is
    left when all counts are 0.

    A reminder is sent while its deadline is open, not yet due, and still due on the day that it was reckoned from; an
    overdue or escalated deadline, a refused timer or a task while it is open; nothing about a case that is closed.
    That a partner is silent is sent until it has acknowledged, wherever the case is; that nothing more is sent to one,
    until somebody resumes it. What stands still waits. A line is
    for whoever of its role has an open task of the case, the newest first, else for the role in the office. Nobody gets
    a second digest on the same day: what comes up after it was sent waits for the next one. Lines released at the same
    `now` share one digest, so a run that was killed goes on with it. Six statements at most.
    """
    return _release(session, now, day, limit, urgent=False)


def release_urgent(session: Session, *, now: datetime, day: date, limit: int) -> Released:
    """The same at once for the lines about deadlines that their pathway calls urgent, whoever had a digest today. Lines
    released together make one message for each recipient."""
    return _release(session, now, day, limit, urgent=True)


def urgent_lines_wait(session: Session, *, now: datetime) -> bool:
    """Whether `release_urgent` would find something. Enough for a session that only reads, so asking takes no lock."""
    return bool(session.scalar(select(_waiting(now, of_urgent_clocks(session)).exists())))


def waiting_lines(session: Session, recipient: Recipient, *, before: datetime) -> int:
    """How many lines wait for the recipient's next digest, if it is sent at `before`."""
    query = _waiting(before, _RECIPIENT.in_([recipient.code]))
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _release(session: Session, now: datetime, day: date, limit: int, *, urgent: bool) -> Released:
    which = of_urgent_clocks(session) if urgent else not_(_had_digest(now, day))
    query = _waiting(now, which).order_by(col(Notice.send_at), col(Notice.id)).limit(limit)
    notices = session.execute(query.with_for_update(key_share=True, skip_locked=True, of=Notice)).all()
    if not notices:
        return Released()
    pathways = pathways_of(session, {notice.pathway_version_id for notice in notices} - {None})
    days = office_days(session)
    timely = [notice for notice in notices if _still_true(notice, pathways, days, now)]
    cancel_notices(session, {notice.id for notice in notices}.difference(each.id for each in timely), now)
    lines = Counter(notice.recipient for notice in timely)
    digests = _open_digests(session, timely, lines, now, day, urgent=urgent)
    begun = sum(total == lines[recipient] for recipient, (_, total) in digests.items())
    at = bulk.time_text(now)
    if timely:
        _SEND.execute(session, [(each.id, at, each.to_staff, digests[each.recipient][0]) for each in timely])
    return Released(len(timely), len(notices) - len(timely), begun)


def _open_digests(
    session: Session, notices: Sequence[Row[Any]], lines: Mapping[str, int], now: datetime, day: date, *, urgent: bool
) -> dict[str, tuple[int, int]]:
    """Id and number of lines of each recipient's digest, with these `lines` counted in."""
    first = {notice.recipient: notice for notice in reversed(notices)}
    rows = [
        (
            recipient,
            notice.to_staff,
            *((None, None) if notice.to_staff is not None else (notice.role, notice.office_id)),
            *(day, bulk.time_text(now), lines[recipient], urgent),
        )
        for recipient, notice in sorted(first.items())
    ]
    if not rows:
        return {}
    statement = _OPEN_URGENT if urgent else _OPEN_DAILY
    return {recipient: (id_, total) for id_, recipient, total in statement.execute(session, rows)}


# Whoever of the role has an open task of the case, the newest first.
_HOLDER: Final = (
    select(col(Task.staff_id))
    .where(
        col(Task.case_id) == col(Notice.case_id),
        col(Task.status) == TaskStatus.OPEN,
        col(Task.role) == col(Notice.role),
        col(Task.staff_id).is_not(None),
    )
    .order_by(col(Task.id).desc())
    .limit(1)
    .correlate(Notice)
    .scalar_subquery()
)
_TO_STAFF: Final = func.coalesce(col(Notice.staff_id), _HOLDER)
_OFFICE: Final = func.coalesce(cast(col(Notice.office_id), String), "")
_RECIPIENT: Final[ColumnElement[str]] = func.coalesce(
    literal("staff:") + cast(_TO_STAFF, String), literal("role:") + col(Notice.role) + literal(":") + _OFFICE
)
_ABOUT: Final = Task.__table__.alias("about")  # type: ignore[attr-defined]


def _waiting(now: datetime, which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The lines whose time has come, but for those of what stands still."""
    stands_still = or_(
        col(Deadline.status) == DeadlineStatus.HELD,
        _ABOUT.c.status == TaskStatus.HELD,
        and_(
            *(col(Notice.deadline_id).is_(None), col(Notice.task_id).is_(None)),
            *(col(Notice.partner_event_id).is_(None), col(Case.held_at).is_not(None)),
        ),
    )
    return (
        select(
            *(col(Notice.id), col(Notice.kind), col(Notice.step), col(Notice.send_at), col(Notice.role)),
            *(col(Notice.office_id), _TO_STAFF.label("to_staff"), _RECIPIENT.label("recipient")),
            *(col(Deadline.status), col(Deadline.due_at), col(Deadline.key), _ABOUT.c.status.label("task_status")),
            *(col(Case.pathway_version_id), col(Case.office_id).label("case_office_id"), col(Case.closed_at)),
            *(col(PartnerEvent.acknowledged_at), col(Subscription.status).label("subscription_status")),
        )
        .outerjoin(Case, col(Case.id) == col(Notice.case_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .outerjoin(_ABOUT, _ABOUT.c.id == col(Notice.task_id))
        .outerjoin(PartnerEvent, col(PartnerEvent.id) == col(Notice.partner_event_id))
        .outerjoin(Subscription, col(Subscription.id) == col(Notice.subscription_id))
        .where(
            *(col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None), col(Notice.send_at) <= now),
            *(func.coalesce(stands_still, False).is_(False), which),
        )
    )


def _had_digest(now: datetime, day: date) -> ColumnElement[bool]:
    """Whether whom the line is for has had the digest of the day, from another run than the one at `now`."""
    had = select(col(Digest.id)).where(
        col(Digest.recipient) == _RECIPIENT, col(Digest.day) == day, ~col(Digest.urgent), col(Digest.sent_at) != now
    )
    return had.correlate(Notice).exists()


def _still_true(notice: Row[Any], pathways: Mapping[int, Pathway], days: OfficeDays, now: datetime) -> bool:
    if notice.kind == NoticeKind.PARTNER_SILENT:
        return bool(notice.acknowledged_at is None)
    if notice.kind == NoticeKind.PARTNER_DISABLED:
        return bool(notice.subscription_status == "disabled")
    if notice.closed_at is not None:
        return False
    if notice.status is None:
        return notice.task_status in (None, TaskStatus.OPEN)
    if notice.status != DeadlineStatus.OPEN:
        return False
    if notice.kind != NoticeKind.REMINDER:
        return bool(notice.due_at <= now)
    pathway = pathways[notice.pathway_version_id]
    reminders = pathway.deadlines[notice.key].reminders
    if notice.due_at <= now or notice.step >= len(reminders):
        return False
    calendar = pathway.calendar.locally(days.of(notice.case_office_id))
    return bool(calendar.subtract(notice.due_at, reminders[notice.step]) == notice.send_at)
