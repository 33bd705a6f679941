"""The signatures on grants: the first of two, and the one that approves and commits the money of a budget.

The console, the API and the command line call it and commit. The pathway says who may sign, up to which amount one
signature is enough, and the ceilings; a budget is never overspent, whoever approves at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import move_and_write
from states.casework.claims import claim_and_move
from states.casework.ledger import Ledger
from states.casework.livelihood import OnGrant
from states.moves import Move, Outcome, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(OnGrant):
    """The signature that approves, and the budget that pays."""

    budget: str


_ENDORSE = SetStatement(
    "UPDATE livelihood_grant SET endorsed_by = r.by_id, endorsed_at = r.at FROM {rows} "
    "WHERE livelihood_grant.code = r.code",
    code=String(),
    by_id=BigId,
    at=UtcDateTime(),
)
_APPROVE = SetStatement(
    "UPDATE livelihood_grant SET approved_by = r.by_id, approved_at = r.at, "
    "budget_id = (SELECT b.id FROM budget AS b WHERE b.code = r.budget) FROM {rows} "
    "WHERE livelihood_grant.code = r.code",
    code=String(),
    by_id=BigId,
    at=UtcDateTime(),
    budget=String(),
)


def endorse_grants(session: Session, signatures: Sequence[OnGrant], *, now: datetime) -> list[Outcome]:
    """The first of two signatures; it commits nothing yet."""

    def write(moved: Sequence[OnGrant]) -> None:
        _ENDORSE.execute(session, [(each.grant, each.actor.id, time_text(now)) for each in moved])

    return move_and_write(
        session, signatures, move=lambda each: each.fires("endorse_grant", record=each.grant), write=write, now=now
    )


def approve_grants(session: Session, approvals: Sequence[Approval], *, now: datetime) -> list[Outcome]:
    """Approve grants for which one signature is enough. Refused when the budget does not have the amount any more.

    Raises WrongUse for an unknown budget.
    """
    return _approve(session, approvals, "approve_grant", now)


def confirm_grants(session: Session, approvals: Sequence[Approval], *, now: datetime) -> list[Outcome]:
    """The second of two signatures approves. Refusals and errors as for `approve_grants`."""
    return _approve(session, approvals, "confirm_grant", now)


class _Approvals:
    """The pool that approvals draw on: the budgets that they name."""

    def __init__(self, ledger: Ledger, today: date) -> None:
        self._ledger = ledger
        self._today = today

    def claim(self, step: Approval) -> Reason | None:
        # A grant that is not there claims nothing; the pathway refuses the move.
        grant = self._ledger.grants.get(step.grant)
        return None if grant is None else self._ledger.claim(grant, step.budget, self._today)

    def give_back(self, step: Approval) -> None:
        grant = self._ledger.grants.get(step.grant)
        if grant is not None:
            self._ledger.give_back(grant, step.budget)


def _approve(session: Session, approvals: Sequence[Approval], trigger: str, now: datetime) -> list[Outcome]:
    opened: list[Ledger] = []

    def pool() -> _Approvals:
        opened.append(Ledger(session, [each.grant for each in approvals], [each.budget for each in approvals]))
        return _Approvals(opened[0], now.date())

    def move(each: Approval) -> Move:
        return each.fires(trigger, record=each.grant, budget=each.budget)

    def write(moved: Sequence[Approval]) -> None:
        _APPROVE.execute(session, [(each.grant, each.actor.id, time_text(now), each.budget) for each in moved])
        (ledger,) = opened
        for each in moved:
            ledger.commit(ledger.grants[each.grant], each.budget, each.actor.id)
        ledger.write(now)

    return claim_and_move(session, approvals, pool=pool, move=move, write=write, now=now)
