"""Offices and the staff who work in them. Names of staff are synthetic in every bundled data set."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, public


class Office(SQLModel, table=True):
    """A place where staff receive returnees. `regions` lists the first-level P-codes that it serves."""

    __tablename__ = "office"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public(unique=True)
    name: str = public()
    regions: list[str] = public(default_factory=list, sa_type=Json)


class Staff(SQLModel, table=True):
    """A person who acts on cases, or a partner's or the system's account. One role each, as the pathway names it."""

    __tablename__ = "staff"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    login: str = internal(unique=True)
    name: str = personal()
    role: str = internal(index=True)
    office_id: int | None = internal(default=None, foreign_key="office.id", index=True, sa_type=BigId)
    language: str = internal(default="fr")
    active: bool = internal(default=True)
    created_at: datetime = internal(sa_type=UtcDateTime)
