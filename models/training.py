"""Training: courses with their places, who is enrolled or waits for a place, and who came on which day.

`states.casework.courses`, `training` and `waiting` write them; where an enrolment stands is a record of the pathway.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, UtcDateTime, internal, personal, public

PLACE_TAKEN: Final = ("offered", "enrolled", "attending", "completed")
"""The states of an enrolment that take up a place of its course."""


class Course(SQLModel, table=True):
    """A course with so many places, held by a partner or another provider (`provider`, when it is no partner).

    Status: open, closed (nobody enrols any more) or cancelled. `version` counts the changes of this row.
    """

    __tablename__ = "course"
    __table_args__ = (CheckConstraint("capacity >= 1", name="ck_course_capacity"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public(unique=True)
    title: str = public()
    partner_id: int | None = internal(default=None, foreign_key="partner.id", sa_type=BigId)
    provider: str | None = public(default=None)
    place: str = public()
    region_pcode: str | None = public(default=None)
    capacity: int = public()
    starts_on: date = public()
    ends_on: date = public()
    status: str = internal(default="open")
    created_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)
    version: int = internal(default=1)


class TrainingEnrolment(SQLModel, table=True):
    """A place on a course, or the wish for one: waiting, offered, enrolled, attending, completed (with a certificate),
    dropped_out (with a reason), withdrawn or lapsed (an offer without an answer).

    `course` is what the course was called; `course_id` is none for enrolments older than the list of courses, whose
    `days_attended` were counted without their dates. `asked_at` is when the person asked for the place.
    """

    __tablename__ = "training_enrolment"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    course_id: int | None = internal(default=None, foreign_key="course.id", index=True, sa_type=BigId)
    course: str = personal()
    partner_id: int | None = internal(default=None, foreign_key="partner.id", sa_type=BigId)
    status: str = personal(default="enrolled")
    asked_at: datetime = personal(sa_type=UtcDateTime)
    enrolled_at: datetime | None = personal(default=None, sa_type=UtcDateTime)
    days_attended: int = personal(default=0)
    certificate_at: datetime | None = personal(default=None, sa_type=UtcDateTime)
    certificate_number: str | None = personal(default=None)
    reason: str | None = personal(default=None)


class Attendance(SQLModel, table=True):
    """Whether somebody came to their course on a day."""

    __tablename__ = "attendance"
    __table_args__ = (UniqueConstraint("enrolment_id", "day", name="uq_attendance_enrolment_day"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    enrolment_id: int = internal(foreign_key="training_enrolment.id", sa_type=BigId)
    day: date = personal()
    present: bool = personal()
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    recorded_at: datetime = internal(sa_type=UtcDateTime)
