"""The schema's history: where a database stands, and the way to the newest revision. The command line calls it.

There is no way back: a backup is taken before an upgrade, and restored if it was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from models.database import read_session

_FOLDER: Final = Path(__file__).parent / "migrations"
# Any number will do, as long as nothing else in the database locks it.
_UPGRADE_LOCK: Final = 5_361_470


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision in one transaction. Another one meanwhile waits and finds it done."""
    config = _config()
    with engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
            raise RuntimeError("a migration left rows without their parents, so it was undone")


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None for one without any."""
    with read_session(engine) as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def head() -> str:
    """The newest revision that this version of Segin knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise RuntimeError("the migrations are missing from this installation")
    return newest


@contextmanager
def _tables_may_be_rebuilt(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by copying and dropping it, which its foreign keys must not see (nor in a transaction)."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.cursor()
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
        driver.close()


def _config() -> Config:
    config = Config()
    # A percent sign in the path would be read as an interpolation.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
