"""Office calendars, overrides of estimated holidays, waivers of deadlines, and digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "office_calendar",
        sa.Column("id", KEY, nullable=False),
        sa.Column("office_id", KEY, nullable=False),
        sa.Column("weekend", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_office_calendar_office_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_office_calendar_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office_calendar")),
        sa.UniqueConstraint("office_id", name=op.f("uq_office_calendar_office_id")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", KEY, nullable=False),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title_fr", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_calendar_day_office_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_calendar_day_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("office_id", "day", name="uq_calendar_day_office_day"),
    )
    op.create_index(
        "uq_calendar_day_programme_day",
        "calendar_day",
        ["day"],
        unique=True,
        sqlite_where=sa.text("office_id IS NULL"),
        postgresql_where=sa.text("office_id IS NULL"),
    )
    op.create_table(
        "calendar_change",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("before", DOCUMENT, nullable=False),
        sa.Column("after", DOCUMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_as", sa.String(), nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("deadlines", sa.Integer(), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_calendar_change_office_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_calendar_change_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_change")),
    )
    op.create_table(
        "waiver",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("deadline_id", KEY, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("until_at", MOMENT, nullable=True),
        sa.Column("waived_at", MOMENT, nullable=False),
        sa.Column("waived_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_waiver_case_id")),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name=op.f("fk_waiver_deadline_id")),
        sa.ForeignKeyConstraint(["waived_by"], ["staff.id"], name=op.f("fk_waiver_waived_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
        sa.UniqueConstraint("case_id", "seq", name="uq_waiver_case_seq"),
    )
    op.create_index(op.f("ix_waiver_deadline_id"), "waiver", ["deadline_id"], unique=False)
    op.create_table(
        "digest",
        sa.Column("id", KEY, nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("staff_id", KEY, nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_digest_office_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_digest_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest")),
        sa.UniqueConstraint("recipient", "urgent", "sent_at", name="uq_digest_recipient_sent"),
    )
    op.create_index(
        "uq_digest_recipient_day",
        "digest",
        ["recipient", "day"],
        unique=True,
        sqlite_where=sa.text("NOT urgent"),
        postgresql_where=sa.text("NOT urgent"),
    )
    op.add_column("task", sa.Column("first_due_at", MOMENT, nullable=True))
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("digest_id", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_notice_digest_id"), "digest", ["digest_id"], ["id"])
        batch.create_index(op.f("ix_notice_digest_id"), ["digest_id"], unique=False)
        batch.create_index("ix_notice_staff_sent", ["staff_id", "sent_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_index("ix_notice_staff_sent")
        batch.drop_index(op.f("ix_notice_digest_id"))
        batch.drop_constraint(op.f("fk_notice_digest_id"), type_="foreignkey")
        batch.drop_column("digest_id")
    op.drop_column("task", "first_due_at")
    for table in ("digest", "waiver", "calendar_change", "calendar_day", "office_calendar"):
        op.drop_table(table)
