"""Transitions that were taken back: the events that correct earlier ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("corrects", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("event", "corrects")
