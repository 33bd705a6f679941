"""`segin plan` as a process: drafted from a file, returned, revised, approved by another, carried out. Synthetic."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import pytest
from command_line import CommandLine

GOAL = "Vivre-de-la-couture"
PLAN = f"""
needs: [training]
items:
  - {{level: individual, dimension: economic, goal: {GOAL}, service: training, need: training, starts_on: 2024-03-01}}
  - {{level: community, dimension: social, goal: Garde des enfants, service: education, provider: Voisine (fictive)}}
"""


@pytest.fixture
def case(segin: CommandLine, tmp_path: Path) -> str:
    """A case in planning, with its case worker and two coordinators."""
    for login, role in (("awa", "case_worker"), ("fanta", "coordinator"), ("issa", "coordinator")):
        segin.json("staff", "add", login, "Personnel fictif", "--role", role)
    code = str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])
    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    segin.json("consent", "record", code, "assistance")
    segin.json("case", "move", code, "begin_screening", "--role", "intake_officer")
    segin.json("case", "screen", code)
    (tmp_path / "k6.txt").write_text("0 0 1 0 0 0", encoding="utf-8")
    segin.json("case", "assess", code, "k6", "--answers", tmp_path / "k6.txt")
    segin.json("case", "move", code, "begin_planning", "--role", "case_worker")
    return code


def test_a_plan_goes_from_a_file_to_what_is_done(segin: CommandLine, case: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, encoding="utf-8")
    draft = ("plan", "draft", case, file, "--as", "awa", "--command-id", "d1")
    plan = segin.json(*draft)["plan"]
    assert segin.json(*draft)["outcome"] == "already_done"
    assert segin.json("plan", "submit", case, plan, "--as", "awa")["outcome"] == "moved"
    own = segin.json("plan", "approve", case, plan, "--as", "awa", code=1)
    assert [reason["code"] for reason in own["reasons"]] == ["role_not_allowed", "plan_approver_differs"]
    segin.json("plan", "return", case, plan, "--as", "fanta", "--note", "Trop vague")

    (revision,) = segin.json("plan", "show", case)["revisions"]
    first, second = revision["items"]
    assert (first["goal"], first["starts_on"], second["provider"]) == (GOAL, "2024-03-01", "Voisine (fictive)")
    file.write_text(json.dumps({"needs": ["training", "livelihood"], "drop": [second["code"]]}), encoding="utf-8")
    assert segin.json("plan", "revise", case, plan, file, "--as", "fanta")["outcome"] == "moved"
    segin.json("plan", "submit", case, plan, "--as", "fanta")
    own = segin.json("plan", "approve", case, plan, "--as", "fanta", code=1)
    assert [reason["code"] for reason in own["reasons"]] == ["plan_approver_differs"]
    assert segin.json("plan", "approve", case, plan, "--as", "issa")["outcome"] == "moved"

    assert segin.json("plan", "item", "start", case, first["code"])["item"] == first["code"]
    assert segin.json("plan", "item", "finish", case, first["code"])["outcome"] == "moved"
    dropped = segin.json("plan", "item", "drop", case, first["code"], "--reason", "other", code=1)
    assert [reason["code"] for reason in dropped["reasons"]] == ["wrong_record_state"]
    (revision,) = segin.json("plan", "show", case)["revisions"]
    assert (revision["in_force"], revision["author"], revision["approver"]) == (True, "fanta", "issa")
    assert [(each["status"], each["reason"]) for each in revision["items"]] == [
        ("done", None),
        ("dropped", "plan_revised"),
    ]
    shown = segin.text("plan", "show", case)
    assert plan in shown
    assert first["code"] in shown
    assert "en vigueur" in shown
    for word in ("individuel", "économique", "approuvé", "direct", "fait", "abandonné", "formation"):
        assert word in shown
    for code in ("individual", "economic", "approved", "done", "dropped"):
        assert code not in shown
    assert segin.json("journal", "verify")["broken"] == 0


@pytest.mark.parametrize(
    ("command", "written"), [(("plan", "draft"), PLAN), (("care", "session", "--note"), "Note fictive")]
)
def test_others_write_while_somebody_still_types_what_a_command_reads(
    segin: CommandLine, case: str, tmp_path: Path, command: tuple[str, ...], written: str
) -> None:
    pipe = tmp_path / "typed"
    os.mkfifo(pipe)
    room, act, *option = command
    with ThreadPoolExecutor(1) as apart:
        typing = apart.submit(segin.json, room, act, case, *option, str(pipe))
        with written_to(pipe, typing) as opened:
            segin.json("staff", "add", "moussa", "Personnel fictif", "--role", "case_worker")
            opened.write(written)
        assert typing.result()["outcome"] == "moved"


def written_to(pipe: Path, reading: Future[Any]) -> TextIO:
    """The pipe, opened to write as soon as the command reads from it."""
    while not reading.done():
        try:
            return os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "w", encoding="utf-8")
        except OSError:  # nobody reads yet
            time.sleep(0.01)
    raise AssertionError("the command did not read")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (PLAN.replace("level: individual, ", ""), "items.0.level"),
        (PLAN.replace("2024-03-01", GOAL), "items.0.starts_on"),
        (f"{PLAN}more: {GOAL}", "no plan: (unknown key)."),
        (f"{PLAN}{GOAL}: more", "no plan: (unknown key)."),
        (PLAN.replace(f"goal: {GOAL}", f"goal: Coudre, {GOAL}"), "no plan: items.0 (unknown key)."),
        (f"needs: [{GOAL}", "line"),
        (f"- {GOAL}", "line"),
        (PLAN.replace("provider: Voisine (fictive)", "partner: nobody"), "no partner"),
        (PLAN.replace("service: training", "service: magic"), "'magic'"),
        ("needs: []\ndrop: [NONE]", "plan show"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_with_the_place(
    segin: CommandLine, tmp_path: Path, written: str, said: str
) -> None:
    code = str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])
    file = tmp_path / "plan.yaml"
    file.write_text(written, encoding="utf-8")
    error = segin.error("plan", "draft", code, file, code=2)
    assert said in error
    assert GOAL not in error
    assert segin.json("plan", "show", code)["revisions"] == []
