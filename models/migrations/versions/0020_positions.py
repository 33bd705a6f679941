"""Positions in partners' streams are unique where there is one.

PostgreSQL takes a change of a column of a whole unique index for one of a key, which would wait for every sender that
has moved on a delivery of the event.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = "uq_partner_event_position"
COLUMNS = ["partner_id", "position"]
GIVEN = sa.text("position IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("partner_event") as batch:
        batch.drop_constraint(NAME, type_="unique")
    op.create_index(NAME, "partner_event", COLUMNS, unique=True, sqlite_where=GIVEN, postgresql_where=GIVEN)


def downgrade() -> None:
    op.drop_index(NAME, "partner_event")
    with op.batch_alter_table("partner_event") as batch:
        batch.create_unique_constraint(NAME, COLUMNS)
