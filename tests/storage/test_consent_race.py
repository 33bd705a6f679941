"""A consent taken back while somebody refers on the strength of it: whoever comes first, nothing open leans on it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from partner_cases import open_partner_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from synthetic_cases import START

from models import Consent, Referral
from models.database import write_session
from states.casework.consents import Revocation, revoke_consents
from states.casework.referrals import make_referrals
from states.journal import verify_journal

ROUNDS = 8


def test_no_referral_is_left_open_on_a_consent_that_was_taken_back(engine: Engine) -> None:
    with write_session(engine) as session:
        cases = open_partner_cases(session)
        session.commit()
        signed, request = cases.signed, cases.request
        codes: list[str] = []
        for _ in range(ROUNDS):
            codes.append(cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name", "phone")))
            session.commit()
            revocation, asked = Revocation(**signed(), consent=codes[-1]), request(cases.clinic)
            gate = threading.Barrier(2)

            def work(act: Callable[[Session], object], gate: threading.Barrier = gate) -> None:
                gate.wait(timeout=30)
                with write_session(engine) as own:
                    act(own)
                    own.commit()

            threads = [
                threading.Thread(
                    target=work, args=(lambda own, each=revocation: revoke_consents(own, [each], now=START),)
                ),
                threading.Thread(target=work, args=(lambda own, each=asked: make_referrals(own, [each], now=START),)),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=60)
        open_on_revoked = (
            select(Referral.code)
            .join(Consent, col(Consent.id) == col(Referral.consent_id))
            .where(Consent.status == "revoked", col(Referral.status).in_(("in_progress", "accepted")))
        )
        assert session.exec(open_on_revoked).all() == []
        consents = session.exec(select(Consent.code, Consent.status)).all()
        assert {status for code, status in consents if code in codes} == {"revoked"}
        assert verify_journal(session).broken == []
