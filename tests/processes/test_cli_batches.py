"""`segin case batch` as processes: looked at first, confirmed, moved in chunks, killed midway, and gone on with."""

from __future__ import annotations

import csv
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from command_line import CommandLine, TakenIn
from running_processes import PATIENCE_SECONDS, SEGIN, environment_with

ORDER = ("case", "batch", "confirm_arrival", "--state", "registered", "--role", "intake_officer")


def _states(segin: CommandLine) -> Counter[str]:
    return Counter(case["state"] for case in segin.json("case", "list", "--limit", 10_000)["cases"])


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    segin: CommandLine, taken_in: TakenIn, tmp_path: Path
) -> None:
    before = _states(segin)
    total = before["registered"]
    file = tmp_path / "report.csv"
    foreseen = segin.json(*ORDER, "--dry-run", "--report", file)
    assert (foreseen["batch"], foreseen["dry_run"], foreseen["total"]) == (None, True, total)
    assert foreseen["outcomes"] == {"moved": total}
    with file.open(encoding="utf-8-sig", newline="") as opened:
        _, *lines = csv.reader(opened, delimiter=";")
    assert (len(lines), {line[1] for line in lines}) == (total, {"avance"})
    assert file.stat().st_mode & 0o777 == 0o600
    refused = segin.json("case", "batch", "close", "--all", "--dry-run", "--shown", 2, code=1)
    assert refused["outcomes"] == {"refused": total}
    assert all(reason["cases"] == total and len(reason["codes"]) == 2 for reason in refused["reasons"])
    text = segin.text("case", "batch", "close", "--all", "--dry-run", code=1)
    assert "refusé" in text
    assert str(total) in text
    assert _states(segin) == before
    assert segin.json("case", "batches") == {"batches": []}


def test_a_batch_moves_all_that_the_filter_finds_and_reports_in_part(segin: CommandLine) -> None:
    codes = [case["code"] for case in segin.json("case", "list", "--limit", 3)["cases"]]
    for code in codes:
        segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    total = segin.json("case", "list")["total"]
    done = segin.json("case", "batch", "confirm_arrival", "--all", "--yes", "--role", "intake_officer", code=3)
    assert done["outcomes"] == {"moved": total - 3, "refused": 3}
    (reason,) = done["reasons"]
    assert (reason["code"], reason["cases"], sorted(reason["codes"])) == ("wrong_state", 3, sorted(codes))
    assert _states(segin) == {"arrived": total}
    (listed,) = segin.json("case", "batches")["batches"]
    assert (listed["batch"], listed["total"], listed["status"]) == (done["batch"], total, "done")
    again = segin.json("case", "batch", "--resume", done["batch"], "--yes", code=3)
    assert again == done
    held = segin.json("case", "batch", "hold", "--state", "arrived", "--reason", "security", "--yes")
    assert held["outcomes"] == {"moved": total}
    assert segin.json("case", "list", "--hold-reason", "security", "--age", 0)["total"] == total
    none = segin.json("case", "batch", "hold", "--state", "arrived", "--reason", "security", "--yes")
    assert (none["total"], none["outcomes"]) == (0, {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("case", "batch"), "Name a move"),
        (("case", "batch", "hold", "--yes"), "--all"),
        (("case", "batch", "hold", "--all", "--state", "arrived", "--yes"), "--all"),
        (("case", "batch", "hold", "--resume", "B-1"), "Name a move"),
        (("case", "batch", "--resume", "B-1", "--state", "arrived"), "Name a move"),
        (("case", "batch", "--resume", "B-1", "--yes"), "no batch"),
        (("case", "batch", "hold", "--all"), "--yes"),
        (("case", "batch", "hold", "--all", "--dry-run", "--data", "months"), "--data"),
        (("case", "batch", "hold", "--office", "NONE", "--dry-run"), "no office"),
    ],
)
def test_an_order_that_is_not_clear_is_wrong_use(segin: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    assert said in segin.error(*arguments, code=2)


@pytest.mark.parametrize("answer", ["n", "y"])
def test_a_person_at_a_terminal_is_asked_first(segin: CommandLine, answer: str) -> None:
    before = _states(segin)
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [sys.executable, *SEGIN, *ORDER, "--json"],
        env=environment_with(data_dir=segin.data_dir, language="en"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.write(ours, f"{answer}\n".encode())
    out, err = asked.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)
    os.close(theirs)
    done = segin.checked(ORDER, out.decode(), 0)
    assert b"Begin?" in err
    assert f"{before['registered']}".encode() in err
    agreed = answer == "y"
    assert asked.returncode == (0 if agreed else 1)
    assert done["status"] == ("done" if agreed else "declined")
    assert done["outcomes"] == {"moved" if agreed else "waiting": before["registered"]}
    assert (_states(segin) == before) is not agreed


def test_a_batch_killed_in_the_midst_goes_on_and_moves_no_case_twice(segin: CommandLine, tmp_path: Path) -> None:
    before = {case["code"]: case["version"] for case in segin.json("case", "list", "--limit", 10_000)["cases"]}
    total = len(before)
    process = subprocess.Popen(
        [sys.executable, *SEGIN, *ORDER, "--yes", "--chunk", "1", "--json"],
        env=environment_with(data_dir=segin.data_dir, language="en"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "more case" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == -signal.SIGKILL
    (stopped,) = segin.json("case", "batches")["batches"]
    assert (stopped["status"], stopped["total"]) == ("running", total)
    waiting = segin.json("case", "batch", "--resume", stopped["batch"], "--dry-run")["total"]
    assert 0 < waiting < total
    assert _states(segin) == {"registered": waiting, "arrived": total - waiting}
    file = tmp_path / "report.csv"
    done = segin.json("case", "batch", "--resume", stopped["batch"], "--yes", "--report", file)
    assert (done["status"], done["total"], done["outcomes"]) == ("done", total, {"moved": total})
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == total + 1
    cases = segin.json("case", "list", "--limit", 10_000)["cases"]
    assert {case["code"]: case["version"] - 1 for case in cases} == before, "each case moved once"
    assert segin.json("journal", "verify")["broken"] == 0
