"""Sessions, training, grants, visits and referrals: each step in its order, none without the move that goes with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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
    FollowUpVisit,
    JournalRow,
    LivelihoodGrant,
    Partner,
    PsychosocialSession,
    Referral,
    Task,
    TrainingEnrolment,
    WrongUse,
)
from states.casework.act import ConsentAnswer, Step, record_consents
from states.casework.contacts import (
    ALREADY_VISITED,
    NO_CONSENT_TO_SHARE,
    ReferralRequest,
    Visit,
    make_referrals,
    record_visits,
)
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
from states.codes import case_code
from states.moves import Actor, Outcome, OutcomeKind
from states.sweep import sweep_deadlines

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
        officer, worker = caseload.staff["intake_officer"], caseload.staff["case_worker"]
        caseload.advance(case_id, "confirm_arrival")
        answer = ConsentAnswer(case_id=case_id, actor=officer, purpose="assistance", given=True)
        record_consents(caseload.session, [answer], now=START)
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


def test_a_visit_is_recorded_once_it_opens_and_once_only(caseload: Caseload) -> None:
    (case_id,) = in_state(caseload, "start_psychosocial")
    waive = {"waived": list(NEEDS)}
    assert caseload.advance(case_id, "start_follow_up", note="x", data=waive).kind is OutcomeKind.MOVED

    def visit(now: Any) -> Outcome:
        made = Visit(**sign(caseload, case_id, "case_worker"), months=3, outcome="well")
        (outcome,) = record_visits(caseload.session, [made], now=now)
        return outcome

    assert [reason.code for reason in visit(START + timedelta(days=30)).reasons] == ["ran_out"]
    assert rows(caseload, FollowUpVisit, case_id) == []
    in_window = START + timedelta(days=85)
    while sweep_deadlines(caseload.session, as_of=in_window, limit=100).seen:
        pass
    assert visit(in_window).kind is OutcomeKind.MOVED
    assert visit(in_window).reasons == (ALREADY_VISITED,)
    assert [(row.months, row.visited_at) for row in rows(caseload, FollowUpVisit, case_id)] == [(3, in_window)]
    assert [task.status for task in rows(caseload, Task, case_id) if task.key == "visit_3"] == ["done"]


@pytest.mark.parametrize(
    ("answers", "made"),
    [
        ([], False),
        ([("any", True)], True),
        ([("any", False)], False),
        ([("any", True), ("any", False)], False),
        ([("any", False), ("any", True)], True),
        ([("named", True)], True),
        ([("other", True)], False),
        ([("any", True), ("named", False)], False),
        ([("named", True), ("any", False)], True),
    ],
)
def test_a_referral_needs_a_consent_that_covers_its_partner(
    caseload: Caseload, answers: Sequence[tuple[str, bool]], made: bool
) -> None:
    (case_id,) = caseload.register_many(1)
    worker = caseload.staff["case_worker"]
    named, other = (Partner(code=code, name=code, created_at=START) for code in ("clinique", "atelier"))
    caseload.session.add_all([named, other])
    caseload.session.flush()
    assert named.id is not None
    recipients = {"any": None, "named": named.id, "other": other.id}
    for recipient, given in answers:
        answer = ConsentAnswer(
            case_id=case_id, actor=worker, purpose="sharing", given=given, partner_id=recipients[recipient]
        )
        record_consents(caseload.session, [answer], now=START)
    outcome = refer(caseload, case_id, worker, named.id)
    assert (outcome.refused is None) is made
    assert outcome.refused in (None, NO_CONSENT_TO_SHARE)
    assert [row.code for row in rows(caseload, Referral, case_id)] == ([outcome.code] if made else [])


def refer(caseload: Caseload, case_id: int, actor: Actor, partner_id: int) -> Any:
    new_code: Callable[[], str] = partial(case_code, random.Random(7).randbytes)
    request = ReferralRequest(
        case_id=case_id,
        actor=actor,
        partner_id=partner_id,
        service="health",
        priority="normal",
        due_at=START + timedelta(days=14),
    )
    (outcome,) = make_referrals(caseload.session, [request], new_code=new_code, now=START)
    return outcome
