"""What kinds of notice there are, and the statements that write and cancel them, whatever their number.

`states.sweep`, `states.timers`, `states.reminders`, `states.assignment` and `states.silence` write them;
`states.releases` sends. The sender of webhooks writes those about subscriptions that it disables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlmodel import Session, SQLModel

from models.types import BigId, UtcDateTime
from states import bulk


class NoticeKind(StrEnum):
    """Why somebody is told. The `step` of a reminder counts the reminders of its deadline, that of an escalation is
    the ladder's level."""

    REMINDER = "reminder"
    OVERDUE = "overdue"
    ESCALATION = "escalation"
    TIMER_REFUSED = "timer_refused"
    ASSIGNED = "assigned"
    PARTNER_SILENT = "partner_silent"
    PARTNER_DISABLED = "partner_disabled"


class NewNotice(NamedTuple):
    """A line for the people of a role in an office (none: wherever they are), or for one of them.

    `sent_at` is set when the line is not to wait for the digest of the night."""

    case_id: int
    kind: NoticeKind
    role: str
    office_id: int | None
    send_at: datetime
    step: int = 0
    deadline_id: int | None = None
    task_id: int | None = None
    staff_id: int | None = None
    sent_at: datetime | None = None
    partner_event_id: int | None = None


_TYPES = {name: SQLModel.metadata.tables["notice"].c[name].type for name in NewNotice._fields}

_ABOUT_DEADLINES = bulk.SetStatement(
    """
    INSERT INTO notice (case_id, kind, role, office_id, send_at, step, deadline_id, staff_id, sent_at)
    SELECT case_id, kind, role, office_id, send_at, step, deadline_id, staff_id, sent_at FROM {rows} WHERE true
    ON CONFLICT (deadline_id, kind, step, send_at) DO UPDATE SET cancelled_at = NULL
    WHERE notice.sent_at IS NULL AND notice.cancelled_at IS NOT NULL
    """,
    **_TYPES,
)
_ABOUT_TASKS = bulk.SetStatement(
    """
    INSERT INTO notice (case_id, kind, role, office_id, send_at, step, task_id, staff_id, sent_at)
    SELECT case_id, kind, role, office_id, send_at, step, task_id, staff_id, sent_at FROM {rows} WHERE true
    ON CONFLICT (task_id, kind) DO UPDATE
    SET staff_id = excluded.staff_id, send_at = excluded.send_at, sent_at = excluded.sent_at
    """,
    **_TYPES,
)
_ABOUT_PARTNERS = bulk.SetStatement(
    """
    INSERT INTO notice (case_id, kind, role, office_id, send_at, step, partner_event_id)
    SELECT case_id, kind, role, office_id, send_at, step, partner_event_id FROM {rows} WHERE true
    ON CONFLICT (partner_event_id, kind) DO NOTHING
    """,
    **_TYPES,
)
_CANCEL = bulk.SetStatement(
    "UPDATE notice SET cancelled_at = r.at FROM {rows} WHERE notice.id = r.id", id=BigId, at=UtcDateTime()
)


def write_deadline_notices(session: Session, notices: Sequence[NewNotice]) -> int:
    """Write lines about deadlines (or about a case as a whole) and return how many are new.

    A line that was written before is not written twice; one that was cancelled waits again.
    """
    return _ABOUT_DEADLINES.execute(session, _rows(notices)).rowcount if notices else 0


def write_task_notices(session: Session, notices: Sequence[NewNotice]) -> int:
    """Write lines about tasks and return how many; a task's earlier line of that kind goes to the new person."""
    return _ABOUT_TASKS.execute(session, _rows(notices)).rowcount if notices else 0


def write_partner_notices(session: Session, notices: Sequence[NewNotice]) -> int:
    """Write lines about events of partners and return how many are new: each event has one of a kind at most."""
    return _ABOUT_PARTNERS.execute(session, _rows(notices)).rowcount if notices else 0


def cancel_notices(session: Session, notice_ids: Iterable[int | None], now: datetime) -> None:
    """What these lines were about is over: they are never sent."""
    rows = [(id_, bulk.time_text(now)) for id_ in notice_ids]
    if rows:
        _CANCEL.execute(session, rows)


def _rows(notices: Sequence[NewNotice]) -> list[tuple[object, ...]]:
    return [
        (
            *(notice.case_id, notice.kind, notice.role, notice.office_id, bulk.time_text(notice.send_at), notice.step),
            *(notice.deadline_id, notice.task_id, notice.staff_id, bulk.time_text(notice.sent_at)),
            notice.partner_event_id,
        )
        for notice in notices
    ]
