"""Steps of consents, referrals, families and protection are taken back whole, or refused with what to do instead. All
people are synthetic."""

from __future__ import annotations

from typing import Any

import pytest
from corrected_cases import DAY, LATER, apart, moved, only, taken_back
from partner_cases import PartnerCases, open_partner_cases
from sqlmodel import Session, col, select
from supported_cases import codes, rows, sign
from synthetic_cases import START, Caseload, open_caseload

from models import (
    Consent,
    Guardian,
    Referral,
    Vulnerability,
)
from models.household_history import stays_of
from states.casework.consents import Revocation, revoke_consents
from states.casework.guardians import (
    GuardianEnded,
    GuardianRecorded,
    GuardianStep,
    end_guardians,
    record_guardians,
    verify_guardians,
)
from states.casework.households import Member, form_household, split_household
from states.casework.vulnerabilities import (
    Dismissal,
    Identified,
    VulnerabilityStep,
    address_vulnerabilities,
    dismiss_vulnerabilities,
    identify_vulnerabilities,
    resolve_vulnerabilities,
)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


SHARING: dict[str, Any] = {"purpose": "sharing", "information": ("name", "phone")}


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def revoke(cases: PartnerCases, consent: str) -> None:
    moved(revoke_consents(cases.session, [Revocation(**cases.signed(), consent=consent)], now=START))


def statuses(cases: PartnerCases, table: type[Consent] | type[Referral]) -> list[str]:
    return [str(row.status) for row in rows(cases.caseload, table, cases.case_id)]


def test_a_revocation_that_revoked_referrals_stands(cases: PartnerCases) -> None:
    """The referral cannot come back without its consent, nor the consent behind the partner's back."""
    consent = cases.agree(**SHARING, partner_id=cases.clinic)
    cases.refer(cases.clinic)
    revoke(cases, consent)
    apart(cases.caseload, cases.case_id, "nouveau consentement")
    assert (statuses(cases, Consent), statuses(cases, Referral)) == (["revoked"], ["revoked"])
    cases.agree(**SHARING, partner_id=cases.clinic)
    cases.refer(cases.clinic)
    assert statuses(cases, Referral) == ["revoked", "in_progress"]


def test_a_revocation_that_nothing_leaned_on_is_taken_back(cases: PartnerCases) -> None:
    revoke(cases, cases.agree(**SHARING, partner_id=cases.clinic))
    taken_back(cases.caseload, cases.case_id)
    (consent,) = rows(cases.caseload, Consent, cases.case_id)
    assert (consent.status, consent.revoked_at, consent.revoked_by) == ("given", None, None)
    cases.refer(cases.clinic)


def test_a_no_that_revoked_a_yes_stands(cases: PartnerCases) -> None:
    cases.agree(**SHARING, partner_id=cases.clinic)
    cases.agree(**SHARING, partner_id=cases.clinic, given=False)
    apart(cases.caseload, cases.case_id, "nouveau consentement")
    assert statuses(cases, Consent) == ["revoked", "refused"]


def test_a_no_by_itself_is_taken_back(cases: PartnerCases) -> None:
    cases.agree(**SHARING, partner_id=cases.clinic, given=False)
    taken_back(cases.caseload, cases.case_id)
    assert statuses(cases, Consent) == ["taken_back"]


def test_an_answer_to_a_referral_is_taken_back_with_its_date_and_its_reason(cases: PartnerCases) -> None:
    cases.agree(**SHARING, any_partner=True)
    code = cases.refer(cases.clinic)
    worker = cases.caseload.staff["case_worker"].id
    moved([cases.answer(code, "accepted", now=START + DAY / 2)])
    moved([cases.answer(code, "rejected", reason="no_capacity", now=LATER)])
    taken_back(cases.caseload, cases.case_id)
    referral = cases.referral(code)
    assert (referral.status, referral.answer) == ("accepted", None)
    assert (referral.answered_at, referral.answered_by) == (START + DAY / 2, worker)
    taken_back(cases.caseload, cases.case_id)
    referral = cases.referral(code)
    assert (referral.status, referral.answered_at, referral.answered_by) == ("in_progress", None, None)
    moved([cases.answer(code, "revoked", reason="made_in_error")])
    taken_back(cases.caseload, cases.case_id)
    assert (cases.referral(code).status, cases.referral(code).answer) == ("in_progress", None)
    taken_back(cases.caseload, cases.case_id)
    assert statuses(cases, Referral) == ["taken_back"]
    assert codes(cases.answer(code, "accepted")) == ["wrong_record_state"]


