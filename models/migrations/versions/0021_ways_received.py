"""By which way a partner first had an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("partner_event") as batch:
        batch.add_column(sa.Column("received_by", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("partner_event") as batch:
        batch.drop_column("received_by")
