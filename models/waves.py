"""Cases that are moved to another version of their pathway, wave by wave. `states.change` writes all of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, sensitive


class WaveStatus(StrEnum):
    """`running` until each of its cases has an outcome; `stopped` by its own limits before that; `undoing` while it is
    taken back, also when that was interrupted; `undone` when each case that it moved was taken back or kept."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"


class WaveOutcome(StrEnum):
    """What became of a case in a wave. `left`: not asked any more (closed, on another version, the wave stopped);
    `undone` and `kept` (it has moved on since) are what taking the wave back makes of `moved`."""

    WAITING = "waiting"
    MOVED = "moved"
    REFUSED = "refused"
    LEFT = "left"
    UNDONE = "undone"
    KEPT = "kept"


class PathwayMigration(SQLModel, table=True):
    """The change from one published version to another; `cases` were open on the old one when it began."""

    __tablename__ = "pathway_migration"
    __table_args__ = (UniqueConstraint("old_version_id", "new_version_id", name="uq_pathway_migration_versions"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    old_version_id: int = internal(foreign_key="pathway_version.id", sa_type=BigId)
    new_version_id: int = internal(foreign_key="pathway_version.id", sa_type=BigId)
    cases: int = internal()
    started_at: datetime = internal(sa_type=UtcDateTime)


class MigrationWave(SQLModel, table=True):
    """A part of the caseload that is moved together. `names` maps names of the old version to those of the new one;
    the limits are texts such as `1%` or `20`; `breached` counts moved cases for which a clock has run out by it."""

    __tablename__ = "migration_wave"
    __table_args__ = (UniqueConstraint("migration_id", "number", name="uq_migration_wave_number"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    migration_id: int = internal(foreign_key="pathway_migration.id", sa_type=BigId)
    number: int = internal()
    status: str = internal(default=WaveStatus.RUNNING)
    names: dict[str, Any] = internal(default_factory=dict, sa_type=Json)
    keep_deadlines: bool = internal(default=False)
    max_refused: str = internal()
    max_breaches: str = internal()
    cases: int = internal()
    moved: int = internal(default=0)
    refused: int = internal(default=0)
    left_out: int = internal(default=0)
    breached: int = internal(default=0)
    undone: int = internal(default=0)
    kept: int = internal(default=0)
    started_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    started_at: datetime = internal(sa_type=UtcDateTime)
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class WaveCase(SQLModel, table=True):
    """One case of a wave and its outcome: `why` is a code, `seq` the journal row that moved it, `before` what tasks,
    clocks, records and plans of it were, as far as the move changed them."""

    __tablename__ = "wave_case"
    __table_args__ = (Index("ix_wave_case_case_id", "case_id"),)

    wave_id: int = internal(primary_key=True, foreign_key="migration_wave.id", sa_type=BigId)
    case_id: int = internal(primary_key=True, foreign_key="case.id", sa_type=BigId)
    outcome: str = internal(default=WaveOutcome.WAITING)
    why: str | None = internal(default=None)
    seq: int | None = internal(default=None)
    breaches: int = internal(default=0)
    before: dict[str, Any] = sensitive(default_factory=dict, sa_type=Json)
