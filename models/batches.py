"""Batch moves: one trigger for every case that a filter finds, and what became of each of them.

`states.batches.run` writes them; the command line shows them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, sensitive


class BatchStatus(StrEnum):
    """`proposed` until somebody confirms it; `declined` when they do not."""

    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"
    DECLINED = "declined"


class Batch(SQLModel, table=True):
    """An order to fire `trigger` on `total` cases, which were fixed when it was made. `filter` says how they were
    found, for the record only. `any_version`: cases that have changed since are moved all the same. `note` and `data`
    are forgotten when the batch has ended: the journals have them."""

    __tablename__ = "batch"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    uid: str = internal(unique=True)
    trigger: str = internal()
    filter: dict[str, Any] = sensitive(default_factory=dict, sa_type=Json)
    reason: str | None = internal(default=None)
    note: str | None = sensitive(default=None)
    data: dict[str, Any] = sensitive(default_factory=dict, sa_type=Json)
    any_version: bool = internal(default=False)
    role: str = internal()
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)
    total: int = internal(default=0)
    status: str = internal(default=BatchStatus.PROPOSED)
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class BatchCase(SQLModel, table=True):
    """One case of a batch. `outcome` (none: not yet) is an outcome kind of a move, `reasons` why it was refused."""

    __tablename__ = "batch_case"
    __table_args__ = (
        Index(
            "ix_batch_case_waiting",
            *("batch_id", "case_id"),
            sqlite_where=text("outcome IS NULL"),
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    batch_id: int = internal(foreign_key="batch.id", primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", primary_key=True, sa_type=BigId)
    expected_version: int = internal()
    outcome: str | None = internal(default=None)
    reasons: list[dict[str, Any]] = internal(default_factory=list, sa_type=Json)
