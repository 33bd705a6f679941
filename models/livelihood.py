"""Livelihood support: grants in kind with their business plan, purchases and visits, and the budgets that pay for them.

`states.casework` writes them; where a grant stands is a record of the pathway. Money is whole francs (XOF), never less
than nothing, and no budget and no grant can be overspent: the database refuses it too.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, UtcDateTime, internal, personal, public, sensitive


class Budget(SQLModel, table=True):
    """What may be spent on grants in a period. `committed_xof` is what its ledger has committed and not released.

    `version` counts the lines of the ledger: whoever writes one compares and sets it."""

    __tablename__ = "budget"
    __table_args__ = (
        CheckConstraint("amount_xof >= 0", name="ck_budget_amount"),
        CheckConstraint("committed_xof >= 0 AND committed_xof <= amount_xof", name="ck_budget_committed"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public(unique=True)
    title: str = public()
    office_id: int | None = internal(default=None, foreign_key="office.id", sa_type=BigId)
    starts_on: date = internal()
    ends_on: date = internal()
    amount_xof: int = internal(sa_type=BigInteger)
    committed_xof: int = internal(default=0, sa_type=BigInteger)
    created_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)
    version: int = internal(default=0)


class BudgetLine(SQLModel, table=True):
    """A line of a budget's ledger, never changed: a commitment (a grant was approved), a release (what it does not
    need any more) or an expense (a purchase, out of what is committed). `seq` counts within the budget from 1."""

    __tablename__ = "budget_line"
    __table_args__ = (
        UniqueConstraint("budget_id", "seq", name="uq_budget_line_seq"),
        CheckConstraint("amount_xof > 0", name="ck_budget_line_amount"),
        CheckConstraint("kind IN ('commitment', 'release', 'expense')", name="ck_budget_line_kind"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    budget_id: int = internal(foreign_key="budget.id", sa_type=BigId)
    seq: int = internal()
    grant_id: int = internal(foreign_key="livelihood_grant.id", index=True, sa_type=BigId)
    kind: str = internal()
    amount_xof: int = internal(sa_type=BigInteger)
    at: datetime = internal(sa_type=UtcDateTime)
    by_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class LivelihoodGrant(SQLModel, table=True):
    """Support to start an activity, in kind. `amount_xof` is what the programme pays for the lines of the newest
    revision of the business plan, after the person's `own_xof`; `spent_xof` what was bought of it. Nobody approves what
    they proposed.

    Kind: individual, collective or community (the last two belong to a project). Status: planned, endorsed (by the
    first of two who approve), approved, procured, delivered, verified; or rejected, cancelled."""

    __tablename__ = "livelihood_grant"
    __table_args__ = (
        CheckConstraint("amount_xof >= 0", name="ck_livelihood_grant_amount"),
        CheckConstraint("own_xof >= 0", name="ck_livelihood_grant_own"),
        CheckConstraint("spent_xof >= 0 AND spent_xof <= amount_xof", name="ck_livelihood_grant_spent"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    kind: str = internal(default="individual")
    project_id: int | None = internal(default=None, foreign_key="project.id", sa_type=BigId)
    activity: str = personal()
    market: str | None = personal(default=None)
    amount_xof: int = personal(sa_type=BigInteger)
    own_xof: int = personal(default=0, sa_type=BigInteger)
    spent_xof: int = personal(default=0, sa_type=BigInteger)
    revision: int = internal(default=1)
    status: str = personal(default="planned")
    reason: str | None = personal(default=None)
    budget_id: int | None = internal(default=None, foreign_key="budget.id", sa_type=BigId)
    proposed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    proposed_at: datetime = internal(sa_type=UtcDateTime)
    endorsed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    endorsed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    approved_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    approved_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    procured_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    delivery_reference: str | None = internal(default=None)
    verified_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class GrantLine(SQLModel, table=True):
    """An item of a business plan, in one of its revisions."""

    __tablename__ = "grant_line"
    __table_args__ = (
        UniqueConstraint("grant_id", "revision", "position", name="uq_grant_line_position"),
        CheckConstraint("quantity >= 1", name="ck_grant_line_quantity"),
        CheckConstraint("unit_price_xof >= 0", name="ck_grant_line_price"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    grant_id: int = internal(foreign_key="livelihood_grant.id", sa_type=BigId)
    revision: int = internal()
    position: int = internal()
    item: str = personal()
    quantity: int = personal()
    unit_price_xof: int = personal(sa_type=BigInteger)


class GrantPurchase(SQLModel, table=True):
    """Something bought for a grant, with its proof (an invoice, a receipt) and the proof file's SHA-256."""

    __tablename__ = "grant_purchase"
    __table_args__ = (
        CheckConstraint("amount_xof > 0", name="ck_grant_purchase_amount"),
        CheckConstraint("quantity >= 1", name="ck_grant_purchase_quantity"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    grant_id: int = internal(foreign_key="livelihood_grant.id", index=True, sa_type=BigId)
    position: int = internal()
    supplier: str = internal()
    quantity: int = personal()
    amount_xof: int = personal(sa_type=BigInteger)
    proof: str = internal()
    proof_sha256: str = internal()
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    recorded_at: datetime = internal(sa_type=UtcDateTime)


class GrantVisit(SQLModel, table=True):
    """A look on site at how a grant is used: what was found, and when somebody looks again."""

    __tablename__ = "grant_visit"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    grant_id: int = internal(foreign_key="livelihood_grant.id", index=True, sa_type=BigId)
    visited_on: date = personal()
    finding: str = sensitive()
    next_on: date | None = personal(default=None)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    recorded_at: datetime = internal(sa_type=UtcDateTime)
