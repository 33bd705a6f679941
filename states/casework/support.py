"""Support as staff record it: psychosocial sessions, training, and the grant in kind from proposal to verification.

The console, the API and the command line call it and commit. Every step of a grant and of a training fires the
pathway's trigger for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Integer, String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Act, Step, lock_cases, record_and_move
from states.moves import Outcome, Reason

GrantStep = Literal["approved", "procured", "delivered", "verified"]

S = TypeVar("S", bound=Step)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionHeld(Act):
    """A psychosocial session, by the person who held it."""

    kind: Literal["individual", "family", "group"]
    held_at: datetime
    attended: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Step):
    """A place on a course."""

    course: str
    partner_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance(Step):
    """Days attended since the last time that attendance was recorded."""

    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOut(Step):
    """Training ended before its end."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProposal(Step):
    """The business plan's request: an activity and its amount in whole francs (XOF)."""

    activity: str
    amount_xof: int


_INSERT_SESSIONS = insert_into("psychosocial_session", "case_id", "kind", "held_at", "attended", "staff_id", "note")
_ENROL = SetStatement(
    "INSERT INTO training_enrolment (case_id, course, partner_id, status, enrolled_at, days_attended) "
    "SELECT r.case_id, r.course, r.partner_id, 'enrolled', r.at, 0 FROM {rows} WHERE NOT EXISTS (SELECT 1 "
    "FROM training_enrolment AS e WHERE e.case_id = r.case_id AND e.status IN ('enrolled', 'attending')) "
    "RETURNING case_id",
    case_id=BigId,
    course=String(),
    partner_id=BigId,
    at=UtcDateTime(),
)
_ATTEND = SetStatement(
    "UPDATE training_enrolment SET status = 'attending', days_attended = training_enrolment.days_attended + r.days "
    "FROM {rows} WHERE training_enrolment.case_id = r.case_id "
    "AND training_enrolment.status IN ('enrolled', 'attending') RETURNING training_enrolment.case_id",
    case_id=BigId,
    days=Integer(),
)
_CERTIFY = SetStatement(
    "UPDATE training_enrolment SET status = 'completed', certificate_at = r.at FROM {rows} "
    "WHERE training_enrolment.case_id = r.case_id AND training_enrolment.status = 'attending' "
    "RETURNING training_enrolment.case_id",
    case_id=BigId,
    at=UtcDateTime(),
)
_DROP_OUT = SetStatement(
    "UPDATE training_enrolment SET status = 'dropped_out', reason = r.reason FROM {rows} "
    "WHERE training_enrolment.case_id = r.case_id AND training_enrolment.status IN ('enrolled', 'attending') "
    "RETURNING training_enrolment.case_id",
    case_id=BigId,
    reason=String(),
)
_PROPOSE = SetStatement(
    "INSERT INTO livelihood_grant (case_id, activity, amount_xof, status, proposed_by, proposed_at) "
    "SELECT r.case_id, r.activity, r.amount_xof, 'planned', r.proposed_by, r.at FROM {rows} WHERE NOT EXISTS "
    "(SELECT 1 FROM livelihood_grant AS g WHERE g.case_id = r.case_id AND g.status <> 'verified') RETURNING case_id",
    case_id=BigId,
    activity=String(),
    amount_xof=Integer(),
    proposed_by=BigId,
    at=UtcDateTime(),
)


def _grant_step(before: str, step: str, *, signed: bool = False) -> SetStatement:
    signature = f", {step}_by = r.actor_id" if signed else ""
    return SetStatement(
        f"UPDATE livelihood_grant SET status = '{step}', {step}_at = r.at{signature} FROM {{rows}} "  # noqa: S608
        f"WHERE livelihood_grant.case_id = r.case_id AND livelihood_grant.status = '{before}' "
        "RETURNING livelihood_grant.case_id",
        case_id=BigId,
        actor_id=BigId,
        at=UtcDateTime(),
    )


_GRANT_STEPS: Final[dict[GrantStep, tuple[SetStatement, str]]] = {
    "approved": (_grant_step("planned", "approved", signed=True), "approve_grant"),
    "procured": (_grant_step("approved", "procured"), "procure_kit"),
    "delivered": (_grant_step("procured", "delivered"), "deliver_kit"),
    "verified": (_grant_step("delivered", "verified"), "verify_kit"),
}
"""The statement that takes a grant one step on, never two, and the trigger that goes with it."""

