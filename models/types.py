"""Column types shared by every table: UTC-only times, portable JSON and identifiers, and the data classification.

The tables in this package import them; nothing else needs to.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

# Every constraint has a name, because a migration on SQLite can only change what has one.
SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}

CLASSIFICATIONS = ("public", "internal", "personal", "sensitive")

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""Integer identifier: 64 bits on PostgreSQL, the rowid on SQLite."""

Json = JSON().with_variant(JSONB(), "postgresql")
"""JSON document: JSONB on PostgreSQL, text on SQLite."""


@lru_cache(maxsize=4096)  # a batch of rows has few different times
def utc_text(moment: datetime) -> str:
    """Fixed-width UTC text, `2024-01-05T08:00:00.000000Z`, whose text order is time order: a time as SQLite stores it.

    Raises ValueError for a naive datetime.
    """
    if moment.tzinfo is None:
        raise ValueError("naive datetime refused: give it a time zone (UTC)")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive datetimes on the way in, gives UTC-aware ones on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime refused: give it a time zone (UTC)")
        return utc_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


def public(**field: Any) -> Any:
    """A column that may be published: definitions, codes of places, counts."""
    return _classified("public", field)


def internal(**field: Any) -> Any:
    """A column for staff and operations that says nothing about a person by itself."""
    return _classified("internal", field)


def personal(**field: Any) -> Any:
    """A column that identifies a person or describes one."""
    return _classified("personal", field)


def sensitive(**field: Any) -> Any:
    """A column whose leak does harm: health, vulnerability, screening answers, notes, secrets."""
    return _classified("sensitive", field)


def _classified(classification: str, field: dict[str, Any]) -> Any:
    return Field(sa_column_kwargs={"info": {"classification": classification}}, **field)
