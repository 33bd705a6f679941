"""Vulnerabilities with their urgency, guardians, and assessments that repeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "instrument_definition",
        sa.Column("id", KEY, nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("first_used_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_definition")),
        sa.UniqueConstraint("instrument", "version", name="uq_instrument_definition_version"),
    )
    op.create_table(
        "vulnerability",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("identified_at", MOMENT, nullable=False),
        sa.Column("identified_by", KEY, nullable=True),
        sa.Column("addressed_at", MOMENT, nullable=True),
        sa.Column("addressed_by", KEY, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("closed_by", KEY, nullable=True),
        *_references("vulnerability", "identified_by", "addressed_by", "closed_by"),
    )
    op.create_index(op.f("ix_vulnerability_case_id"), "vulnerability", ["case_id"], unique=False)
    op.create_table(
        "guardian",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("verified_by", KEY, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_by", KEY, nullable=True),
        *_references("guardian", "recorded_by", "verified_by", "ended_by"),
    )
    op.create_index(op.f("ix_guardian_case_id"), "guardian", ["case_id"], unique=False)
    for column in (
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("subscales", DOCUMENT, nullable=True),
        sa.Column("taken_back_at", MOMENT, nullable=True),
    ):
        op.add_column("assessment", column)


def downgrade() -> None:
    for column in ("taken_back_at", "subscales", "percent", "seq"):
        op.drop_column("assessment", column)
    for table in ("guardian", "vulnerability"):
        op.drop_index(op.f(f"ix_{table}_case_id"), table_name=table)
        op.drop_table(table)
    op.drop_table("instrument_definition")


def _references(table: str, *staff: str) -> list[sa.Constraint]:
    """The keys of a table of records: its own, its code, its case and who did what."""
    return [
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f(f"fk_{table}_case_id")),
        *(sa.ForeignKeyConstraint([name], ["staff.id"], name=op.f(f"fk_{table}_{name}")) for name in staff),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("code", name=op.f(f"uq_{table}_code")),
    ]