ALREADY_ENROLLED: Final = Reason(
    "already_enrolled",
    "La personne suit déjà une formation.",
    "The person is on a course already.",
    missing="enrolment.status",
)
NO_ENROLMENT: Final = Reason(
    "no_enrolment",
    "Il n'y a pas d'inscription en cours à cette étape.",
    "There is no enrolment under way at this step.",
    missing="enrolment.status",
)
GRANT_UNDER_WAY: Final = Reason(
    "grant_under_way",
    "Un appui à l'installation est déjà en cours.",
    "A grant is under way already.",
    missing="grant.status",
)
GRANT_ELSEWHERE: Final = Reason(
    "grant_elsewhere",
    "L'appui à l'installation n'en est pas à l'étape qui précède.",
    "The grant is not at the step before this one.",
    missing="grant.status",
)


def record_sessions(session: Session, held: Sequence[SessionHeld], *, now: datetime) -> None:
    """Write sessions, each person of a group session by itself.

    Raises WrongUse for an unknown case and for a session that is still to come.
    """
    if any(each.held_at > now for each in held):
        raise WrongUse("A session is recorded after it was held.", "Une séance s'enregistre après avoir eu lieu.")
    lock_cases(session, held)
    _INSERT_SESSIONS.execute(
        session,
        [(each.case_id, each.kind, time_text(each.held_at), each.attended, each.actor.id, each.note) for each in held],
    )


def enrol(session: Session, enrolments: Sequence[Enrolment], *, now: datetime) -> list[Outcome]:
    """Give places on courses; refused for a person who is on one."""
    return _record(
        *(session, _ENROL, enrolments, lambda each: (each.case_id, each.course, each.partner_id, time_text(now))),
        *("enrol", ALREADY_ENROLLED, now),
    )


def record_attendance(session: Session, attendances: Sequence[Attendance], *, now: datetime) -> list[Outcome]:
    """Add days to the enrolment under way."""
    return _record(
        *(session, _ATTEND, attendances, lambda each: (each.case_id, each.days)),
        *("confirm_attendance", NO_ENROLMENT, now),
    )


def certify(session: Session, certificates: Sequence[Step], *, now: datetime) -> list[Outcome]:
    """End the training of people whose attendance is recorded, with a certificate of this day."""
    return _record(
        session, _CERTIFY, certificates, lambda each: (each.case_id, time_text(now)), "certify", NO_ENROLMENT, now
    )


def drop_out(session: Session, drop_outs: Sequence[DropOut], *, now: datetime) -> list[Outcome]:
    """End trainings without a certificate."""
    return _record(
        session, _DROP_OUT, drop_outs, lambda each: (each.case_id, each.reason), "drop_out", NO_ENROLMENT, now
    )


def propose_grants(session: Session, proposals: Sequence[GrantProposal], *, now: datetime) -> list[Outcome]:
    """Submit business plans for approval; refused while another grant of the case is under way."""

    def row(each: GrantProposal) -> tuple[Any, ...]:
        return each.case_id, each.activity, each.amount_xof, each.actor.id, time_text(now)

    return _record(session, _PROPOSE, proposals, row, "submit_business_plan", GRANT_UNDER_WAY, now)


def advance_grants(session: Session, step: GrantStep, acts: Sequence[Step], *, now: datetime) -> list[Outcome]:
    """Take grants one step on: approved (by another person than the proposer), procured, delivered, verified."""
    statement, trigger = _GRANT_STEPS[step]
    return _record(
        *(session, statement, acts, lambda each: (each.case_id, each.actor.id, time_text(now))),
        *(trigger, GRANT_ELSEWHERE, now),
    )


def _record(
    session: Session,
    statement: SetStatement,
    steps: Sequence[S],
    row: Callable[[S], tuple[Any, ...]],
    trigger: str,
    missing: Reason,
    now: datetime,
) -> list[Outcome]:
    def record(trying: Sequence[S]) -> set[int]:
        return {case_id for (case_id,) in statement.execute(session, [row(each) for each in trying])}

    return record_and_move(
        session, steps, record=record, move=lambda each: each.fires(trigger), missing=missing, now=now
    )
