"""`segin case correct` as a process: what is taken back is said before and after, and refused with every reason."""

from __future__ import annotations

import pytest
from command_line import CommandLine

WHY = ("--reason", "Mauvais dossier")


@pytest.fixture
def code(segin: CommandLine) -> str:
    """A case whose person has arrived."""
    found = str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])
    segin.json("case", "move", found, "confirm_arrival", "--role", "intake_officer")
    return found


def test_a_mistake_is_shown_then_taken_back_once(segin: CommandLine, code: str) -> None:
    before = segin.json("case", "show", code)
    dry = segin.json("case", "correct", code, *WHY, "--dry-run")
    assert (dry["outcome"], dry["dry_run"]) == ("moved", True)
    assert "serait annulé" in segin.text("case", "correct", code, *WHY, "--dry-run")
    assert segin.json("case", "show", code) == before

    correct = ("case", "correct", code, *WHY, "--command-id", "back", "--expected-version", before["version"])
    done = segin.json(*correct)
    assert done["taken_back"] == dry["taken_back"]
    opened = [task["key"] for task in before["tasks"] if task["status"] == "open"]
    counts = {name: done["taken_back"][name] for name in ("trigger", "seq", "to_state", "tasks_cancelled")}
    assert counts == {"trigger": "confirm_arrival", "seq": 2, "to_state": "registered", "tasks_cancelled": len(opened)}
    assert done["taken_back"]["tasks_restored"] == done["taken_back"]["events_corrected"] == 1
    assert "1 task and " in done["sentence"]["en"]
    assert "1 événement à corriger" in done["sentence"]["fr"]
    assert segin.json(*correct)["outcome"] == "already_done"
    assert "déjà fait" in segin.text(*correct)

    after = segin.json("case", "show", code)
    assert (after["state"], after["version"]) == ("registered", 3)
    assert [task["key"] for task in after["tasks"] if task["status"] == "open"] == ["confirm_arrival"]
    assert after["journal"][-1]["note"] == WHY[1]
    assert segin.json("journal", "verify")["broken"] == 0


def test_what_cannot_be_taken_back_says_every_reason(segin: CommandLine, code: str) -> None:
    stale = segin.json("case", "correct", code, *WHY, "--expected-version", 1, code=1)
    assert (stale["outcome"], stale["version"], stale["sentence"]) == ("stale", 2, None)
    assert "a changé" in segin.text("case", "correct", code, *WHY, "--expected-version", 1, code=1)
    refused = segin.json("case", "correct", code, "--reason", " ", "--role", "case_worker", code=1)
    assert [each["code"] for each in refused["reasons"]] == ["role_not_allowed", "note_given"]
    segin.json("case", "correct", code, *WHY)
    for more in ((), ("--dry-run",)):
        nothing = segin.json("case", "correct", code, *WHY, *more, code=1)
        assert [each["code"] for each in nothing["reasons"]] == ["nothing_to_take_back"]
    assert "vient d'être enregistré" in segin.text("case", "correct", code, *WHY, code=1)
    assert "--reason" in segin.error("case", "correct", code, code=2)


def test_the_preview_knows_what_can_be_taken_back(segin: CommandLine, code: str) -> None:
    def allowed() -> bool:
        moves = segin.json("case", "preview", code)["moves"]
        return bool(next(move["allowed"] for move in moves if move["trigger"] == "correct"))

    assert allowed()
    segin.json("household", "join", code)
    assert not allowed()
    apart = segin.json("case", "correct", code, *WHY, code=1)
    assert [each["code"] for each in apart["reasons"]] == ["recorded_apart"]
