"""Small machines that a case carries: a code for each record, and tasks and clocks of a record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RECORDS = ("case_plan", "livelihood_grant", "training_enrolment")


def upgrade() -> None:
    for table in ("task", "deadline"):
        op.add_column(table, sa.Column("record", sa.String(), nullable=True))
    for table in RECORDS:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("code", sa.String(), nullable=True))
            batch.create_unique_constraint(f"uq_{table}_code", ["code"])


def downgrade() -> None:
    for table in RECORDS:
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"uq_{table}_code", type_="unique")
            batch.drop_column("code")
    for table in ("deadline", "task"):
        op.drop_column(table, "record")
