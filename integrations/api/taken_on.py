"""Whom a partner took on: its own referrals, their cases, and places on the courses that it holds.

`integrations.api.reports` and `attendance` find by it what a report is about; what is another's is not found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.api.referrals import NOT_NOW
from models.referrals import Referral
from models.training import Course, TrainingEnrolment
from states.gather import load_cases
from states.moves import Reason

NO_ENROLMENT: Final = Reason(
    "no_such_enrolment",
    "La personne n'est inscrite à aucune de vos formations sous ce code : vérifiez `course`.",
    "The person is on no course of yours with this code: check `course`.",
    "course",
)
NOT_TAKEN_ON: Final = Reason(
    "referral_not_accepted",
    "Vous n'avez pas accepté cette orientation : acceptez-la d'abord.",
    "You have not accepted this referral: accept it first.",
    "referral",
)
_OF_THE_COURSE: Final = frozenset({"command_id_reused", "wrong_record_state"})
_UNDER_WAY: Final = ("enrolled", "attending")


class OwnReferral(NamedTuple):
    """A referral to the caller, as far as reports go by it."""

    case_id: int
    status: str
    services: Sequence[str]
    answered_at: datetime | None


def own_referrals(session: Session, partner_id: int, codes: Collection[str]) -> dict[str, OwnReferral]:
    """The partner's own referrals among these codes, their cases locked: nobody changes them until the commit."""
    mine = select(
        col(Referral.code),
        col(Referral.case_id),
        col(Referral.status),
        col(Referral.services),
        col(Referral.answered_at),
    ).where(col(Referral.partner_id) == partner_id, col(Referral.code).in_(codes))
    load_cases(session, {row.case_id for row in session.execute(mine)}, lock=True)
    return {code: OwnReferral(*rest) for code, *rest in session.execute(mine)}


class Enrolment(NamedTuple):
    """A person's place on a course of the caller."""

    code: str
    course: Course


def enrolments(
    session: Session, partner_id: int, wanted: Collection[tuple[int, str]]
) -> dict[tuple[int, str], Enrolment]:
    """The places of cases on courses that this partner holds, by case and code of the course: the one that is under
    way, else the newest. One query."""
    query = (
        select(col(TrainingEnrolment.case_id), col(TrainingEnrolment.code), Course)
        .join(Course, col(Course.id) == col(TrainingEnrolment.course_id))
        .where(
            col(Course.partner_id) == partner_id,
            col(TrainingEnrolment.case_id).in_({case_id for case_id, _ in wanted}),
            col(Course.code).in_({course for _, course in wanted}),
        )
        .order_by(col(TrainingEnrolment.status).in_(_UNDER_WAY), col(TrainingEnrolment.id))
    )
    found = {(case_id, course.code): Enrolment(code, course) for case_id, code, course in session.execute(query)}
    return {key: found[key] for key in wanted if key in found}


def of_the_course(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that say no more than how far somebody is on the partner's own course."""
    return tuple(dict.fromkeys(each if each.code in _OF_THE_COURSE else NOT_NOW for each in reasons))
