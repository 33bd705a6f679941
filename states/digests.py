"""What one person, or a role in an office, is told of on a day: one digest, whatever the number of things in it.

`segin digest` shows it; the console and the mails will. `states.releases` decides what is in it, and when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlmodel import Session, col

from models.calendars import Digest
from models.case import Case
from models.partner import Event, Partner, Subscription
from models.sharing import PartnerEvent
from models.staffing import TaskAssignment
from models.work import Deadline, Notice, Task, TaskStatus
from states.notices import NoticeKind
from states.pathway import Pathway, Text
from states.pathways.shelf import pathways_of
from states.releases import Recipient, waiting_lines

SHOWN: Final = 10
"""So many lines of one kind about one thing are shown; the others are a number."""

_DAY: Final = timedelta(days=1)


class Heading(StrEnum):
    """The parts of a digest, in the order in which they are read."""

    EMERGENCIES = "emergencies"
    OVERDUE = "overdue"
    ESCALATIONS = "escalations"
    REMINDERS = "reminders"
    ASSIGNED = "assigned"
    PARTNERS = "partners"
    REFUSED = "refused"


_HEADINGS: Final = {
    NoticeKind.OVERDUE: Heading.OVERDUE,
    NoticeKind.ESCALATION: Heading.ESCALATIONS,
    NoticeKind.REMINDER: Heading.REMINDERS,
    NoticeKind.ASSIGNED: Heading.ASSIGNED,
    NoticeKind.TIMER_REFUSED: Heading.REFUSED,
    NoticeKind.PARTNER_SILENT: Heading.PARTNERS,
    NoticeKind.PARTNER_DISABLED: Heading.PARTNERS,
}
# Of several lines about one deadline the strongest is told.
_STRENGTH: Final = {NoticeKind.ESCALATION: 2, NoticeKind.OVERDUE: 1}


class DigestLine(NamedTuple):
    """One thing. `key` and `title` are those of its deadline or task, or of the event that a partner does not
    acknowledge (none: the case as a whole), or of the partner to which nothing more is sent, which is of no case.
    `level` counts the steps of the ladder, `told_at` is when the message went out (none: a task, which needs no
    message)."""

    kind: str
    case_code: str | None
    key: str | None
    title: Text | None
    due_at: datetime | None
    level: int
    told_at: datetime | None


class Folded(NamedTuple):
    """Lines like those that are shown, which are only counted."""

    key: str | None
    title: Text | None
    more: int


@dataclass(frozen=True, slots=True)
class DigestGroup:
    """The lines under one heading: `total` things, of which `lines` are shown and `folded` are counted."""

    heading: Heading
    total: int
    lines: tuple[DigestLine, ...]
    folded: tuple[Folded, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """The digest of a day. `sent_at` none: none was sent on that day; `urgent` counts the messages that could not wait
    for it, `waiting` the lines that wait for the next."""

    day: date
    sent_at: datetime | None
    urgent: int
    waiting: int
    groups: tuple[DigestGroup, ...]


def digest_of(
    session: Session, recipient: Recipient, day: date, timezone: ZoneInfo, *, shown: int = SHOWN
) -> DigestView:
    """Everything that the recipient is told of on a local day. Six statements, however much it is.

    Of several lines about one deadline only the strongest counts. Under assigned stand the open tasks that came to
    the person since the digest before, at most a week ago.
    """
    start, end = (datetime(each.year, each.month, each.day, tzinfo=timezone) for each in (day, day + _DAY))
    digests = session.scalars(
        select(Digest).where(col(Digest.recipient) == recipient.code, col(Digest.day) == day)
    ).all()
    notices = session.execute(_told(recipient, [digest.id for digest in digests], start, end)).all()
    daily = next((digest for digest in digests if not digest.urgent), None)
    tasks = _assigned(session, recipient, start, daily.sent_at if daily else end)
    pathways = pathways_of(session, {row.pathway_version_id for row in (*notices, *tasks)} - {None})
    lines = [*_notice_lines(_strongest(notices), pathways), *_task_lines(tasks, pathways)]
    return DigestView(
        day=day,
        sent_at=daily.sent_at if daily else None,
        urgent=sum(digest.urgent for digest in digests),
        waiting=waiting_lines(session, recipient, before=end),
        groups=tuple(_groups(lines, shown)),
    )


def _groups(lines: Iterable[tuple[Heading, DigestLine]], shown: int) -> Iterator[DigestGroup]:
    by_heading: dict[Heading, list[DigestLine]] = {}
    for heading, line in lines:
        by_heading.setdefault(heading, []).append(line)
    for heading in Heading:
        found = by_heading.get(heading)
        if found:
            yield _group(heading, found, shown)


def _group(heading: Heading, lines: Sequence[DigestLine], shown: int) -> DigestGroup:
    seen: Counter[str | None] = Counter()
    kept = []
    for line in lines:
        seen[line.key] += 1
        if seen[line.key] <= shown:
            kept.append(line)
    titles = {line.key: line.title for line in lines}
    folded = tuple(Folded(key, titles[key], number - shown) for key, number in seen.items() if number > shown)
    return DigestGroup(heading, len(lines), tuple(kept), folded)


def _strongest(notices: Iterable[Row[Any]]) -> list[Row[Any]]:
    """One line for each deadline, in the order of the first."""
    kept: dict[object, Row[Any]] = {}
    for notice in notices:
        about = ("deadline", notice.deadline_id) if notice.deadline_id is not None else ("notice", notice.id)
        before = kept.get(about)
        if before is None or _rank(notice) > _rank(before):
            kept[about] = notice
    return list(kept.values())


def _rank(notice: Row[Any]) -> tuple[int, int]:
    return _STRENGTH.get(notice.kind, 0), notice.step


def _notice_lines(notices: Iterable[Row[Any]], pathways: Mapping[int, Pathway]) -> Iterator[tuple[Heading, DigestLine]]:
    for notice in notices:
        if notice.subscription_id is not None:
            stopped = _nothing_sent(notice.partner, notice.subscription_id)
            line = DigestLine(notice.kind, None, notice.partner, stopped, None, 0, notice.sent_at)
            yield _HEADINGS[notice.kind], line
            continue
        pathway = pathways[notice.pathway_version_id]
        template = pathway.deadlines.get(notice.deadline_key) or pathway.tasks.get(notice.task_key)
        heading = _HEADINGS[notice.kind]
        if notice.deadline_key in pathway.urgent_deadlines or notice.task_priority == "emergency":
            heading = Heading.EMERGENCIES
        elif template is not None and template.record == "referral" and heading is not Heading.REMINDERS:
            heading = Heading.PARTNERS
        due_at = notice.task_due if notice.deadline_due is None else notice.deadline_due
        level = notice.step if notice.kind == NoticeKind.ESCALATION else 0
        key, title = notice.deadline_key or notice.task_key, template.title if template else None
        if notice.event_type is not None:
            key, title = notice.event_type, _not_acknowledged(notice.partner, notice.event_type)
        yield heading, DigestLine(notice.kind, notice.code, key, title, due_at, level, notice.sent_at)


def _not_acknowledged(partner: str, event_type: str) -> Text:
    return Text(f"{partner} n'a pas confirmé {event_type}", f"{partner} has not acknowledged {event_type}")


def _nothing_sent(partner: str, subscription_id: int) -> Text:
    return Text(
        f"plus rien n'est envoyé à {partner} (abonnement {subscription_id})",
        f"nothing more is sent to {partner} (subscription {subscription_id})",
    )


def _task_lines(tasks: Iterable[Row[Any]], pathways: Mapping[int, Pathway]) -> Iterator[tuple[Heading, DigestLine]]:
    for task in tasks:
        template = pathways[task.pathway_version_id].tasks.get(task.key)
        title = template.title if template else None
        yield Heading.ASSIGNED, DigestLine(NoticeKind.ASSIGNED, task.code, task.key, title, task.due_at, 0, None)


def _told(recipient: Recipient, digest_ids: Sequence[int | None], start: datetime, end: datetime) -> Any:
    """The lines of these messages, and what a person was told of without one: an emergency that became theirs."""
    told: ColumnElement[bool] = col(Notice.digest_id).in_(digest_ids)
    if recipient.staff_id is not None:
        at_once = and_(col(Notice.staff_id) == recipient.staff_id, col(Notice.digest_id).is_(None))
        told = or_(told, and_(at_once, col(Notice.sent_at) >= start, col(Notice.sent_at) < end))
    return (
        select(
            *(col(Notice.id), col(Notice.kind), col(Notice.step), col(Notice.deadline_id), col(Notice.sent_at)),
            *(col(Case.code), col(Case.pathway_version_id), col(Deadline.key).label("deadline_key")),
            *(col(Deadline.due_at).label("deadline_due"), col(Task.key).label("task_key")),
            *(col(Task.due_at).label("task_due"), col(Task.priority).label("task_priority")),
            *(col(Event.type).label("event_type"), col(Partner.code).label("partner"), col(Notice.subscription_id)),
        )
        .outerjoin(Case, col(Case.id) == col(Notice.case_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .outerjoin(Task, col(Task.id) == col(Notice.task_id))
        .outerjoin(PartnerEvent, col(PartnerEvent.id) == col(Notice.partner_event_id))
        .outerjoin(Event, col(Event.id) == col(PartnerEvent.event_id))
        .outerjoin(Subscription, col(Subscription.id) == col(Notice.subscription_id))
        .outerjoin(Partner, col(Partner.id) == func.coalesce(PartnerEvent.partner_id, Subscription.partner_id))
        .where(told)
        .order_by(col(Deadline.due_at), col(Notice.id))
    )


def _assigned(session: Session, recipient: Recipient, start: datetime, until: datetime) -> Sequence[Row[Any]]:
    """The open tasks that the person has, and got between the digest before and this one; of emergencies they were
    told at once."""
    if recipient.staff_id is None:
        return []
    last = select(func.max(Digest.sent_at)).where(
        col(Digest.recipient) == recipient.code,
        *(~col(Digest.urgent), col(Digest.sent_at) < start, col(Digest.sent_at) >= start - 7 * _DAY),
    )
    since = session.scalar(last) or start - _DAY
    came = select(col(TaskAssignment.id)).where(
        col(TaskAssignment.task_id) == col(Task.id),
        col(TaskAssignment.to_staff_id) == col(Task.staff_id),
        *(col(TaskAssignment.at) > since, col(TaskAssignment.at) <= until),
    )
    return session.execute(
        select(*(col(Task.key), col(Task.due_at), col(Case.code), col(Case.pathway_version_id)))
        .join(Case, col(Case.id) == col(Task.case_id))
        .where(
            *(col(Task.staff_id) == recipient.staff_id, col(Task.status) == TaskStatus.OPEN),
            *(col(Task.priority) != "emergency", came.exists()),
        )
        .order_by(col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))
    ).all()
