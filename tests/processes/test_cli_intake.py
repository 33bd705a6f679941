"""`segin intake` and `segin duplicates` as processes: manifests in, rejected rows out, a person's word on doubles."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from command_line import MANIFESTS, TAKEN_IN, CommandLine, TakenIn

EXPECTED = [
    file for file in json.loads((MANIFESTS / "EXPECTED.json").read_bytes())["files"] if file["file"] in TAKEN_IN
]


def test_a_folder_is_taken_in_and_what_cannot_be_read_is_said(taken_in: TakenIn) -> None:
    said = taken_in.said
    assert said["rows"] == sum(file["rows"] for file in EXPECTED)
    assert said["rejected"] == sum(len(file["rejected"]) for file in EXPECTED)
    assert (said["files"], said["refused_files"]) == (5, 2)
    assert said["registered"] + said["rejected"] + said["already_known"] + said["waiting"] == said["rows"]
    assert said["waiting"] == 2
    assert sum(said["reasons"].values()) == said["rejected"]
    assert [one["file"] for one in said["manifests"]] == list(TAKEN_IN)
    assert [one["file"] for one in said["refused"]] == ["000-empty.csv", "099-broken.xlsx"]
    assert all(one["message_fr"] and one["message_en"] and one["remedy_fr"] for one in said["refused"])
    written = Path(said["error_file"])
    with written.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert written.stat().st_mode & 0o777 == 0o600
    assert len(rows) == said["rejected"]
    assert sorted({row["Motif / Reason"] for row in rows}) == sorted(said["reasons"])


def test_a_second_time_changes_nothing_and_tells_people_in_their_language(
    segin: CommandLine, taken_in: TakenIn
) -> None:
    again = segin.json("intake", taken_in.manifests, code=3)
    said = taken_in.said
    assert (again["rows"], again["rejected"]) == (said["rows"], said["rejected"])
    assert (again["registered"], again["waiting"]) == (0, 0)
    assert again["already_known"] == said["registered"] + said["waiting"]
    assert all(one["seen_before"] for one in again["manifests"])
    assert len(segin.json("case", "list", "--limit", 10_000)["cases"]) == taken_in.said["registered"]
    french = segin.text("intake", taken_in.manifests / TAKEN_IN[0])
    assert french.startswith("1 fichiers · 168 lignes · 0 inscrites · 2 rejetées · 166 déjà connues")
    english = segin.text("intake", taken_in.manifests / "000-empty.csv", code=1, language="en")
    assert "000-empty.csv: the file is empty." in english


def test_what_cannot_work_is_refused_before_anything_is_taken_in(fresh: CommandLine, tmp_path: Path) -> None:
    manifest = MANIFESTS / TAKEN_IN[0]
    assert "no-such-folder" in fresh.error("intake", manifest, "--errors", tmp_path / "no-such-folder" / "x", code=1)
    assert fresh.json("case", "list") == {"cases": [], "total": 0, "next": None}
    (tmp_path / "nothing").mkdir()
    assert "no .xlsx or .csv" in fresh.error("intake", tmp_path / "nothing", code=2)
    assert "does not exist" in fresh.error("intake", tmp_path / "no-such-file.csv", code=2)
    (tmp_path / "data.txt").touch()
    assert "data.txt" in fresh.error("case", "list", code=1, data_dir=tmp_path / "data.txt")


def test_a_person_says_who_is_the_same(segin: CommandLine, taken_in: TakenIn) -> None:
    waiting = segin.json("duplicates", "list")["waiting"]
    one, other = (row["row_id"] for row in waiting)
    known = waiting[0]["candidates"][0]["case_code"]
    shown = segin.text("duplicates", "list", language="en")
    assert all(row["arrival"]["family_name"] in shown for row in waiting)
    assert "same ROW [--candidate N]" in shown

    same = segin.json("duplicates", "same", one)
    assert (same["decision"], same["case_code"], same["changed"]) == ("same", known, True)
    assert not segin.json("duplicates", "same", one)["changed"]
    assert segin.error("duplicates", "different", one, code=1)
    assert segin.error("duplicates", "same", 99_999, code=2)
    different = segin.json("duplicates", "different", other)
    assert (different["decision"], different["changed"]) == ("different", True)
    assert segin.json("duplicates", "list") == {"waiting": []}
    assert len(segin.json("case", "list", "--limit", 10_000)["cases"]) == taken_in.said["registered"] + 1


def test_somebody_who_returned_once_more_has_a_second_case(segin: CommandLine) -> None:
    row = segin.json("duplicates", "list")["waiting"][0]
    again = segin.json("duplicates", "again", row["row_id"])
    assert again["decision"] == "returned_again"
    first, second = (
        segin.json("case", "show", code) for code in (row["candidates"][0]["case_code"], again["case_code"])
    )
    assert first["code"] != second["code"]
    assert first["returnee"] == second["returnee"]
