"""`segin case` and `segin tasks` as processes: look at the caseload, see what is possible, move, and be refused."""

from __future__ import annotations

import json

from command_line import CommandLine, TakenIn


def test_the_caseload_is_listed_in_pages_that_name_nobody(segin: CommandLine, taken_in: TakenIn) -> None:
    first = segin.json("case", "list", "--limit", 200)
    rest = segin.json("case", "list", "--limit", 200, "--after", first["next"])
    assert first["next"] == first["cases"][-1]["code"]
    assert rest["next"] is None
    everybody = first["cases"] + rest["cases"]
    assert len({case["code"] for case in everybody}) == len(everybody) == taken_in.said["registered"]
    assert {case["state"] for case in everybody} == {"registered"}
    shown = segin.text("case", "list", "--limit", 200, language="en")
    assert first["next"] in shown
    assert not any(name in (json.dumps(everybody, ensure_ascii=False) + shown).casefold() for name in taken_in.names)
    assert segin.json("case", "list", "--state", "closed", "--priority", "urgent", "--overdue")["cases"] == []
    region = segin.json("case", "list", "--region", "ML01", "--limit", 10_000)["cases"]
    assert [case["code"] for case in region] == [case["code"] for case in everybody if case["region"] == "ML01"]


def test_one_case_is_looked_at_previewed_and_moved_once(segin: CommandLine) -> None:
    case = segin.json("case", "list", "--limit", 1)["cases"][0]
    code = case["code"]
    shown = segin.json("case", "show", code.lower())
    assert case.items() - {("open_tasks", 1), ("overdue", 0)} <= {k: v for k, v in shown.items() if k in case}.items()
    assert [row["trigger"] for row in shown["journal"]] == ["register"]
    person = shown["returnee"]
    read = segin.text("case", "show", code)
    assert f"{person['family_name']} {person['given_names']}" in read
    assert "Enregistré" in read

    seen = segin.json("case", "preview", code, "--role", "intake_officer")
    moves = {move["trigger"]: move for move in seen["moves"]}
    assert (moves["confirm_arrival"]["allowed"], moves["confirm_arrival"]["to_state"]) == (True, "arrived")
    assert all(move["reasons"] for move in seen["moves"] if not move["allowed"])
    assert "pas possible" in segin.text("case", "preview", code)

    move = ("case", "move", code, "confirm_arrival", "--role", "intake_officer", "--command-id", "desk-1")
    moved = segin.json(*move, "--expected-version", seen["version"])
    assert (moved["outcome"], moved["to_state"], moved["command_id"]) == ("moved", "arrived", "desk-1")
    again = segin.json(*move, "--expected-version", seen["version"])
    assert again == moved | {"outcome": "already_done"}
    assert "(done before)" in segin.text(*move, language="en")
    stale = segin.json(
        "case", "move", code, "begin_screening", "--expected-version", seen["version"], "--role", "case_worker", code=1
    )
    assert (stale["outcome"], stale["version"]) == ("stale", moved["version"])
    after = segin.json("case", "show", code)
    assert [row["trigger"] for row in after["journal"]] == ["register", "confirm_arrival"]
    assert "confirm_arrival" not in [task["key"] for task in after["tasks"] if task["status"] == "open"]


def test_a_refusal_says_why_and_changes_nothing(segin: CommandLine) -> None:
    code = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    refused = segin.json("case", "move", code, "begin_screening", "--data", "months=--5", "--note", "n", code=1)
    assert (refused["outcome"], refused["from_state"], refused["version"]) == ("refused", None, 1)
    assert all(reason["text_fr"] and reason["text_en"] for reason in refused["reasons"])
    assert [one["code"] for one in segin.json("case", "move", code, "fly", code=1)["reasons"]] == ["unknown_trigger"]
    assert "refusé" in segin.text("case", "move", code, "fly", code=1)
    assert "--data" in segin.error("case", "move", code, "confirm_arrival", "--data", "months", code=2)
    assert "no case" in segin.error("case", "show", "XXXX-XXXX-XXXX-X", code=2)
    assert segin.error("case", "move", code, "confirm_arrival", "--as", "nobody", code=2)
    assert segin.error("case", "list", "--limit", 0, code=2)
    assert segin.json("case", "show", code)["version"] == 1


def test_tasks_are_listed_and_ended_by_whom_they_belong_to(segin: CommandLine) -> None:
    code = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    segin.json("case", "move", code, "confirm_arrival", "--role", "intake_officer")
    by_key = {task["key"]: task for task in segin.json("tasks", "--limit", 10_000)["tasks"] if task["case"] == code}
    assistance = by_key["post_arrival_assistance"]
    refused = segin.json("tasks", "done", assistance["id"], "--role", "training_officer", code=1)
    assert (refused["done"], [one["code"] for one in refused["reasons"]]) == (False, ["role_not_allowed"])
    interview = by_key["identity_interview"]
    assert not segin.json("tasks", "done", interview["id"], "--role", interview["role"], code=1)["done"]
    done = segin.json("tasks", "done", assistance["id"], "--role", assistance["role"])
    assert done == {"id": assistance["id"], "done": True, "reasons": []}
    none = {"tasks": [], "total": 0, "next": None}
    left = segin.json("tasks", "--role", assistance["role"], "--limit", 10_000)["tasks"]
    assert assistance["id"] not in [task["id"] for task in left]
    assert segin.json("tasks", "--role", "livelihood_officer") == none
    assert segin.json("tasks", "--overdue") == none
    assert segin.error("tasks", "--staff", "nobody", code=2)
