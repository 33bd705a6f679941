"""Facts are what the records say: the newest of each kind, and only of the groups asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session
from synthetic_cases import ARRIVAL, START, Caseload, open_caseload, person

from models import (
    Assessment,
    CasePlan,
    Consent,
    FollowUpVisit,
    LivelihoodGrant,
    Partner,
    PsychosocialSession,
    Referral,
    TrainingEnrolment,
)
from states.facts import FACT_GROUPS, AssessmentFact, EnrolmentFact, Facts, GrantFact, GrantPlanFact, PlanFact
from states.gather import gather_facts

HOUR = timedelta(hours=1)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def facts(caseload: Caseload, case_id: int, *groups: str) -> Facts:
    return gather_facts(caseload.session, [case_id], groups)[case_id]


def add(caseload: Caseload, *rows: Any) -> None:
    for row in rows:
        caseload.session.add(row)
        caseload.session.flush()


def test_a_case_alone_says_what_its_row_says(caseload: Caseload) -> None:
    (made,) = caseload.register(person(1))
    found = facts(caseload, made.case_id)
    assert found == Facts(
        case_id=made.case_id,
        state="registered",
        version=1,
        entered_state_at=START,
        arrival_date=ARRIVAL,
        registered_at=START,
        region_pcode="ML02",
    )


def test_a_case_without_records_has_the_defaults_in_every_group(caseload: Caseload) -> None:
    (made,) = caseload.register(person(1, birth_date=None))
    found = facts(caseload, made.case_id, *FACT_GROUPS)
    assert found.open_tasks == {"confirm_arrival"}
    assert found.open_deadlines == {"no_show"}
    assert (found.birth_date, found.vulnerabilities, found.consents, found.assessments) == (None, set(), set(), {})
    assert (found.plan, found.sessions_attended, found.enrolment, found.grant) == (None, 0, None, None)
    assert (found.visits, found.open_referrals, found.done_tasks) == (set(), 0, set())


def test_unknown_cases_are_left_out_and_others_are_not_mixed_up(caseload: Caseload) -> None:
    ids = caseload.register_many(3)
    caseload.record_everything(ids[1])
    caseload.session.flush()
    found = gather_facts(caseload.session, [ids[2], 4711, ids[1], ids[0]], FACT_GROUPS)
    assert set(found) == set(ids)
    assert [found[id_].case_id for id_ in ids] == ids
    assert [found[id_].plan is None for id_ in ids] == [True, False, True]
    assert [found[id_].visits for id_ in ids] == [set(), {3, 6, 12}, set()]


def test_groups_that_were_not_asked_for_stay_empty(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.record_everything(case_id)
    caseload.session.flush()
    found = facts(caseload, case_id, "visits", "sessions")
    assert (found.visits, found.sessions_attended) == ({3, 6, 12}, 1)
    assert (found.plan, found.grant, found.assessments, found.open_tasks) == (None, None, {}, set())


def test_person(caseload: Caseload) -> None:
    (made,) = caseload.register(person(3, vulnerabilities=("minor", "disability")))
    found = facts(caseload, made.case_id, "returnee")
    assert found.birth_date == person(3).birth_date
    assert isinstance(found.birth_date, date)
    assert found.vulnerabilities == {"minor", "disability"}


def test_the_newest_answer_to_each_question_of_consent_counts(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    partner = Partner(code="p", name="Partenaire fictif", created_at=START)
    add(caseload, partner)

    def consent(purpose: str, given: bool, **more: Any) -> Consent:
        status = "given" if given else "refused"
        code = caseload.new_code()
        return Consent(
            **{"code": code, "case_id": case_id, "purpose": purpose, "status": status, **more}, recorded_at=START
        )

    add(caseload, consent("assistance", False), consent("assistance", True))
    add(caseload, consent("photo", True), consent("photo", False))
    add(caseload, consent("research", True, status="revoked"))
    add(
        caseload,
        consent("sharing", False),
        consent("sharing", True, partner_id=partner.id, information=["name", "sex"]),
    )
    found = facts(caseload, case_id, "consents")
    assert found.consents == {"assistance", "sharing"}
    assert found.consents_recorded == {"assistance", "photo", "research", "sharing"}
    assert found.shares == {partner.id: {"name", "sex"}}

    add(caseload, consent("sharing", True, any_partner=True, information=["name"]))
    add(caseload, consent("sharing", False, partner_id=partner.id))
    assert facts(caseload, case_id, "consents").shares == {partner.id: None, None: {"name"}}
    add(caseload, consent("sharing", True, any_partner=True, status="revoked", information=["name"]))
    assert facts(caseload, case_id, "consents").shares == {partner.id: None}


def test_the_newest_result_of_each_instrument_counts(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)

    def result(instrument: str, score: int, after: timedelta, **more: Any) -> Assessment:
        return Assessment(
            case_id=case_id,
            instrument=instrument,
            version="1",
            answers={},
            score=score,
            assessed_at=START + after,
            **more,
        )

    add(caseload, result("k6", 20, 5 * HOUR, band="severe", flags=["a", "b"]), result("k6", 3, HOUR))
    add(caseload, result("phq9", 1, HOUR), result("phq9", 2, HOUR))
    found = facts(caseload, case_id, "assessments").assessments
    assert found["k6"] == AssessmentFact("k6", 20, "severe", frozenset({"a", "b"}), START + 5 * HOUR)
    assert found["phq9"].score == 2


def test_the_newest_revision_of_the_plan_counts(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    author, approver = caseload.staff["case_worker"].id, caseload.staff["coordinator"].id
    add(
        caseload,
        CasePlan(code="P2", case_id=case_id, revision=2, needs=["training"], author_id=author, drafted_at=START),
        CasePlan(code="P1", case_id=case_id, revision=1, status="approved", approver_id=approver, drafted_at=START),
        CasePlan(code="P3", case_id=case_id, revision=3, status="taken_back", drafted_at=START),
    )
    assert facts(caseload, case_id, "plan").plan == PlanFact("draft", frozenset({"training"}), author, None)


def test_only_sessions_that_were_attended_count(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    add(
        caseload,
        *(
            PsychosocialSession(code=f"S{place}", case_id=case_id, occasion="O", held_at=START, attended=came, **more)
            for place, (came, more) in enumerate(
                [(True, {}), (False, {}), (True, {}), (True, {"taken_back_at": START})]
            )
        ),
    )
    assert facts(caseload, case_id, "sessions").sessions_attended == 2


def test_the_newest_enrolment_and_grant_that_came_to_something_count(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    proposer, approver = caseload.staff["livelihood_officer"].id, caseload.staff["coordinator"].id
    grant: dict[str, Any] = {"case_id": case_id, "activity": "x", "amount_xof": 7, "proposed_at": START}
    signed: dict[str, Any] = {"proposed_by": proposer, "approved_by": approver, "approved_at": START}
    enrolment: dict[str, Any] = {"case_id": case_id, "course": "a", "asked_at": START}
    add(
        caseload,
        TrainingEnrolment(**enrolment, code="E1", status="completed", certificate_at=START),
        TrainingEnrolment(**enrolment, code="E2", status="attending", enrolled_at=START),
        TrainingEnrolment(**enrolment, code="E3", status="withdrawn"),
        LivelihoodGrant(**grant, code="G1", status="verified"),
        LivelihoodGrant(**grant, **signed, code="G2", status="approved", spent_xof=5),
        LivelihoodGrant(**grant, code="G3", status="cancelled"),
    )
    found = facts(caseload, case_id, "enrolment", "grant", "grants")
    assert found.enrolment == EnrolmentFact("attending", certified=True)
    assert found.grant == GrantFact("approved", proposer, approver, START)
    assert found.grants.keys() == {"G1", "G2", "G3"}
    assert found.grants["G2"] == GrantPlanFact("individual", 7, 5, proposer, None)


def test_visits_and_referrals_that_wait_for_an_answer_or_its_end(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    partner = Partner(code="p", name="Partenaire fictif", created_at=START)
    add(caseload, partner)
    statuses = ("in_progress", "accepted", "rejected", "done", "revoked")
    referral: dict[str, Any] = {"case_id": case_id, "partner_id": partner.id, "made_at": START}
    add(
        caseload,
        *(
            FollowUpVisit(
                case_id=case_id, occasion=f"V{place}", months=months, visited_at=START, outcome="well", **more
            )
            for place, (months, more) in enumerate([(3, {}), (3, {}), (6, {}), (12, {"taken_back_at": START})])
        ),
        *(Referral(**referral, code=status, status=status) for status in statuses),
    )
    found = facts(caseload, case_id, "visits", "referrals")
    assert (found.visits, found.open_referrals) == ({3, 6}, 2)


def test_held_tasks_and_deadlines_are_open_ones_to_a_guard(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    caseload.advance(case_id, "hold", reason="medical")
    found = facts(caseload, case_id, "tasks", "deadlines")
    assert found.open_tasks == {"post_arrival_assistance", "identity_interview", "review_hold"}
    assert found.done_tasks == {"confirm_arrival"}
    assert found.open_deadlines == {"screening_begun", "plan_approved", "hold_review"}
    assert (found.state, found.previous_state, found.held_at) == ("on_hold", "arrived", START)
