"""What the repository promises about itself: the README's commands exist, and no file ties it to one machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAX_LINES = 400

# Put together here, so that this file does not hold what it looks for.
REGISTRY_HOSTS = [f"{name}.org" for name in ("pypi", "pythonhosted", "npmjs", "debian", "crates")]
HOME_PATHS = [f"/{folder}/" for folder in ("root", "home", "work", "Users")]
FORBIDDEN = re.compile("|".join([*map(re.escape, REGISTRY_HOSTS), *(rf"(?<![\w.~-]){path}" for path in HOME_PATHS)]))


def _files(*patterns: str) -> list[str]:
    """Files of the repository, committed or about to be, that match one of the patterns."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = {}
    for name in _files("."):
        text = (ROOT / name).read_bytes().decode(errors="replace")
        hit = FORBIDDEN.search(text) if "\0" not in text else None
        if hit:
            found[name] = hit.group()
    assert found == {}


def test_no_python_file_is_too_long() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in _files("*.py")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_the_lock_files_pin_by_hash_and_name_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (ROOT / name).read_text().splitlines()
        pinned = [line for line in lines if "==" in line]
        assert len(pinned) > 50
        assert all(line.rstrip().endswith("\\") for line in pinned)
        assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_the_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"demo", "test", "lint", "bench", "up"} <= named
    assert named <= targets


@pytest.mark.parametrize("heading", ["What it needs to run", "What developers need"])
def test_the_readme_gives_a_reason_for_each_dependency_and_no_other(heading: str) -> None:
    table = README.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table, re.MULTILINE))
    assert rows.keys() == _declared(heading)
    assert all(len(reason) > 10 for reason in rows.values())


def _declared(heading: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = (
        project["project"]["dependencies"]
        if heading == "What it needs to run"
        else [*groups["backend"], *(entry for entry in groups["dev"] if isinstance(entry, str))]
    )
    return {re.split(r"[<>=\[~! ]", entry, maxsplit=1)[0] for entry in wanted}


@pytest.mark.parametrize(("ends", "code"), [((0, 5), 0), ((5, 0), 0), ((1, 5), 2), ((5, 2), 2), ((0, 0), 0)])
def test_make_test_may_select_tests_of_one_of_its_two_runs(tmp_path: Path, ends: tuple[int, int], code: int) -> None:
    """A Python of its own stands in for the two runs: they leave as pytest does, 5 when it found no test."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    apart, alone = ends
    python.write_text(f'#!/bin/sh\ncase "$*" in *"servers and not slow"*) exit {alone};; *) exit {apart};; esac\n')
    python.chmod(0o755)
    for stamp in (".installed", ".installed-dev"):
        (tmp_path / stamp).touch()
    made = subprocess.run(["make", "test", f"VENV={tmp_path}"], cwd=ROOT, capture_output=True, check=False)
    assert made.returncode == code
