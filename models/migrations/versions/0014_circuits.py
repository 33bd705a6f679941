"""How often each endpoint has failed in a row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subscription") as batch:
        batch.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("subscription") as batch:
        batch.alter_column("failures", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    op.drop_column("subscription", "failures")
