"""Sessions, training and grants: each step in its order, none without the move that goes with it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel
from synthetic_cases import START, Caseload, open_caseload

from models import (
    Assessment,
    Event,
    JournalRow,
    LivelihoodGrant,
    PsychosocialSession,
    Task,
    TrainingEnrolment,
    WrongUse,
)
from states.casework.act import Step
from states.casework.plan import PlanDraft, approve_plans, draft_plans
from states.casework.support import (
    ALREADY_ENROLLED,
    GRANT_ELSEWHERE,
    GRANT_UNDER_WAY,
    NO_ENROLMENT,
    Attendance,
    DropOut,
    Enrolment,
    GrantProposal,
    GrantStep,
    SessionHeld,
    advance_grants,
    certify,
    drop_out,
    enrol,
    propose_grants,
    record_attendance,
    record_sessions,
)
from states.moves import Outcome, OutcomeKind

NEEDS = ("psychosocial", "training", "livelihood")


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def rows(caseload: Caseload, table: type[SQLModel], case_id: int) -> list[Any]:
    query = select(table).where(table.case_id == case_id).order_by(table.id)
    return list(caseload.session.scalars(query.execution_options(populate_existing=True)))


def sign(caseload: Caseload, case_id: int, role: str) -> dict[str, Any]:
    """What every step carries: case, actor, command, correlation."""
    move = caseload.move(case_id, "", role)
    return {"case_id": case_id, "actor": move.actor, "command_id": move.command_id, "correlation_id": "test"}


def in_state(caseload: Caseload, trigger: str, number: int = 1) -> list[int]:
    """Cases with an approved plan that asks for everything, gone on with `trigger`."""
    case_ids = caseload.register_many(number)
    for case_id in case_ids:
        worker = caseload.staff["case_worker"]
        caseload.advance(case_id, "confirm_arrival")
        caseload.agree([case_id])
        caseload.advance(case_id, "begin_screening")
        caseload.session.add_all(_assessments(case_id))
        caseload.advance(case_id, "begin_planning")
        draft_plans(caseload.session, [PlanDraft(case_id=case_id, actor=worker, needs=NEEDS)], now=START)
        approve_plans(caseload.session, [Step(**sign(caseload, case_id, "coordinator"))], now=START)
        assert caseload.advance(case_id, trigger).kind is OutcomeKind.MOVED
    return case_ids


def _assessments(case_id: int) -> list[Any]:
    return [
        Assessment(case_id=case_id, instrument=name, version="1", answers={}, assessed_at=START)
        for name in ("vulnerability", "k6")
    ]


def test_sessions_are_recorded_after_they_were_held(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_psychosocial")
    held = SessionHeld(
        case_id=case_id, actor=caseload.staff["psychosocial_worker"], kind="individual", held_at=START, attended=False
    )
    record_sessions(caseload.session, [held], now=START)
    refused = caseload.advance(case_id, "review_psychosocial")
    assert [reason.code for reason in refused.reasons] == ["sessions_attended"]
    came = SessionHeld(case_id=case_id, actor=held.actor, kind="group", held_at=START, note="x")
    record_sessions(caseload.session, [came], now=START + timedelta(hours=1))
    assert caseload.advance(case_id, "review_psychosocial").kind is OutcomeKind.MOVED
    assert [(row.kind, row.attended, row.note) for row in rows(caseload, PsychosocialSession, case_id)] == [
        ("individual", False, None),
        ("group", True, "x"),
    ]
    with pytest.raises(WrongUse, match="after it was held"):
        record_sessions(caseload.session, [came], now=START - timedelta(hours=1))


def test_training_goes_from_enrolment_through_attendance_to_a_certificate(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_training")
    me = partial(sign, caseload, case_id, "training_officer")
    session = caseload.session

    def only(outcomes: list[Outcome]) -> Outcome:
        (outcome,) = outcomes
        return outcome

    assert only(record_attendance(session, [Attendance(**me(), days=3)], now=START)).reasons == (NO_ENROLMENT,)
    assert only(enrol(session, [Enrolment(**me(), course="couture")], now=START)).kind is OutcomeKind.MOVED
    assert only(enrol(session, [Enrolment(**me(), course="soudure")], now=START)).reasons == (ALREADY_ENROLLED,)
    # A certificate needs attendance.
    assert only(certify(session, [Step(**me())], now=START)).reasons == (NO_ENROLMENT,)
    for days in (3, 4):
        moved = only(record_attendance(session, [Attendance(**me(), days=days)], now=START))
        assert moved.kind is OutcomeKind.MOVED
    later = START + timedelta(days=90)
    assert only(certify(session, [Step(**me())], now=later)).kind is OutcomeKind.MOVED

    (row,) = rows(caseload, TrainingEnrolment, case_id)
    assert (row.status, row.days_attended, row.certificate_at) == ("completed", 7, later)
    assert [event.type for event in rows(caseload, Event, case_id)][-2:] == ["training.enrolled", "training.certified"]


def test_a_drop_out_ends_the_enrolment_and_asks_for_another(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_training")
    me = partial(sign, caseload, case_id, "training_officer")
    enrol(caseload.session, [Enrolment(**me(), course="couture")], now=START)
    (outcome,) = drop_out(caseload.session, [DropOut(**me(), reason="family")], now=START)
    assert outcome.kind is OutcomeKind.MOVED
    (row,) = rows(caseload, TrainingEnrolment, case_id)
    assert (row.status, row.reason) == ("dropped_out", "family")
    assert [task.status for task in rows(caseload, Task, case_id) if task.key == "enrol"] == ["done", "open"]
    (again,) = enrol(caseload.session, [Enrolment(**me(), course="soudure")], now=START)
    assert again.kind is OutcomeKind.MOVED


def test_a_grant_takes_one_step_after_the_other_with_four_eyes(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_livelihood")
    session = caseload.session

    def go(step: GrantStep, role: str) -> Outcome:
        (outcome,) = advance_grants(session, step, [Step(**sign(caseload, case_id, role))], now=START)
        return outcome

    def propose(role: str) -> Outcome:
        proposal = GrantProposal(**sign(caseload, case_id, role), activity="élevage", amount_xof=450_000)
        (outcome,) = propose_grants(session, [proposal], now=START)
        return outcome

    assert go("approved", "coordinator").reasons == (GRANT_ELSEWHERE,)
    assert propose("livelihood_officer").kind is OutcomeKind.MOVED
    assert propose("livelihood_officer").reasons == (GRANT_UNDER_WAY,)
    assert go("delivered", "livelihood_officer").reasons == (GRANT_ELSEWHERE,)
    assert [reason.code for reason in go("approved", "livelihood_officer").reasons] == [
        "role_not_allowed",
        "grant_approver_differs",
    ]
    assert rows(caseload, LivelihoodGrant, case_id)[0].status == "planned"
    for step, role in (
        ("approved", "coordinator"),
        ("procured", "livelihood_officer"),
        ("delivered", "livelihood_officer"),
        ("verified", "case_worker"),
    ):
        assert go(step, role).kind is OutcomeKind.MOVED
        assert go(step, role).reasons == (GRANT_ELSEWHERE,)

    (grant,) = rows(caseload, LivelihoodGrant, case_id)
    assert (grant.status, grant.approved_by) == ("verified", caseload.staff["coordinator"].id)
    assert grant.proposed_by == caseload.staff["livelihood_officer"].id
    assert None not in (grant.approved_at, grant.procured_at, grant.delivered_at, grant.verified_at)
    triggers = [row.trigger for row in rows(caseload, JournalRow, case_id)][-5:]
    assert triggers == ["submit_business_plan", "approve_grant", "procure_kit", "deliver_kit", "verify_kit"]


def test_in_a_batch_each_grant_stands_by_itself(caseload: Caseload) -> None:
    case_ids = in_state(caseload, "start_livelihood", 3)
    own, other, none = case_ids
    for case_id, role in ((own, "coordinator"), (other, "livelihood_officer")):
        proposal = GrantProposal(**sign(caseload, case_id, role), activity="commerce", amount_xof=300_000)
        propose_grants(caseload.session, [proposal], now=START)
    steps = [Step(**sign(caseload, case_id, "coordinator")) for case_id in case_ids]
    outcomes = advance_grants(caseload.session, "approved", steps, now=START)
    assert [outcome.case_id for outcome in outcomes] == case_ids
    assert [[reason.code for reason in outcome.reasons] for outcome in outcomes] == [
        ["grant_approver_differs"],
        [],
        ["grant_elsewhere"],
    ]
    statuses = [grant.status for case_id in case_ids for grant in rows(caseload, LivelihoodGrant, case_id)]
    assert statuses == ["planned", "approved"]
    assert rows(caseload, LivelihoodGrant, none) == []
