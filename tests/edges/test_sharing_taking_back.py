"""A revocation while partners are shown events: who saw something is told, and nothing is shown once it stands."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from edges.sharing_rows import agree, body, consent, owe, partner, row, shown
from edges.webhook_outbox import NOW, announce, open_cases
from partner_cases import PartnerCases, open_partner_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from synthetic_cases import START

from integrations.sharing.covering import Reason, Shown, Withheld
from models import Disclosure, Event, Partner
from models.database import write_session
from states.casework.consents import Revocation, revoke_consents

DAY_OF_CASE = START.date()


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def _newest(session: Session, event_type: str) -> list[Event]:
    query = select(Event).where(Event.type == event_type).order_by(col(Event.id))
    return list(session.exec(query))


def _prepare(session: Session, cases: PartnerCases) -> tuple[str, Partner]:
    """A consent to share with any partner, an agreement with the clinic, and an event."""
    clinic = session.get_one(Partner, cases.clinic)
    agree(session, clinic, event_types=["case.arrived"], valid_from=DAY_OF_CASE)
    code = cases.agree(purpose="sharing", any_partner=True, information=("name",))
    cases.advance("confirm_arrival")
    return code, clinic


def test_a_partner_without_a_referral_gets_the_retraction(cases: PartnerCases, session: Session) -> None:
    code, clinic = _prepare(session, cases)
    (id_,) = owe(session, *_newest(session, "case.arrived"), to=clinic)
    shown(session, id_)
    revoke_consents(session, [Revocation(**cases.signed(), consent=code)], now=START + timedelta(days=1))
    (retraction,) = owe(session, *_newest(session, "consent.revoked"), to=clinic)
    assert shown(session, retraction) == {retraction: Shown(None, None, ())}
    assert body(session, retraction)["data"] == {"case": body(session, id_)["subject"], "state": "arrived"}
    assert row(session, retraction).sequence == 2


def test_who_only_looked_at_the_case_gets_the_retraction_too(cases: PartnerCases, session: Session) -> None:
    code, clinic = _prepare(session, cases)
    agreement = agree(session, clinic, code="looks")
    given = Disclosure(partner_id=cases.clinic, case_id=cases.case_id, what="case", at=START, agreement_id=0)
    given.agreement_id, given.consent_id = agreement.id or 0, 1
    session.add(given)
    session.flush()
    revoke_consents(session, [Revocation(**cases.signed(), consent=code)], now=START + timedelta(days=1))
    (retraction,) = owe(session, *_newest(session, "consent.revoked"), to=clinic)
    assert shown(session, retraction) == {retraction: Shown(None, None, ())}


def test_a_reminder_names_the_partners_own_id_and_comes_without_agreement_or_consent(session: Session) -> None:
    clinic, other = partner(session, "clinic"), partner(session, "other")
    agreement = agree(session, clinic)
    (case,) = open_cases(session, 1)
    consent(session, case)
    seen, revoked = announce(session, case), announce(session, case, "consent.revoked", only_for=[clinic.id])
    ids = owe(session, seen, revoked, to=clinic)
    shown(session, *ids)
    agreement.ended_at = NOW
    data = {"case": case.code, "event": revoked.uid, "due_at": "2024-03-09T00:00:00Z"}
    reminder = announce(session, case, "acknowledgement.due", data=data)
    (mine,), (theirs,) = owe(session, reminder, to=clinic), owe(session, reminder, to=other)
    assert shown(session, mine, theirs) == {mine: Shown(None, None, ()), theirs: Withheld(Reason.NOTHING_SHOWN)}
    assert body(session, mine)["data"] == {
        "case": body(session, ids[0])["subject"],
        "event": row(session, ids[1]).uid,
        "due_at": "2024-03-09T00:00:00Z",
    }


def test_a_revocation_waits_for_what_is_being_shown_and_tells_of_it(engine: Engine) -> None:
    with write_session(engine) as session:
        cases = open_partner_cases(session)
        code, clinic = _prepare(session, cases)
        (id_,) = owe(session, *_newest(session, "case.arrived"), to=clinic)
        revocation = Revocation(**cases.signed(), consent=code)
        session.commit()
    with write_session(engine) as session, ThreadPoolExecutor(1) as pool:
        assert isinstance(shown(session, id_)[id_], Shown)
        revoking = pool.submit(_revoke, engine, revocation)
        _waits(revoking)
        session.commit()
        assert revoking.result(timeout=30) == [[_clinic(session)]]


def test_nothing_is_shown_under_a_consent_that_is_being_taken_back(engine: Engine) -> None:
    with write_session(engine) as session:
        cases = open_partner_cases(session)
        code, clinic = _prepare(session, cases)
        (id_,) = owe(session, *_newest(session, "case.arrived"), to=clinic)
        revocation = Revocation(**cases.signed(), consent=code)
        session.commit()
    with write_session(engine) as session, ThreadPoolExecutor(1) as pool:
        revoke_consents(session, [revocation], now=START + timedelta(days=1))
        showing = pool.submit(_show, engine, id_)
        _waits(showing)
        session.commit()
        assert showing.result(timeout=30) == {id_: Withheld(Reason.NO_CONSENT)}


def _waits(work: Future[object]) -> None:
    assert not wait([work], timeout=0.3).done


def _clinic(session: Session) -> int:
    return session.exec(select(Partner.id).where(Partner.code == "clinique")).one() or 0


def _revoke(engine: Engine, revocation: Revocation) -> list[list[int] | None]:
    """For whom the retractions are."""
    with write_session(engine) as session:
        revoke_consents(session, [revocation], now=START + timedelta(days=1))
        session.commit()
        return [event.only_for for event in _newest(session, "consent.revoked")]


def _show(engine: Engine, id_: int) -> dict[int, Shown | Withheld]:
    with write_session(engine) as session:
        verdicts = shown(session, id_)
        session.commit()
        return verdicts
