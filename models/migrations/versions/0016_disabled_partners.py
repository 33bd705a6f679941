"""Lines about subscriptions to which nothing more is sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("subscription_id", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_notice_subscription_id"), "subscription", ["subscription_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_constraint(op.f("fk_notice_subscription_id"), type_="foreignkey")
        batch.drop_column("subscription_id")
