"""Livelihood support as staff record it: the business plan, procurement, delivery and visits.

The console, the API and the command line call it and commit. The pathway says which step is possible where, and the
ceilings; `states.casework.approvals` has the signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Date, Integer, String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import Step, move_and_write
from states.casework.business_plan import BusinessPlan, check_plans
from states.casework.ledger import GrantMoney, Ledger, read_grants
from states.gather import load_cases
from states.moves import Move, Outcome, Reason

Finding = Literal["in_use", "partly_used", "not_used", "sold", "stolen", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantProposal(Step):
    """A business plan asks for a grant. `code` is the grant's own; `project` the code of the community project that a
    collective or community grant belongs to."""

    code: str
    plan: BusinessPlan
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnGrant(Step):
    """Something about one grant, by its code."""

    grant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevision(OnGrant):
    """Another business plan for the same grant."""

    plan: BusinessPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfGrant(OnGrant):
    """A grant is rejected or cancelled; `reason` is one of the pathway's."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(OnGrant):
    """What was bought is handed over, signed for under this reference."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLook(OnGrant):
    """A look on site. `verified`: the finding settles it; if not, somebody looks again (`next_on`)."""

    visited_on: date
    finding: Finding
    verified: bool
    next_on: date | None = None


_PROPOSE = SetStatement(
    "INSERT INTO livelihood_grant (code, case_id, kind, project_id, activity, market, amount_xof, own_xof, spent_xof, "
    "revision, status, proposed_by, proposed_at) SELECT r.code, r.case_id, r.kind, p.id, r.activity, r.market, "
    "r.amount_xof, r.own_xof, 0, 1, 'planned', r.proposed_by, r.at "
    "FROM {rows} LEFT JOIN project AS p ON p.code = r.project WHERE true",
    code=String(),
    case_id=BigId,
    kind=String(),
    project=String(),
    activity=String(),
    market=String(),
    amount_xof=BigInteger(),
    own_xof=BigInteger(),
    proposed_by=BigId,
    at=UtcDateTime(),
)
_REVISE = SetStatement(
    "UPDATE livelihood_grant SET kind = r.kind, activity = r.activity, market = r.market, amount_xof = r.amount_xof, "
    "own_xof = r.own_xof, revision = livelihood_grant.revision + 1, reason = NULL, proposed_by = r.proposed_by, "
    "proposed_at = r.at, endorsed_by = NULL, endorsed_at = NULL FROM {rows} WHERE livelihood_grant.code = r.code",
    code=String(),
    kind=String(),
    activity=String(),
    market=String(),
    amount_xof=BigInteger(),
    own_xof=BigInteger(),
    proposed_by=BigId,
    at=UtcDateTime(),
)
_LINES = SetStatement(
    "INSERT INTO grant_line (grant_id, revision, position, item, quantity, unit_price_xof) "
    "SELECT g.id, g.revision, r.position, r.item, r.quantity, r.unit_price_xof "
    "FROM {rows} JOIN livelihood_grant AS g ON g.code = r.code WHERE true",
    code=String(),
    position=Integer(),
    item=String(),
    quantity=Integer(),
    unit_price_xof=BigInteger(),
)
_END = SetStatement(
    "UPDATE livelihood_grant SET reason = r.reason FROM {rows} WHERE livelihood_grant.code = r.code",
    code=String(),
    reason=String(),
)
_PROCURED = SetStatement(
    "UPDATE livelihood_grant SET procured_at = r.at FROM {rows} WHERE livelihood_grant.code = r.code",
    code=String(),
    at=UtcDateTime(),
)
_DELIVERED = SetStatement(
    "UPDATE livelihood_grant SET delivered_at = r.at, delivery_reference = r.reference FROM {rows} "
    "WHERE livelihood_grant.code = r.code",
    code=String(),
    at=UtcDateTime(),
    reference=String(),
)
_LOOKED = SetStatement(
    "INSERT INTO grant_visit (grant_id, visited_on, finding, next_on, recorded_by, recorded_at) "
    "SELECT g.id, r.visited_on, r.finding, r.next_on, r.by_id, r.at "
    "FROM {rows} JOIN livelihood_grant AS g ON g.code = r.code WHERE true",
    code=String(),
    visited_on=Date(),
    finding=String(),
    next_on=Date(),
    by_id=BigId,
    at=UtcDateTime(),
)
_VERIFIED = SetStatement(
    "UPDATE livelihood_grant SET verified_at = r.at FROM {rows} WHERE livelihood_grant.code = r.code",
    code=String(),
    at=UtcDateTime(),
)

ALREADY_BOUGHT: Final = Reason(
    "already_bought",
    "On a déjà acheté pour plus que ce montant.",
    "More than this amount was bought already.",
    "grant.amount_xof",
)
KIND_AND_PROJECT: Final = Reason(
    "kind_and_project",
    "Un appui collectif ou communautaire appartient à un projet, un appui individuel à aucun.",
    "A collective or community grant belongs to a project, an individual one to none.",
    "grant.kind",
)


def propose_grants(session: Session, proposals: Sequence[GrantProposal], *, now: datetime) -> list[Outcome]:
    """Submit business plans for approval.

    Raises WrongUse for a plan that does not add up, and for a project that is missing or unknown.
    """
    check_plans(session, [(each.plan, each.project) for each in proposals])

    def move(each: GrantProposal) -> Move:
        return each.fires("submit_business_plan", record=each.code, **_asked(each.plan))

    def write(moved: Sequence[GrantProposal]) -> None:
        at = time_text(now)
        rows = [
            (
                *(each.code, each.case_id, each.plan.kind, each.project, each.plan.activity, each.plan.market),
                *(each.plan.amount_xof, each.plan.own_xof, each.actor.id, at),
            )
            for each in moved
        ]
        _PROPOSE.execute(session, rows)
        _write_lines(session, [(each.code, each.plan) for each in moved])

    return move_and_write(session, proposals, move=move, write=write, now=now)


def revise_grants(session: Session, revisions: Sequence[GrantRevision], *, now: datetime) -> list[Outcome]:
    """Submit other business plans for grants that are not approved; whoever revises counts as the proposer."""
    check_plans(session, [(each.plan, None) for each in revisions], new=False)
    load_cases(session, {each.case_id for each in revisions}, lock=True)
    money = read_grants(session, [each.grant for each in revisions])

    def move(each: GrantRevision) -> Move:
        fired = each.fires("revise_business_plan", record=each.grant, **_asked(each.plan))
        return replace(fired, objections=_against(each.plan, money.get(each.grant)))

    def write(moved: Sequence[GrantRevision]) -> None:
        rows = [
            (
                *(each.grant, each.plan.kind, each.plan.activity, each.plan.market, each.plan.amount_xof),
                *(each.plan.own_xof, each.actor.id, time_text(now)),
            )
            for each in moved
        ]
        _REVISE.execute(session, rows)
        _write_lines(session, [(each.grant, each.plan) for each in moved])

    return move_and_write(session, revisions, move=move, write=write, now=now)


def reject_grants(session: Session, ends: Sequence[EndOfGrant], *, now: datetime) -> list[Outcome]:
    """Send business plans back, each with its reason; they can be revised."""
    return _end(session, ends, "reject_grant", now)


def cancel_grants(session: Session, ends: Sequence[EndOfGrant], *, now: datetime) -> list[Outcome]:
    """End grants for good; what was committed and not spent goes back to the budget."""
    return _end(session, ends, "cancel_grant", now)


def procure_grants(session: Session, steps: Sequence[OnGrant], *, now: datetime) -> list[Outcome]:
    """All is bought; what is left over goes back to the budget."""

    def write(moved: Sequence[OnGrant]) -> None:
        _PROCURED.execute(session, [(each.grant, time_text(now)) for each in moved])
        _release(session, moved, now)

    return move_and_write(session, steps, move=_about("procure_kit"), write=write, now=now)


def deliver_grants(session: Session, deliveries: Sequence[Delivery], *, now: datetime) -> list[Outcome]:
    """Hand over what was bought."""

    def write(moved: Sequence[Delivery]) -> None:
        _DELIVERED.execute(session, [(each.grant, time_text(now), each.reference) for each in moved])

    return move_and_write(session, deliveries, move=_about("deliver_kit"), write=write, now=now)


def look_at_grants(session: Session, looks: Sequence[GrantLook], *, now: datetime) -> list[Outcome]:
    """Record visits; one that settles the matter verifies the grant."""

    def move(each: GrantLook) -> Move:
        return each.fires("verify_kit" if each.verified else "visit_kit", record=each.grant, finding=each.finding)

    def write(moved: Sequence[GrantLook]) -> None:
        at = time_text(now)
        rows = [
            (
                *(each.grant, each.visited_on.isoformat(), each.finding),
                *(each.next_on.isoformat() if each.next_on else None, each.actor.id, at),
            )
            for each in moved
        ]
        _LOOKED.execute(session, rows)
        _VERIFIED.execute(session, [(each.grant, at) for each in moved if each.verified])

    return move_and_write(session, looks, move=move, write=write, now=now)


def _end(session: Session, ends: Sequence[EndOfGrant], trigger: str, now: datetime) -> list[Outcome]:
    def move(each: EndOfGrant) -> Move:
        return replace(each.fires(trigger, record=each.grant), reason=each.reason)

    def write(moved: Sequence[EndOfGrant]) -> None:
        _END.execute(session, [(each.grant, each.reason) for each in moved])
        _release(session, moved, now)

    return move_and_write(session, ends, move=move, write=write, now=now)


def _release(session: Session, moved: Sequence[OnGrant], now: datetime) -> None:
    ledger = Ledger(session, [each.grant for each in moved])
    for each in moved:
        ledger.release(ledger.grants[each.grant], each.actor.id)
    ledger.write(now)


def _write_lines(session: Session, plans: Sequence[tuple[str, BusinessPlan]]) -> None:
    rows: list[tuple[Any, ...]] = [
        (code, position, line.item, line.quantity, line.unit_price_xof)
        for code, plan in plans
        for position, line in enumerate(plan.lines, start=1)
    ]
    _LINES.execute(session, rows)


def _against(plan: BusinessPlan, grant: GrantMoney | None) -> tuple[Reason, ...]:
    """What stands against another plan for this grant, which keeps its project and what was bought for it."""
    if grant is None:
        return ()
    wrong = {
        ALREADY_BOUGHT: plan.amount_xof < grant.spent_xof,
        KIND_AND_PROJECT: (plan.kind == "individual") != (grant.project_id is None),
    }
    return tuple(reason for reason, holds in wrong.items() if holds)


def _asked(plan: BusinessPlan) -> dict[str, Any]:
    return {"kind": plan.kind, "amount_xof": plan.amount_xof}


def _about(trigger: str) -> Callable[[OnGrant], Move]:
    return lambda each: each.fires(trigger, record=each.grant)
