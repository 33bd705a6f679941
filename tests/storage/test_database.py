"""The durability and the locking that every other part counts on, on real files and a real server."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.database import WAL_SAFE_SINCE, DatabaseUrlError, create_engine_for, read_session, write_session


def _in_threads(count: int, work: Callable[[], None]) -> list[BaseException]:
    """Run `work` in `count` threads that start together; the exceptions that escaped."""
    gate = threading.Barrier(count)
    failures: list[BaseException] = []

    def run() -> None:
        gate.wait(timeout=30)
        try:
            work()
        except Exception as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive()
    return failures


@pytest.fixture
def counter(engine: Engine) -> Engine:
    """The engine, with a table `counter` of one row that holds 0."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return engine


def _value(engine: Engine) -> int:
    with read_session(engine) as session:
        return int(session.execute(text("SELECT n FROM counter")).scalar_one())


def _read_then_write(engine: Engine) -> None:
    lock = "" if engine.dialect.name == "sqlite" else " FOR UPDATE"
    with write_session(engine) as session:
        seen = session.execute(text(f"SELECT n FROM counter{lock}")).scalar_one()
        session.execute(text("UPDATE counter SET n = :n"), {"n": seen + 1})
        session.commit()


@pytest.mark.parametrize(("threads", "each"), [(4, 100), (8, 50)])
def test_no_acknowledged_increment_is_lost(counter: Engine, threads: int, each: int) -> None:
    def work() -> None:
        for _ in range(each):
            _read_then_write(counter)

    assert _in_threads(threads, work) == []
    assert _value(counter) == threads * each


def test_the_default_of_the_driver_would_lose_one(sqlite_url: str) -> None:
    """Why BEGIN IMMEDIATE: by default the driver begins at the UPDATE, so two that read 0 both write 1."""
    default = create_engine(sqlite_url)
    with default.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    with default.connect() as first, default.connect() as second:
        seen = [(each, each.execute(text("SELECT n FROM counter")).scalar_one()) for each in (first, second)]
        for connection, value in seen:
            connection.execute(text("UPDATE counter SET n = :n"), {"n": value + 1})
            connection.commit()
    default.dispose()
    engine = create_engine_for(sqlite_url)
    assert _value(engine) == 1
    engine.dispose()


def test_a_compare_and_set_has_one_winner(counter: Engine) -> None:
    wins: list[int] = []

    def work() -> None:
        with write_session(counter) as session:
            found = session.execute(text("UPDATE counter SET n = 1 WHERE n = 0 RETURNING n")).all()
            session.commit()
            wins.append(len(found))

    assert _in_threads(8, work) == []
    assert sorted(wins) == [0] * 7 + [1]


def test_a_reader_passes_while_a_writer_works(counter: Engine) -> None:
    with write_session(counter) as writer:
        writer.execute(text("UPDATE counter SET n = 7"))
        assert _value(counter) == 0
        writer.commit()
    assert _value(counter) == 7


def test_a_read_session_is_refused_a_change_and_the_next_writer_is_not(counter: Engine) -> None:
    with read_session(counter) as reader, pytest.raises(DBAPIError, match=r"readonly|read-only"):
        reader.execute(text("UPDATE counter SET n = 1"))
    _read_then_write(counter)
    assert _value(counter) == 1


def test_a_read_session_sees_one_state(postgres_engine: Engine) -> None:
    with postgres_engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    with read_session(postgres_engine) as reader:
        before = reader.execute(text("SELECT n FROM counter")).scalar_one()
        _read_then_write(postgres_engine)
        assert reader.execute(text("SELECT n FROM counter")).scalar_one() == before
    assert _value(postgres_engine) == before + 1


def test_sqlite_is_set_up_for_durability(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("foreign_keys", "synchronous", "journal_mode", "busy_timeout", "query_only")
        }
    safe_wal = sqlite3.sqlite_version_info >= WAL_SAFE_SINCE
    assert pragmas == {
        "foreign_keys": 1,
        "synchronous": 2,
        "journal_mode": "wal" if safe_wal else "truncate",
        "busy_timeout": 30_000,
        "query_only": 0,
    }


def test_postgres_is_set_up_for_durability(postgres_engine: Engine) -> None:
    with postgres_engine.connect() as connection:
        settings = {
            name: connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("synchronous_commit", "timezone", "fsync")
        }
    assert settings == {"synchronous_commit": "on", "timezone": "UTC", "fsync": "on"}


def test_options_of_the_url_are_kept(postgres_url: str) -> None:
    engine = create_engine_for(f"{postgres_url}&options=-c%20statement_timeout%3D1234 -c timezone=Asia/Tokyo")
    with engine.connect() as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "1234ms"
        assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"
    engine.dispose()


def test_a_row_without_its_parent_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (parent_id INTEGER REFERENCES parent (id))"))
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("INSERT INTO child VALUES (1)"))


def test_an_error_hides_the_parameters(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Aminata"})
    assert "Aminata" not in str(caught.value)
    assert "Aminata" not in repr(caught.value)


def test_the_folder_of_a_new_database_is_made_for_its_owner_only(tmp_path: Path) -> None:
    engine = create_engine_for(f"sqlite:///{tmp_path}/new/segin.db")
    engine.connect().close()
    engine.dispose()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_relative_path_is_taken_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = create_engine_for("sqlite:///segin-data/segin.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
    engine.dispose()
    assert (tmp_path / "segin-data" / "segin.db").is_file()


@pytest.mark.parametrize(
    "url",
    [
        "no url, but a s3cret",
        "mysql://segin:s3cret@127.0.0.1/segin",
        "postgresql+asyncpg://segin:s3cret@127.0.0.1/segin",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://s3cret/segin.db",
    ],
)
def test_a_wrong_url_is_answered_with_a_remedy_and_never_repeated(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        create_engine_for(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.remedy
    assert caught.value.message_fr != caught.value.message_en
