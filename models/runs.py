"""Runs that nobody watches: dispatches, nights, and the leases that keep two of them from doing the same work."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal


class Dispatch(SQLModel, table=True):
    """One batch of transitions carried out after their commit, and the flow run that did it (none: directly)."""

    __tablename__ = "dispatch"
    __table_args__ = (
        Index(
            "ix_dispatch_unfinished",
            "started_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    flow_run_id: str | None = internal(default=None, index=True)
    started_at: datetime = internal(sa_type=UtcDateTime)
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    transitions: int = internal(default=0)
    tasks_assigned: int = internal(default=0)
    reminders_armed: int = internal(default=0)
    deliveries_made: int = internal(default=0)


class NightlyRun(SQLModel, table=True):
    """One night of the programme, at most one row a date: its progress while it runs, its receipt afterwards.

    `before`, `changes` and `after` are counts by name; `done_steps` are the steps already committed, so that a rerun
    after a crash goes on where it stopped."""

    __tablename__ = "nightly_run"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    as_of: date = internal(unique=True)
    status: str = internal(default="running")
    flow_run_id: str | None = internal(default=None, index=True)
    started_at: datetime = internal(sa_type=UtcDateTime)
    finished_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    done_steps: list[str] = internal(default_factory=list, sa_type=Json)
    before: dict[str, Any] = internal(default_factory=dict, sa_type=Json)
    changes: dict[str, Any] = internal(default_factory=dict, sa_type=Json)
    after: dict[str, Any] = internal(default_factory=dict, sa_type=Json)


class Lease(SQLModel, table=True):
    """Who may do a piece of work until when. `token` grows with each taking and fences whoever wakes up late."""

    __tablename__ = "lease"

    name: str = internal(primary_key=True)
    token: int = internal(default=0)
    holder: str | None = internal(default=None)
    until: datetime | None = internal(default=None, sa_type=UtcDateTime)
