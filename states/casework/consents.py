"""What the person agrees to, refuses and takes back. A consent that is revoked revokes what leans on it, at once.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.casework.referrals import ReferralAnswer, answer_referrals
from states.casework.refusals import Refusal, tell_refused
from states.gather import load_cases
from states.moves import Move, Outcome, OutcomeKind
from states.referral_words import INFORMATION_WORDS, SOURCE_WORDS

CONSENT_REVOKED = "consent_revoked"
"""Why a referral is revoked whose consent was, or to whose partner the person said no."""
CONSENT_REFUSED = "consent_refused"
"""Why a consent is revoked with another answer for the same purpose and recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswer(Step):
    """What the person answered, for one purpose. `code` is the consent's own; the rest as in `models.consents`."""

    code: str
    purpose: Literal["assistance", "sharing"]
    given: bool
    partner_id: int | None = None
    any_partner: bool = False
    information: tuple[str, ...] = ()
    source: str = "interview"
    form_sha256: str | None = None
    guardian: str | None = None
    witness: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation(Step):
    """The person takes back the consent with the code `consent`; `reason`: when that follows from another answer."""

    consent: str
    reason: str | None = None


_INSERT = insert_into(
    "consent",
    *("code", "case_id", "status", "purpose", "partner_id", "any_partner", "information", "source", "form_sha256"),
    *("guardian", "witness", "recorded_at", "recorded_by"),
)
_REVOKE = SetStatement(
    "UPDATE consent SET revoked_at = r.at, revoked_by = r.actor_id FROM {rows} WHERE consent.code = r.code",
    code=String(),
    at=UtcDateTime(),
    actor_id=BigId,
)
_LOCK = SetStatement(
    "SELECT id FROM consent WHERE case_id IN (SELECT r.case_id FROM {rows}) ORDER BY case_id, id {lock}", case_id=BigId
)
_SAME = SetStatement(
    "SELECT r.code AS asked, o.code FROM {rows} JOIN consent AS c ON c.code = r.code "
    "AND c.case_id = r.case_id JOIN consent AS o ON o.case_id = c.case_id AND o.purpose = c.purpose "
    "AND COALESCE(o.partner_id, 0) = COALESCE(c.partner_id, 0) AND o.any_partner = c.any_partner "
    "WHERE o.status = 'given' AND o.code <> c.code ORDER BY o.id",
    code=String(),
    case_id=BigId,
)
_OPEN_REFERRALS = SetStatement(
    "SELECT c.code AS consent, f.code FROM {rows} JOIN consent AS c ON c.code = r.code AND c.case_id = r.case_id "
    "JOIN referral AS f ON f.case_id = c.case_id "
    "AND (f.consent_id = c.id OR (c.purpose = 'sharing' AND f.partner_id = c.partner_id)) "
    "WHERE f.status IN ('in_progress', 'accepted') ORDER BY f.id, c.id",
    code=String(),
    case_id=BigId,
)
"""Open referrals that lean on a consent, or go to the partner for whom sharing was allowed, or refused, with it."""


def record_consents(session: Session, answers: Sequence[ConsentAnswer], *, now: datetime) -> list[Outcome]:
    """Write the answers, each with its row of the journal. A refusal revokes what was given before for the same purpose
    and recipient; one to share with a partner every open referral there, whatever it leans on, and tells the partner if
    it saw something because any partner might. Raises WrongUse for a code that is not known."""
    for answer in answers:
        known("information", answer.information, INFORMATION_WORDS)
        known("source", [answer.source], SOURCE_WORDS)

    def write(moved: Sequence[ConsentAnswer]) -> None:
        _INSERT.execute(session, [_row(each, now) for each in moved])

    outcomes = move_and_write(session, answers, move=_answered, write=write, now=now)
    refused = {
        each.code: each
        for each, outcome in zip(answers, outcomes, strict=True)
        if not each.given and outcome.kind is OutcomeKind.MOVED
    }
    _revoke(session, _others(session, refused), now)
    _end_referrals(session, refused, now)
    told = [
        Refusal(each.code, each.case_id, each.partner_id, outcome.seq, each.correlation_id)
        for each, outcome in zip(answers, outcomes, strict=True)
        if each.code in refused
        and each.purpose == "sharing"
        and each.partner_id is not None
        and outcome.seq is not None
    ]
    if told:
        tell_refused(session, told, now=now)
    return outcomes


