"""Referrals to a partner's service: made with the fields of the inter-agency form, answered, done, taken back.

The console, the API and the command line call it and commit. The pathway says which consent one needs, until when the
partner answers, and what happens when it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Boolean, String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.moves import Move, Outcome
from states.referral_words import CHANNEL_WORDS, COPY_WORDS, INFORMATION_WORDS, SEPARATION_WORDS, SERVICE_WORDS

Answer = Literal["accepted", "rejected", "done", "revoked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRequest(Step):
    """A partner is asked for services. `code` is the referral's own; the rest as in `models.referrals`."""

    code: str
    partner_id: int
    services: tuple[str, ...]
    information: tuple[str, ...]
    priority: Literal["emergency", "urgent", "normal"]
    reason: str | None = None
    contact: str | None = None
    partner_contact: str | None = None
    channel: str | None = None
    copies: tuple[str, ...] = tuple(COPY_WORDS)
    language: str | None = None
    interpreter: bool = False
    caregiver: str | None = None
    caregiver_knows: bool | None = None
    separation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralAnswer(Step):
    """What becomes of a referral, as the partner says it (itself, or to staff): accepted, rejected with a reason, done.
    Or staff take it back: revoked, with a reason."""

    referral: str
    answer: Answer
    reason: str | None = None


_TRIGGERS: Final[Mapping[Answer, str]] = {
    "accepted": "accept_referral",
    "rejected": "reject_referral",
    "done": "complete_referral",
    "revoked": "revoke_referral",
}
_CONSENT: Final = (
    "SELECT c.id FROM consent AS c WHERE c.case_id = r.case_id AND c.purpose = 'sharing' AND c.status = 'given' "
    "AND {} ORDER BY c.id DESC LIMIT 1"
)
# The consent that the pathway's guard found: the newest that names the partner, else the newest for any partner.
_INSERT = SetStatement(
    "INSERT INTO referral (code, case_id, partner_id, consent_id, status, priority, services, information, reason, "  # noqa: S608
    "contact, partner_contact, channel, copies, language, interpreter, caregiver, caregiver_knows, separation, "
    "made_by, made_at) SELECT r.code, r.case_id, r.partner_id, "
    f"COALESCE(({_CONSENT.format('c.partner_id = r.partner_id')}), ({_CONSENT.format('c.any_partner')})), "
    "'in_progress', r.priority, r.services, r.information, r.reason, r.contact, r.partner_contact, r.channel, "
    "r.copies, r.language, r.interpreter, r.caregiver, r.caregiver_knows, r.separation, r.made_by, r.made_at "
    "FROM {rows} WHERE true",
    code=String(),
    case_id=BigId,
    partner_id=BigId,
    priority=String(),
    services=Json,
    information=Json,
    reason=String(),
    contact=String(),
    partner_contact=String(),
    channel=String(),
    copies=Json,
    language=String(),
    interpreter=Boolean(),
    caregiver=String(),
    caregiver_knows=Boolean(),
    separation=String(),
    made_by=BigId,
    made_at=UtcDateTime(),
)
_ANSWER = SetStatement(
    "UPDATE referral SET answer = r.answer, answered_at = COALESCE(r.at, referral.answered_at), "
    "answered_by = COALESCE(r.actor_id, referral.answered_by) FROM {rows} WHERE referral.code = r.code",
    code=String(),
    answer=String(),
    at=UtcDateTime(),
    actor_id=BigId,
)


def make_referrals(session: Session, requests: Sequence[ReferralRequest], *, now: datetime) -> list[Outcome]:
    """Refer people to partners; refused without a consent that names the partner and everything that is shared.

    Raises WrongUse for a code that is not known, and for a referral without a service.
    """
    for each in requests:
        _check(each)

    def write(moved: Sequence[ReferralRequest]) -> None:
        _INSERT.execute(session, [_row(each, now) for each in moved])

    return move_and_write(session, requests, move=_made, write=write, now=now)


def answer_referrals(session: Session, answers: Sequence[ReferralAnswer], *, now: datetime) -> list[Outcome]:
    """Take referrals on by their answers; what is not possible where a referral stands is refused."""

    def write(moved: Sequence[ReferralAnswer]) -> None:
        rows = []
        for each in moved:
            by_partner = each.answer in ("accepted", "rejected")
            at, who = (time_text(now), each.actor.id) if by_partner else (None, None)
            rows.append((each.referral, each.reason, at, who))
        _ANSWER.execute(session, rows)

    return move_and_write(session, answers, move=_answered, write=write, now=now)


def _made(request: ReferralRequest) -> Move:
    said: dict[str, Any] = {"partner": request.partner_id, "priority": request.priority}
    return request.fires("make_referral", record=request.code, **said, information=sorted(set(request.information)))


def _answered(answer: ReferralAnswer) -> Move:
    return replace(answer.fires(_TRIGGERS[answer.answer], record=answer.referral), reason=answer.reason)


def _check(request: ReferralRequest) -> None:
    if not request.services:
        raise WrongUse(
            "A referral asks for a service at least.",
            "Une orientation demande au moins un service.",
            remedy=f"Use {', '.join(SERVICE_WORDS)}.",
            remedy_fr=f"Utilisez {', '.join(SERVICE_WORDS)}.",
        )
    known("service", request.services, SERVICE_WORDS)
    known("information", request.information, INFORMATION_WORDS)
    known("copy", request.copies, COPY_WORDS)
    known("channel", [request.channel], CHANNEL_WORDS)
    known("separation", [request.separation], SEPARATION_WORDS)


def _row(request: ReferralRequest, now: datetime) -> tuple[object, ...]:
    return (
        *(request.code, request.case_id, request.partner_id, request.priority, list(request.services)),
        *(sorted(set(request.information)), request.reason, request.contact, request.partner_contact, request.channel),
        *(list(request.copies), request.language, request.interpreter, request.caregiver, request.caregiver_knows),
        *(request.separation, request.actor.id, time_text(now)),
    )
