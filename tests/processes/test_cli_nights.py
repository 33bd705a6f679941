"""`segin nightly`, `segin journal` and `segin db` as processes: each night once, and what is wrong comes to light."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine, TakenIn
from sqlalchemy import Engine, text

from flows.liveness import name_holder
from flows.nights import LEASE
from models.backup import verify_backup
from models.database import create_engine_for, write_session
from states import leases

NIGHT = "2024-03-25"


@contextmanager
def _database(segin: CommandLine) -> Iterator[Engine]:
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    yield engine
    engine.dispose()


def test_a_night_is_rehearsed_run_and_then_done(segin: CommandLine, taken_in: TakenIn) -> None:
    rehearsed = segin.json("nightly", "--as-of", NIGHT, "--dry-run")
    assert (rehearsed["as_of"], rehearsed["dry_run"], rehearsed["already_done"]) == (NIGHT, True, False)
    assert rehearsed["changed"] >= taken_in.said["registered"]
    assert not (segin.data_dir / "backups").exists()

    done = segin.json("nightly", "--as-of", NIGHT)
    assert (done["dry_run"], done["already_done"]) == (False, False)
    assert (done["changed"], len(done["nights"])) == (rehearsed["changed"], 1)
    assert done["nights"][0]["changes"] == rehearsed["nights"][0]["changes"]
    assert done["nights"][0]["before"] == rehearsed["nights"][0]["before"]
    (backup,) = (segin.data_dir / "backups").iterdir()
    verify_backup(backup)

    again = segin.json("nightly", "--as-of", NIGHT)
    assert again == {"as_of": NIGHT, "changed": 0, "already_done": True, "dry_run": False, "nights": []}
    assert "déjà faite" in segin.text("nightly", "--as-of", NIGHT)
    assert len(segin.json("nightly", "--as-of", "2024-03-27")["nights"]) == 2
    assert "still to come" in segin.error("nightly", "--as-of", "2999-01-01", code=2)
    assert "tomorrow" in segin.error("nightly", "--as-of", "tomorrow", code=2)


def test_a_night_waits_for_another_run(segin: CommandLine) -> None:
    with _database(segin) as engine:
        with write_session(engine) as session:
            token = leases.take(session, LEASE, name_holder(), now=datetime.now(UTC), ttl=timedelta(hours=1))
            session.commit()
        assert "at work" in segin.error("nightly", "--as-of", NIGHT, code=4)
        assert "Une autre exécution" in segin.run("nightly", "--as-of", NIGHT, code=4).stderr
        with write_session(engine) as session:
            leases.release(session, LEASE, token or 0)
            session.commit()
    assert not segin.json("nightly", "--as-of", NIGHT)["already_done"]


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        ("UPDATE journal SET role = 'coordinator' WHERE case_id = 7 AND seq = 1", "changed"),
        ("UPDATE \"case\" SET state = 'closed' WHERE id = 7", "state"),
    ],
)
def test_a_journal_that_was_tampered_with_is_found(segin: CommandLine, tamper: str, what: str) -> None:
    sound = segin.json("journal", "verify")
    assert (sound["broken"], sound["faults"]) == (0, [])
    assert 0 < sound["cases"] <= sound["transitions"]
    with _database(segin) as engine, engine.begin() as connection:
        code = connection.scalar(text('SELECT code FROM "case" WHERE id = 7'))
        triggers = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
        for name in triggers:  # what stops a mistake does not stop somebody who means it
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(tamper))
    found = segin.json("journal", "verify", code=1)
    assert found["broken"] == len(found["faults"]) > 0
    assert {fault["case"] for fault in found["faults"]} == {code}
    assert what in [fault["what"] for fault in found["faults"]]
    assert all(fault["text_fr"] and fault["text_en"] for fault in found["faults"])
    assert str(code) in segin.text("journal", "verify", code=1)


def test_a_database_is_made_saved_and_checked(fresh: CommandLine, tmp_path: Path) -> None:
    made = fresh.json("db", "upgrade")
    assert (made["before"], made["changed"]) == (None, True)
    assert fresh.json("db", "upgrade") == {"before": made["after"], "after": made["after"], "changed": False}
    assert fresh.data_dir.stat().st_mode & 0o777 == 0o700
    saved = fresh.json("db", "backup", tmp_path / "elsewhere [1]")
    assert Path(saved["path"]).stat().st_size == saved["bytes"] > 0
    verify_backup(Path(saved["path"]))
    assert "elsewhere [1]" in fresh.text("db", "backup", tmp_path / "elsewhere [1]")
    assert fresh.json("db", "verify") == {
        "sound": True,
        "faults": [],
        "revision": made["after"],
        "newest": made["after"],
    }
    (tmp_path / "in the way").touch()
    assert "in the way" in fresh.error("db", "backup", tmp_path / "in the way", code=1)


def test_a_database_that_is_unwell_or_of_another_version_is_not_worked_with(segin: CommandLine) -> None:
    with _database(segin) as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert "segin db upgrade" in segin.error("case", "list", code=1)
    verified = segin.json("db", "verify")
    assert verified["revision"] != verified["newest"]
    (segin.data_dir / "segin.db").write_bytes(b"this is no database, " * 500)
    assert "database refused" in segin.error("case", "list", code=1)
