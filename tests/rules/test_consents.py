"""Consents: the newest answer counts, and taking one back takes back what leans on it, and tells who received it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from partner_cases import PartnerCases, open_partner_cases
from sqlmodel import Session, col, select
from synthetic_cases import START

from models import Case, Consent, Disclosure, Event, JournalRow, PartnerEvent, Referral, SharingAgreement, WrongUse
from states.casework.consents import ConsentAnswer, Revocation, record_consents, revoke_consents
from states.journal import verify_journal
from states.moves import OutcomeKind

LATER = START + timedelta(days=2)


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def consents(cases: PartnerCases) -> list[tuple[Any, ...]]:
    cases.session.expire_all()
    rows = cases.session.exec(select(Consent).order_by(col(Consent.id))).all()
    return [(row.purpose, row.partner_id, row.status, row.revoked_at) for row in rows]


def test_an_answer_is_written_with_everything_that_was_said_and_its_row_of_the_journal(cases: PartnerCases) -> None:
    answer = ConsentAnswer(
        **cases.signed(),
        code="C-1",
        purpose="sharing",
        given=True,
        partner_id=cases.clinic,
        information=("name", "needs"),
        source="form",
        form_sha256="a" * 64,
        guardian="Tante fictive",
        witness="Témoin fictif",
    )
    (outcome,) = record_consents(cases.session, [answer], now=START)
    assert outcome.kind is OutcomeKind.MOVED
    row = cases.session.exec(select(Consent)).one()
    assert (row.code, row.status, row.partner_id, row.information) == ("C-1", "given", cases.clinic, ["name", "needs"])
    assert (row.source, row.form_sha256, row.guardian, row.witness) == (
        *("form", "a" * 64, "Tante fictive", "Témoin fictif"),
    )
    assert (row.recorded_at, row.recorded_by) == (START, answer.actor.id)
    line = cases.newest_row()
    assert (line.trigger, line.data["information"], line.data["partner"]) == (
        *("record_consent", ["name", "needs"], cases.clinic),
    )
    assert "fictif" not in str(line.data)
    (again,) = record_consents(cases.session, [answer], now=LATER)
    assert again.kind is OutcomeKind.ALREADY_DONE
    assert len(consents(cases)) == 1


def test_a_refusal_revokes_what_was_given_for_the_same_purpose_and_recipient_only(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name",))
    cases.agree(purpose="sharing", partner_id=cases.workshop, information=("name",))
    cases.agree(purpose="assistance")
    cases.agree(purpose="sharing", partner_id=cases.clinic, given=False, now=LATER)
    assert consents(cases) == [
        ("sharing", cases.clinic, "revoked", LATER),
        ("sharing", cases.workshop, "given", None),
        ("assistance", None, "given", None),
        ("sharing", cases.clinic, "refused", None),
    ]
    assert verify_journal(cases.session).broken == []


def test_what_is_not_known_or_has_no_case_is_no_answer(cases: PartnerCases) -> None:
    given: dict[str, Any] = {"code": "C", "purpose": "sharing", "given": True}
    with pytest.raises(WrongUse, match="shoe_size"):
        record_consents(
            cases.session, [ConsentAnswer(**cases.signed(), **given, information=("shoe_size",))], now=START
        )
    with pytest.raises(WrongUse, match="hearsay"):
        record_consents(cases.session, [ConsentAnswer(**cases.signed(), **given, source="hearsay")], now=START)
    nobody = ConsentAnswer(**{**cases.signed(), "case_id": 99}, **given)
    assert record_consents(cases.session, [nobody], now=START)[0].kind is OutcomeKind.UNKNOWN
    assert consents(cases) == []


def test_a_revocation_revokes_open_referrals_and_tells_everybody_who_received_something(cases: PartnerCases) -> None:
    code = cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    done = cases.refer(cases.clinic)
    cases.answer(done, "accepted")
    cases.answer(done, "done")
    open_ = cases.refer(cases.clinic, priority="emergency")
    accepted = cases.refer(cases.workshop)
    cases.answer(accepted, "accepted")
    cases.agree(purpose="sharing", partner_id=cases.shelter, information=("name",))
    other = cases.refer(cases.shelter, information=("name",))
    before = cases.session.exec(select(Event.id)).all()

    revocation = Revocation(**cases.signed(command_id="revoke"), consent=code)
    (outcome,) = revoke_consents(cases.session, [revocation], now=LATER)

    assert outcome.kind is OutcomeKind.MOVED
    cases.session.expire_all()
    statuses = {row.code: row.status for row in cases.session.exec(select(Referral))}
    assert statuses == {done: "done", open_: "revoked", accepted: "revoked", other: "in_progress"}
    events = cases.session.exec(select(Event).where(col(Event.id).not_in(before)).order_by(col(Event.sequence))).all()
    told = [(event.type, event.data["referral"], event.only_for) for event in events]
    assert told == [
        ("consent.revoked", done, [cases.clinic]),
        ("consent.revoked", open_, [cases.clinic]),
        ("consent.revoked", accepted, [cases.workshop]),
        ("referral.revoked", open_, [cases.clinic]),
        ("referral.revoked", accepted, [cases.workshop]),
    ]
    assert all(set(event.data) <= {"case", "state", "referral"} for event in events)
    rows = cases.session.exec(select(JournalRow).where(JournalRow.at == LATER).order_by(col(JournalRow.seq))).all()
    assert [(row.trigger, row.reason, row.command_id) for row in rows] == [
        ("revoke_consent", None, "revoke"),
        ("revoke_referral", "consent_revoked", f"revoke:{open_}"),
        ("revoke_referral", "consent_revoked", f"revoke:{accepted}"),
    ]
    assert cases.clocks(open_) == {"cancelled"}
    assert cases.clocks(other) == {"open"}
    assert verify_journal(cases.session).broken == []

    (again,) = revoke_consents(cases.session, [revocation], now=LATER)
    assert again.kind is OutcomeKind.ALREADY_DONE
    (twice,) = revoke_consents(cases.session, [Revocation(**cases.signed(), consent=code)], now=LATER)
    assert [reason.code for reason in twice.reasons] == ["wrong_record_state"]
    (unknown,) = revoke_consents(cases.session, [Revocation(**cases.signed(), consent="C-0")], now=LATER)
    assert [reason.code for reason in unknown.reasons] == ["no_such_record"]


def test_consent_can_be_taken_back_after_the_case_was_closed(cases: PartnerCases) -> None:
    code = cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name",))
    referral = cases.refer(cases.clinic, information=("name",))
    assert cases.advance("close", reason="no_show").kind is OutcomeKind.MOVED
    (outcome,) = revoke_consents(cases.session, [Revocation(**cases.signed(), consent=code)], now=LATER)
    assert outcome.kind is OutcomeKind.MOVED
    assert cases.referral(referral).status == "revoked"


@pytest.mark.parametrize("how", ["refuses", "revokes"])
def test_a_no_for_a_partner_ends_what_a_yes_for_any_partner_had_allowed_there(cases: PartnerCases, how: str) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    to_clinic, elsewhere = cases.refer(cases.clinic), cases.refer(cases.workshop)
    code = cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name",), given=how == "revokes")
    if how == "revokes":
        assert cases.referral(to_clinic).status == "in_progress"
        revocation = Revocation(**cases.signed(), consent=code)
        assert revoke_consents(cases.session, [revocation], now=LATER)[0].kind is OutcomeKind.MOVED
    assert (cases.referral(to_clinic).status, cases.referral(elsewhere).status) == ("revoked", "in_progress")
    assert (cases.newest_row().trigger, cases.newest_row().reason) == ("revoke_referral", "consent_revoked")
    assert cases.clocks(to_clinic) == {"cancelled"}
    assert verify_journal(cases.session).broken == []


def test_a_no_to_assistance_from_a_partner_leaves_what_may_be_shared_with_it(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    referral = cases.refer(cases.clinic)
    cases.agree(purpose="assistance", partner_id=cases.clinic, given=False)
    assert cases.referral(referral).status == "in_progress"


def _see(cases: PartnerCases, consent: str, partner_id: int, status: str = "shown") -> None:
    """The partner is owed the next event of the case, under the consent with this code."""
    had = len(cases.session.exec(select(PartnerEvent.id).where(PartnerEvent.partner_id == partner_id)).all())
    event = cases.session.exec(select(Event).order_by(col(Event.id)).offset(had).limit(1)).one()
    cases.session.add(
        PartnerEvent(
            uid=f"evt-{event.id}-{partner_id}",
            event_id=event.id or 0,
            partner_id=partner_id,
            case_id=cases.case_id,
            status=status,
            consent_id=cases.session.exec(select(Consent.id).where(Consent.code == consent)).one(),
        )
    )
    cases.session.flush()


def _look(cases: PartnerCases, consent: str, partner_id: int) -> None:
    """The partner looks at the case through the API."""
    agreement = SharingAgreement(
        code="accord",
        version=1,
        partner_id=partner_id,
        title="Fictif",
        purpose="sharing",
        valid_from=START.date(),
        created_at=START,
    )
    cases.session.add(agreement)
    cases.session.flush()
    cases.session.add(
        Disclosure(
            partner_id=partner_id,
            case_id=cases.case_id,
            what="case",
            agreement_id=agreement.id or 0,
            consent_id=cases.session.exec(select(Consent.id).where(Consent.code == consent)).one(),
            at=START,
        )
    )
    cases.session.flush()


def test_a_revocation_tells_whoever_saw_something_though_no_referral_leans_on_it(cases: PartnerCases) -> None:
    code = cases.agree(purpose="sharing", any_partner=True, information=("name",))
    other = cases.agree(purpose="assistance")
    cases.advance("confirm_arrival")
    _see(cases, code, cases.clinic)
    _see(cases, other, cases.workshop)
    _see(cases, code, cases.workshop, status="withheld")
    _see(cases, other, cases.clinic, status="withheld")
    _look(cases, code, cases.shelter)
    revoke_consents(cases.session, [Revocation(**cases.signed(), consent=code)], now=LATER)
    assert _told(cases) == [(None, [cases.clinic]), (None, [cases.shelter])]
    revoke_consents(cases.session, [Revocation(**cases.signed(), consent=other)], now=LATER)
    assert _told(cases)[2:] == [(None, [cases.workshop])]


def test_who_is_told_by_its_referral_is_not_told_again(cases: PartnerCases) -> None:
    code = cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    first, second = cases.refer(cases.clinic), cases.refer(cases.clinic)
    for partner_id in (cases.clinic, cases.workshop):
        _see(cases, code, partner_id)
    revoke_consents(cases.session, [Revocation(**cases.signed(), consent=code)], now=LATER)
    assert _told(cases) == [(first, [cases.clinic]), (second, [cases.clinic]), (None, [cases.workshop])]


@pytest.mark.parametrize("how", ["shown", "looked", "withheld", "assistance", "revoked", "twice"])
def test_a_first_no_to_a_partner_takes_back_what_it_saw_because_any_might(cases: PartnerCases, how: str) -> None:
    purpose = "assistance" if how == "assistance" else "sharing"
    code = cases.agree(purpose=purpose, any_partner=purpose == "sharing", information=("name",))
    if how == "looked":
        _look(cases, code, cases.clinic)
    else:
        _see(cases, code, cases.clinic, status="withheld" if how == "withheld" else "shown")
    _see(cases, code, cases.workshop)
    if how == "revoked":
        revoke_consents(cases.session, [Revocation(**cases.signed(), consent=code)], now=LATER)
    told = _told(cases)
    for _ in range(2 if how == "twice" else 1):
        cases.agree(purpose="sharing", partner_id=cases.clinic, given=False, now=LATER)
    expected = [(None, [cases.clinic])] if how in ("shown", "looked") else [(None, [cases.clinic])] * (how == "twice")
    assert _told(cases)[len(told) :] == expected
    assert cases.session.get_one(Case, cases.case_id, populate_existing=True).events == len(
        cases.session.exec(select(Event.id)).all()
    )
    assert verify_journal(cases.session).broken == []


def _told(cases: PartnerCases) -> list[tuple[str | None, list[int] | None]]:
    events = cases.session.exec(select(Event).where(Event.type == "consent.revoked").order_by(col(Event.id)))
    return [(event.data.get("referral"), event.only_for) for event in events]
