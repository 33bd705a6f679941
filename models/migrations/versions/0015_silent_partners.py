"""Lines about events that a partner does not acknowledge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("partner_event_id", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_notice_partner_event_id"), "partner_event", ["partner_event_id"], ["id"])
        batch.create_unique_constraint("uq_notice_partner_event_kind", ["partner_event_id", "kind"])


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_constraint("uq_notice_partner_event_kind", type_="unique")
        batch.drop_constraint(op.f("fk_notice_partner_event_id"), type_="foreignkey")
        batch.drop_column("partner_event_id")
