"""Copies of the whole database that can be trusted: made while others work, checked, put in place in one step, rotated.

The nightly run and `segin db backup` make them; `segin db verify` checks the database itself.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from models.errors import SeginError

_NIGHTLY: Final = re.compile(r"segin-\d{4}-\d\d-\d\d\.(db|dump)")


class BackupFailed(SeginError):
    """No backup was made. What was there before is untouched."""


class Backup(NamedTuple):
    """A finished copy and its size in bytes."""

    path: Path
    size: int


def back_up(engine: Engine, folder: Path, name: str) -> Backup:
    """Copy the database to `folder/name.db` (SQLite) or `.dump` (PostgreSQL, for `pg_restore`), replacing an older one.

    The file appears only when it is complete and has been read back; it and a new folder are for their owner alone.
    Raises BackupFailed.
    """
    sqlite = engine.dialect.name == "sqlite"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}{'.db' if sqlite else '.dump'}"
    partial = folder / f".{path.name}.partial"
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        if sqlite:
            _copy_sqlite(engine, partial)
        else:
            _dump_postgres(engine, partial)
        verify_backup(partial)
        sync(partial)
        partial.replace(path)
        sync(folder)
    except OSError as error:
        raise BackupFailed(
            f"The backup could not be written: {error.strerror}.",
            f"La sauvegarde n'a pas pu être écrite : {error.strerror}.",
            remedy="Check the folder for backups and the space on its disk.",
            remedy_fr="Vérifiez le dossier des sauvegardes et la place sur son disque.",
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return Backup(path, path.stat().st_size)


def rotate(folder: Path, keep: int) -> int:
    """Remove all but the newest `keep` backups of nights (`segin-2024-07-31.db`), and no other file; how many."""
    nightly = sorted(path for path in folder.iterdir() if _NIGHTLY.fullmatch(path.name))
    old = nightly[:-keep]
    for path in old:
        path.unlink()
    return len(old)


def verify_backup(path: Path) -> None:
    """Read a backup from its first to its last byte. Raises BackupFailed when it could not be restored."""
    with path.open("rb") as file:
        sqlite = file.read(15) == b"SQLite format 3"
    if sqlite:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            faults = _sqlite_faults(copy)
        if faults:
            raise _unusable(faults[0])
    else:
        _run(["pg_restore", "--file", os.devnull, str(path)], {})


def database_faults(engine: Engine) -> list[str]:
    """What the database itself finds wrong with its files, and references that lead nowhere; empty when all is well.

    On PostgreSQL, which keeps its references, every row of every table is read.
    """
    if engine.dialect.name == "sqlite":
        try:
            connection = engine.raw_connection()
        except sqlite3.DatabaseError as error:  # so damaged that it cannot even be opened
            return [str(error)]
        try:
            return _sqlite_faults(connection.driver_connection)  # type: ignore[arg-type]
        finally:
            connection.close()
    faults = []
    for table in SQLModel.metadata.sorted_tables:
        try:
            with engine.connect() as reader:
                reader.execute(text(f'SELECT SUM(LENGTH(CAST(t AS TEXT))) FROM "{table.name}" AS t'))  # noqa: S608
        except DBAPIError:
            faults.append(f"unreadable: {table.name}")
    return faults


def _copy_sqlite(engine: Engine, target: Path) -> None:
    connection = engine.raw_connection()
    source = connection.driver_connection
    assert isinstance(source, sqlite3.Connection)  # noqa: S101  (the dialect says so)
    try:
        with closing(sqlite3.connect(target)) as copy:
            # In one step: between several, every change by somebody else would make it start again.
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        raise _unusable("the copy could not be finished") from None
    finally:
        connection.close()


def _sqlite_faults(connection: sqlite3.Connection) -> list[str]:
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        found += [f"reference that leads nowhere: {row[0]}" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return found


def _dump_postgres(engine: Engine, target: Path) -> None:
    # The password goes through the environment: everybody can see a program's arguments.
    address = engine.url.set(drivername="postgresql", password=None)
    secret = {"PGPASSWORD": engine.url.password} if engine.url.password else {}
    command = ["pg_dump", "--format=custom", "--no-password", "--file", str(target)]
    _run([*command, "--dbname", address.render_as_string(hide_password=False)], secret)


def _run(command: list[str], environment: dict[str, str]) -> None:
    if shutil.which(command[0]) is None:
        raise BackupFailed(
            f"The program {command[0]} is not there.",
            f"Le programme {command[0]} est introuvable.",
            remedy="Install PostgreSQL's client programs (postgresql-client), at least as new as the server.",
            remedy_fr="Installez les programmes clients de PostgreSQL, au moins aussi récents que le serveur.",
        )
    done = subprocess.run(  # noqa: S603  (the command is ours)
        command, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _unusable(next(iter(done.stderr.splitlines()), f"{command[0]} failed"))


def _unusable(why: str) -> BackupFailed:
    return BackupFailed(
        f"The backup cannot be used: {why}.",
        f"La sauvegarde est inutilisable : {why}.",
        remedy="Run segin db verify to see whether the database itself is sound.",
        remedy_fr="Lancez segin db verify pour savoir si la base elle-même est saine.",
    )


def sync(path: Path) -> None:
    """The disk has the file, or the folder's entry, for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
