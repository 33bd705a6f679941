"""Case plans with their items, and psychosocial care."""

from __future__ import annotations

import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "plan_item",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("plan_id", KEY, nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("need", sa.String(), nullable=True),
        sa.Column("goal", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("partner_id", KEY, nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("referral", sa.String(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("taken_back_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_plan_item"),
        sa.UniqueConstraint("code", name="uq_plan_item_code"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_plan_item_case_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["case_plan.id"], name="fk_plan_item_plan_id"),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name="fk_plan_item_partner_id"),
    )
    op.create_index("ix_plan_item_case_id", "plan_item", ["case_id"])
    op.create_index("ix_plan_item_plan_id", "plan_item", ["plan_id"])
    op.create_table(
        "sensitive_read",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("staff_id", KEY, nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sensitive_read"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_sensitive_read_case_id"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_sensitive_read_staff_id"),
    )
    op.create_index("ix_sensitive_read_case_id", "sensitive_read", ["case_id"])
    _plans()
    _sessions()


def _plans() -> None:
    """Plans get codes, and what stood in their document of items becomes rows."""
    plans = _table("case_plan", "id", "case_id", "code", items=DOCUMENT)
    columns = ("code", "case_id", "plan_id", "level", "dimension", "need", "goal", "service", "mode", "status")
    items = _table("plan_item", *columns)
    bind = op.get_bind()
    for plan in bind.execute(sa.select(plans)).all():
        bind.execute(sa.update(plans).where(plans.c.id == plan.id).values(code=plan.code or _code()))
        for item in plan.items or ():
            bind.execute(sa.insert(items).values(case_id=plan.case_id, plan_id=plan.id, **_item(item)))
    with op.batch_alter_table("case_plan") as batch:
        batch.alter_column("code", existing_type=sa.String(), nullable=False)
        batch.add_column(sa.Column("submitted_at", MOMENT, nullable=True))
        batch.drop_column("items")


def _sessions() -> None:
    """Each session of before is an occasion of its own; its note is sealed by the first that has the key."""
    with op.batch_alter_table("psychosocial_session") as batch:
        batch.alter_column("note", new_column_name="note_sealed", existing_type=sa.String())
        batch.add_column(sa.Column("code", sa.String(), nullable=True))
        batch.add_column(sa.Column("occasion", sa.String(), nullable=True))
        batch.add_column(sa.Column("level", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("seq", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("taken_back_at", MOMENT, nullable=True))
    sessions = _table("psychosocial_session", "id", "code", "occasion")
    bind = op.get_bind()
    for row in bind.execute(sa.select(sessions)).all():
        code = _code()
        bind.execute(sa.update(sessions).where(sessions.c.id == row.id).values(code=code, occasion=code))
    with op.batch_alter_table("psychosocial_session") as batch:
        batch.alter_column("code", existing_type=sa.String(), nullable=False)
        batch.alter_column("occasion", existing_type=sa.String(), nullable=False)
        batch.create_unique_constraint("uq_psychosocial_session_code", ["code"])
        batch.create_index("ix_psychosocial_session_occasion", ["occasion"])


def _table(name: str, *columns: str, **typed: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(each) for each in columns), *(sa.column(k, v) for k, v in typed.items()))


def _code() -> str:
    return secrets.token_hex(8)


def _item(said: dict[str, Any]) -> dict[str, Any]:
    """An item of the first format: a section, whether it asks for a referral, and whatever else it said as the goal."""
    section = str(said.get("section", "economic"))
    social = {"psychosocial": "psychosocial", "social": "social"}
    return {
        "code": _code(),
        "level": "individual",
        "dimension": social.get(section, "economic"),
        "need": None,
        "goal": json.dumps(said, ensure_ascii=False),
        "service": section,
        "mode": "referral" if said.get("referral") else "direct",
        "status": "planned",
    }


def downgrade() -> None:
    with op.batch_alter_table("psychosocial_session") as batch:
        batch.drop_index("ix_psychosocial_session_occasion")
        batch.drop_constraint("uq_psychosocial_session_code", type_="unique")
        for column in ("code", "occasion", "level", "seq", "taken_back_at"):
            batch.drop_column(column)
        batch.alter_column("note_sealed", new_column_name="note", existing_type=sa.String())
    with op.batch_alter_table("case_plan") as batch:
        batch.add_column(sa.Column("items", DOCUMENT, nullable=False, server_default="[]"))
        batch.drop_column("submitted_at")
        batch.alter_column("code", existing_type=sa.String(), nullable=True)
    op.drop_index("ix_sensitive_read_case_id", "sensitive_read")
    op.drop_table("sensitive_read")
    op.drop_index("ix_plan_item_plan_id", "plan_item")
    op.drop_index("ix_plan_item_case_id", "plan_item")
    op.drop_table("plan_item")
