"""Courses as they are opened, and how many places each has left. The console, the API and the command line call it and
commit; `states.casework.training` claims places with `CoursePlaces`, `states.casework.course_end` closes and cancels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import String, select
from sqlmodel import Session, col

from models import Course
from models.errors import WrongUse
from models.training import PLACE_TAKEN
from models.types import BigId
from states.bulk import SetStatement, as_date
from states.moves import Actor, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCourse:
    """A course as it is announced; held by a partner, or by a `provider` that is none."""

    code: str
    title: str
    place: str
    capacity: int
    starts_on: date
    ends_on: date
    partner_id: int | None = None
    provider: str | None = None
    region_pcode: str | None = None


class Seats(NamedTuple):
    """A course and its places: `taken` by somebody who is on it or to whom one is offered; `in_line` wait and could
    take one now; `cases` are those that already have or want a place."""

    id: int
    code: str
    capacity: int
    status: str
    ends_on: date
    taken: int
    in_line: int
    cases: frozenset[int]

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self.capacity - self.taken


class AsksForPlace(Protocol):
    """A step that asks for a place on a course."""

    @property
    def case_id(self) -> int: ...

    @property
    def course(self) -> str: ...


_LOCK = SetStatement(
    "SELECT id, code, capacity, status, ends_on FROM course "
    "WHERE code IN (SELECT r.code FROM {rows}) ORDER BY id {lock}",
    code=String(),
)
_READ = SetStatement(
    "SELECT id, code, capacity, status, ends_on FROM course WHERE code IN (SELECT r.code FROM {rows}) ORDER BY id",
    code=String(),
)
_TAKEN: Final = ", ".join(f"'{status}'" for status in PLACE_TAKEN)
_ENROLMENTS = SetStatement(
    f"SELECT e.course_id, e.case_id, CASE WHEN e.status IN ({_TAKEN}) THEN 1 ELSE 0 END, "  # noqa: S608
    "CASE WHEN e.status = 'waiting' AND c.closed_at IS NULL AND c.held_at IS NULL THEN 1 ELSE 0 END "
    'FROM training_enrolment AS e JOIN "case" AS c ON c.id = e.case_id '
    f"WHERE e.course_id IN (SELECT r.id FROM {{rows}}) AND e.status IN ('waiting', {_TAKEN})",
    id=BigId,
)


def add_course(session: Session, course: NewCourse, *, actor: Actor, now: datetime) -> Course:
    """Open a course. Raises WrongUse for a code that is taken, and for what cannot be."""
    if course.capacity < 1:
        raise WrongUse("A course has a place at least.", "Une formation a au moins une place.")
    if course.ends_on < course.starts_on:
        raise WrongUse("A course ends after it begins.", "Une formation finit après avoir commencé.")
    if (course.partner_id is None) == (course.provider is None):
        raise WrongUse(
            "Say who holds the course: a partner, or another provider.",
            "Dites qui donne la formation : un partenaire ou un autre organisme.",
        )
    if session.scalars(select(Course).where(col(Course.code) == course.code)).first() is not None:
        raise WrongUse(
            f"There is a course {course.code} already.",
            f"La formation {course.code} existe déjà.",
            remedy="Choose another code, or see `segin course list`.",
            remedy_fr="Choisissez un autre code, ou voyez `segin course list`.",
        )
    made = Course(
        code=course.code,
        title=course.title,
        partner_id=course.partner_id,
        provider=course.provider,
        place=course.place,
        region_pcode=course.region_pcode,
        capacity=course.capacity,
        starts_on=course.starts_on,
        ends_on=course.ends_on,
        created_by=actor.id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def find_course(session: Session, code: str) -> Course:
    """The course with this code. Raises WrongUse when there is none."""
    found = session.scalars(
        select(Course).where(col(Course.code) == code).execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise _no_course(code)
    return found


def read_seats(session: Session, codes: Iterable[str], *, lock: bool = False) -> dict[str, Seats]:
    """The places of these courses, by code; with `lock` nobody else gives any of them until the commit.

    Raises WrongUse when a course does not exist.
    """
    wanted = sorted(set(codes))
    found = (_LOCK if lock else _READ).execute(session, [(code,) for code in wanted]).all()
    known = {row[1] for row in found}
    for code in wanted:
        if code not in known:
            raise _no_course(code)
    # A statement of its own: after having waited for the lock, it sees what the one before has done.
    enrolments: dict[int, list[Any]] = {row[0]: [] for row in found}
    for course_id, *rest in _ENROLMENTS.execute(session, [(row[0],) for row in found]):
        enrolments[course_id].append(rest)
    return {row[1]: _seats(row, enrolments[row[0]]) for row in found}


class CoursePlaces:
    """The places of courses, as far as steps in a batch have not claimed them. `wanted` says whether they ask for a
    place (or, if not, to wait for one)."""

    def __init__(self, session: Session, codes: Iterable[str], *, today: date, place: bool) -> None:
        self._seats = read_seats(session, codes, lock=True)
        self._today = today
        self._place = place
        self._claimed: dict[str, set[int]] = {code: set() for code in self._seats}

    def claim(self, step: AsksForPlace) -> Reason | None:
        """Take a place, unless the course is full, others come first, or the person has asked before."""
        seats, claimed = self._seats[step.course], self._claimed[step.course]
        objection = self._objection(seats, step.case_id, claimed)
        if objection is None:
            claimed.add(step.case_id)
        return objection

    def give_back(self, step: AsksForPlace) -> None:
        """The place is free again."""
        self._claimed[step.course].discard(step.case_id)

    def _objection(self, seats: Seats, case_id: int, claimed: set[int]) -> Reason | None:
        if seats.status != "open" or seats.ends_on < self._today:
            return Reason(
                "course_not_open",
                f"La formation {seats.code} ne prend plus d'inscriptions.",
                f"The course {seats.code} enrols nobody any more.",
                "course.status",
            )
        if case_id in seats.cases or case_id in claimed:
            return Reason(
                "already_asked",
                f"La personne a déjà une place ou une demande pour la formation {seats.code}.",
                f"The person has a place or a request for the course {seats.code} already.",
                "enrolment.course",
            )
        if not self._place:
            return None if seats.free <= seats.in_line else _place_free(seats)
        if seats.free - len(claimed) <= 0:
            return Reason(
                "course_full",
                f"La formation {seats.code} est complète : {seats.capacity} places, {seats.in_line} en attente. "
                "Inscrivez la personne sur la liste d'attente.",
                f"The course {seats.code} is full: {seats.capacity} places, {seats.in_line} waiting. "
                "Put the person on the waiting list.",
                "course.capacity",
            )
        if seats.free - len(claimed) <= seats.in_line:
            return Reason(
                "others_wait",
                f"{seats.in_line} personne(s) attendent déjà une place de la formation {seats.code} et passent avant. "
                "Inscrivez la personne sur la liste d'attente.",
                f"{seats.in_line} wait for a place on the course {seats.code} already and come first. "
                "Put the person on the waiting list.",
                "course.waiting",
            )
        return None


def _seats(row: Any, enrolments: list[Any]) -> Seats:
    id_, code, capacity, status, ends_on = row
    return Seats(
        *(id_, code, capacity, status, as_date(ends_on)),
        taken=sum(taken for _, taken, _ in enrolments),
        in_line=sum(in_line for *_, in_line in enrolments),
        cases=frozenset(case_id for case_id, *_ in enrolments),
    )


def _place_free(seats: Seats) -> Reason:
    return Reason(
        "place_free",
        f"La formation {seats.code} a encore une place : inscrivez la personne.",
        f"The course {seats.code} still has a place: enrol the person.",
        "course.capacity",
    )


def _no_course(code: str) -> WrongUse:
    return WrongUse(
        f"There is no course {code}.",
        f"La formation {code} n'existe pas.",
        remedy="See `segin course list`.",
        remedy_fr="Voyez `segin course list`.",
    )
