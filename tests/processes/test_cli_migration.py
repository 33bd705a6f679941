"""`segin pathway diff` and `migrate` as processes: compared, tried, moved in waves, stopped, and taken back."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from command_line import CommandLine

from deployments.demo.proposal import proposal

MAP = ("--map", "planning=care_plan")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The proposed version."""
    path = tmp_path / "proposal.yaml"
    path.write_text(proposal(), encoding="utf-8")
    return path


@pytest.fixture
def versions(segin: CommandLine) -> tuple[str, str]:
    """The version that the cases are on, and the one proposed."""
    (row,) = segin.json("pathway", "list")["versions"]
    return f"mali@{row['version']}", str(row["version"] + 1)


def test_a_file_is_compared_with_the_version_that_cases_run_on(
    segin: CommandLine, file: Path, versions: tuple[str, str], tmp_path: Path
) -> None:
    old, new = versions
    verdicts = tmp_path / "verdicts.csv"
    found = segin.json("pathway", "diff", old, file, *MAP, "--verdicts", verdicts)
    assert (found["old"], found["new"], found["names"]) == (old, f"mali@{new}", {"planning": "care_plan"})
    assert {"part": "states", "key": "care_plan", "kind": "renamed", "field": None} in [
        {name: each[name] for name in ("part", "key", "kind", "field")} for each in found["changes"]
    ]
    said = found["consequences"]
    assert said["cases"] == said["verdicts"]["automatic"]["cases"] > 20
    assert [(each["state"], each["goal"]) for each in said["states"]] == [("registered", "registered")]
    with verdicts.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len({row["case"] for row in rows}) == len(rows) == said["cases"]
    assert {row["verdict"] for row in rows} == {"automatic"}
    read = segin.text("pathway", "diff", old, file, *MAP)
    assert "s'appelle désormais care_plan." in read
    assert "is now called care_plan." in segin.text("pathway", "diff", old, file, *MAP, language="en")
    # Two files have no cases to speak of.
    other = tmp_path / "other.yaml"
    other.write_text(proposal().replace("due: P75D", "due: P80D"), encoding="utf-8")
    assert segin.json("pathway", "diff", file, other)["consequences"] is None
    assert "aucun dossier" in segin.text("pathway", "diff", file, other)


def test_cases_move_in_waves_and_come_back(segin: CommandLine, file: Path, versions: tuple[str, str]) -> None:
    old, new = versions
    tried = segin.json("pathway", "migrate", old, file, *MAP, "--wave", "50%", "--dry-run")
    cases = tried["left"]
    assert tried["waves"] == []
    assert (tried["dry_run"]["number"], tried["dry_run"]["would_stop"]) == (1, False)
    assert tried["dry_run"]["cases"] == (cases + 1) // 2
    assert "publish" in segin.error("pathway", "migrate", old, file, *MAP, code=2)
    segin.json("pathway", "publish", file)
    (wave,) = segin.json("pathway", "migrate", old, new, *MAP, "--wave", "50%")["waves"]
    assert (wave["number"], wave["status"], wave["moved"]) == (1, "done", tried["dry_run"]["cases"])
    code = next(
        case["code"]
        for case in segin.json("case", "list", "--limit", 9)["cases"]
        if [row["trigger"] for row in segin.json("case", "show", case["code"])["journal"]] == ["register", "migrate"]
    )
    assert f"sur {cases - wave['moved']}." in segin.text("pathway", "migrate", old, new, *MAP, "--dry-run")
    rest = segin.json("pathway", "migrate", old, new, *MAP, "--wave", 10, "--all")
    assert rest["left"] == 0
    assert sum(each["moved"] for each in rest["waves"]) == cases - wave["moved"]
    assert "Aucun dossier" in segin.text("pathway", "migrate", old, new, *MAP)
    assert segin.json("journal", "verify")["broken"] == 0

    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    kept = segin.json("pathway", "migrate", old, new, "--undo", 1, code=3)["waves"][0]
    assert [(each["case"], each["code"]) for each in kept["listed"]] == [(code, "moved_on")]
    assert kept["undone"] == kept["cases"] - 1
    undone = segin.json("pathway", "migrate", old, new, "--undo", 2)
    assert undone["left"] == kept["undone"] + undone["waves"][0]["undone"]
    assert segin.json("journal", "verify")["broken"] == 0
    assert "There is no wave" in segin.error("pathway", "migrate", old, new, "--undo", 2, code=2)


def test_a_wave_that_would_close_or_lose_cases_stops(
    segin: CommandLine, tmp_path: Path, versions: tuple[str, str]
) -> None:
    old, new = versions
    file = tmp_path / "renamed.yaml"
    file.write_text(re.sub(r"(?<!case\.)\bregistered\b", "noted", proposal()), encoding="utf-8")
    segin.json("pathway", "publish", file)
    found = segin.json("pathway", "diff", old, new)["consequences"]
    assert found["verdicts"]["needs_mapping"]["cases"] == found["cases"]
    assert segin.json("pathway", "migrate", old, new, "--dry-run")["dry_run"]["would_stop"] is True
    stopped = segin.json("pathway", "migrate", old, new, "--wave", "100%", code=3)
    (wave,) = stopped["waves"]
    assert (wave["status"], wave["moved"], wave["refused"] > 0) == ("stopped", 0, True)
    assert wave["listed"][0]["code"] == "state_unknown"
    read = segin.text("pathway", "migrate", old, new, "--map", "registered=noted", *MAP, "--wave", "100%")
    assert "faite" in read
    assert segin.json("pathway", "list")["versions"][0]["open_cases"] == found["cases"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("migrate", "1", "1"),
        ("diff", "mali@99", "1"),
        ("diff", "nobody", "1"),
        ("diff", "nowhere.yaml", "1"),
        ("migrate", "1", "2", "--wave", "many"),
        ("migrate", "1", "2", "--wave", "120%"),
        ("migrate", "1", "2", "--undo", "1", "--dry-run"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(segin: CommandLine, file: Path, wrong: tuple[str, ...]) -> None:
    """`1` and `2` stand for the version of the cases and the proposal."""
    segin.json("pathway", "publish", file)
    new, old = (str(each["version"]) for each in segin.json("pathway", "list")["versions"][:2])
    numbers = {"1": old, "2": new}
    command, *sides = wrong
    arguments = [numbers.get(each, each) if place < 2 else each for place, each in enumerate(sides)]
    assert segin.error("pathway", command, *arguments, code=2)


@pytest.mark.parametrize("mapping", ["planning", "planning=", "nowhere=care_plan", "planning=nowhere", "plan.x=y"])
def test_a_mapping_names_what_is_there(segin: CommandLine, file: Path, versions: tuple[str, str], mapping: str) -> None:
    assert segin.error("pathway", "diff", versions[0], file, "--map", mapping, code=2)
    assert segin.error("pathway", "diff", versions[0], file, *MAP, *MAP, code=2)
