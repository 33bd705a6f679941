"""The plan of a case through its revisions: who drafted and approved what, and what became of each item.

The command line shows it; the console and the API will.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models.care import CasePlan, PlanItem, PlanStatus
from models.staff import Staff

TAKEN_BACK: Final = "taken_back"
"""Where a record is that was made by mistake: in none of the states that a pathway gives it, and so without a step."""


@dataclass(frozen=True, slots=True)
class PlanRevision:
    """One revision. `in_force`: it is the newest that was approved. `items` came into the plan with it; they go on
    under later revisions until they are done or dropped. `added` and `left_out` are the needs that it has more and less
    than the revision before."""

    code: str
    revision: int
    status: str
    in_force: bool
    needs: tuple[str, ...]
    added: tuple[str, ...]
    left_out: tuple[str, ...]
    author: str | None
    drafted_at: datetime
    submitted_at: datetime | None
    approver: str | None
    approved_at: datetime | None
    items: tuple[PlanItem, ...]


def plan_history(session: Session, case_id: int) -> list[PlanRevision]:
    """The revisions of the case's plan that stand, the oldest first, in two statements. People are named by login."""
    author, approver = aliased(Staff), aliased(Staff)
    found = session.execute(
        select(CasePlan, col(author.login), col(approver.login))
        .outerjoin(author, col(author.id) == col(CasePlan.author_id))
        .outerjoin(approver, col(approver.id) == col(CasePlan.approver_id))
        .where(col(CasePlan.case_id) == case_id, col(CasePlan.status) != TAKEN_BACK)
        .order_by(col(CasePlan.revision))
    ).all()
    items: dict[int, list[PlanItem]] = defaultdict(list)
    query = select(PlanItem).where(col(PlanItem.case_id) == case_id, col(PlanItem.taken_back_at).is_(None))
    for item in session.scalars(query.order_by(col(PlanItem.id))):
        items[item.plan_id].append(item)
    approved = [plan.revision for plan, *_ in found if plan.status == PlanStatus.APPROVED]
    revisions: list[PlanRevision] = []
    before: tuple[str, ...] = ()
    for plan, author_login, approver_login in found:
        needs = tuple(plan.needs)
        revisions.append(
            PlanRevision(
                code=plan.code,
                revision=plan.revision,
                status=plan.status,
                in_force=plan.revision == max(approved, default=None),
                needs=needs,
                added=tuple(need for need in needs if need not in before),
                left_out=tuple(need for need in before if need not in needs),
                author=author_login,
                drafted_at=plan.drafted_at,
                submitted_at=plan.submitted_at,
                approver=approver_login,
                approved_at=plan.approved_at,
                items=tuple(items[plan.id or 0]),
            )
        )
        before = needs
    return revisions
