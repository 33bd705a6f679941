"""What is known of grants: the list, and one grant with its plan, its purchases and the visits.

The command line, the API and the console show it. People appear by the codes of their cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlmodel import Session, col

from models import Budget, Case, GrantLine, GrantPurchase, GrantVisit, LivelihoodGrant, Project
from models.errors import WrongUse


class GrantSummary(NamedTuple):
    """A grant in a list."""

    code: str
    case: str
    kind: str
    activity: str
    status: str
    amount_xof: int
    spent_xof: int
    budget: str | None
    project: str | None
    proposed_at: datetime


class GrantFile(NamedTuple):
    """Everything about one grant; `lines` are those of the newest revision of its plan."""

    summary: GrantSummary
    grant: LivelihoodGrant
    lines: Sequence[GrantLine]
    purchases: Sequence[GrantPurchase]
    visits: Sequence[GrantVisit]


def list_grants(
    session: Session, *, status: str | None = None, budget: str | None = None, limit: int = 50
) -> list[GrantSummary]:
    """Grants, the newest first; only those at a step of their way, or those that a budget pays."""
    query = _summaries().order_by(col(LivelihoodGrant.id).desc()).limit(limit)
    if status is not None:
        query = query.where(col(LivelihoodGrant.status) == status)
    if budget is not None:
        query = query.where(col(Budget.code) == budget)
    return [GrantSummary(*row) for row in session.execute(query)]


def show_grant(session: Session, code: str) -> GrantFile:
    """One grant. Raises WrongUse for an unknown one."""
    summary = session.execute(_summaries().where(col(LivelihoodGrant.code) == code)).first()
    if summary is None:
        raise WrongUse(
            f"There is no grant {code}.",
            f"L'appui {code} n'existe pas.",
            remedy="See `segin grant list`.",
            remedy_fr="Voyez `segin grant list`.",
        )
    query = select(LivelihoodGrant).where(col(LivelihoodGrant.code) == code)
    grant = session.scalars(query.execution_options(populate_existing=True)).one()
    lines = select(GrantLine).where(col(GrantLine.grant_id) == grant.id, col(GrantLine.revision) == grant.revision)
    purchases = select(GrantPurchase).where(col(GrantPurchase.grant_id) == grant.id)
    visits = select(GrantVisit).where(col(GrantVisit.grant_id) == grant.id)
    return GrantFile(
        GrantSummary(*summary),
        grant,
        session.scalars(lines.order_by(col(GrantLine.position))).all(),
        session.scalars(purchases.order_by(col(GrantPurchase.id))).all(),
        session.scalars(visits.order_by(col(GrantVisit.id))).all(),
    )


def _summaries() -> Select[str, str, str, str, str, int, int, str, str, datetime]:
    return (
        select(
            col(LivelihoodGrant.code),
            col(Case.code),
            col(LivelihoodGrant.kind),
            col(LivelihoodGrant.activity),
            col(LivelihoodGrant.status),
            col(LivelihoodGrant.amount_xof),
            col(LivelihoodGrant.spent_xof),
            col(Budget.code),
            col(Project.code),
            col(LivelihoodGrant.proposed_at),
        )
        .join(Case, col(Case.id) == col(LivelihoodGrant.case_id))
        .outerjoin(Budget, col(Budget.id) == col(LivelihoodGrant.budget_id))
        .outerjoin(Project, col(Project.id) == col(LivelihoodGrant.project_id))
    )
