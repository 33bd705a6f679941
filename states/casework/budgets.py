"""Budgets for grants: opened with an amount and a period, and looked at with all that was committed, released, spent.

The console, the API and the command line call it and commit; `states.casework.ledger` writes their lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Budget, BudgetLine, LivelihoodGrant
from models.errors import WrongUse
from states.casework.business_plan import MOST_XOF
from states.moves import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBudget:
    """What may be spent from `starts_on` to `ends_on`, in whole francs."""

    code: str
    title: str
    amount_xof: int
    starts_on: date
    ends_on: date
    office_id: int | None = None


class BudgetState(NamedTuple):
    """A budget as it stands: `committed_xof` is what approved grants hold, what was bought included."""

    code: str
    title: str
    starts_on: date
    ends_on: date
    amount_xof: int
    committed_xof: int
    spent_xof: int

    @property
    def available_xof(self) -> int:
        """What can still be approved."""
        return self.amount_xof - self.committed_xof


class LedgerLine(NamedTuple):
    """One line of a budget's ledger."""

    seq: int
    at: datetime
    grant: str
    kind: str
    amount_xof: int


def add_budget(session: Session, budget: NewBudget, *, actor: Actor, now: datetime) -> Budget:
    """Open a budget. Raises WrongUse for a code that is taken, and for an amount or a period that cannot be."""
    if type(budget.amount_xof) is not int or not 0 <= budget.amount_xof <= 1_000 * MOST_XOF:
        raise WrongUse("A budget is an amount of whole francs.", "Un budget est un montant en francs entiers.")
    if budget.ends_on < budget.starts_on:
        raise WrongUse("A budget ends after it begins.", "Un budget finit après avoir commencé.")
    if session.scalars(select(Budget).where(col(Budget.code) == budget.code)).first() is not None:
        raise WrongUse(
            f"There is a budget {budget.code} already.",
            f"Le budget {budget.code} existe déjà.",
            remedy="Choose another code, or see `segin budget list`.",
            remedy_fr="Choisissez un autre code, ou voyez `segin budget list`.",
        )
    made = Budget(
        code=budget.code,
        title=budget.title,
        office_id=budget.office_id,
        starts_on=budget.starts_on,
        ends_on=budget.ends_on,
        amount_xof=budget.amount_xof,
        created_by=actor.id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def list_budgets(session: Session, code: str | None = None) -> list[BudgetState]:
    """Budgets as they stand, by code; only the one with this code, if it is given."""
    spent = (
        select(col(BudgetLine.budget_id), func.sum(col(BudgetLine.amount_xof)).label("spent"))
        .where(col(BudgetLine.kind) == "expense")
        .group_by(col(BudgetLine.budget_id))
        .subquery()
    )
    query = select(
        col(Budget.code),
        col(Budget.title),
        col(Budget.starts_on),
        col(Budget.ends_on),
        col(Budget.amount_xof),
        col(Budget.committed_xof),
        spent.c.spent,
    ).outerjoin(spent, spent.c.budget_id == col(Budget.id))
    if code is not None:
        query = query.where(col(Budget.code) == code)
    return [
        BudgetState(code_, title, starts_on, ends_on, amount, committed, int(bought or 0))
        for code_, title, starts_on, ends_on, amount, committed, bought in session.execute(
            query.order_by(col(Budget.code))
        )
    ]


def show_budget(session: Session, code: str) -> tuple[BudgetState, Sequence[LedgerLine]]:
    """A budget with its ledger, the oldest line first. Raises WrongUse for an unknown one."""
    found = list_budgets(session, code)
    if not found:
        raise WrongUse(
            f"There is no budget {code}.",
            f"Le budget {code} n'existe pas.",
            remedy="See `segin budget list`.",
            remedy_fr="Voyez `segin budget list`.",
        )
    rows = session.execute(
        select(
            col(BudgetLine.seq),
            col(BudgetLine.at),
            col(LivelihoodGrant.code),
            col(BudgetLine.kind),
            col(BudgetLine.amount_xof),
        )
        .join(Budget, col(Budget.id) == col(BudgetLine.budget_id))
        .join(LivelihoodGrant, col(LivelihoodGrant.id) == col(BudgetLine.grant_id))
        .where(col(Budget.code) == code)
        .order_by(col(BudgetLine.seq))
    )
    return found[0], [LedgerLine(*row) for row in rows]
