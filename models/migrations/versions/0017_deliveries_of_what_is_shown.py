"""Deliveries of what each partner may see."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("delivery") as batch:
        batch.add_column(sa.Column("partner_event_id", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_delivery_partner_event_id"), "partner_event", ["partner_event_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("delivery") as batch:
        batch.drop_constraint(op.f("fk_delivery_partner_event_id"), type_="foreignkey")
        batch.drop_column("partner_event_id")
