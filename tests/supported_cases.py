"""Cases that have come to training or livelihood, with what the tests of both need: a course, a budget, a plan.

All of it is made up; nobody in here exists.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import SQLModel, col
from synthetic_cases import START, Caseload

from models import LivelihoodGrant, Staff, TrainingEnrolment
from states.casework.approvals import Approval
from states.casework.budgets import NewBudget, add_budget
from states.casework.business_plan import BusinessPlan, PlanLine
from states.casework.courses import NewCourse, add_course
from states.casework.livelihood import GrantProposal, propose_grants
from states.casework.training import PlaceWanted
from states.moves import Actor, Outcome, OutcomeKind

TO_THE_PLAN = ("confirm_arrival", "begin_screening", "begin_planning")
YEAR = (date(2024, 1, 1), date(2024, 12, 31))


def in_state(caseload: Caseload, trigger: str, number: int = 1) -> list[int]:
    """Cases with an approved plan that asks for everything, gone on with `trigger`; without enrolment and grant."""
    case_ids = caseload.register_many(number)
    for case_id in case_ids:
        caseload.record_everything(case_id)
    caseload.session.flush()
    for table in (TrainingEnrolment, LivelihoodGrant):
        caseload.session.execute(delete(table).where(col(table.case_id).in_(case_ids)))
    for step in (*TO_THE_PLAN, trigger):
        for outcome in caseload.advance_all(case_ids, step):
            assert outcome.kind is OutcomeKind.MOVED, [reason.code for reason in outcome.reasons]
    return case_ids


def sign(caseload: Caseload, case_id: int, role: str = "coordinator") -> dict[str, Any]:
    """What every step carries: case, actor, command, correlation."""
    move = caseload.move(case_id, "", role)
    return {"case_id": case_id, "actor": move.actor, "command_id": move.command_id, "correlation_id": "test"}


def another(caseload: Caseload, role: str = "coordinator") -> Actor:
    """A second member of staff in the role."""
    login = f"{role}-2"
    found = caseload.session.scalars(select(Staff).where(col(Staff.login) == login)).first()
    if found is None:
        found = Staff(login=login, name=f"Personnel fictif {login}", role=role, created_at=START)
        caseload.session.add(found)
        caseload.session.flush()
    return Actor(role, found.id)


def rows(caseload: Caseload, table: type[SQLModel], case_id: int) -> list[Any]:
    """The rows of the case in a table, the oldest first, as they stand in the database."""
    query = select(table).where(table.case_id == case_id).order_by(table.id)  # type: ignore[attr-defined]
    return list(caseload.session.scalars(query.execution_options(populate_existing=True)))


def course(caseload: Caseload, capacity: int, code: str = "COUTURE-1") -> str:
    """A course of sewing with so many places; its code."""
    made = NewCourse(
        code=code,
        title="couture",
        place="Kayes",
        region_pcode="ML01",
        capacity=capacity,
        starts_on=YEAR[0],
        ends_on=YEAR[1],
        provider="Centre (fictif)",
    )
    return add_course(caseload.session, made, actor=caseload.staff["coordinator"], now=START).code


def wanted(caseload: Caseload, case_id: int, code: str, place: str = "COUTURE-1") -> PlaceWanted:
    """The wish for a place, under this code."""
    return PlaceWanted(**sign(caseload, case_id, "training_officer"), code=code, course=place)


def budget(caseload: Caseload, amount_xof: int, code: str = "APPUIS") -> str:
    """A budget for the year; its code."""
    made = NewBudget(code=code, title="Appuis (fictif)", amount_xof=amount_xof, starts_on=YEAR[0], ends_on=YEAR[1])
    return add_budget(caseload.session, made, actor=caseload.staff["coordinator"], now=START).code


def plan(amount_xof: int, **changes: Any) -> BusinessPlan:
    """A business plan that asks for this amount."""
    lines = (PlanLine(item="moutons", quantity=1, unit_price_xof=amount_xof),)
    return BusinessPlan(**{"activity": "élevage", "lines": lines, **changes})


def propose(caseload: Caseload, case_id: int, code: str, amount_xof: int, **changes: Any) -> Outcome:
    """Somebody in livelihood submits a plan for this amount."""
    project = changes.pop("project", None)
    proposal = GrantProposal(
        **sign(caseload, case_id, "livelihood_officer"), code=code, plan=plan(amount_xof, **changes), project=project
    )
    (outcome,) = propose_grants(caseload.session, [proposal], now=START)
    return outcome


def approval(caseload: Caseload, case_id: int, code: str, paid_by: str = "APPUIS", **changes: Any) -> Approval:
    """A coordinator's signature on the grant."""
    return Approval(**{**sign(caseload, case_id), **changes}, grant=code, budget=paid_by)


def codes(outcome: Outcome) -> list[str]:
    """Why not, by code; every reason has words in both languages."""
    assert all(reason.text_fr and reason.text_en for reason in outcome.reasons)
    return [reason.code for reason in outcome.reasons]
