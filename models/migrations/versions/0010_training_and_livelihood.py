"""Courses with their places, grants with their budget, community projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
MONEY = sa.BigInteger()


def upgrade() -> None:
    _create_course()
    _create_projects()
    _create_budget()
    _keep_enrolments()
    _keep_grants()
    _create_what_hangs_on_them()


def downgrade() -> None:
    for table in ("budget_line", "grant_visit", "grant_purchase", "grant_line", "attendance"):
        op.drop_table(table)
    with op.batch_alter_table("livelihood_grant") as batch:
        for name in ("amount", "own", "spent"):
            batch.drop_constraint(f"ck_livelihood_grant_{name}", type_="check")
        for name in ("project_id", "budget_id", "endorsed_by"):
            batch.drop_constraint(f"fk_livelihood_grant_{name}", type_="foreignkey")
            batch.drop_column(name)
        for name in ("kind", "market", "own_xof", "spent_xof", "revision", "reason", "endorsed_at"):
            batch.drop_column(name)
        batch.drop_column("delivery_reference")
        batch.alter_column("amount_xof", existing_type=MONEY, type_=sa.Integer(), existing_nullable=False)
        batch.alter_column("code", existing_type=sa.String(), nullable=True)
    op.execute(sa.text("UPDATE training_enrolment SET enrolled_at = asked_at WHERE enrolled_at IS NULL"))
    with op.batch_alter_table("training_enrolment") as batch:
        batch.drop_constraint("fk_training_enrolment_course_id", type_="foreignkey")
        batch.drop_index("ix_training_enrolment_course_id")
        for name in ("course_id", "asked_at", "certificate_number"):
            batch.drop_column(name)
        batch.alter_column("enrolled_at", existing_type=MOMENT, nullable=False)
        batch.alter_column("code", existing_type=sa.String(), nullable=True)
    for table in (
        *("budget", "project_milestone", "project_contribution", "project_member", "project_history", "project"),
        "course",
    ):
        op.drop_table(table)


def _create_course() -> None:
    op.create_table(
        "course",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("partner_id", KEY, nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("region_pcode", sa.String(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity >= 1", name="ck_course_capacity"),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_course_created_by")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_course_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("code", name=op.f("uq_course_code")),
    )


def _create_projects() -> None:
    op.create_table(
        "project",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("region_pcode", sa.String(), nullable=False),
        sa.Column("district_pcode", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("partner_id", KEY, nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_project_created_by")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_project_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("code", name=op.f("uq_project_code")),
    )
    op.create_table(
        "project_history",
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_project_history_by_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_history_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_history")),
        sa.UniqueConstraint("project_id", "seq", name="uq_project_history_seq"),
    )
    op.create_table(
        "project_member",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("sex", sa.String(), nullable=True),
        sa.Column("age_group", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.CheckConstraint("(case_id IS NULL) <> (label IS NULL)", name="ck_project_member_kind"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_project_member_case_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_member_project_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_project_member_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_member")),
        sa.UniqueConstraint("code", name=op.f("uq_project_member_code")),
        sa.UniqueConstraint("project_id", "label", name="uq_project_member_label"),
    )
    op.create_index(op.f("ix_project_member_case_id"), "project_member", ["case_id"], unique=False)
    op.create_table(
        "project_contribution",
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=True),
        sa.Column("partner_id", KEY, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_xof", MONEY, nullable=True),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "(kind = 'labour' AND hours >= 1 AND amount_xof IS NULL) "
            "OR (kind IN ('cash', 'materials') AND amount_xof >= 1 AND hours IS NULL)",
            name="ck_project_contribution_kind",
        ),
        sa.ForeignKeyConstraint(["member_id"], ["project_member.id"], name=op.f("fk_project_contribution_member_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partner.id"], name=op.f("fk_project_contribution_partner_id")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_contribution_project_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_project_contribution_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_contribution")),
    )
    op.create_index(op.f("ix_project_contribution_project_id"), "project_contribution", ["project_id"], unique=False)
    op.create_table(
        "project_milestone",
        sa.Column("id", KEY, nullable=False),
        sa.Column("project_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reached_at", MOMENT, nullable=True),
        sa.Column("proof", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_milestone_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_milestone")),
        sa.UniqueConstraint("project_id", "position", name="uq_project_milestone_position"),
    )


def _create_budget() -> None:
    op.create_table(
        "budget",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("amount_xof", MONEY, nullable=False),
        sa.Column("committed_xof", MONEY, nullable=False),
        sa.Column("created_by", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_xof >= 0", name="ck_budget_amount"),
        sa.CheckConstraint("committed_xof >= 0 AND committed_xof <= amount_xof", name="ck_budget_committed"),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_budget_created_by")),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_budget_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint("code", name=op.f("uq_budget_code")),
    )


def _keep_enrolments() -> None:
    """Older enrolments get a code, and were asked for when they were made."""
    op.execute(sa.text("UPDATE training_enrolment SET code = 'E-' || id WHERE code IS NULL"))
    op.add_column("training_enrolment", sa.Column("asked_at", MOMENT, nullable=True))
    op.execute(sa.text("UPDATE training_enrolment SET asked_at = enrolled_at"))
    with op.batch_alter_table("training_enrolment") as batch:
        batch.add_column(sa.Column("course_id", KEY, nullable=True))
        batch.add_column(sa.Column("certificate_number", sa.String(), nullable=True))
        batch.alter_column("code", existing_type=sa.String(), nullable=False)
        batch.alter_column("asked_at", existing_type=MOMENT, nullable=False)
        batch.alter_column("enrolled_at", existing_type=MOMENT, nullable=True)
        batch.create_foreign_key(op.f("fk_training_enrolment_course_id"), "course", ["course_id"], ["id"])
        batch.create_index(op.f("ix_training_enrolment_course_id"), ["course_id"], unique=False)


def _keep_grants() -> None:
    """Older grants get a code and count as individual; what was procured was bought for the whole amount."""
    op.execute(sa.text("UPDATE livelihood_grant SET code = 'G-' || id WHERE code IS NULL"))
    for name, kind in (("kind", sa.String()), ("own_xof", MONEY), ("spent_xof", MONEY), ("revision", sa.Integer())):
        op.add_column("livelihood_grant", sa.Column(name, kind, nullable=True))
    op.execute(
        sa.text(
            "UPDATE livelihood_grant SET kind = 'individual', own_xof = 0, revision = 1, spent_xof = "
            "CASE WHEN status IN ('procured', 'delivered', 'verified') THEN amount_xof ELSE 0 END"
        )
    )
    with op.batch_alter_table("livelihood_grant") as batch:
        for column in (
            sa.Column("project_id", KEY, nullable=True),
            sa.Column("market", sa.String(), nullable=True),
            sa.Column("reason", sa.String(), nullable=True),
            sa.Column("budget_id", KEY, nullable=True),
            sa.Column("endorsed_by", KEY, nullable=True),
            sa.Column("endorsed_at", MOMENT, nullable=True),
            sa.Column("delivery_reference", sa.String(), nullable=True),
        ):
            batch.add_column(column)
        batch.alter_column("amount_xof", existing_type=sa.Integer(), type_=MONEY, existing_nullable=False)
        for name, kind in (("code", sa.String()), ("kind", sa.String()), ("revision", sa.Integer())):
            batch.alter_column(name, existing_type=kind, nullable=False)
        for name in ("own_xof", "spent_xof"):
            batch.alter_column(name, existing_type=MONEY, nullable=False)
        batch.create_foreign_key(op.f("fk_livelihood_grant_project_id"), "project", ["project_id"], ["id"])
        batch.create_foreign_key(op.f("fk_livelihood_grant_budget_id"), "budget", ["budget_id"], ["id"])
        batch.create_foreign_key(op.f("fk_livelihood_grant_endorsed_by"), "staff", ["endorsed_by"], ["id"])
        batch.create_check_constraint("ck_livelihood_grant_amount", "amount_xof >= 0")
        batch.create_check_constraint("ck_livelihood_grant_own", "own_xof >= 0")
        batch.create_check_constraint("ck_livelihood_grant_spent", "spent_xof >= 0 AND spent_xof <= amount_xof")


def _create_what_hangs_on_them() -> None:
    op.create_table(
        "attendance",
        sa.Column("id", KEY, nullable=False),
        sa.Column("enrolment_id", KEY, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["training_enrolment.id"], name=op.f("fk_attendance_enrolment_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_attendance_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
        sa.UniqueConstraint("enrolment_id", "day", name="uq_attendance_enrolment_day"),
    )
    op.create_table(
        "grant_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_xof", MONEY, nullable=False),
        sa.CheckConstraint("quantity >= 1", name="ck_grant_line_quantity"),
        sa.CheckConstraint("unit_price_xof >= 0", name="ck_grant_line_price"),
        sa.ForeignKeyConstraint(["grant_id"], ["livelihood_grant.id"], name=op.f("fk_grant_line_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_line")),
        sa.UniqueConstraint("grant_id", "revision", "position", name="uq_grant_line_position"),
    )
    op.create_table(
        "grant_purchase",
        sa.Column("id", KEY, nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_xof", MONEY, nullable=False),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("proof_sha256", sa.String(), nullable=False),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_xof > 0", name="ck_grant_purchase_amount"),
        sa.CheckConstraint("quantity >= 1", name="ck_grant_purchase_quantity"),
        sa.ForeignKeyConstraint(["grant_id"], ["livelihood_grant.id"], name=op.f("fk_grant_purchase_grant_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_grant_purchase_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_purchase")),
    )
    op.create_index(op.f("ix_grant_purchase_grant_id"), "grant_purchase", ["grant_id"], unique=False)
    op.create_table(
        "grant_visit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("recorded_by", KEY, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["livelihood_grant.id"], name=op.f("fk_grant_visit_grant_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_grant_visit_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_visit")),
    )
    op.create_index(op.f("ix_grant_visit_grant_id"), "grant_visit", ["grant_id"], unique=False)
    op.create_table(
        "budget_line",
        sa.Column("id", KEY, nullable=False),
        sa.Column("budget_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_xof", MONEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by_id", KEY, nullable=True),
        sa.CheckConstraint("amount_xof > 0", name="ck_budget_line_amount"),
        sa.CheckConstraint("kind IN ('commitment', 'release', 'expense')", name="ck_budget_line_kind"),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name=op.f("fk_budget_line_budget_id")),
        sa.ForeignKeyConstraint(["by_id"], ["staff.id"], name=op.f("fk_budget_line_by_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["livelihood_grant.id"], name=op.f("fk_budget_line_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_line")),
        sa.UniqueConstraint("budget_id", "seq", name="uq_budget_line_seq"),
    )
    op.create_index(op.f("ix_budget_line_grant_id"), "budget_line", ["grant_id"], unique=False)
