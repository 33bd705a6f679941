"""Human work on a case: tasks, deadlines and the notices that remind and escalate.

`states.advance` opens and ends tasks and deadlines, `states.sweep` moves deadlines on, `states.assignment` assigns.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from models.types import BigId, UtcDateTime, internal, sensitive


class TaskStatus(StrEnum):
    """`held` while the case is on hold; `done` by a person or by the transition that it asked for."""

    OPEN = "open"
    HELD = "held"
    DONE = "done"
    CANCELLED = "cancelled"


class DeadlineStatus(StrEnum):
    """`kept` was met in time, `late` was met after it was due, `fired` is a timer that did its work, `waived` was
    lifted by somebody who may."""

    OPEN = "open"
    HELD = "held"
    KEPT = "kept"
    LATE = "late"
    FIRED = "fired"
    WAIVED = "waived"
    CANCELLED = "cancelled"


class Task(SQLModel, table=True):
    """Work for a person. `key` names the template in the pathway, `state` the state it ends with (none: the case),
    `seq` the journal row that opened it, `record` the code of the record that it is about (none: the case).
    `first_due_at` as for deadlines (none: opened before it was kept)."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "key", name="uq_task_case_seq_key"),
        Index("ix_task_case_status", "case_id", "status"),
        Index(
            "ix_task_unassigned",
            "id",
            sqlite_where=text("status = 'open' AND staff_id IS NULL"),
            postgresql_where=text("status = 'open' AND staff_id IS NULL"),
        ),
        Index("ix_task_staff_status", "staff_id", "status"),
        # All that the workload counts, so that it reads nothing else and no task that has ended.
        Index(
            "ix_task_current",
            *("office_id", "role", "staff_id", "status", "priority", "due_at", "opened_at"),
            sqlite_where=text("status = 'open' OR status = 'held'"),
            postgresql_where=text("status = 'open' OR status = 'held'"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    seq: int = internal()
    key: str = internal()
    state: str | None = internal(default=None)
    record: str | None = internal(default=None)
    role: str = internal()
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    priority: str = sensitive(default="normal")
    status: str = internal(default=TaskStatus.OPEN)
    opened_at: datetime = internal(sa_type=UtcDateTime)
    due_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    first_due_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    closed_seq: int | None = internal(default=None)
    done_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class Deadline(SQLModel, table=True):
    """A clock on a case. `kind` is deadline or timer (a timer fires a trigger when it is due).

    `next_at` is the next instant at which the sweep has something to do: the due time, then each step of the
    escalation ladder; none when nothing is left. `level` counts the ladder's steps already taken. `record` is the code
    of the record that the clock is about (none: the case). `first_due_at` is when it would be due had its case never
    stood still, by the calendar as it is known now; what it is due later is the time that it stood still.
    """

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "key", name="uq_deadline_case_seq_key"),
        Index("ix_deadline_case_status", "case_id", "status"),
        Index(
            "ix_deadline_next",
            "next_at",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    seq: int = internal()
    key: str = internal()
    kind: str = internal(default="deadline")
    state: str | None = internal(default=None)
    record: str | None = internal(default=None)
    due_at: datetime = internal(sa_type=UtcDateTime)
    first_due_at: datetime = internal(sa_type=UtcDateTime)
    next_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    status: str = internal(default=DeadlineStatus.OPEN)
    level: int = internal(default=0)
    overdue_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    escalated_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    closed_seq: int | None = internal(default=None)


class Notice(SQLModel, table=True):
    """A line of somebody's next digest: a reminder, an overdue deadline, an escalation, an assignment, a partner that
    does not acknowledge an event, or (of no case) a subscription to which nothing more is sent.

    `step` is the reminder's index or the ladder's level, so that the same line is never written twice. `digest_id` is
    the message that it was sent in.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("deadline_id", "kind", "step", "send_at", name="uq_notice_deadline_step"),
        UniqueConstraint("task_id", "kind", name="uq_notice_task_kind"),
        UniqueConstraint("partner_event_id", "kind", name="uq_notice_partner_event_kind"),
        Index("ix_notice_staff_sent", "staff_id", "sent_at"),
        Index(
            "ix_notice_waiting",
            "send_at",
            sqlite_where=text("sent_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    kind: str = internal()
    step: int = internal(default=0)
    case_id: int | None = internal(default=None, foreign_key="case.id", index=True, sa_type=BigId)
    deadline_id: int | None = internal(default=None, foreign_key="deadline.id", sa_type=BigId)
    task_id: int | None = internal(default=None, foreign_key="task.id", sa_type=BigId)
    partner_event_id: int | None = internal(default=None, foreign_key="partner_event.id", sa_type=BigId)
    subscription_id: int | None = internal(default=None, foreign_key="subscription.id", sa_type=BigId)
    role: str = internal()
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    send_at: datetime = internal(sa_type=UtcDateTime)
    sent_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    cancelled_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    digest_id: int | None = internal(default=None, foreign_key="digest.id", index=True, sa_type=BigId)
