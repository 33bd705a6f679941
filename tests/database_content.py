"""What a database says, without the numbers that it gave its rows: two that went different ways can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, func, select, text
from sqlmodel import SQLModel

from models.case import JournalRow
from models.database import create_engine_for

UNORDERED = {"id", "task_id", "deadline_id", "event_id", "delivery_id", "dispatch_id"}
"""Columns whose numbers say nothing: the same rows may have been written in another order."""


def content(engine: Engine, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table but the leases, in an order of their own, `without` some columns.

    Every other row is referred to by its place in its table, as the numbers that PostgreSQL gives have gaps where a
    transaction was killed."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    with engine.connect() as connection:

        @cache
        def place(number: ColumnElement[int]) -> dict[int | None, int]:
            return {each: index for index, each in enumerate(connection.scalars(select(number).order_by(number)))}

        def said(column: Column[Any], value: Any) -> Any:
            if column.foreign_keys and value is not None:
                return place(next(iter(column.foreign_keys)).column)[value]
            if column.table.name == "nightly_run" and column.name == "after" and "journal" in value:
                anchor = value["journal"]
                return value | {"journal": anchor | {"last_id": place(JournalRow.__table__.c.id)[anchor["last_id"]]}}
            return value

        for table in SQLModel.metadata.sorted_tables:
            if table.name != "lease":
                columns = [column for column in table.c if column.name not in UNORDERED.union(without)]
                found = connection.execute(select(*columns))
                rows[table.name] = sorted((tuple(map(said, columns, row)) for row in found), key=repr)
    return rows


def leave_gaps(engine: Engine) -> None:
    """Let every sequence go on after a gap, as killed transactions leave them; SQLite has none."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            for sequence in connection.scalars(text("SELECT sequencename FROM pg_sequences")).all():
                connection.execute(select(func.nextval(sequence)))


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
