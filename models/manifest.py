"""Arrival manifests as they came in: the file, what became of each row, and who it might be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive


class Manifest(SQLModel, table=True):
    """One file, known by the SHA-256 of its bytes: the same bytes again change nothing."""

    __tablename__ = "manifest"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    checksum: str = internal(unique=True)
    filename: str = internal()
    layout: str | None = internal(default=None)
    received_at: datetime = internal(sa_type=UtcDateTime)
    received_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    rows: int = internal(default=0)
    registered: int = internal(default=0)
    rejected: int = internal(default=0)
    already_known: int = internal(default=0)
    waiting: int = internal(default=0)


class ManifestRow(SQLModel, table=True):
    """What became of one row: registered, rejected, already_known or waiting (for a person's word on a duplicate).

    `raw` keeps the row as it came for rejected and waiting rows only; registered people live in `returnee`."""

    __tablename__ = "manifest_row"
    __table_args__ = (
        UniqueConstraint("manifest_id", "line", name="uq_manifest_row_line"),
        Index("ix_manifest_row_outcome", "outcome"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    manifest_id: int = internal(foreign_key="manifest.id", sa_type=BigId)
    line: int = internal()
    outcome: str = internal()
    reason: str | None = internal(default=None)
    column: str | None = internal(default=None)
    found: str | None = sensitive(default=None)
    expected: str | None = internal(default=None)
    warnings: list[str] = internal(default_factory=list, sa_type=Json)
    raw: dict[str, Any] | None = sensitive(default=None, sa_type=Json)
    case_id: int | None = personal(default=None, foreign_key="case.id", index=True, sa_type=BigId)
    decision: str | None = internal(default=None)
    decided_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    decided_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class DuplicateCandidate(SQLModel, table=True):
    """One of the best three people that a waiting row might be, with the score (0-100) and why."""

    __tablename__ = "duplicate_candidate"
    __table_args__ = (UniqueConstraint("manifest_row_id", "rank", name="uq_candidate_row_rank"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    manifest_row_id: int = internal(foreign_key="manifest_row.id", sa_type=BigId)
    rank: int = internal()
    returnee_id: int = personal(foreign_key="returnee.id", index=True, sa_type=BigId)
    score: int = personal()
    why: list[str] = personal(default_factory=list, sa_type=Json)
