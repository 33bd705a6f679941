"""Set-based SQL: one statement over many rows, whose text and number do not depend on how many rows there are.

The writer, the gatherer, registration and the nightly sweep declare their statements with it. The rows travel as one
JSON parameter, which `json_each` (SQLite) and `jsonb_array_elements` (PostgreSQL) turn back into rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, CursorResult
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel

import models  # noqa: F401  (registers the tables)
from models.types import utc_text

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


class SetStatement:
    """A statement in which `{rows}` stands for the given rows, as a table `r` with the named columns.

    `{lock}` becomes the row lock that PostgreSQL needs before a change (SQLite's write transactions need none). The
    lock lets others add rows that refer to the locked one.

        END = SetStatement("UPDATE task SET status = r.status FROM {rows} WHERE task.id = r.id", id=BigId, status=...)
    """

    def __init__(self, sql: str, **columns: TypeEngine[Any]) -> None:
        self._sql = {
            "sqlite": sql.format(rows=_sqlite_rows(columns), lock=""),
            "postgresql": sql.format(rows=_postgres_rows(columns), lock="FOR NO KEY UPDATE"),
        }

    def execute(self, session: Session, rows: Sequence[Sequence[Any]]) -> CursorResult[*tuple[Any, ...]]:
        """Run it once for all rows (tuples in the order of the columns; times as `time_text`, dates as ISO text)."""
        connection = session.connection()
        payload = orjson.dumps(rows).decode()
        return connection.exec_driver_sql(self._sql[connection.dialect.name], (payload,))


def insert_into(table: str, *columns: str, returning: str = "") -> SetStatement:
    """The statement that inserts rows of these columns; `returning` lists columns to give back, in no set order."""
    names = ", ".join(f'"{name}"' for name in columns)
    tail = f" RETURNING {returning}" if returning else ""
    # `WHERE true` keeps SQLite from reading what follows a bare SELECT as a join.
    sql = f'INSERT INTO "{table}" ({names}) SELECT {names} FROM {{rows}} WHERE true{tail}'  # noqa: S608
    return SetStatement(sql, **{name: SQLModel.metadata.tables[table].c[name].type for name in columns})


def time_text(moment: datetime | None) -> str | None:
    """A time as rows carry it; both databases read it. Raises ValueError for a naive datetime."""
    return None if moment is None else utc_text(moment)


def as_time(value: Any) -> Any:
    """A time as the driver gave it (text on SQLite) as an aware datetime in UTC, or None."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def as_date(value: Any) -> Any:
    """A date as the driver gave it (text on SQLite) as a date, or None."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_json(value: Any) -> Any:
    """A JSON document as the driver gave it (text on SQLite), parsed."""
    return orjson.loads(value) if isinstance(value, str) else value


def _sqlite_rows(columns: dict[str, TypeEngine[Any]]) -> str:
    values = ", ".join(f"""json_extract(v, '$[{index}]') AS "{name}\"""" for index, name in enumerate(columns))
    # Unless it is materialized, json_each writes the text of a row anew for each of its columns: half the speed.
    return f"(WITH e AS MATERIALIZED (SELECT value AS v FROM json_each(?)) SELECT {values} FROM e) AS r"  # noqa: S608


def _postgres_rows(columns: dict[str, TypeEngine[Any]]) -> str:
    values = ", ".join(
        f'{_postgres_value(index, kind)} AS "{name}"' for index, (name, kind) in enumerate(columns.items())
    )
    return f"(SELECT {values} FROM jsonb_array_elements(CAST(%s AS JSONB)) AS e) AS r"  # noqa: S608


def _postgres_value(index: int, kind: TypeEngine[Any]) -> str:
    if isinstance(kind, JSON):
        return f"NULLIF(e->{index}, CAST('null' AS JSONB))"
    return f"CAST(e->>{index} AS {kind.compile(_POSTGRES)})"
