"""`segin pathway` as processes: a file is checked without a database, published once, listed, shown and drawn."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import CommandLine, TakenIn
from large_pathway import large_pathway
from small_pathway import SMALL

BOMB = "a: &a [x, x]\nb: [*a, *a]\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def changed(path: Path, before: str, after: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert before in text
    other = path.with_name("changed.yaml")
    other.write_text(text.replace(before, after, 1), encoding="utf-8")
    return other


def test_a_file_is_checked_without_a_database(fresh: CommandLine, small: Path) -> None:
    assert fresh.json("pathway", "check", "mali") == {
        "file": "mali.yaml",
        "publishable": True,
        "errors": 0,
        "warnings": 0,
        "problems": [],
    }
    doubtful = fresh.json("pathway", "check", small)
    assert (doubtful["publishable"], doubtful["errors"], doubtful["warnings"]) == (True, 0, 1)
    (problem,) = doubtful["problems"]
    assert (problem["code"], problem["severity"]) == ("never_recorded", "warning")
    assert problem["walk"] == [{"trigger": None, "state": "waiting"}, {"trigger": "help", "state": "helped"}]
    assert "plan_approved" in problem["what"]
    assert "n'enregistre" in problem["what_fr"]
    assert not fresh.data_dir.exists()

    wrong = changed(small, "[done, absent]}}", "[done, absent]}}\n      - {guard: reason_in, with: {reasons: [ill]}}")
    found = fresh.json("pathway", "check", wrong, code=1)
    assert (found["publishable"], found["errors"]) == (False, 4)
    assert "guards_contradict" in {problem["code"] for problem in found["problems"]}
    said = fresh.text("pathway", "check", wrong, code=1)
    assert "« end » n'est jamais possible" in said
    assert "par exemple : waiting –end→ ended" in said
    assert "changed.yaml : ne peut pas être publié (4 erreur(s), 1 à revoir)." in said
    said = fresh.text("pathway", "check", wrong, code=1, language="en")
    assert "for example: waiting –end→ ended" in said
    assert "changed.yaml : cannot be published (4 error(s), 1 warning(s))." in said


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (BOMB.encode(), "anchor"),
        (b"a: !!python/object/apply:os.system [true]\n", "tag"),
        (b"a: " + b"x" * 10_000_000, "too_large"),
        (b"a: " + b"[" * 100_000, "too_deep"),
        (b"", "no_mapping"),
        (b'"\\e[2J": 1\npathway: "\\u202egnp"\n', "not_known_here"),
    ],
)
def test_a_hostile_file_gets_an_answer_that_steers_nothing(
    fresh: CommandLine, tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(content)
    assert code in {problem["code"] for problem in fresh.json("pathway", "check", path, code=1)["problems"]}
    said = fresh.text("pathway", "check", path, code=1)
    assert "ne peut pas être publié" in said
    assert "\x1b[2J" not in said
    assert "\u202e" not in said
    assert "hostile.yaml" in fresh.error("pathway", "publish", path, code=2)


def test_what_is_no_file_is_wrong_use(fresh: CommandLine, tmp_path: Path) -> None:
    assert "cannot be read" in fresh.error("pathway", "check", tmp_path / "none.yaml", code=2)
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot be read" in fresh.error("pathway", "check", tmp_path / "folder.yaml", code=2)
    (tmp_path / "latin.yaml").write_bytes("pathway: é".encode("latin-1"))
    assert "not UTF-8" in fresh.error("pathway", "check", tmp_path / "latin.yaml", code=2)
    assert "no bundled pathway" in fresh.error("pathway", "check", "atlantis", code=2)


def test_roles_that_nobody_has_are_named_when_staff_are_looked_at(fresh: CommandLine, small: Path) -> None:
    found = fresh.json("pathway", "check", small, "--staff")
    assert [each["code"] for each in found["problems"]] == ["nobody_has_role", "nobody_has_role", "never_recorded"]
    fresh.json("staff", "add", "awa", "Awa Exemple", "--role", "coordinator")
    said = fresh.text("pathway", "check", "mali", "--staff")
    assert "Personne n'a le rôle « case_worker »" in said
    assert "« coordinator »" not in said
    assert "« system »" not in said


def test_a_version_is_published_once_and_never_changes(fresh: CommandLine, small: Path) -> None:
    first = fresh.json("pathway", "publish", small)
    assert (first["name"], first["version"], first["new"], first["followed"]) == ("small", 1, True, False)
    assert "nobody_has_role" in {warning["code"] for warning in first["warnings"]}
    again = fresh.json("pathway", "publish", small)
    assert again == first | {"new": False}
    assert "déjà publié" in fresh.text("pathway", "publish", small)
    assert "Les nouveaux dossiers le suivent." in fresh.text("pathway", "publish", small, pathway=small)

    other = changed(small, "due: P60D", "due: P90D")
    assert "raise the version number" in fresh.error("pathway", "publish", other, code=2)
    wrong = changed(small, "from: [waiting, helped]\n    to: ended", "from: waiting\n    to: ended")
    assert "can never be closed" in fresh.error("pathway", "publish", wrong, code=2)
    second = changed(small, "version: 1", "version: 2")
    assert fresh.json("pathway", "publish", second)["version"] == 2

    listed = fresh.json("pathway", "list")["versions"]
    assert [(each["name"], each["version"], each["followed"]) for each in listed][-2:] == [
        ("small", 2, False),
        ("small", 1, False),
    ]
    assert listed[-1]["content_hash"] == first["content_hash"]
    assert "small" in fresh.text("pathway", "list")
    assert fresh.json("pathway", "show", "small")["version"] == 2
    assert fresh.json("pathway", "show", "small", "--version", 1)["version"] == 1
    assert "Version 3" in fresh.error("pathway", "show", "small", "--version", 3, code=2)
    assert "No version" in fresh.error("pathway", "show", "atlantis", code=2)


def test_the_list_counts_the_cases_on_each_version(segin: CommandLine, taken_in: TakenIn, small: Path) -> None:
    segin.json("pathway", "publish", small)
    mali, other = segin.json("pathway", "list")["versions"]
    assert (mali["name"], mali["followed"], mali["cases"]) == ("mali", True, taken_in.said["registered"])
    assert (mali["open_cases"], other["cases"], other["open_cases"]) == (mali["cases"], 0, 0)


def test_looking_publishes_nothing(segin: CommandLine, small: Path) -> None:
    """Commands that only read take the pathway of the settings as it is, published or not."""
    follows = {"pathway": small}
    assert segin.json("pathway", "show", **follows)["name"] == "small"
    assert [each["followed"] for each in segin.json("pathway", "list", **follows)["versions"]] == [False]
    segin.json("pathway", "diff", "mali", small, code=2, **follows)
    segin.json("pathway", "migrate", "mali", small, "--dry-run", code=2, **follows)
    segin.json("pathway", "replay", "mali", "--from", "2024-01-01", "--to", "2024-01-02", **follows)
    segin.json("calendar", "show", **follows)
    segin.json("calendar", "close", "2027-03-01", "--reason", "inventaire", "--dry-run", **follows)
    segin.json("deadline", "waivers", **follows)
    segin.json("staff", "add", "awa", "Personnel fictif", "--role", "worker", **follows)
    assert [each["name"] for each in segin.json("pathway", "list", **follows)["versions"]] == ["mali"]


def test_a_pathway_is_shown_and_drawn_from_the_shelf_or_from_a_file(
    fresh: CommandLine, small: Path, tmp_path: Path
) -> None:
    assert fresh.json("pathway", "show", small)["name"] == "small"
    assert "Leave --version out" in fresh.error("pathway", "show", small, "--version", 1, code=2)
    drawn = fresh.text("pathway", "diagram", small)
    assert ElementTree.fromstring(drawn).get("role") == "img"  # noqa: S314  (made here)
    assert "Attente" in drawn
    assert "Waiting" in fresh.text("pathway", "diagram", small, "--language", "en")
    assert fresh.text("pathway", "diagram", small, "--format", "mermaid").startswith("stateDiagram-v2\n")
    assert not fresh.data_dir.exists()

    path = tmp_path / "mali.svg"
    assert fresh.json("pathway", "diagram", "--output", path) == {
        "name": "mali",
        "version": fresh.json("pathway", "show")["version"],
        "format": "svg",
        "path": str(path),
        "diagram": None,
    }
    assert path.read_text(encoding="utf-8") == fresh.text("pathway", "diagram", "mali")
    assert fresh.json("pathway", "diagram", "--format", "mermaid")["diagram"].startswith("stateDiagram-v2\n")
    assert str(tmp_path) in fresh.error("pathway", "diagram", "--output", tmp_path, code=1)


def test_a_pathway_of_a_thousand_states_is_checked_and_drawn(fresh: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(large_pathway(1000), encoding="utf-8")
    assert fresh.json("pathway", "check", path)["problems"] == []
    assert fresh.text("pathway", "diagram", path).count("<title>") == 1001
