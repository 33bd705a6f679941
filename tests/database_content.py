"""What a database says, without the numbers that it gave its rows: two that went different ways can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlmodel import SQLModel

from models.database import create_engine_for

GIVEN_NUMBERS = {"id", "task_id", "deadline_id", "event_id", "delivery_id", "dispatch_id"}
"""Columns that PostgreSQL fills from sequences, which have gaps where a transaction was killed."""


def content(engine: Engine, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table but the leases, in an order of their own, `without` some columns."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if table.name != "lease":
                columns = [column for column in table.c if column.name not in GIVEN_NUMBERS.union(without)]
                found = [tuple(row) for row in connection.execute(select(*columns))]
                rows[table.name] = sorted(found, key=repr)
    return rows


@contextmanager
def twin_of(engine: Engine, folder: Path) -> Iterator[Engine]:
    """Another database of the same kind, with all tables and no rows."""
    if engine.dialect.name == "sqlite":
        twin = create_engine_for(f"sqlite:///{folder}/twin.db")
        SQLModel.metadata.create_all(twin)
        yield twin
        twin.dispose()
        return
    name = f"{engine.url.database}_twin"
    twin = create_engine_for(engine.url.set(database=name).render_as_string(hide_password=False))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            SQLModel.metadata.create_all(twin)
            yield twin
        finally:
            twin.dispose()
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
