"""Who ended an agreement, and when a partner was reminded of an event that it has not acknowledged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("sharing_agreement") as batch:
        batch.add_column(sa.Column("ended_by", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_sharing_agreement_ended_by"), "staff", ["ended_by"], ["id"])
    with op.batch_alter_table("partner_event") as batch:
        batch.add_column(sa.Column("reminded_at", MOMENT, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("partner_event") as batch:
        batch.drop_column("reminded_at")
    with op.batch_alter_table("sharing_agreement") as batch:
        batch.drop_constraint(op.f("fk_sharing_agreement_ended_by"), type_="foreignkey")
        batch.drop_column("ended_by")
