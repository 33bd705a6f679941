"""The ways by which a subscription is served: its channel and format, and how far the messages and files have come."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DEFAULTS: dict[str, tuple[sa.types.TypeEngine[Any], str]] = {
    "channel": (sa.String(), "webhook"),
    "format": (sa.String(), "cloudevents"),
    "language": (sa.String(), "fr"),
    "cursor": (KEY, "0"),
}


def upgrade() -> None:
    with op.batch_alter_table("subscription") as batch:
        for name, (kind, default) in DEFAULTS.items():
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        batch.add_column(sa.Column("offered", KEY, nullable=True))
    with op.batch_alter_table("subscription") as batch:
        for name, (kind, _) in DEFAULTS.items():
            batch.alter_column(name, existing_type=kind, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("subscription") as batch:
        for name in ("offered", *reversed(DEFAULTS)):
            batch.drop_column(name)
