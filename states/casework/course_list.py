"""What is known of courses: the list with the places that are left, and who is on one, with how often they came.

The command line, the API and the console show it. People appear by the codes of their cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from models import Attendance, Case, Course, Partner, TrainingEnrolment
from models.training import PLACE_TAKEN
from states.casework.courses import find_course


class CourseLine(NamedTuple):
    """A course and how full it is: `taken` of its `capacity` places, and how many wait."""

    code: str
    title: str
    provider: str
    place: str
    region_pcode: str | None
    starts_on: date
    ends_on: date
    status: str
    capacity: int
    taken: int
    waiting: int

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self.capacity - self.taken


class EnrolmentLine(NamedTuple):
    """Somebody on a course, or on their way: the days on which attendance was taken, and those on which they came."""

    code: str
    case: str
    status: str
    asked_at: datetime
    days: int
    present: int
    certificate: str | None
    reason: str | None

    @property
    def rate(self) -> int | None:
        """Percent of the days on which they came; none before the first."""
        return round(100 * self.present / self.days) if self.days else None


def list_courses(session: Session, *, region: str | None = None, open_only: bool = False) -> list[CourseLine]:
    """Courses by the day on which they begin; only those of a region (P-code), or those that still enrol."""
    numbers = (
        select(
            col(TrainingEnrolment.course_id),
            func.sum(case((col(TrainingEnrolment.status).in_(PLACE_TAKEN), 1), else_=0)).label("taken"),
            func.sum(case((col(TrainingEnrolment.status) == "waiting", 1), else_=0)).label("waiting"),
        )
        .group_by(col(TrainingEnrolment.course_id))
        .subquery()
    )
    query = (
        select(Course, col(Partner.name), numbers.c.taken, numbers.c.waiting)
        .outerjoin(Partner, col(Partner.id) == col(Course.partner_id))
        .outerjoin(numbers, numbers.c.course_id == col(Course.id))
        .order_by(col(Course.starts_on), col(Course.code))
    )
    if region is not None:
        query = query.where(col(Course.region_pcode) == region)
    if open_only:
        query = query.where(col(Course.status) == "open")
    return [
        CourseLine(
            *(each.code, each.title, partner or each.provider or "", each.place, each.region_pcode, each.starts_on),
            *(each.ends_on, each.status, each.capacity, int(taken or 0), int(waiting or 0)),
        )
        for each, partner, taken, waiting in session.execute(query)
    ]


def list_enrolments(session: Session, course: str) -> Sequence[EnrolmentLine]:
    """Everybody who has or had to do with the course, the first who asked first. Raises WrongUse for an unknown one."""
    days = (
        select(
            col(Attendance.enrolment_id),
            func.count().label("days"),
            func.sum(case((col(Attendance.present), 1), else_=0)).label("present"),
        )
        .group_by(col(Attendance.enrolment_id))
        .subquery()
    )
    query = (
        select(TrainingEnrolment, col(Case.code), days.c.days, days.c.present)
        .join(Case, col(Case.id) == col(TrainingEnrolment.case_id))
        .outerjoin(days, days.c.enrolment_id == col(TrainingEnrolment.id))
        .where(col(TrainingEnrolment.course_id) == find_course(session, course).id)
        .order_by(col(TrainingEnrolment.asked_at), col(TrainingEnrolment.code))
        .execution_options(populate_existing=True)
    )
    return [
        EnrolmentLine(
            *(each.code, case_code, each.status, each.asked_at, int(number or 0), int(present or 0)),
            *(each.certificate_number, each.reason),
        )
        for each, case_code, number, present in session.execute(query)
    ]
