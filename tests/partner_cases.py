"""One case of the `mali` pathway with three partners, for the tests of consents and referrals. All of it synthetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload

from models import Deadline, JournalRow, Partner, Referral
from states.casework.consents import ConsentAnswer, record_consents
from states.casework.referrals import Answer, ReferralAnswer, ReferralRequest, answer_referrals, make_referrals
from states.moves import Actor, Outcome, OutcomeKind


@dataclass
class PartnerCases:
    """`case_id` is the case; `clinic`, `workshop` and `shelter` are the ids of the partners."""

    caseload: Caseload
    case_id: int
    clinic: int
    workshop: int
    shelter: int
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def session(self) -> Session:
        return self.caseload.session

    def signed(self, *, actor: Actor | None = None, command_id: str | None = None) -> dict[str, Any]:
        """What every step carries; by the case worker unless somebody else acts."""
        return {
            "case_id": self.case_id,
            "actor": actor or self.caseload.staff["case_worker"],
            "command_id": command_id or f"partner-cases-{next(self._numbers)}",
            "correlation_id": "test",
        }

    def advance(self, trigger: str, **parts: Any) -> Outcome:
        return self.caseload.advance(self.case_id, trigger, **parts)

    def agree(self, *, now: datetime = START, **answer: Any) -> str:
        """The code of a consent (or of a refusal)."""
        code = self.caseload.new_code()
        given = ConsentAnswer(**self.signed(), code=code, **{"given": True, **answer})
        (outcome,) = record_consents(self.session, [given], now=now)
        assert outcome.kind is OutcomeKind.MOVED, outcome.reasons
        return code

    def request(self, partner_id: int, **parts: Any) -> ReferralRequest:
        given: dict[str, Any] = {
            "code": self.caseload.new_code(),
            "services": ("health",),
            "information": ("name", "phone"),
            "priority": "normal",
        }
        return ReferralRequest(**self.signed(), partner_id=partner_id, **given | parts)

    def refer(self, partner_id: int, *, now: datetime = START, **parts: Any) -> str:
        """The code of a referral that was made."""
        request = self.request(partner_id, **parts)
        (outcome,) = make_referrals(self.session, [request], now=now)
        assert outcome.kind is OutcomeKind.MOVED, outcome.reasons
        return request.code

    def answer(
        self,
        code: str,
        answer: Answer,
        *,
        reason: str | None = None,
        actor: Actor | None = None,
        now: datetime = START,
    ) -> Outcome:
        given = ReferralAnswer(**self.signed(actor=actor), referral=code, answer=answer, reason=reason)
        (outcome,) = answer_referrals(self.session, [given], now=now)
        return outcome

    def referral(self, code: str) -> Referral:
        query = select(Referral).where(Referral.code == code).execution_options(populate_existing=True)
        return self.session.exec(query).one()

    def clocks(self, record: str) -> set[str]:
        """The statuses of the clocks of one referral."""
        return set(self.session.exec(select(Deadline.status).where(Deadline.record == record)).all())

    def newest_row(self) -> JournalRow:
        query = select(JournalRow).where(JournalRow.case_id == self.case_id).order_by(col(JournalRow.seq).desc())
        return self.session.exec(query.limit(1)).one()


def open_partner_cases(session: Session) -> PartnerCases:
    """Everything that the tests begin with."""
    caseload = open_caseload(session)
    partners = [Partner(code=code, name="Fictif", created_at=START) for code in ("clinique", "atelier", "refuge")]
    session.add_all(partners)
    session.flush()
    (case_id,) = caseload.register_many(1)
    clinic, workshop, shelter = (partner.id or 0 for partner in partners)
    return PartnerCases(caseload, case_id, clinic, workshop, shelter)
