"""Migrations of cases to another version of their pathway, wave by wave."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pathway_migration",
        sa.Column("id", KEY, nullable=False),
        sa.Column("old_version_id", KEY, nullable=False),
        sa.Column("new_version_id", KEY, nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["old_version_id"], ["pathway_version.id"], name=op.f("fk_pathway_migration_old_version_id")
        ),
        sa.ForeignKeyConstraint(
            ["new_version_id"], ["pathway_version.id"], name=op.f("fk_pathway_migration_new_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pathway_migration")),
        sa.UniqueConstraint("old_version_id", "new_version_id", name="uq_pathway_migration_versions"),
    )
    op.create_table(
        "migration_wave",
        sa.Column("id", KEY, nullable=False),
        sa.Column("migration_id", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("names", DOCUMENT, nullable=False),
        sa.Column("keep_deadlines", sa.Boolean(), nullable=False),
        sa.Column("max_refused", sa.String(), nullable=False),
        sa.Column("max_breaches", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("cases", "moved", "refused", "left_out", "breached", "undone", "kept")
        ),
        sa.Column("started_by", KEY, nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["migration_id"], ["pathway_migration.id"], name=op.f("fk_migration_wave_migration_id")
        ),
        sa.ForeignKeyConstraint(["started_by"], ["staff.id"], name=op.f("fk_migration_wave_started_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migration_wave")),
        sa.UniqueConstraint("migration_id", "number", name="uq_migration_wave_number"),
    )
    op.create_table(
        "wave_case",
        sa.Column("wave_id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("breaches", sa.Integer(), nullable=False),
        sa.Column("before", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["migration_wave.id"], name=op.f("fk_wave_case_wave_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_wave_case_case_id")),
        sa.PrimaryKeyConstraint("wave_id", "case_id", name=op.f("pk_wave_case")),
    )
    op.create_index("ix_wave_case_case_id", "wave_case", ["case_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_wave_case_case_id", table_name="wave_case")
    for table in ("wave_case", "migration_wave", "pathway_migration"):
        op.drop_table(table)
