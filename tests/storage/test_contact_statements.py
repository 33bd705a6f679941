"""Consents and referrals in sets: the number of statements does not depend on how many cases there are."""

from __future__ import annotations

from typing import Any

from edges.webhook_outbox import statements
from sqlalchemy import Engine
from sqlmodel import Session, select
from synthetic_cases import START, Caseload, open_caseload

from models import Partner, Referral
from models.database import write_session
from states.casework.consents import ConsentAnswer, Revocation, record_consents, revoke_consents
from states.casework.households import Member, form_household
from states.casework.referrals import ReferralRequest, make_referrals
from states.moves import Outcome, OutcomeKind


def signed(caseload: Caseload, case_id: int) -> dict[str, Any]:
    return caseload.signed(case_id, "case_worker")


def all_moved(outcomes: list[Outcome]) -> None:
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}


def test_a_day_of_many_takes_as_many_statements_as_a_day_of_few(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        partner = Partner(code="clinique", name="Clinique (fictive)", created_at=START)
        session.add(partner)
        session.flush()
        counts = [_day(session, engine, caseload, partner.id or 0, size) for size in (2, 60)]
    assert counts[0] == counts[1]


def _day(session: Session, engine: Engine, caseload: Caseload, partner_id: int, size: int) -> list[int]:
    """How many statements each act took: consents, referrals, revocations with what leans on them, a household."""
    case_ids = caseload.register_many(size)
    shared = ("name", "phone")
    consents = [
        ConsentAnswer(
            **signed(caseload, case_id),
            code=caseload.new_code(),
            purpose="sharing",
            given=True,
            partner_id=partner_id,
            information=shared,
        )
        for case_id in case_ids
    ]
    requests = [
        ReferralRequest(
            **signed(caseload, case_id),
            code=caseload.new_code(),
            partner_id=partner_id,
            services=("health",),
            information=shared,
            priority="urgent",
        )
        for case_id in case_ids
    ]
    revocations = [Revocation(**signed(caseload, each.case_id), consent=each.code) for each in consents]
    members = [Member(**signed(caseload, case_id)) for case_id in case_ids]
    counts = []
    for act in (
        lambda: record_consents(session, consents, now=START),
        lambda: make_referrals(session, requests, now=START),
        lambda: revoke_consents(session, revocations, now=START),
        lambda: form_household(session, members, code=caseload.new_code(), now=START),
    ):
        with statements(engine) as seen:
            all_moved(act())
        counts.append(len(seen))
    made = {request.code for request in requests}
    found = session.exec(select(Referral.code, Referral.status)).all()
    assert {status for code, status in found if code in made} == {"revoked"}
    return counts
