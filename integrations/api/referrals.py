"""Referrals as their receiver sees them: a page of them, one of them, and the answers to one.

What the receiver may see of the person is for the sharing agreement to say and not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Select, select
from sqlmodel import Session, col

from integrations.api.calls import Call, Write, answer, etag_of, needs, respond, writes
from integrations.api.installation import Here
from integrations.api.pages import Cursor, Limit, cursor_of, link_to_next, place_of
from integrations.api.problems import Problem, answers
from integrations.api.requests import Answer
from integrations.sharing.pseudonyms import case_code
from models.partner import Partner
from models.referral_list import nearest_due
from models.referrals import Referral, ReferralStatus
from states.casework.progress import Progress, ReferralProgress, progress_of, record_progress
from states.casework.referrals import Answer as ReferralAnswerCode
from states.casework.referrals import ReferralAnswer, answer_referrals
from states.gather import load_cases
from states.moves import Outcome, OutcomeKind, Reason
from states.pathway import Text
from states.referral_words import PROGRESS_WORDS

router = APIRouter(prefix="/referrals", tags=["referrals"])

_LIST: Final = "referrals"
TO_COME: Final = Text("est encore à venir : donnez un jour déjà venu", "is still to come: give a day that has come")
_OF_THE_REFERRAL: Final = frozenset(
    {"command_id_reused", "no_such_record", "reason_in", "receiver_answers", "record_needed", "wrong_record_state"}
)
NOT_NOW: Final = Reason("not_possible", "Ce n'est pas possible pour l'instant.", "This is not possible now.")

Reader = Annotated[Call, Depends(needs("referrals:read"))]
Writer = Annotated[Write, Depends(writes("referrals:write"))]
Code = Annotated[str, Path(pattern=r"^[0-9A-Z-]{1,40}$", description="Code of the referral")]


class ReferralBody(BaseModel):
    """A referral to you. Nothing in it names the person."""

    code: str
    case: str = Field(description="Your own code of the case: no other partner has the same")
    status: ReferralStatus
    made_at: datetime
    due_at: datetime | None = Field(description="When the next step that is awaited of you is due; null: nothing is")
    answered_at: datetime | None = Field(description="When it was accepted or declined")
    reason: str | None = Field(description="Code of why it was declined or taken back")
    progress: str | None = Field(description="How far your service is, as you reported it last")
    progress_on: date | None = Field(description="On which day it came there")


class ReferralPage(BaseModel):
    """Some of your referrals, the oldest first."""

    referrals: list[ReferralBody]
    next: str | None = Field(description="Cursor of the next page; null: this is the last one")


class RejectionBody(BaseModel):
    """Why you decline."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        description="no_capacity, not_eligible, out_of_area, wrong_service, person_unreachable or person_declined",
        examples=["no_capacity"],
    )


class ProgressBody(BaseModel):
    """How far your service is."""

    model_config = ConfigDict(extra="forbid")

    progress: Literal["contacted", "appointment", "begun", "under_way", "interrupted"] = Field(
        description="; ".join(f"{code}: {words.en}" for code, words in PROGRESS_WORDS.items()), examples=["begun"]
    )
    on: date | None = Field(default=None, description="On which day it came there; today if you leave it out")


