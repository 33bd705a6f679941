"""Staff, people and their cases: who works here, who arrived, where each case stands and how it got there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dispatch",
        sa.Column("id", KEY, nullable=False),
        sa.Column("flow_run_id", sa.String(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("transitions", sa.Integer(), nullable=False),
        sa.Column("tasks_assigned", sa.Integer(), nullable=False),
        sa.Column("reminders_armed", sa.Integer(), nullable=False),
        sa.Column("deliveries_made", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
    )
    op.create_index(op.f("ix_dispatch_flow_run_id"), "dispatch", ["flow_run_id"], unique=False)
    op.create_index(
        "ix_dispatch_unfinished",
        "dispatch",
        ["started_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "household",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
        sa.UniqueConstraint("code", name=op.f("uq_household_code")),
    )
    op.create_table(
        "office",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("regions", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office")),
        sa.UniqueConstraint("code", name=op.f("uq_office_code")),
    )
    op.create_table(
        "pathway_version",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pathway_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_pathway_version_content_hash")),
        sa.UniqueConstraint("name", "version", name="uq_pathway_name_version"),
    )
    op.create_table(
        "returnee",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("given_names", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birth_precision", sa.String(), nullable=False),
        sa.Column("nationality", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("vulnerabilities", DOCUMENT, nullable=False),
        sa.Column("remarks", sa.String(), nullable=True),
        sa.Column("household_id", KEY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk_returnee_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returnee")),
        sa.UniqueConstraint("code", name=op.f("uq_returnee_code")),
    )
    op.create_index(op.f("ix_returnee_household_id"), "returnee", ["household_id"], unique=False)
    op.create_index(op.f("ix_returnee_phone"), "returnee", ["phone"], unique=False)
    op.create_index(op.f("ix_returnee_reference"), "returnee", ["reference"], unique=False)
    op.create_index("ix_returnee_same", "returnee", ["birth_date", "sex", "name_key"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", KEY, nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_staff_office_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )
    op.create_index(op.f("ix_staff_office_id"), "staff", ["office_id"], unique=False)
    op.create_index(op.f("ix_staff_role"), "staff", ["role"], unique=False)
    op.create_table(
        "case",
        sa.Column("id", KEY, nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("returnee_id", KEY, nullable=False),
        sa.Column("pathway_version_id", KEY, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entered_state_at", MOMENT, nullable=False),
        sa.Column("previous_state", sa.String(), nullable=True),
        sa.Column("held_at", MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("journal_head", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("closure_reason", sa.String(), nullable=True),
        sa.Column("office_id", KEY, nullable=True),
        sa.Column("arrival_date", sa.Date(), nullable=False),
        sa.Column("departure_country", sa.String(), nullable=False),
        sa.Column("departure_place", sa.String(), nullable=True),
        sa.Column("region_pcode", sa.String(), nullable=True),
        sa.Column("district_pcode", sa.String(), nullable=True),
        sa.Column("manifest_checksum", sa.String(), nullable=True),
        sa.Column("manifest_line", sa.Integer(), nullable=True),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["office_id"], ["office.id"], name=op.f("fk_case_office_id")),
        sa.ForeignKeyConstraint(
            ["pathway_version_id"], ["pathway_version.id"], name=op.f("fk_case_pathway_version_id")
        ),
        sa.ForeignKeyConstraint(["returnee_id"], ["returnee.id"], name=op.f("fk_case_returnee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("code", name=op.f("uq_case_code")),
        sa.UniqueConstraint("manifest_checksum", "manifest_line", name="uq_case_manifest_line"),
    )
    op.create_index(op.f("ix_case_office_id"), "case", ["office_id"], unique=False)
    op.create_index(op.f("ix_case_region_pcode"), "case", ["region_pcode"], unique=False)
    op.create_index(op.f("ix_case_returnee_id"), "case", ["returnee_id"], unique=False)
    op.create_index("ix_case_state", "case", ["state", "entered_state_at"], unique=False)
    op.create_table(
        "manifest",
        sa.Column("id", KEY, nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("received_by", KEY, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("already_known", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["received_by"], ["staff.id"], name=op.f("fk_manifest_received_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
        sa.UniqueConstraint("checksum", name=op.f("uq_manifest_checksum")),
    )
    op.create_table(
        "journal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("actor_id", KEY, nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("note_digest", sa.String(), nullable=True),
        sa.Column("data", DOCUMENT, nullable=False),
        sa.Column("pathway_version_id", KEY, nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("dispatch_id", KEY, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["staff.id"], name=op.f("fk_journal_actor_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_journal_case_id")),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatch.id"], name=op.f("fk_journal_dispatch_id")),
        sa.ForeignKeyConstraint(
            ["pathway_version_id"], ["pathway_version.id"], name=op.f("fk_journal_pathway_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("case_id", "seq", name="uq_journal_case_seq"),
        sa.UniqueConstraint("command_id", name=op.f("uq_journal_command_id")),
    )
    op.create_index(op.f("ix_journal_dispatch_id"), "journal", ["dispatch_id"], unique=False)
    op.create_index(
        "ix_journal_undispatched",
        "journal",
        ["id"],
        unique=False,
        sqlite_where=sa.text("dispatch_id IS NULL"),
        postgresql_where=sa.text("dispatch_id IS NULL"),
    )
    op.create_table(
        "manifest_row",
        sa.Column("id", KEY, nullable=False),
        sa.Column("manifest_id", KEY, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("column", sa.String(), nullable=True),
        sa.Column("found", sa.String(), nullable=True),
        sa.Column("expected", sa.String(), nullable=True),
        sa.Column("warnings", DOCUMENT, nullable=False),
        sa.Column("raw", DOCUMENT, nullable=True),
        sa.Column("case_id", KEY, nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_by", KEY, nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_manifest_row_case_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_manifest_row_decided_by")),
        sa.ForeignKeyConstraint(["manifest_id"], ["manifest.id"], name=op.f("fk_manifest_row_manifest_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest_row")),
        sa.UniqueConstraint("manifest_id", "line", name="uq_manifest_row_line"),
    )
    op.create_index(op.f("ix_manifest_row_case_id"), "manifest_row", ["case_id"], unique=False)
    op.create_index("ix_manifest_row_outcome", "manifest_row", ["outcome"], unique=False)
    op.create_table(
        "duplicate_candidate",
        sa.Column("id", KEY, nullable=False),
        sa.Column("manifest_row_id", KEY, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("returnee_id", KEY, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("why", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["manifest_row_id"], ["manifest_row.id"], name=op.f("fk_duplicate_candidate_manifest_row_id")
        ),
        sa.ForeignKeyConstraint(["returnee_id"], ["returnee.id"], name=op.f("fk_duplicate_candidate_returnee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_candidate")),
        sa.UniqueConstraint("manifest_row_id", "rank", name="uq_candidate_row_rank"),
    )
    op.create_index(op.f("ix_duplicate_candidate_returnee_id"), "duplicate_candidate", ["returnee_id"], unique=False)
