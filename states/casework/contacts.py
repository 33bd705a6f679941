"""Contacts beyond the office: follow-up visits, and referrals to a partner's service.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import Integer, String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Act, Step, lock_cases, record_and_move
from states.moves import Outcome, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Step):
    """A follow-up visit: which one (3, 6 or 12 months), what was found, by a code of the programme's."""

    months: int
    outcome: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRequest(Act):
    """A partner is asked for a service; `due_at` is when its answer is due."""

    partner_id: int
    service: str
    priority: Literal["emergency", "urgent", "normal"]
    due_at: datetime
    reason: str | None = None


class ReferralMade(NamedTuple):
    """The code under which the partner knows the referral, or why it was not made."""

    code: str | None
    refused: Reason | None


_INSERT_VISITS = SetStatement(
    "INSERT INTO follow_up_visit (case_id, months, visited_at, outcome, staff_id, note) "
    "SELECT r.case_id, r.months, r.at, r.outcome, r.staff_id, r.note FROM {rows} WHERE NOT EXISTS "
    '(SELECT 1 FROM follow_up_visit AS v JOIN "case" AS c ON c.id = v.case_id WHERE v.case_id = r.case_id '
    "AND v.months = r.months AND v.visited_at >= c.entered_state_at) RETURNING case_id",
    case_id=BigId,
    months=Integer(),
    at=UtcDateTime(),
    outcome=String(),
    staff_id=BigId,
    note=String(),
)
_SHARING = SetStatement(
    "SELECT case_id, partner_id, id, CASE WHEN given AND revoked_at IS NULL THEN 1 ELSE 0 END FROM consent "
    "WHERE purpose = 'sharing' AND case_id IN (SELECT r.case_id FROM {rows}) ORDER BY id",
    case_id=BigId,
)
_INSERT_REFERRALS = insert_into(
    "referral",
    *("case_id", "partner_id", "consent_id", "code", "service", "priority", "status", "reason", "made_by", "made_at"),
    "due_at",
)
ALREADY_VISITED: Final = Reason(
    "already_visited",
    "Cette visite est déjà enregistrée depuis le début du suivi.",
    "This visit has been recorded since follow-up began.",
    missing="visits",
)
NO_CONSENT_TO_SHARE: Final = Reason(
    "consent_given",
    "La personne n'a pas consenti au partage avec ce partenaire.",
    "The person has not agreed to sharing with this partner.",
    missing="consents.sharing",
)


def record_visits(session: Session, visits: Sequence[Visit], *, now: datetime) -> list[Outcome]:
    """Write visits made today and fire the trigger of each; refused before the visit opens and when it is recorded."""

    def record(trying: Sequence[Visit]) -> set[int]:
        rows = [(each.case_id, each.months, time_text(now), each.outcome, each.actor.id, each.note) for each in trying]
        return {case_id for (case_id,) in _INSERT_VISITS.execute(session, rows)}

    return record_and_move(
        session,
        visits,
        record=record,
        move=lambda each: each.fires("record_visit", months=each.months),
        missing=ALREADY_VISITED,
        now=now,
    )


def make_referrals(
    session: Session, requests: Sequence[ReferralRequest], *, new_code: Callable[[], str], now: datetime
) -> list[ReferralMade]:
    """Refer people to partners, each only with their consent to sharing: the answer that names the partner counts
    before the one that names none, and the newest of either. Raises WrongUse for an unknown case."""
    lock_cases(session, requests)
    consents: dict[tuple[int, int | None], int | None] = {}
    for case_id, partner_id, consent_id, given in _SHARING.execute(session, [(each.case_id,) for each in requests]):
        consents[case_id, partner_id] = consent_id if given else None
    answers, rows = [], []
    for each in requests:
        named = (each.case_id, each.partner_id)
        consent_id = consents[named] if named in consents else consents.get((each.case_id, None))
        if consent_id is None:
            answers.append(ReferralMade(None, NO_CONSENT_TO_SHARE))
            continue
        code = new_code()
        answers.append(ReferralMade(code, None))
        rows.append(
            (
                *(each.case_id, each.partner_id, consent_id, code, each.service, each.priority, "in_progress"),
                *(each.reason, each.actor.id, time_text(now), time_text(each.due_at)),
            )
        )
    if rows:
        _INSERT_REFERRALS.execute(session, rows)
    return answers
