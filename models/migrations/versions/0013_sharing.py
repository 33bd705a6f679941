"""What partners may see and what they saw, how their systems get in, and a pseudonym key for each partner."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
TABLES = (
    *("api_request", "signing_secret", "partner_token"),
    *("disclosure", "partner_event", "partner_case", "sharing_agreement"),
)


def upgrade() -> None:
    _partners()
    _agreements()
    _streams()
    _access()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    with op.batch_alter_table("partner") as batch:
        batch.drop_column("position")
        batch.drop_column("pseudonym_key")


def _partners() -> None:
    op.add_column("partner", sa.Column("pseudonym_key", sa.String(), nullable=True))
    op.add_column("partner", sa.Column("position", KEY, nullable=False, server_default="0"))
    partner = sa.table("partner", sa.column("id", KEY), sa.column("pseudonym_key", sa.String()))
    connection = op.get_bind()
    for (id_,) in connection.execute(sa.select(partner.c.id)).all():
        key = secrets.token_hex(32)
        connection.execute(sa.update(partner).where(partner.c.id == id_).values(pseudonym_key=key))
    with op.batch_alter_table("partner") as batch:
        batch.alter_column("pseudonym_key", existing_type=sa.String(), nullable=False)
        batch.alter_column("position", existing_type=KEY, server_default=None)


def _agreements() -> None:
    op.create_table(
        "sharing_agreement",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        *(
            sa.Column(name, DOCUMENT, nullable=False)
            for name in ("event_types", "regions", "programmes", "fields", "sensitive_fields")
        ),
        sa.Column("acknowledge_within", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", KEY, sa.ForeignKey("staff.id"), nullable=True),
        sa.UniqueConstraint("code", "version", name="uq_sharing_agreement_version"),
    )
    op.create_index(op.f("ix_sharing_agreement_partner_id"), "sharing_agreement", ["partner_id"])


def _streams() -> None:
    op.create_table(
        "partner_case",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("case_id", KEY, sa.ForeignKey("case.id"), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.UniqueConstraint("partner_id", "case_id", name="uq_partner_case"),
        sa.UniqueConstraint("partner_id", "code", name="uq_partner_case_code"),
    )
    op.create_index(op.f("ix_partner_case_case_id"), "partner_case", ["case_id"])
    op.create_table(
        "partner_event",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("event_id", KEY, sa.ForeignKey("event.id"), nullable=False),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("case_id", KEY, sa.ForeignKey("case.id"), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("position", KEY, nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("fields", DOCUMENT, nullable=False),
        sa.Column("agreement_id", KEY, sa.ForeignKey("sharing_agreement.id"), nullable=True),
        sa.Column("consent_id", KEY, sa.ForeignKey("consent.id"), nullable=True),
        *(sa.Column(name, MOMENT, nullable=True) for name in ("shown_at", "received_at", "acknowledged_at")),
        sa.UniqueConstraint("uid"),
        sa.UniqueConstraint("event_id", "partner_id", name="uq_partner_event"),
        sa.UniqueConstraint("partner_id", "position", name="uq_partner_event_position"),
    )
    op.create_index(op.f("ix_partner_event_case_id"), "partner_event", ["case_id"])
    op.create_index(op.f("ix_partner_event_consent_id"), "partner_event", ["consent_id"])
    op.create_index("ix_partner_event_case", "partner_event", ["partner_id", "case_id"])
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_partner_event_waiting",
        "partner_event",
        ["partner_id", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "disclosure",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("case_id", KEY, sa.ForeignKey("case.id"), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("fields", DOCUMENT, nullable=False),
        sa.Column("agreement_id", KEY, sa.ForeignKey("sharing_agreement.id"), nullable=False),
        sa.Column("consent_id", KEY, sa.ForeignKey("consent.id"), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_disclosure_case", "disclosure", ["case_id", "partner_id"])
    op.create_index(op.f("ix_disclosure_consent_id"), "disclosure", ["consent_id"])


def _access() -> None:
    op.create_table(
        "partner_token",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.UniqueConstraint("prefix"),
    )
    op.create_index(op.f("ix_partner_token_partner_id"), "partner_token", ["partner_id"])
    op.create_table(
        "signing_secret",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("subscription_id", KEY, sa.ForeignKey("subscription.id"), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
    )
    op.create_index(op.f("ix_signing_secret_subscription_id"), "signing_secret", ["subscription_id"])
    op.create_table(
        "api_request",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("partner_id", KEY, sa.ForeignKey("partner.id"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("headers", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("partner_id", "key", name="uq_api_request_key"),
    )
    op.create_index(op.f("ix_api_request_created_at"), "api_request", ["created_at"])
