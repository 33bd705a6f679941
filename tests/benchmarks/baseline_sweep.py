"""Raw SQL doing what a sweep of overdue deadlines does: the same rows, found and written, in one transaction.

Two ways, of which `bench_sweep` holds the faster one against ours: the driver writing rows that it is given
(`executemany` on SQLite, COPY and an update over JSON on PostgreSQL), and statements that stay inside the database.
Neither decides anything: what becomes of a deadline is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson
import psycopg

from models.database import WAL_SAFE_SINCE

EVENT = ("uid", "case_id", "sequence", "seq", "type", "occurred_at", "region_pcode", "data", "correlation_id")
NOTICE = ("case_id", "kind", "role", "office_id", "send_at", "step", "deadline_id")

_DUE = """
    SELECT d.id, d.case_id, d.key, c.code, c.version, c.events, c.office_id, c.region_pcode
    FROM deadline AS d JOIN "case" AS c ON c.id = d.case_id
    WHERE d.status = 'open' AND d.next_at <= {at} ORDER BY d.next_at, d.id
"""
_SET = """
    INSERT INTO event (uid, case_id, sequence, seq, type, occurred_at, region_pcode, data, correlation_id)
    SELECT {uid}, case_id, events + 1, version, 'deadline.overdue', {at}, region_pcode,
           {data}('case', code, 'deadline', key), 'raw'
    FROM due;
    UPDATE "case" SET events = due.events + 1 FROM due WHERE "case".id = due.case_id;
    UPDATE deadline SET overdue_at = {at}, next_at = {next_at} FROM due WHERE deadline.id = due.id;
    INSERT INTO notice (case_id, kind, role, office_id, send_at, step, deadline_id)
    SELECT case_id, 'overdue', {role}, office_id, {at}, 0, id FROM due;
    DROP TABLE due
"""


class RawSqlite:
    """With the pragmas that `models.database` sets. Times are text, as SQLite stores them."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        mode = "wal" if sqlite3.sqlite_version_info >= WAL_SAFE_SINCE else "truncate"
        for pragma in ("foreign_keys=ON", "synchronous=FULL", f"journal_mode={mode}"):
            self._connection.execute(f"PRAGMA {pragma}")

    def given_rows(self, at: str, next_at: str, role: str) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        due = self._connection.execute(_DUE.format(at="?"), (at,)).fetchall()
        self._connection.executemany(
            "UPDATE deadline SET overdue_at = ?, next_at = ? WHERE id = ?", [(at, next_at, row[0]) for row in due]
        )
        self._connection.executemany('UPDATE "case" SET events = ? WHERE id = ?', [(row[5] + 1, row[1]) for row in due])
        self._insert("event", EVENT, [_event(row, at) for row in due])
        self._insert("notice", NOTICE, [(row[1], "overdue", role, row[6], at, 0, row[0]) for row in due])
        self._connection.execute("COMMIT")

    def inside_the_database(self, at: str, next_at: str, role: str) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(f"CREATE TEMP TABLE due AS {_DUE.format(at='?')}", (at,))
        uid = "'evt_' || lower(hex(randomblob(16)))"
        statements = _SET.format(at=f"'{at}'", next_at=f"'{next_at}'", role=f"'{role}'", uid=uid, data="json_object")
        for statement in statements.split(";"):
            self._connection.execute(statement)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def _insert(self, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


class RawPostgres:
    """One connection with the durability of ours."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=False, options="-c timezone=UTC -c synchronous_commit=on")

    def given_rows(self, at: str, next_at: str, role: str) -> None:
        with self._connection.cursor() as cursor:
            due = cursor.execute(
                f"{_DUE.format(at='%s')} FOR NO KEY UPDATE OF c, d SKIP LOCKED".encode(), (at,)
            ).fetchall()
            cursor.execute(
                "UPDATE deadline SET overdue_at = %s, next_at = %s FROM jsonb_array_elements(%s::jsonb) AS e "
                "WHERE deadline.id = (e->>0)::bigint",
                (at, next_at, orjson.dumps([row[:1] for row in due]).decode()),
            )
            cursor.execute(
                'UPDATE "case" SET events = (e->>1)::int FROM jsonb_array_elements(%s::jsonb) AS e '
                'WHERE "case".id = (e->>0)::bigint',
                (orjson.dumps([(row[1], row[5] + 1) for row in due]).decode(),),
            )
            self._copy(cursor, "event", EVENT, [_event(row, at) for row in due])
            self._copy(cursor, "notice", NOTICE, [(row[1], "overdue", role, row[6], at, 0, row[0]) for row in due])
        self._connection.commit()

    def inside_the_database(self, at: str, next_at: str, role: str) -> None:
        times = {"at": f"'{at}'::timestamptz", "next_at": f"'{next_at}'::timestamptz", "role": f"'{role}'"}
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE due ON COMMIT DROP AS {_DUE.format(**times)}".encode())
            uid = "'evt_' || replace(gen_random_uuid()::text, '-', '')"
            cursor.execute(_SET.format(**times, uid=uid, data="jsonb_build_object").encode())
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def _copy(self, cursor: psycopg.Cursor[Any], table: str, columns: tuple[str, ...], rows: list[Any]) -> None:
        with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)


def _event(row: tuple[Any, ...], at: str) -> tuple[Any, ...]:
    _, case_id, key, code, version, events, _, region = row
    data = f'{{"case": "{code}", "deadline": "{key}"}}'
    uid = f"evt_{case_id:032x}"
    return (uid, case_id, events + 1, version, "deadline.overdue", at, region, data, "raw")
