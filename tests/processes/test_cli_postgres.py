"""The command line over PostgreSQL: a caseload's whole way, once."""

from __future__ import annotations

from pathlib import Path

from command_line import MANIFESTS, TAKEN_IN, CommandLine


def test_the_same_work_over_postgresql(postgres_url: str, tmp_path: Path) -> None:
    segin = CommandLine(tmp_path / "data", {"database_url": postgres_url})
    assert not segin.json("db", "upgrade")["changed"]
    for _ in range(2):
        taken = segin.json("intake", MANIFESTS / TAKEN_IN[0], "--errors", tmp_path / "errors.csv")
        assert taken["registered"] + taken["already_known"] == 166
    segin.json("office", "add", "KYS", "Kayes", "--region", "ML01")
    segin.json("staff", "add", "awa", "Awa Exemple", "--role", "intake_officer", "--office", "KYS")
    assert segin.error("staff", "add", "awa", "Awa Exemple", "--role", "intake_officer", code=2)
    segin.json("partner", "add", "one", "Un", "--url", "https://partner.example.org/events")
    code = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    move = ("case", "move", code, "confirm_arrival", "--as", "awa", "--command-id", "desk-1")
    assert [segin.json(*move)["outcome"] for _ in range(2)] == ["moved", "already_done"]
    assert segin.json("case", "move", code, "fly", code=1)["outcome"] == "refused"
    assert segin.json("nightly", "--dry-run")["changed"] > 166
    assert [segin.json("nightly")["already_done"] for _ in range(2)] == [False, True]
    assert segin.json("deliveries", "list")["deliveries"]
    sound = segin.json("journal", "verify")
    assert (sound["cases"], sound["broken"]) == (166, 0)
    assert sound["transitions"] > 166
    assert segin.json("db", "backup")["path"].endswith(".dump")
    assert segin.json("db", "verify")["sound"]
    assert not (tmp_path / "data" / "segin.db").exists()
