"""Training as staff record it: places on courses and the wait for one, attendance day by day, certificates, drop-outs.

The console, the API and the command line call it and commit. The pathway says which step is possible where; a course
never has more people on it than places, whoever enrols at the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import Boolean, Date, Integer, String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, as_date, time_text
from states.casework.act import Step, move_and_write
from states.casework.claims import claim_and_move
from states.casework.courses import CoursePlaces
from states.casework.waiting import next_in_line, offer_places
from states.gather import load_cases
from states.moves import Move, Outcome, OutcomeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWanted(Step):
    """A place on a course, or to wait for one. `code` is the new enrolment's own."""

    code: str
    course: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEnrolment(Step):
    """Something about one enrolment, by its code."""

    enrolment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceSheet(OnEnrolment):
    """Whether the person came, by day. A day that was recorded before is corrected."""

    days: tuple[tuple[date, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(OnEnrolment):
    """The certificate that ends a training well."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfEnrolment(OnEnrolment):
    """Training, or the wait for it, ended before its end; `reason` is one of the pathway's."""

    reason: str


_INSERT = SetStatement(
    "INSERT INTO training_enrolment (code, case_id, course_id, course, partner_id, status, asked_at, enrolled_at, "
    "days_attended) SELECT r.code, r.case_id, k.id, k.title, k.partner_id, r.status, r.at, r.enrolled_at, 0 "
    "FROM {rows} JOIN course AS k ON k.code = r.course WHERE true",
    code=String(),
    case_id=BigId,
    course=String(),
    status=String(),
    at=UtcDateTime(),
    enrolled_at=UtcDateTime(),
)
_ENROLLED = SetStatement(
    "UPDATE training_enrolment SET enrolled_at = r.at FROM {rows} WHERE training_enrolment.code = r.code",
    code=String(),
    at=UtcDateTime(),
)
_ENDED = SetStatement(
    "UPDATE training_enrolment SET reason = r.reason FROM {rows} WHERE training_enrolment.code = r.code",
    code=String(),
    reason=String(),
)
_CERTIFY = SetStatement(
    "UPDATE training_enrolment SET certificate_at = r.at, certificate_number = r.number FROM {rows} "
    "WHERE training_enrolment.code = r.code",
    code=String(),
    at=UtcDateTime(),
    number=String(),
)
_COURSES = SetStatement(
    "SELECT e.code, k.code, k.starts_on, k.ends_on FROM training_enrolment AS e "
    "JOIN course AS k ON k.id = e.course_id WHERE e.code IN (SELECT r.code FROM {rows})",
    code=String(),
)
_ATTENDED_BEFORE = SetStatement(
    "SELECT e.code, a.day FROM {rows} JOIN training_enrolment AS e ON e.code = r.code "
    "JOIN attendance AS a ON a.enrolment_id = e.id AND a.day = r.day WHERE a.present",
    code=String(),
    day=Date(),
)
_ATTEND = SetStatement(
    "INSERT INTO attendance (enrolment_id, day, present, recorded_by, recorded_at) "
    "SELECT e.id, r.day, r.present, r.by_id, r.at FROM {rows} JOIN training_enrolment AS e ON e.code = r.code "
    "WHERE true ON CONFLICT (enrolment_id, day) DO UPDATE SET present = excluded.present, "
    "recorded_by = excluded.recorded_by, recorded_at = excluded.recorded_at",
    code=String(),
    day=Date(),
    present=Boolean(),
    by_id=BigId,
    at=UtcDateTime(),
)
_COUNT_DAYS = SetStatement(
    "UPDATE training_enrolment SET days_attended = training_enrolment.days_attended + r.more FROM {rows} "
    "WHERE training_enrolment.code = r.code",
    code=String(),
    more=Integer(),
)


_WRONG_DAYS: Final = WrongUse(
    "Attendance is for days of the course that have come, each named once.",
    "L'assiduité porte sur des jours de la formation déjà venus, nommés une seule fois.",
)


def enrol(session: Session, wanted: Sequence[PlaceWanted], *, now: datetime) -> list[Outcome]:
    """Give places, first come, first served; refused when the course is full or others wait for it.

    Raises WrongUse for an unknown course.
    """
    return _ask(session, wanted, "enrol", "enrolled", now)


def join_waiting_list(session: Session, wanted: Sequence[PlaceWanted], *, now: datetime) -> list[Outcome]:
    """Put people on the waiting lists of courses; refused while a place is free. Raises WrongUse as `enrol`."""
    return _ask(session, wanted, "join_waiting_list", "waiting", now)


def accept_offers(session: Session, accepted: Sequence[OnEnrolment], *, now: datetime) -> list[Outcome]:
    """People take the places that were offered to them."""

    def write(moved: Sequence[OnEnrolment]) -> None:
        _ENROLLED.execute(session, [(each.enrolment, time_text(now)) for each in moved])

    return move_and_write(
        session, accepted, move=lambda each: each.fires("accept_offer", record=each.enrolment), write=write, now=now
    )


def leave_waiting_list(session: Session, left: Sequence[EndOfEnrolment], *, now: datetime) -> list[Outcome]:
    """People do not want the place any more, offered or not; an offered one goes to the next at once."""
    return _end(session, left, "leave_waiting_list", now)


def drop_out(session: Session, left: Sequence[EndOfEnrolment], *, now: datetime) -> list[Outcome]:
    """End trainings without a certificate; the place is offered to the next at once."""
    return _end(session, left, "drop_out", now)


def record_attendance(session: Session, sheets: Sequence[AttendanceSheet], *, now: datetime) -> list[Outcome]:
    """Record who came on which days.

    Raises WrongUse for a day that is still to come, is named twice, or is none of the course's.
    """
    courses = {row[0]: row for row in _COURSES.execute(session, [(sheet.enrolment,) for sheet in sheets])}
    for sheet in sheets:
        days = [day for day, _ in sheet.days]
        course = courses.get(sheet.enrolment)
        outside = course is not None and any(not as_date(course[2]) <= day <= as_date(course[3]) for day in days)
        if not days or len(set(days)) != len(days) or max(days) > now.date() or outside:
            raise _WRONG_DAYS

    def move(sheet: AttendanceSheet) -> Move:
        present = sum(came for _, came in sheet.days)
        return sheet.fires("confirm_attendance", record=sheet.enrolment, days=len(sheet.days), present=present)

    def write(moved: Sequence[AttendanceSheet]) -> None:
        rows = [
            (sheet.enrolment, day.isoformat(), came, sheet.actor.id, time_text(now))
            for sheet in moved
            for day, came in sheet.days
        ]
        before = Counter(code for code, _ in _ATTENDED_BEFORE.execute(session, [row[:2] for row in rows]))
        came = Counter(row[0] for row in rows if row[2])
        _ATTEND.execute(session, rows)
        _COUNT_DAYS.execute(
            session, [(each.enrolment, came[each.enrolment] - before[each.enrolment]) for each in moved]
        )

    return move_and_write(session, sheets, move=move, write=write, now=now)


def certify(session: Session, certificates: Sequence[Certificate], *, now: datetime) -> list[Outcome]:
    """End the training of people whose attendance is recorded, with a certificate of this day."""

    def write(moved: Sequence[Certificate]) -> None:
        _CERTIFY.execute(session, [(each.enrolment, time_text(now), each.number) for each in moved])

    return move_and_write(
        session, certificates, move=lambda each: each.fires("certify", record=each.enrolment), write=write, now=now
    )


def _ask(session: Session, wanted: Sequence[PlaceWanted], trigger: str, status: str, now: datetime) -> list[Outcome]:
    enrolled_at = time_text(now) if status == "enrolled" else None

    def write(moved: Sequence[PlaceWanted]) -> None:
        rows = [(each.code, each.case_id, each.course, status, time_text(now), enrolled_at) for each in moved]
        _INSERT.execute(session, rows)

    return claim_and_move(
        session,
        wanted,
        pool=lambda: CoursePlaces(
            session, [each.course for each in wanted], today=now.date(), place=status == "enrolled"
        ),
        move=lambda each: each.fires(trigger, record=each.code, course=each.course),
        write=write,
        now=now,
    )


def _end(session: Session, left: Sequence[EndOfEnrolment], trigger: str, now: datetime) -> list[Outcome]:
    """End enrolments, and offer what becomes free to the next, whose cases are locked together with the others."""
    courses = {enrolment: course for enrolment, course, *_ in _courses_of(session, left)}
    waiting = next_in_line(session, courses.values(), more=len(left))
    load_cases(session, {each.case_id for each in left} | waiting, lock=True)

    def write(moved: Sequence[EndOfEnrolment]) -> None:
        _ENDED.execute(session, [(each.enrolment, each.reason) for each in moved])

    outcomes = move_and_write(session, left, move=_with_reason(trigger), write=write, now=now)
    freed = {
        courses[each.enrolment]
        for each, outcome in zip(left, outcomes, strict=True)
        if outcome.kind is OutcomeKind.MOVED and each.enrolment in courses
    }
    offer_places(session, freed, locked=waiting, now=now)
    return outcomes


def _courses_of(session: Session, left: Sequence[EndOfEnrolment]) -> list[tuple[str, str, object, object]]:
    return [tuple(row) for row in _COURSES.execute(session, [(each.enrolment,) for each in left])]


def _with_reason(trigger: str) -> Callable[[EndOfEnrolment], Move]:
    return lambda each: replace(each.fires(trigger, record=each.enrolment), reason=each.reason)
