"""The one way to open a database: engines and sessions with the durability that the rest of Segin counts on.

The edges make one engine from the settings and one session for each piece of work; everything else gets a `Session`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from models.errors import WrongUse

BUSY_TIMEOUT_SECONDS: Final = 30
# Older versions can corrupt a write-ahead log when it is reset while another connection writes.
WAL_SAFE_SINCE: Final = (3, 51, 3)

_READ_ONLY: Final = "segin_read_only"


class DatabaseUrlError(WrongUse):
    """The database URL is not one that Segin can open. The message never repeats it: it may hold a password."""


def create_engine_for(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`; the folder of a new SQLite file is made with mode 0700.

    Statements never show their parameters in errors. Raises DatabaseUrlError.
    """
    parsed = _parse(url)
    return _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _postgres_engine(parsed)


def write_session(engine: Engine) -> Session:
    """A session that may write. On SQLite its first statement takes the write lock: open it late, commit it soon.

    Objects keep their values after the commit, since reading them again would take the lock again.
    """
    return Session(engine, expire_on_commit=False)


def read_session(engine: Engine) -> Session:
    """A session that sees one state of the database until it ends, takes no write lock, and is refused any change.

    Close it soon all the same: under SQLite's rollback journal a writer cannot commit while somebody reads.
    """
    options: dict[str, Any] = {_READ_ONLY: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return Session(engine.execution_options(**options), expire_on_commit=False)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUrlError(
            "The database URL cannot be read.",
            "L'adresse de la base de données est illisible.",
            remedy="Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME in SEGIN_DATABASE_URL.",
            remedy_fr="Écrivez sqlite:///FICHIER ou postgresql://NOM:MOT_DE_PASSE@HÔTE/BASE dans SEGIN_DATABASE_URL.",
        ) from None
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise DatabaseUrlError(
            f"Segin keeps its data in SQLite or PostgreSQL, not in {parsed.drivername}.",
            f"Segin garde ses données dans SQLite ou PostgreSQL, pas dans {parsed.drivername}.",
            remedy="Start SEGIN_DATABASE_URL with sqlite:/// or postgresql://.",
            remedy_fr="Commencez SEGIN_DATABASE_URL par sqlite:/// ou postgresql://.",
        )
    if parsed.host or parsed.database in (None, "", ":memory:"):
        raise DatabaseUrlError(
            "The database URL names no file.",
            "L'adresse de la base de données ne nomme aucun fichier.",
            remedy="Write three slashes and a path, as in sqlite:///segin-data/segin.db.",
            remedy_fr="Écrivez trois barres et un chemin, comme dans sqlite:///segin-data/segin.db.",
        )
    return parsed


def _sqlite_engine(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    wal = sqlite3.sqlite_version_info >= WAL_SAFE_SINCE
    # TRUNCATE syncs the emptied journal; after DELETE a power cut could bring the journal back and undo the commit.
    journal_mode = "wal" if wal else "truncate"

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would begin by itself, late and without the lock; `begin` below does it instead.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted or sealed leaves nothing behind in the file
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != journal_mode:
            connection.execute(f"PRAGMA journal_mode={journal_mode}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.connection.cursor().execute(f"PRAGMA query_only={int(read_only)}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: URL) -> Engine:
    options = url.query.get("options", "")
    own = "-c timezone=UTC -c synchronous_commit=on"
    return create_engine(
        url.difference_update_query(["options"]),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"options": f"{options} {own}".strip(), "application_name": "segin"},
    )
