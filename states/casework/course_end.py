"""The end of a course before its time: closed to more people, or cancelled, with everybody on it and in its line.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from models import Course, TrainingEnrolment
from models.errors import WrongUse
from states.casework.courses import find_course, read_seats
from states.casework.training import EndOfEnrolment, drop_out, leave_waiting_list
from states.gather import load_cases
from states.moves import Actor, Outcome


def close_course(session: Session, code: str, *, expected_version: int) -> None:
    """Nobody enrols in the course any more; whoever is on it goes on.

    Raises WrongUse for an unknown course, one that is not open, and one that somebody else changed meanwhile.
    """
    course = find_course(session, code)
    if course.status != "open":
        raise WrongUse(f"The course {code} is {course.status}.", f"La formation {code} n'est plus ouverte.")
    _set_status(session, course, "closed", expected_version)


def cancel_course(
    session: Session, code: str, *, actor: Actor, expected_version: int, correlation_id: str, now: datetime
) -> list[Outcome]:
    """The course does not take place: requests for it are withdrawn, trainings end, each with that reason. One outcome
    for each. Asked again, it ends what came in between. Raises WrongUse as `close_course`, but for a cancelled one."""
    load_cases(session, {case_id for case_id, *_ in _on_course(session, code)}, lock=True)
    read_seats(session, [code], lock=True)
    course = find_course(session, code)
    if course.status != "cancelled":
        _set_status(session, course, "cancelled", expected_version)
    waiting: list[EndOfEnrolment] = []
    enrolled: list[EndOfEnrolment] = []
    for case_id, enrolment, status in _on_course(session, code):
        signed: dict[str, Any] = {
            "case_id": case_id,
            "actor": actor,
            "command_id": f"course:{code}:{enrolment}",
            "correlation_id": correlation_id,
        }
        end = EndOfEnrolment(**signed, enrolment=enrolment, reason="course_cancelled")
        (waiting if status in ("waiting", "offered") else enrolled).append(end)
    return [*leave_waiting_list(session, waiting, now=now), *drop_out(session, enrolled, now=now)]


def _on_course(session: Session, code: str) -> list[tuple[int, str, str]]:
    query = (
        select(col(TrainingEnrolment.case_id), col(TrainingEnrolment.code), col(TrainingEnrolment.status))
        .join(Course, col(Course.id) == col(TrainingEnrolment.course_id))
        .where(
            col(Course.code) == code,
            col(TrainingEnrolment.status).in_(("waiting", "offered", "enrolled", "attending")),
        )
        .order_by(col(TrainingEnrolment.case_id))
    )
    return [(case_id, enrolment, status) for case_id, enrolment, status in session.execute(query)]


def _set_status(session: Session, course: Course, status: str, version: int) -> None:
    changed = session.execute(
        update(Course)
        .where(col(Course.id) == course.id, col(Course.version) == version)
        .values(status=status, version=version + 1)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongUse(
            f"Somebody else has changed the course {course.code} meanwhile.",
            f"Quelqu'un d'autre a modifié la formation {course.code} entre-temps.",
            remedy="Look at it again, and decide again.",
            remedy_fr="Relisez-la, puis décidez à nouveau.",
        )
    session.refresh(course)
