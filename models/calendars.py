"""Working calendars of offices, and the waivers of deadlines: what people decide about time.

`states.calendars` reads and records calendars, `states.effects` writes waivers.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, public


class OfficeCalendar(SQLModel, table=True):
    """Where an office differs from its cases' pathway: its weekly rest days (English names, separated by commas) and
    the country whose public holidays it keeps; none: as the pathway says."""

    __tablename__ = "office_calendar"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    office_id: int = internal(foreign_key="office.id", unique=True, sa_type=BigId)
    weekend: str | None = public(default=None)
    country: str | None = public(default=None)
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class CalendarDay(SQLModel, table=True):
    """A day that an office (none: the whole programme) keeps otherwise than its calendar says: `off`, `working`, or
    `ordinary`, which is no holiday after all."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        UniqueConstraint("office_id", "day", name="uq_calendar_day_office_day"),
        # In a unique constraint no two "none" are the same.
        Index(
            "uq_calendar_day_programme_day",
            "day",
            unique=True,
            sqlite_where=text("office_id IS NULL"),
            postgresql_where=text("office_id IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    day: date = public()
    kind: str = public()
    title_fr: str = public()
    title_en: str = public()
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class CalendarChange(SQLModel, table=True):
    """One change of calendars, of one office or (none) of the whole programme: what was recorded before and after it,
    and what it moved so far. `finished_at` none: clocks are still to be moved."""

    __tablename__ = "calendar_change"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    kind: str = internal()
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    title: str = internal(default="")
    before: list[Any] = internal(sa_type=Json)
    after: list[Any] = internal(sa_type=Json)
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    recorded_as: str = internal()
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    cases: int = internal(default=0)
    deadlines: int = internal(default=0)
    tasks: int = internal(default=0)


class Waiver(SQLModel, table=True):
    """A deadline that somebody extended (`until_at`) or lifted (none), by the journal row `seq` of its case, which
    keeps the note. `reason` is a code of the pathway."""

    __tablename__ = "waiver"
    __table_args__ = (UniqueConstraint("case_id", "seq", name="uq_waiver_case_seq"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    seq: int = internal()
    deadline_id: int = internal(foreign_key="deadline.id", index=True, sa_type=BigId)
    key: str = internal()
    reason: str | None = internal(default=None)
    due_at: datetime = internal(sa_type=UtcDateTime)
    until_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    waived_at: datetime = internal(sa_type=UtcDateTime)
    waived_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class Digest(SQLModel, table=True):
    """One message to one recipient: everything that somebody is told of on a local day, or, if `urgent`, what could
    not wait for it. `recipient` is `staff:ID`, or `role:ROLE:OFFICE` where nobody in particular has the case.

    Its lines are the notices that name it."""

    __tablename__ = "digest"
    __table_args__ = (
        Index(
            "uq_digest_recipient_day",
            *("recipient", "day"),
            unique=True,
            sqlite_where=text("NOT urgent"),
            postgresql_where=text("NOT urgent"),
        ),
        UniqueConstraint("recipient", "urgent", "sent_at", name="uq_digest_recipient_sent"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    recipient: str = internal()
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    role: str | None = internal(default=None)
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    day: date = internal()
    urgent: bool = internal(default=False)
    sent_at: datetime = internal(sa_type=UtcDateTime)
    lines: int = internal(default=0)
