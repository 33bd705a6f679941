"""The raw driver writing what a walk wrote, in the same batches, each in one transaction: the fastest that can be.

It decides nothing and reads nothing: rows, hashes and ids are given. SQLite through `executemany`, PostgreSQL through
COPY and set-based updates.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import orjson
import psycopg
from written import (
    CASE_COLUMNS,
    DEADLINE_COLUMNS,
    DEADLINE_END,
    EVENT_COLUMNS,
    TASK_COLUMNS,
    TASK_END,
    Row,
    Written,
)

from models.database import WAL_SAFE_SINCE
from states.chain import JOURNAL_COLUMNS

INSERTS = (
    ("journal", JOURNAL_COLUMNS, "journal"),
    ("task", TASK_COLUMNS, "tasks"),
    ("deadline", DEADLINE_COLUMNS, "deadlines"),
    ("event", EVENT_COLUMNS, "events"),
)


class Raw(Protocol):
    """A connection that writes batches."""

    def write(self, written: Written) -> None: ...

    def close(self) -> None: ...


def open_raw(url: str) -> Raw:
    return RawSqlite(url) if url.startswith("sqlite") else RawPostgres(url)


class RawSqlite:
    """With the pragmas that `models.database` sets."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        mode = "wal" if sqlite3.sqlite_version_info >= WAL_SAFE_SINCE else "truncate"
        for pragma in ("foreign_keys=ON", "synchronous=FULL", f"journal_mode={mode}"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._inserts = {
            part: f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            for table, columns, part in INSERTS
        }
        self._updates = {
            "cases": f'UPDATE "case" SET {_set(CASE_COLUMNS)} WHERE id = ? AND version = ?',
            "ended_tasks": f"UPDATE task SET {_set(TASK_END)} WHERE id = ?",
            "ended_deadlines": f"UPDATE deadline SET {_set(DEADLINE_END)} WHERE id = ?",
        }

    def write(self, written: Written) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for part, statement in (*self._updates.items(), *self._inserts.items()):
            if rows := getattr(written, part):
                self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class RawPostgres:
    """COPY for new rows; one UPDATE for all changed rows of a kind, which travel as JSON (arrays were slower)."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=False, options="-c timezone=UTC -c synchronous_commit=on")

    def write(self, written: Written) -> None:
        with self._connection.cursor() as cursor:
            self._update(cursor, '"case"', CASE_COLUMNS, written.cases, "AND t.version = (e->>11)::integer")
            self._update(cursor, "task", TASK_END, written.ended_tasks)
            self._update(cursor, "deadline", DEADLINE_END, written.ended_deadlines)
            for table, columns, part in INSERTS:
                if rows := getattr(written, part):
                    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                        for row in rows:
                            copy.write_row(row)
        self._connection.commit()

    def _update(
        self, cursor: psycopg.Cursor[Any], table: str, columns: Sequence[str], rows: list[Row], also: str = ""
    ) -> None:
        if not rows:
            return
        values = ", ".join(f"{name} = (e->>{index})::{_type(name)}" for index, name in enumerate(columns))
        cursor.execute(
            f"UPDATE {table} AS t SET {values} FROM jsonb_array_elements(%s::jsonb) AS e "
            f"WHERE t.id = (e->>{len(columns)})::bigint {also}",
            (orjson.dumps(rows).decode(),),
        )

    def close(self) -> None:
        self._connection.close()


def _set(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} = ?" for name in columns)


def _type(column: str) -> str:
    if column.endswith("_at"):
        return "timestamptz"
    return {"version": "integer", "events": "integer", "closed_seq": "integer", "done_by": "bigint"}.get(column, "text")
