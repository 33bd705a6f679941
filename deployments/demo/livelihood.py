"""Simulated acts of livelihood support, each on all of the day's cases at once: from the business plan to the visit."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlmodel import col

from deployments.demo.diary import Todo
from deployments.demo.means import PROJECTS
from deployments.demo.work import Work
from models import LivelihoodGrant, Office
from states.casework.approvals import Approval, approve_grants, confirm_grants, endorse_grants
from states.casework.business_plan import BusinessPlan, PlanLine
from states.casework.livelihood import (
    Delivery,
    EndOfGrant,
    Finding,
    GrantLook,
    GrantProposal,
    GrantRevision,
    OnGrant,
    deliver_grants,
    look_at_grants,
    procure_grants,
    propose_grants,
    reject_grants,
    revise_grants,
)
from states.casework.memberships import PartWanted, join_projects
from states.casework.purchases import Purchase, Purchases, record_purchases

ACTIVITIES: Final = {
    "élevage de moutons": ("moutons", "aliment bétail"),
    "petit commerce": ("marchandises", "étal"),
    "maraîchage": ("semences et outils", "motopompe"),
    "atelier de couture": ("tissus", "machine à coudre"),
    "moto-taxi": ("casques et pièces", "moto"),
    "moulin": ("bâche et sacs", "moulin"),
}
PIECE_XOF: Final = 25_000
FINDINGS: Final[tuple[Finding, ...]] = ("in_use", "in_use", "in_use", "in_use", "partly_used", "not_used")


def plan_business(work: Work, todos: Sequence[Todo]) -> None:
    """A business plan is drafted with the returnee and submitted; some join a project and plan for it together."""
    projects = _projects(work, todos)
    parts = [
        PartWanted(**work.signed(todo), code=work.new_code(), project=projects[todo.case_id])
        for todo in todos
        if todo.case_id in projects
    ]
    join_projects(work.session, parts, now=work.now)
    proposals = [
        GrantProposal(
            **work.signed(todo),
            code=work.new_code(),
            plan=_plan(work, todo, together=_together(work, todo, projects)),
            project=projects[todo.case_id] if _together(work, todo, projects) else None,
        )
        for todo in todos
    ]
    work.moved(todos, propose_grants(work.session, proposals, now=work.now))


def approve(work: Work, todos: Sequence[Todo]) -> None:
    """A coordinator approves, sends back, or, for a large amount, signs first of two."""
    codes = work.records(todos)
    weak = [todo for todo in todos if todo.tries == 0 and work.happens("plan_is_weak", todo)]
    rejected = [EndOfGrant(**work.signed(todo), grant=codes[todo], reason="incomplete") for todo in weak]
    work.moved(weak, reject_grants(work.session, rejected, now=work.now))
    good = [todo for todo in todos if todo not in weak]
    outcomes = approve_grants(work.session, _approvals(work, good, codes), now=work.now)
    work.moved(good, outcomes)
    large = [
        todo
        for todo, outcome in zip(good, outcomes, strict=True)
        if [reason.code for reason in outcome.reasons] == ["one_signature_suffices"]
    ]
    first = [OnGrant(**work.signed(todo), grant=codes[todo]) for todo in large]
    work.moved(large, endorse_grants(work.session, first, now=work.now))


def confirm(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody else gives the second signature."""
    codes = work.records(todos)
    endorsers = _endorsers(work, list(codes.values()))
    others = [
        todo._replace(actor=work.roster.somebody_else(todo.actor))
        if endorsers.get(codes[todo]) == todo.actor.id
        else todo
        for todo in todos
    ]
    approvals = _approvals(work, others, {other: codes[todo] for todo, other in zip(todos, others, strict=True)})
    work.moved(others, confirm_grants(work.session, approvals, now=work.now))


def revise(work: Work, todos: Sequence[Todo]) -> None:
    """A plan that came back is made better, and smaller; whoever shares it goes on sharing it."""
    codes = work.records(todos)
    query = select(col(LivelihoodGrant.code), col(LivelihoodGrant.kind))
    kinds = dict(work.session.execute(query.where(col(LivelihoodGrant.code).in_(codes.values()))).tuples().all())
    revisions = [
        GrantRevision(
            **work.signed(todo),
            grant=codes[todo],
            plan=_plan(work, todo, together=False).model_copy(update={"kind": kinds.get(codes[todo], "individual")}),
        )
        for todo in todos
    ]
    work.moved(todos, revise_grants(work.session, revisions, now=work.now))


