"""The case and its journal. `states.advance` and `states.registration` are their only writers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, public, sensitive


class Case(SQLModel, table=True):
    """One return of one person, from registration to closure.

    `version` equals the seq of the newest journal row and `journal_head` its hash: the two make a cut-off journal
    visible. `events` counts the events announced for the case, so that partners see a gap. `previous_state` is where a
    held or closed case came from; `held_at` is set while its clocks stand still.
    """

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("manifest_checksum", "manifest_line", name="uq_case_manifest_line"),
        Index("ix_case_state", "state", "entered_state_at"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    returnee_id: int = internal(foreign_key="returnee.id", index=True, sa_type=BigId)
    pathway_version_id: int = internal(foreign_key="pathway_version.id", sa_type=BigId)
    state: str = internal()
    entered_state_at: datetime = internal(sa_type=UtcDateTime)
    previous_state: str | None = internal(default=None)
    held_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    version: int = internal()
    events: int = internal(default=0)
    journal_head: str = internal()
    priority: str = sensitive(default="normal")
    closure_reason: str | None = internal(default=None)
    office_id: int | None = internal(default=None, foreign_key="office.id", index=True, sa_type=BigId)
    arrival_date: date = personal()
    departure_country: str = personal()
    departure_place: str | None = personal(default=None)
    region_pcode: str | None = personal(default=None, index=True)
    district_pcode: str | None = personal(default=None)
    manifest_checksum: str | None = internal(default=None)
    manifest_line: int | None = internal(default=None)
    registered_at: datetime = internal(sa_type=UtcDateTime)
    closed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class JournalRow(SQLModel, table=True):
    """One thing that happened to a case; append-only, chained by hash.

    The hash covers every column but `id`, `note` (its digest is covered instead, so that a note can be erased when its
    retention ends) and `dispatch_id` (set later, by the dispatch that carried the row's effects out).
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", name="uq_journal_case_seq"),
        Index(
            "ix_journal_undispatched",
            "id",
            sqlite_where=text("dispatch_id IS NULL"),
            postgresql_where=text("dispatch_id IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", sa_type=BigId)
    seq: int = internal()
    at: datetime = internal(sa_type=UtcDateTime)
    trigger: str = internal()
    from_state: str | None = internal(default=None)
    to_state: str = internal()
    actor_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    role: str = internal()
    reason: str | None = internal(default=None)
    note: str | None = sensitive(default=None)
    note_digest: str | None = internal(default=None)
    data: dict[str, Any] = sensitive(default_factory=dict, sa_type=Json)
    pathway_version_id: int = internal(foreign_key="pathway_version.id", sa_type=BigId)
    command_id: str = internal(unique=True)
    correlation_id: str = internal()
    previous_hash: str = internal()
    hash: str = internal()
    dispatch_id: int | None = internal(default=None, foreign_key="dispatch.id", index=True, sa_type=BigId)


class PathwayVersion(SQLModel, table=True):
    """A published version of a pathway: immutable, known by the hash of its content."""

    __tablename__ = "pathway_version"
    __table_args__ = (UniqueConstraint("name", "version", name="uq_pathway_name_version"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    name: str = public()
    version: int = public()
    content_hash: str = public(unique=True)
    body: str = public()
    published_at: datetime = public(sa_type=UtcDateTime)
