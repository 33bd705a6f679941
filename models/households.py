"""Households: who lived together when. `states.registration` and `states.casework.households` write them.

Nothing is ever deleted: whoever leaves a household stays in its history, and it stays in theirs.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from models.types import BigId, UtcDateTime, internal, personal


class Household(SQLModel, table=True):
    """A household. A manifest declares its size (`size`) before its members are known."""

    __tablename__ = "household"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    size: int | None = personal(default=None)
    created_at: datetime = internal(sa_type=UtcDateTime)


class HouseholdMember(SQLModel, table=True):
    """A person in a household from `since` until `until` (none: still). In one at a time.

    `role` is head, spouse, child, other, or unknown."""

    __tablename__ = "household_member"
    __table_args__ = (
        Index(
            "uq_household_member_present",
            "returnee_id",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    household_id: int = internal(foreign_key="household.id", index=True, sa_type=BigId)
    returnee_id: int = internal(foreign_key="returnee.id", index=True, sa_type=BigId)
    role: str = personal(default="unknown")
    since: datetime = personal(sa_type=UtcDateTime)
    until: datetime | None = personal(default=None, sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
