"""`segin care` and the key of the notes, through processes: what somebody said in a session is read by few, and is in
clear nowhere: not in the database, not in a log, not in an answer. All people are synthetic."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic import command
from command_line import MANIFESTS, TAKEN_IN, CommandLine, Finished
from sqlalchemy import text

from models.database import create_engine_for
from models.migrate import _config, _tables_may_be_rebuilt, head

SAID = "Kanaritasi-7f3e dit qu'elle ne dort plus"
CANARY = "Kanaritasi-7f3e"


@pytest.fixture
def case(segin: CommandLine) -> str:
    """A case, with one who gives psychosocial care and one who does not."""
    for login, role in (("awa", "psychosocial_worker"), ("issa", "coordinator")):
        segin.json("staff", "add", login, "Personnel fictif", "--role", role)
    return str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A file with what was said."""
    file = tmp_path / "note.txt"
    file.write_text(f"{SAID}\n", encoding="utf-8")
    return file


def says_it(done: Finished) -> bool:
    return CANARY in done.stdout + done.stderr


def files_with(folder: Path, said: str) -> list[str]:
    """The files below the folder that hold the words, in whatever way they are written."""
    needles = [said.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if any(needle in file.read_bytes() for needle in needles)]


def test_a_note_is_kept_sealed_and_read_by_few(segin: CommandLine, case: str, note: Path) -> None:
    record = ("care", "session", case, "--as", "awa", "--note", note, "--held-at", "2024-02-01T10:00:00")
    made = segin.json(*record, "--command-id", "s1")
    again = segin.json(*record, "--command-id", "s1")
    assert (made["outcome"], again["outcome"]) == ("moved", "already_done")
    segin.json("care", "session", case, "--as", "awa", "--missed", "--kind", "family", "--occasion", made["session"])

    shown = segin.json("care", "show", case)["sessions"]
    assert sorted((each["kind"], each["attended"], each["note"], each["occasion"]) for each in shown) == [
        ("family", False, False, made["session"]),
        ("individual", True, True, made["session"]),
    ]
    assert "individual" in segin.text("care", "show", case)

    assert segin.json("care", "note", made["session"], "--as", "awa")["note"] == SAID
    assert SAID in segin.text("care", "note", made["session"], "--as", "awa")
    assert "not for this role" in segin.error("care", "note", made["session"], "--as", "issa", code=1)
    assert "--as" in segin.error("care", "note", made["session"], code=2)
    reads = segin.json("care", "reads", case)["reads"]
    assert [(each["login"], each["role"], each["allowed"]) for each in reads] == [
        ("issa", "coordinator", False),
        ("awa", "psychosocial_worker", True),
        ("awa", "psychosocial_worker", True),
    ]
    read = segin.text("care", "reads", case)
    assert "non" in read
    assert "issa" in read

    key = segin.data_dir / "notes.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for quiet in (
        segin.run("care", "show", case, log_level="debug"),
        segin.run("care", "session", case, "--as", "awa", "--note", note, log_level="debug"),
        segin.run("care", "note", made["session"], "--as", "issa", code=1, log_level="debug"),
        segin.run("case", "show", case, "--json"),
        segin.run("journal", "verify"),
        segin.run("db", "backup"),
    ):
        assert not says_it(quiet)
    assert files_with(segin.data_dir, CANARY) == []
    assert files_with(segin.data_dir, "seal1:"), "a look at the wrong bytes finds nothing either"

    # Without its key nobody reads it, and another key says so.
    assert "key that is not here" in segin.error(
        "care", "note", made["session"], "--as", "awa", code=1, notes_key="A" * 43 + "="
    )
    assert files_with(segin.data_dir, CANARY) == []


def test_wrong_use_of_sessions_is_told_without_the_note(segin: CommandLine, case: str, note: Path) -> None:
    record = ("care", "session", case, "--note", note)
    assert not says_it(segin.run(*record, "--kind", "telepathy", "--json", code=2))
    assert "after it was held" in segin.error(*record, "--held-at", "2999-01-01T10:00:00", code=2)
    refused = segin.json(*record, "--role", "coordinator", code=1)
    assert [reason["code"] for reason in refused["reasons"]] == ["role_not_allowed"]
    assert "refusé" in segin.text(*record, "--role", "coordinator", code=1)
    note.write_bytes(CANARY.encode() + b"\xff")
    done = segin.run(*record, "--json", code=2)
    assert "UTF-8" in done.stdout
    assert not says_it(done)
    assert segin.json("care", "show", case)["sessions"] == []


def test_postgresql_makes_no_key_and_says_what_to_do(postgres_url: str, tmp_path: Path, note: Path) -> None:
    segin = CommandLine(tmp_path / "data", {"database_url": postgres_url})
    segin.json("intake", MANIFESTS / TAKEN_IN[0])
    segin.json("staff", "add", "awa", "Personnel fictif", "--role", "psychosocial_worker")
    case = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    record = ("care", "session", case, "--as", "awa", "--note", note)
    refused = segin.error(*record, code=2)
    assert "no key" in refused
    assert "SEGIN_NOTES_KEY" in refused
    assert not (tmp_path / "data" / "notes.key").exists()
    assert segin.json("care", "session", case, "--as", "awa")["outcome"] == "moved"
    session = segin.json(*record, notes_key="A" * 43 + "=")["session"]
    assert segin.json("care", "note", session, "--as", "awa", notes_key="A" * 43 + "=")["note"] == SAID
    assert "SEGIN_NOTES_KEY" in segin.error("care", "note", session, "--as", "awa", code=2)
    engine = create_engine_for(postgres_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT CAST(p AS text) FROM psychosocial_session AS p")).scalars().all()
    engine.dispose()
    assert len(rows) == 2
    assert not any(CANARY in row for row in rows)


def test_an_upgrade_seals_the_notes_of_before(segin: CommandLine, case: str) -> None:
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    with engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0008")
        connection.execute(
            text(
                "INSERT INTO psychosocial_session (case_id, kind, held_at, attended, note) "
                "SELECT id, 'individual', '2024-02-01T10:00:00.000000Z', true, :note FROM \"case\" WHERE code = :code"
            ),
            {"note": SAID, "code": case},
        )
    engine.dispose()
    assert files_with(segin.data_dir, CANARY) == ["segin.db"]
    assert "db upgrade" in segin.error("care", "show", case, code=1)

    done = segin.json("db", "upgrade")
    assert (done["before"], done["after"]) == ("0008", head())
    assert files_with(segin.data_dir, CANARY) == []
    (shown,) = segin.json("care", "show", case)["sessions"]
    assert (shown["note"], shown["occasion"]) == (True, shown["session"])
    assert segin.json("care", "note", shown["session"], "--as", "awa")["note"] == SAID
    assert not segin.json("db", "upgrade")["changed"]