def procure(work: Work, todos: Sequence[Todo]) -> None:
    """What the plan names is bought, a little below its price, and the kit is complete."""
    codes = work.records(todos)
    amounts = _amounts(work, list(codes.values()))
    there = [todo for todo in todos if codes[todo] in amounts]
    purchases = [
        Purchases(**work.signed(todo), grant=codes[todo], bought=_bought(work, todo, amounts[codes[todo]]))
        for todo in there
    ]
    bought = work.moved(there, record_purchases(work.session, purchases, now=work.now))
    steps = [OnGrant(**work.signed(todo), grant=codes[todo]) for todo in bought]
    work.moved(bought, procure_grants(work.session, steps, now=work.now))


def deliver(work: Work, todos: Sequence[Todo]) -> None:
    """The kit is handed over; the plan goes on meanwhile."""
    facts, codes = work.facts(todos), work.records(todos)
    deliveries = [Delivery(**work.signed(todo), grant=codes[todo], reference=f"PV-{codes[todo][:9]}") for todo in todos]
    for todo in work.moved(todos, deliver_grants(work.session, deliveries, now=work.now)):
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))


def verify(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody looks on site how the kit is used; once it is, the plan goes on."""
    codes = work.records(todos)
    looks = []
    for todo in todos:
        finding = work.luck.pick(FINDINGS, "finding", todo.case_id, todo.task_id)
        used = finding != "not_used"
        looks.append(
            GrantLook(
                **work.signed(todo),
                grant=codes[todo],
                visited_on=work.day,
                finding=finding,
                verified=used,
                next_on=None,
            )
        )
    moved = work.moved(todos, look_at_grants(work.session, looks, now=work.now))
    verified = {look.case_id for look in looks if look.verified}
    for todo in moved:
        if todo.case_id in verified:
            work.later("go_on", todo)


def _projects(work: Work, todos: Sequence[Todo]) -> dict[int, str]:
    """By case: the project of its office that the person joins, if so."""
    offices = {office.id: office.code for office in work.session.scalars(select(Office))}
    found = {}
    for todo in todos:
        office = offices.get(todo.actor.office_id or 0)
        if office in PROJECTS and work.happens("joins_project", todo):
            found[todo.case_id] = PROJECTS[office][0]
    return found


def _together(work: Work, todo: Todo, projects: dict[int, str]) -> bool:
    return todo.case_id in projects and work.happens("plans_together", todo)


def _plan(work: Work, todo: Todo, *, together: bool) -> BusinessPlan:
    activity = work.luck.pick(tuple(ACTIVITIES), "activity", todo.case_id)
    small, large = ACTIVITIES[activity]
    pieces = work.luck.between((8, 30), "amount", todo.case_id) * (4 if together else 1)
    many = pieces // 2
    lines = (
        PlanLine(item=small, quantity=many, unit_price_xof=PIECE_XOF),
        PlanLine(item=large, quantity=1, unit_price_xof=(pieces - many) * PIECE_XOF),
    )
    return BusinessPlan(kind="collective" if together else "individual", activity=activity, lines=lines)


def _approvals(work: Work, todos: Sequence[Todo], codes: dict[Todo, str]) -> list[Approval]:
    """Each on the budget of the case's office."""
    offices = {office.id: office.code for office in work.session.scalars(select(Office))}
    facts = work.facts(todos)
    return [
        Approval(
            **work.signed(todo),
            grant=codes[todo],
            budget=f"APPUIS-{offices.get(facts[todo.case_id].office_id or 0, 'BKO')}",
        )
        for todo in todos
    ]


def _endorsers(work: Work, codes: Sequence[str]) -> dict[str, int | None]:
    query = select(col(LivelihoodGrant.code), col(LivelihoodGrant.endorsed_by))
    return dict(work.session.execute(query.where(col(LivelihoodGrant.code).in_(codes))).tuples().all())


def _amounts(work: Work, codes: Sequence[str]) -> dict[str, int]:
    query = select(col(LivelihoodGrant.code), col(LivelihoodGrant.amount_xof))
    return dict(work.session.execute(query.where(col(LivelihoodGrant.code).in_(codes))).tuples().all())


def _bought(work: Work, todo: Todo, amount: int) -> tuple[Purchase, ...]:
    saved = work.luck.between((0, 5), "saved", todo.case_id) * 1_000
    first = amount // 2
    return tuple(
        Purchase(
            position=position,
            supplier="Fournisseur (fictif)",
            quantity=1,
            amount_xof=part,
            proof=f"FACT-{todo.case_id}-{position}",
            proof_sha256=sha256(f"{todo.case_id}/{position}".encode()).hexdigest(),
        )
        for position, part in enumerate((first, amount - first - saved), start=1)
    )
