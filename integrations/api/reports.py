"""What a partner did for a person whom it took on: the certificate, the kit handed over, the follow-up visit.

A report names the referral, and is about that referral's case. `integrations.api.attendance` has the sheets of courses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import case, select
from sqlmodel import Session, col

from integrations.api.calls import Write, answer, etag_of, writes
from integrations.api.installation import Here
from integrations.api.problems import Problem, answers
from integrations.api.referrals import NOT_NOW, TO_COME, Code, referral_of
from integrations.api.requests import Answer
from integrations.api.taken_on import NO_ENROLMENT, NOT_TAKEN_ON, OwnReferral, enrolments, of_the_course, own_referrals
from models.livelihood import LivelihoodGrant
from states.casework.follow_up import Visit, record_visits
from states.casework.livelihood import Delivery, deliver_grants
from states.casework.training import Certificate, certify
from states.guards.contacts import TAKEN_ON
from states.moves import Outcome, OutcomeKind, Reason
from states.pathway import Text

router = APIRouter(prefix="/referrals", tags=["reports"])

_ANOTHER_SERVICE: Final = Reason(
    "another_service",
    "Cette orientation demande un autre service que la remise d'un kit.",
    "This referral asks for another service than a kit.",
    "referral",
)
_BEFORE_YOUR_YES: Final = Reason(
    "before_your_answer",
    "Ce jour précède votre réponse à l'orientation : donnez le jour de la visite.",
    "That day is before your answer to the referral: give the day of the visit.",
    "on",
)
_ASKED: Final = Text(
    "à qui pense repartir, on demande pourquoi et ce qui pourrait changer ; `unknown` est une réponse",
    "who thinks of leaving is asked why, and what could change it; `unknown` is an answer",
)
_HANDS_OVER: Final = frozenset({"livelihood", "material", "financial"})

Reporter = Annotated[Write, Depends(writes("reports:write"))]
CourseCode = Annotated[
    str, Field(pattern=r"^[!-~]{1,40}$", description="Code of the course, which you hold", examples=["COUTURE-1"])
]
Plain = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[!-~][^\x00-\x1f\x7f]*$")]


class CertificateBody(BaseModel):
    """The person has completed a course of yours."""

    model_config = ConfigDict(extra="forbid")

    course: CourseCode
    number: Plain = Field(description="Number of the certificate; no name", examples=["CAP-2026-0117"])


class DeliveryBody(BaseModel):
    """What was bought for the person was handed over."""

    model_config = ConfigDict(extra="forbid")

    reference: Plain = Field(description="Reference of the signed receipt; no name", examples=["BL-2026-0031"])


Why = Literal[
    "no_income",
    "debt",
    "family_pressure",
    "discrimination",
    "insecurity",
    "health",
    "support_late",
    "support_unsuitable",
    "other_plans",
    "family_elsewhere",
    "unknown",
]
Change = Literal[
    "income_activity",
    "earlier_support",
    "other_service",
    "training",
    "care",
    "mediation",
    "debt_relief",
    "another_place",
    "nothing",
    "unknown",
]


class VisitBody(BaseModel):
    """A follow-up visit that you made, and what was found. What was not asked is left out."""

    model_config = ConfigDict(extra="forbid")

    months: Literal[3, 6, 12] = Field(description="Which visit: so many months after follow-up began")
    on: date | None = Field(default=None, description="The day; today if you leave it out")
    outcome: Literal["well", "fragile", "struggling"]
    income: Literal["none", "irregular", "regular"] | None = None
    housing: Literal["none", "precarious", "stable"] | None = None
    well_being: Literal["poor", "fair", "good"] | None = None
    satisfaction: int | None = Field(default=None, ge=1, le=5, strict=True)
    intention: Literal["no", "unsure", "yes"] | None = Field(default=None, description="Means to leave again")
    why: list[Why] = Field(default=[], max_length=11, description="Asked of who means to leave, or is unsure")
    could_change: list[Change] = Field(default=[], max_length=10, description="What could change it")


class ReportBody(BaseModel):
    """What was recorded."""

    referral: str
    report: Literal["certificate", "delivery", "visit"]
    recorded_at: datetime


@router.post("/{code}/certificate", response_model=ReportBody, responses=answers(404, 409, 412, 415))
def report_certificate(code: Code, body: CertificateBody, write: Reporter) -> Response:
    """A person whom you took on has completed a course of yours."""

    def step(session: Session, own: OwnReferral, signed: dict[str, Any]) -> Outcome:
        found = enrolments(session, write.call.caller.partner_id, [(own.case_id, body.course)])
        if not found:
            raise Problem("refused", reasons=(NO_ENROLMENT,))
        (enrolment,) = found.values()
        said = Certificate(**signed, enrolment=enrolment.code, number=body.number.strip())
        return certify(session, [said], now=write.call.now)[0]

    return _report(code, "certificate", step, write)


@router.post("/{code}/delivery", response_model=ReportBody, responses=answers(404, 409, 412, 415))
def report_delivery(code: Code, body: DeliveryBody, write: Reporter) -> Response:
    """You handed the kit over to a person who was referred to you for livelihood, material or financial support."""

    def step(session: Session, own: OwnReferral, signed: dict[str, Any]) -> Outcome:
        if not _HANDS_OVER.intersection(own.services):
            raise Problem("refused", reasons=(_ANOTHER_SERVICE,))
        grant = session.scalar(
            select(col(LivelihoodGrant.code))
            .where(col(LivelihoodGrant.case_id) == own.case_id)
            .order_by(case((col(LivelihoodGrant.status) == "procured", 0), else_=1), col(LivelihoodGrant.id).desc())
            .limit(1)
        )
        if grant is None:
            raise Problem("refused", reasons=(NOT_NOW,))
        said = Delivery(**signed, grant=grant, reference=body.reference.strip())
        return deliver_grants(session, [said], now=write.call.now)[0]

    return _report(code, "delivery", step, write)


@router.post("/{code}/visit", response_model=ReportBody, responses=answers(404, 409, 412, 415))
def report_visit(code: Code, body: VisitBody, write: Reporter, here: Here) -> Response:
    """You made a follow-up visit to a person whom you took on; report it while it is due."""
    today = here.day(write.call.now)
    if body.on is not None and body.on > today:
        raise Problem("invalid", errors=[("body.on", TO_COME)])
    if body.intention in ("yes", "unsure"):
        lacking = [f"body.{name}" for name in ("why", "could_change") if not getattr(body, name)]
        if lacking:
            raise Problem("invalid", errors=[(each, _ASKED) for each in lacking])

    def step(session: Session, own: OwnReferral, signed: dict[str, Any]) -> Outcome:
        made_at = None
        if body.on is not None and body.on < today:
            if own.answered_at is None or body.on < here.day(own.answered_at):
                raise Problem("refused", reasons=(_BEFORE_YOUR_YES,))
            made_at = datetime.combine(body.on, time.min, here.timezone)
        found: dict[str, Any] = body.model_dump(exclude={"on"})
        asked: dict[str, Any] = {name: tuple(found.pop(name)) for name in ("why", "could_change")}
        said = Visit(**signed, occasion=write.command_id, made_at=made_at, **found, **asked)
        return record_visits(session, [said], now=write.call.now)[0]

    return _report(code, "visit", step, write)


Kind = Literal["certificate", "delivery", "visit"]


def _report(
    code: str, kind: Kind, step: Callable[[Session, OwnReferral, dict[str, Any]], Outcome], write: Write
) -> Response:
    call = write.call

    def work(session: Session) -> Answer:
        own = own_referrals(session, call.caller.partner_id, [code]).get(code)
        if own is None:
            raise Problem("not_found")
        write.expects(etag_of(referral_of(session, call, code)))
        if own.status not in TAKEN_ON:
            raise Problem("refused", reasons=(NOT_TAKEN_ON,))
        signed = {
            "case_id": own.case_id,
            "actor": call.actor,
            "command_id": write.command_id,
            "correlation_id": call.id,
        }
        outcome = step(session, own, signed)
        if outcome.kind not in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE):
            reasons = of_the_course(outcome.reasons) if kind == "certificate" else (NOT_NOW,)
            raise Problem("refused", reasons=reasons)
        return answer(ReportBody(referral=code, report=kind, recorded_at=call.now))

    return write.once(work)
