"""`segin case screen`, `assess` and `assessments`, `segin vulnerability`, `guardian` and `instrument` as processes.

The answers, the guardian and the weights in here are invented.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def in_screening(segin: CommandLine) -> str:
    """The code of a case of which the manifest says nothing that makes vulnerable, in screening."""
    for case in segin.json("case", "list", "--limit", 50)["cases"]:
        code: str = case["code"]
        if case["version"] == 1:
            break
    else:
        raise AssertionError("everybody is vulnerable")
    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    consent = ("consent", "record", code, "assistance", "--role", "case_worker")
    segin.run(*consent)
    segin.json("case", "move", code, "begin_screening", "--role", "case_worker")
    return code


def test_a_child_who_came_alone_goes_on_once_somebody_answers_for_them(
    segin: CommandLine, in_screening: str, tmp_path: Path
) -> None:
    code = in_screening
    answers = tmp_path / "answers.txt"
    answers.write_text("1 0, 2\n0;1 0", encoding="utf-8")
    screened = segin.json("case", "screen", code, "--found", "unaccompanied_child", "--command-id", "screen-1")
    assert (screened["outcome"], screened["found"]) == ("moved", ["unaccompanied_child"])
    assert segin.json("case", "screen", code, "--command-id", "screen-1")["outcome"] == "already_done"
    assessed = segin.json("case", "assess", code, "k6", "--answers", answers)
    assert (assessed["outcome"], assessed["help_at_once"], assessed["emergency_raised"]) == ("moved", False, False)
    assert segin.json("case", "show", code)["priority"] == "emergency"

    (found,) = segin.json("vulnerability", "list", code)["vulnerabilities"]
    assert (found["kind"], found["urgency"], found["status"]) == ("unaccompanied_child", "emergency", "identified")
    assert segin.json("vulnerability", "address", code, found["code"])["outcome"] == "moved"
    refused = segin.json("case", "move", code, "begin_planning", code=1)
    assert [reason["code"] for reason in refused["reasons"]] == ["guardian_recorded"]

    details = tmp_path / "guardian.txt"
    details.write_text("Oncle Fictif\n+22370000099\n", encoding="utf-8")
    guardian = segin.json("guardian", "record", code, "relative", "--details", details)["guardian"]
    assert segin.json("guardian", "verify", code, guardian)["outcome"] == "moved"
    (line,) = segin.json("vulnerability", "list", code)["guardians"]
    assert (line["name"], line["phone"], line["status"]) == ("Oncle Fictif", "+22370000099", "verified")
    assert "Oncle Fictif" in segin.text("vulnerability", "list", code)
    assert segin.json("case", "move", code, "begin_planning", "--role", "case_worker")["to_state"] == "planning"
    assert segin.json("guardian", "end", code, guardian, "--no-replace")["outcome"] == "moved"
    assert segin.json("vulnerability", "resolve", code, found["code"])["outcome"] == "moved"
    dismissal = ("--reason", "noted_by_mistake", "--note", "Vit avec sa mère")
    assert segin.json("vulnerability", "dismiss", code, found["code"], *dismissal)["outcome"] == "moved"
    again = segin.json("vulnerability", "identify", code, "medical", "--urgency", "normal")
    assert again["outcome"] == "moved"

    answers.write_text("0 0 1 0 0 0", encoding="utf-8")
    segin.json("case", "assess", code, "k6", "--answers", answers)
    history = segin.json("case", "assessments", code)["instruments"]
    assert [each["score"] for each in history[0]["results"]] == [4, 1]
    assert history[0]["results"][1]["since_previous"]["points"] == -3
    shown = segin.text("case", "assessments", code)
    assert "-3, mieux" in shown
    assert segin.json("case", "assessments", code, "--role", "training_officer")["instruments"] == []
    assert "Aucun résultat" in segin.text("case", "assessments", code, "--role", "training_officer")


def test_an_answer_that_asks_for_help_says_that_the_emergency_was_raised(
    segin: CommandLine, in_screening: str, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("0 0 0 0 0 0 0 0 1", encoding="utf-8")
    made = segin.json("case", "assess", in_screening, "phq9", "--answers", answers)
    assert (made["help_at_once"], made["emergency_raised"]) == (True, True)
    assert "Restez avec la personne" in segin.text("case", "assess", in_screening, "phq9", "--answers", answers)
    for role in ("training_officer", "case_worker"):
        refused = segin.json("case", "assess", in_screening, "phq9", "--answers", answers, "--role", role, code=1)
        assert [reason["code"] for reason in refused["reasons"]] == ["instrument_not_for_role"]
    assert "refusé" in segin.text("case", "assess", in_screening, "phq9", "--answers", answers, "--role", role, code=1)


def test_what_cannot_be_recorded_is_refused_with_a_sentence(
    segin: CommandLine, in_screening: str, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("1 1 x", encoding="utf-8")
    assert "whole numbers" in segin.error("case", "assess", in_screening, "k6", "--answers", answers, code=2)
    answers.write_bytes(b"\xff\xfe")
    assert "UTF-8" in segin.error("case", "assess", in_screening, "k6", "--answers", answers, code=2)
    answers.write_text("1 1", encoding="utf-8")
    assert "6 items, but 2" in segin.error("case", "assess", in_screening, "k6", "--answers", answers, code=2)
    weights = segin.error("case", "assess", in_screening, "rss", "--answers", answers, code=2)
    assert "official weights are missing" in weights
    assert "SEGIN_INSTRUMENTS_DIR" in weights
    assert segin.error("case", "assess", in_screening, "k6", "--answers", tmp_path / "nowhere", code=1)
    assert "left_handed" in segin.error("case", "screen", in_screening, "--found", "left_handed", code=2)
    assert segin.error("vulnerability", "list", in_screening, "--role", "training_officer", code=2)
    answers.write_text("\n", encoding="utf-8")
    assert "a name" in segin.error("guardian", "record", in_screening, "parent", "--details", answers, code=2)


def test_a_programmes_instruments_are_listed_checked_and_used(
    segin: CommandLine, in_screening: str, tmp_path: Path
) -> None:
    def title(text: str) -> dict[str, str]:
        return {"fr": text, "en": text}

    bands = [{"code": "low", "title": title("bas"), "from": 0}, {"code": "high", "title": title("haut"), "from": 500}]
    weights = {
        "instrument": "rss",
        "version": 1,
        "kind": "weighted",
        "title": title("Enquête (poids inventés)"),
        "roles": ["case_worker", "coordinator"],
        "higher": "better",
        "dimensions": {"economic": {"title": title("Économique"), "bands": bands}},
        "indicators": {"income": {"dimension": "economic", "points": {1: 0, 2: 1}, "weight": 1, "composite_weight": 1}},
        "bands": bands,
        "source": "invented for the tests",
        "licence": "none",
    }
    folder = tmp_path / "instruments"
    folder.mkdir()
    file = folder / "rss.yaml"
    awaited = {each["instrument"]: each["missing"] for each in segin.json("instrument", "list")["instruments"]}
    assert [name for name, missing in awaited.items() if missing] == ["rss"]
    assert "pondérations officielles" in segin.text("instrument", "list")

    file.write_text(json.dumps(weights | {"version": 0}, indent=1), encoding="utf-8")
    wrong = segin.json("instrument", "check", file, code=1)
    assert (wrong["usable"], [each["line"] for each in wrong["problems"]]) == (False, [3])
    assert "rss.yaml:3" in segin.text("instrument", "check", file, code=1)
    file.write_text(json.dumps(weights, indent=1), encoding="utf-8")
    assert segin.json("instrument", "check", file)["instrument"]["items"] == 1
    assert "bon" in segin.text("instrument", "check", file)

    answers = tmp_path / "answers.txt"
    answers.write_text("2", encoding="utf-8")
    assess = ("case", "assess", in_screening, "rss", "--answers", answers, "--role", "case_worker")
    assert segin.json(*assess, instruments_dir=folder)["outcome"] == "moved"
    shown = segin.json("case", "assessments", in_screening)["instruments"]
    assert [(each["instrument"], each["results"][0]["score"]) for each in shown] == [("rss", 1000)]
    file.write_text(json.dumps(weights | {"licence": "other"}), encoding="utf-8")
    assert "Version 1 of rss" in segin.error(*assess, instruments_dir=folder, code=2)
    assert "no folder" in segin.error(*assess, instruments_dir=tmp_path / "nowhere", code=2)
