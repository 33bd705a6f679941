"""Referrals in full, consents, the outcomes of follow-up, households, and events that are for some partners only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("event", sa.Column("only_for", DOCUMENT, nullable=True))
    _consents()
    _referrals()
    _follow_up()
    _households()


def downgrade() -> None:
    with op.batch_alter_table("returnee") as batch:
        batch.add_column(sa.Column("household_id", KEY, nullable=True))
        batch.create_foreign_key(op.f("fk_returnee_household_id"), "household", ["household_id"], ["id"])
        batch.create_index(op.f("ix_returnee_household_id"), ["household_id"], unique=False)
    op.execute(
        "UPDATE returnee SET household_id = (SELECT m.household_id FROM household_member AS m "
        "WHERE m.returnee_id = returnee.id AND m.until IS NULL)"
    )
    for table in ("household_member", "exit_interview", "contact_attempt"):
        op.drop_table(table)
    with op.batch_alter_table("follow_up_visit") as batch:
        batch.drop_index(op.f("ix_follow_up_visit_occasion"))
        for column in (
            *("seq", "occasion", "income", "housing", "well_being", "satisfaction", "intention", "why"),
            *("could_change", "taken_back_at"),
        ):
            batch.drop_column(column)
    with op.batch_alter_table("referral") as batch:
        batch.add_column(sa.Column("service", sa.String(), nullable=True))
        batch.add_column(sa.Column("due_at", MOMENT, nullable=True))
        batch.add_column(sa.Column("chased_at", MOMENT, nullable=True))
    op.execute("UPDATE referral SET due_at = made_at, service = services ->> 0")
    with op.batch_alter_table("referral") as batch:
        batch.alter_column("service", existing_type=sa.String(), nullable=False)
        batch.alter_column("due_at", existing_type=MOMENT, nullable=False)
        batch.drop_index(op.f("ix_referral_consent_id"))
        batch.drop_constraint(op.f("fk_referral_answered_by"), type_="foreignkey")
        for column in (
            *("services", "information", "contact", "partner_contact", "channel", "copies", "language", "interpreter"),
            *("caregiver", "caregiver_knows", "separation", "answer", "answered_by"),
        ):
            batch.drop_column(column)
    with op.batch_alter_table("consent") as batch:
        batch.add_column(sa.Column("given", sa.Boolean(), nullable=True))
    op.execute("UPDATE consent SET given = (status <> 'refused')")
    with op.batch_alter_table("consent") as batch:
        batch.alter_column("given", existing_type=sa.Boolean(), nullable=False)
        batch.drop_constraint(op.f("uq_consent_code"), type_="unique")
        batch.drop_constraint(op.f("fk_consent_revoked_by"), type_="foreignkey")
        for column in (
            *("code", "status", "any_partner", "information", "form_sha256", "guardian", "witness", "revoked_by"),
        ):
            batch.drop_column(column)
    op.drop_column("event", "only_for")


def _consents() -> None:
    """Every answer gets a code and a status; those from before name no information, so no referral can lean on them."""
    with op.batch_alter_table("consent") as batch:
        batch.add_column(sa.Column("code", sa.String(), nullable=True))
        batch.add_column(sa.Column("status", sa.String(), nullable=True))
        batch.add_column(sa.Column("any_partner", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("information", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("form_sha256", sa.String(), nullable=True))
        batch.add_column(sa.Column("guardian", sa.String(), nullable=True))
        batch.add_column(sa.Column("witness", sa.String(), nullable=True))
        batch.add_column(sa.Column("revoked_by", KEY, nullable=True))
    op.execute(
        "UPDATE consent SET code = 'consent-' || id, any_partner = false, information = '[]', status = CASE "
        "WHEN NOT given THEN 'refused' WHEN revoked_at IS NULL THEN 'given' ELSE 'revoked' END"
    )
    with op.batch_alter_table("consent") as batch:
        batch.alter_column("code", existing_type=sa.String(), nullable=False)
        batch.alter_column("status", existing_type=sa.String(), nullable=False)
        batch.alter_column("any_partner", existing_type=sa.Boolean(), nullable=False)
        batch.alter_column("information", existing_type=DOCUMENT, nullable=False)
        batch.create_unique_constraint(op.f("uq_consent_code"), ["code"])
        batch.create_foreign_key(op.f("fk_consent_revoked_by"), "staff", ["revoked_by"], ["id"])
        batch.drop_column("given")


def _referrals() -> None:
    """The one service becomes a list. When an answer is due is the pathway's to say: no column has it any more."""
    with op.batch_alter_table("referral") as batch:
        batch.add_column(sa.Column("services", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("information", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("contact", sa.String(), nullable=True))
        batch.add_column(sa.Column("partner_contact", sa.String(), nullable=True))
        batch.add_column(sa.Column("channel", sa.String(), nullable=True))
        batch.add_column(sa.Column("copies", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("language", sa.String(), nullable=True))
        batch.add_column(sa.Column("interpreter", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("caregiver", sa.String(), nullable=True))
        batch.add_column(sa.Column("caregiver_knows", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("separation", sa.String(), nullable=True))
        batch.add_column(sa.Column("answer", sa.String(), nullable=True))
        batch.add_column(sa.Column("answered_by", KEY, nullable=True))
    array = "json_array" if op.get_bind().dialect.name == "sqlite" else "jsonb_build_array"
    op.execute(f"UPDATE referral SET services = {array}(service)")  # noqa: S608
    op.execute("UPDATE referral SET information = '[]', copies = '[]', interpreter = false")
    with op.batch_alter_table("referral") as batch:
        for column in ("services", "information", "copies"):
            batch.alter_column(column, existing_type=DOCUMENT, nullable=False)
        batch.alter_column("interpreter", existing_type=sa.Boolean(), nullable=False)
        batch.create_foreign_key(op.f("fk_referral_answered_by"), "staff", ["answered_by"], ["id"])
        batch.create_index(op.f("ix_referral_consent_id"), ["consent_id"], unique=False)
        for column in ("service", "due_at", "chased_at"):
            batch.drop_column(column)


def _follow_up() -> None:
    """Each visit from before was an occasion of its own."""
    with op.batch_alter_table("follow_up_visit") as batch:
        batch.add_column(sa.Column("seq", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("occasion", sa.String(), nullable=True))
        for column in ("income", "housing", "well_being", "intention"):
            batch.add_column(sa.Column(column, sa.String(), nullable=True))
        batch.add_column(sa.Column("satisfaction", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("why", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("could_change", DOCUMENT, nullable=True))
        batch.add_column(sa.Column("taken_back_at", MOMENT, nullable=True))
    op.execute("UPDATE follow_up_visit SET occasion = 'visit-' || id, why = '[]', could_change = '[]'")
    with op.batch_alter_table("follow_up_visit") as batch:
        batch.alter_column("occasion", existing_type=sa.String(), nullable=False)
        batch.alter_column("why", existing_type=DOCUMENT, nullable=False)
        batch.alter_column("could_change", existing_type=DOCUMENT, nullable=False)
        batch.create_index(op.f("ix_follow_up_visit_occasion"), ["occasion"], unique=False)
    op.create_table(
        "contact_attempt",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("staff_id", KEY, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("taken_back_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_contact_attempt_case_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_contact_attempt_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_attempt")),
    )
    op.create_index(op.f("ix_contact_attempt_case_id"), "contact_attempt", ["case_id"], unique=False)
    op.create_table(
        "exit_interview",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("heard_from", sa.String(), nullable=False),
        sa.Column("why", DOCUMENT, nullable=False),
        sa.Column("could_change", DOCUMENT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("staff_id", KEY, nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("taken_back_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_exit_interview_case_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_exit_interview_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exit_interview")),
    )
    op.create_index(op.f("ix_exit_interview_case_id"), "exit_interview", ["case_id"], unique=False)


def _households() -> None:
    """Who is in which household becomes history: those of before have been there since they were recorded."""
    op.create_table(
        "household_member",
        sa.Column("id", KEY, nullable=False),
        sa.Column("household_id", KEY, nullable=False),
        sa.Column("returnee_id", KEY, nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_household_member_household_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_household_member_recorded_by")),
        sa.ForeignKeyConstraint(["returnee_id"], ["returnee.id"], name=op.f("fk_household_member_returnee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_member")),
    )
    op.create_index(op.f("ix_household_member_household_id"), "household_member", ["household_id"], unique=False)
    op.create_index(op.f("ix_household_member_returnee_id"), "household_member", ["returnee_id"], unique=False)
    op.create_index(
        "uq_household_member_present",
        "household_member",
        ["returnee_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.execute(
        "INSERT INTO household_member (household_id, returnee_id, role, since) "
        "SELECT household_id, id, 'unknown', created_at FROM returnee WHERE household_id IS NOT NULL"
    )
    with op.batch_alter_table("returnee") as batch:
        batch.drop_index(op.f("ix_returnee_household_id"))
        batch.drop_constraint(op.f("fk_returnee_household_id"), type_="foreignkey")
        batch.drop_column("household_id")