@router.get("", responses=answers())
def list_referrals(
    request: Request,
    response: Response,
    call: Reader,
    status: ReferralStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReferralPage:
    """Your referrals, the oldest first."""
    query = _query(call.caller.partner_id)
    if status is not None:
        query = query.where(col(Referral.status) == status)
    with call.reading() as session:
        if cursor is not None:
            query = query.where(col(Referral.id) > _id_at(session, call, place_of(_LIST, cursor)))
        rows = session.execute(query.order_by(col(Referral.id)).limit(limit + 1)).all()
        reached = progress_of(session, [row[0] for row in rows[:limit]])
    found = [_body(row, reached.get(row[0])) for row in rows[:limit]]
    following = cursor_of(_LIST, found[-1].code) if len(rows) > limit else None
    if following is not None:
        response.headers["Link"] = link_to_next(request, {"status": status, "limit": limit, "cursor": following})
    return ReferralPage(referrals=found, next=following)


@router.get("/{code}", response_model=ReferralBody, responses=answers(404))
def show_referral(code: Code, call: Reader) -> Response:
    """One referral, with its version as the ETag."""
    with call.reading() as session:
        return respond(answer(referral_of(session, call, code)))


@router.post("/{code}/acceptance", response_model=ReferralBody, responses=answers(404, 409, 412, 415))
def accept_referral(code: Code, write: Writer) -> Response:
    """You take the person on."""
    return _take(code, _answering(code, "accepted"), write)


@router.post("/{code}/rejection", response_model=ReferralBody, responses=answers(404, 409, 412, 415))
def reject_referral(code: Code, rejection: RejectionBody, write: Writer) -> Response:
    """You decline, or give up after you had accepted."""
    return _take(code, _answering(code, "rejected", rejection.reason), write)


@router.post("/{code}/progress", response_model=ReferralBody, responses=answers(404, 409, 412, 415))
def progress_referral(code: Code, progress: ProgressBody, write: Writer, here: Here) -> Response:
    """How far you are with a person whom you took on; as often as there is something new."""
    today = here.day(write.call.now)
    on = progress.on or today
    if on > today:
        raise Problem("invalid", errors=[("body.on", TO_COME)])

    def step(session: Session, now: datetime, signed: dict[str, Any]) -> Outcome:
        said = ReferralProgress(**signed, referral=code, progress=progress.progress, on=on)
        return record_progress(session, [said], day=today, now=now)[0]

    return _take(code, step, write)


@router.post("/{code}/completion", response_model=ReferralBody, responses=answers(404, 409, 412, 415))
def complete_referral(code: Code, write: Writer) -> Response:
    """You have served the person."""
    return _take(code, _answering(code, "done"), write)


Step = Callable[[Session, datetime, dict[str, Any]], Outcome]
"""Takes a step on a referral; the last argument is what every step carries."""


def _answering(code: str, answered: ReferralAnswerCode, reason: str | None = None) -> Step:
    def step(session: Session, now: datetime, signed: dict[str, Any]) -> Outcome:
        said = ReferralAnswer(**signed, referral=code, answer=answered, reason=reason)
        return answer_referrals(session, [said], now=now)[0]

    return step


def _take(code: str, step: Step, write: Write) -> Response:
    call = write.call

    def work(session: Session) -> Answer:
        case_id = session.scalar(
            select(col(Referral.case_id)).where(
                col(Referral.code) == code, col(Referral.partner_id) == call.caller.partner_id
            )
        )
        if case_id is None:
            raise Problem("not_found")
        # Nobody changes the referral between the look at its version and the step.
        load_cases(session, {case_id}, lock=True)
        write.expects(etag_of(referral_of(session, call, code)))
        signed = {
            "case_id": case_id,
            "actor": call.actor,
            "command_id": write.command_id,
            "correlation_id": call.id,
        }
        outcome = step(session, call.now, signed)
        if outcome.kind not in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE):
            raise Problem("refused", reasons=_for_partners(outcome.reasons))
        return answer(referral_of(session, call, code))

    return write.once(work)


def _for_partners(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The reasons that say nothing of the case itself: where it is, a partner does not learn from a refusal."""
    return tuple(dict.fromkeys(each if each.code in _OF_THE_REFERRAL else NOT_NOW for each in reasons))


Line = tuple[str, int, str, str, datetime, datetime | None, datetime | None, str | None]


def _query(partner_id: int) -> Select[*Line]:
    return (
        select(
            col(Referral.code),
            col(Referral.case_id),
            col(Partner.pseudonym_key),
            col(Referral.status),
            col(Referral.made_at),
            nearest_due(),
            col(Referral.answered_at),
            col(Referral.answer),
        )
        .join(Partner, col(Partner.id) == col(Referral.partner_id))
        .where(col(Referral.partner_id) == partner_id)
    )


def referral_of(session: Session, call: Call, code: str) -> ReferralBody:
    """The caller's own referral with this code. Raises `not_found`."""
    row = session.execute(_query(call.caller.partner_id).where(col(Referral.code) == code)).first()
    if row is None:
        raise Problem("not_found")
    return _body(row, progress_of(session, [code]).get(code))


def _body(row: Row[*Line], reached: Progress | None) -> ReferralBody:
    code, case_id, key, status, made_at, due_at, answered_at, reason = row
    return ReferralBody(
        code=code,
        case=case_code(key, case_id),
        status=ReferralStatus(status),
        made_at=made_at,
        due_at=due_at,
        answered_at=answered_at,
        reason=reason,
        progress=reached.code if reached else None,
        progress_on=reached.on if reached else None,
    )


def _id_at(session: Session, call: Call, code: str) -> int:
    """The id of the referral that a page ended with: one of the caller's own."""
    found = session.scalar(
        select(col(Referral.id)).where(col(Referral.code) == code, col(Referral.partner_id) == call.caller.partner_id)
    )
    if found is None:
        raise Problem("bad_cursor")
    return found