def test_a_family_that_was_parted_by_mistake_is_put_together_again(caseload: Caseload) -> None:
    session = caseload.session
    ids = caseload.register_many(2)

    def members(*of: int) -> list[Member]:
        return [Member(**sign(caseload, id_), role="spouse") for id_ in of]

    moved(form_household(session, members(*ids), code="H1", now=START))
    moved(split_household(session, members(ids[1]), code="H2", now=START + DAY / 2))
    apart(caseload, ids[1], "en l'enregistrant à nouveau")
    stays = stays_of(session, ids[1], on=LATER.date())
    assert [(stay.household, stay.until is None) for stay in stays] == [("H1", False), ("H2", True)]


def test_guardians_are_taken_back_step_by_step(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)

    def signed() -> dict[str, Any]:
        return sign(caseload, case_id, "vulnerability_focal_point")

    recorded = GuardianRecorded(**signed(), code="T1", relation="relative", name="Tutrice fictive")
    moved(record_guardians(session, [recorded], now=START))
    moved(verify_guardians(session, [GuardianStep(**signed(), guardian="T1")], now=START))
    moved(end_guardians(session, [GuardianEnded(**signed(), guardian="T1", still_needed=True)], now=START))
    seen = []
    for _ in range(3):
        taken_back(caseload, case_id)
        row = only(caseload, Guardian, case_id)
        seen.append((row.status, row.verified_at is None, row.verified_by is None, row.ended_at, row.ended_by))
    assert seen == [
        ("verified", False, False, None, None),
        ("recorded", True, True, None, None),
        ("taken_back", True, True, None, None),
    ]


def test_vulnerabilities_are_taken_back_step_by_step(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)

    def signed() -> dict[str, Any]:
        return sign(caseload, case_id, "vulnerability_focal_point")

    moved(identify_vulnerabilities(session, [Identified(**signed(), code="V1", kind="detention")], now=START))
    step: dict[str, Any] = {"vulnerability": "V1"}
    moved(address_vulnerabilities(session, [VulnerabilityStep(**signed(), **step)], now=START))
    resolved_at = START + DAY / 2
    moved(resolve_vulnerabilities(session, [VulnerabilityStep(**signed(), **step)], now=resolved_at))
    dismissal = Dismissal(**signed(), **step, reason="not_confirmed", note="Erreur")
    moved(dismiss_vulnerabilities(session, [dismissal], now=LATER))
    seen = []
    for _ in range(4):
        taken_back(caseload, case_id)
        row = only(caseload, Vulnerability, case_id)
        seen.append((row.status, row.closed_at, row.closed_by is None, row.addressed_at))
    assert seen == [
        ("resolved", resolved_at, False, START),
        ("addressed", None, True, START),
        ("identified", None, True, None),
        ("taken_back", None, True, None),
    ]
    query = select(Vulnerability.status).where(col(Vulnerability.status).in_(("identified", "addressed")))
    assert session.exec(query).all() == []


@pytest.mark.parametrize("data", [{"corrects": 2}, {"record": "X"}, {"priority": {"from": "normal"}}])
def test_nobody_passes_a_move_off_as_what_the_journal_tells(caseload: Caseload, data: dict[str, Any]) -> None:
    (case_id,) = caseload.register_many(1)
    assert codes(caseload.advance(case_id, "confirm_arrival", data=data)) == ["not_storable"]