def revoke_consents(session: Session, revocations: Sequence[Revocation], *, now: datetime) -> list[Outcome]:
    """Take consents back, with all that was given for the same purpose and recipient, and revoke every open referral
    that leans on one of them or goes to the partner of one to share: each a move of its own, in this transaction. The
    partners who received something are told. Gives the outcomes of the revocations asked for."""
    outcomes = _revoke(session, revocations, now)
    moved = [each for each, outcome in zip(revocations, outcomes, strict=True) if outcome.kind is OutcomeKind.MOVED]
    _revoke(session, _others(session, {each.consent: each for each in moved}), now)
    return outcomes


def _revoke(session: Session, revocations: Sequence[Revocation], now: datetime) -> list[Outcome]:
    """Nothing is shown under the consents from the moment in which they are locked, so that whoever was shown something
    under one of them is among those who are told."""
    done: dict[str, Revocation] = {}
    load_cases(session, {each.case_id for each in revocations}, lock=True)
    _LOCK.execute(session, [(case_id,) for case_id in sorted({each.case_id for each in revocations})])

    def write(moved: Sequence[Revocation]) -> None:
        done.update({each.consent: each for each in moved})
        _REVOKE.execute(session, [(each.consent, time_text(now), each.actor.id) for each in moved])

    outcomes = move_and_write(session, revocations, move=_revoked, write=write, now=now)
    _end_referrals(session, done, now)
    return outcomes


def _end_referrals(session: Session, steps: Mapping[str, Step], now: datetime) -> None:
    """Revoke the open referrals that the answers with these codes allowed, and those to their partners."""
    if not steps:
        return
    found = _OPEN_REFERRALS.execute(session, [(code, step.case_id) for code, step in steps.items()]).all()
    ended = {
        code: ReferralAnswer(**_derived(steps[consent], code), referral=code, answer="revoked", reason=CONSENT_REVOKED)
        for consent, code in found
    }
    answer_referrals(session, list(ended.values()), now=now)


def _others(session: Session, steps: Mapping[str, Step]) -> list[Revocation]:
    """The revocations of what else was given for the same purpose and recipient as the consents with these codes."""
    if not steps:
        return []
    found = _SAME.execute(session, [(code, step.case_id) for code, step in steps.items()]).all()
    others = {
        code: Revocation(**_derived(steps[asked], code), consent=code, reason=CONSENT_REFUSED) for asked, code in found
    }
    return list(others.values())


def _derived(step: Step, code: str) -> dict[str, Any]:
    """What a move that follows from this one carries: its command id is its own, and the same whenever it is made."""
    return {
        "case_id": step.case_id,
        "actor": step.actor,
        "command_id": f"{step.command_id}:{code}",
        "correlation_id": step.correlation_id,
    }


def _revoked(revocation: Revocation) -> Move:
    return replace(revocation.fires("revoke_consent", record=revocation.consent), reason=revocation.reason)


def _answered(answer: ConsentAnswer) -> Move:
    said = {"purpose": answer.purpose, "partner": answer.partner_id, "information": list(answer.information)}
    trigger = "record_consent" if answer.given else "refuse_consent"
    return answer.fires(trigger, record=answer.code, **{name: value for name, value in said.items() if value})


def _row(answer: ConsentAnswer, now: datetime) -> tuple[object, ...]:
    return (
        *(answer.code, answer.case_id, "given" if answer.given else "refused", answer.purpose, answer.partner_id),
        *(answer.any_partner, list(answer.information), answer.source, answer.form_sha256, answer.guardian),
        *(answer.witness, time_text(now), answer.actor.id),
    )
