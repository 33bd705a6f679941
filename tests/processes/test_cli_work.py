"""Task lists, the workload, absences and departures, through the command line's processes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from command_line import CommandLine

from models.database import create_engine_for, write_session
from states.assignment import assign_tasks


@pytest.fixture
def staffed(segin: CommandLine) -> CommandLine:
    """Two intake officers of no office and a coordinator; every open task of the caseload is given."""
    for login, role in (("awa", "intake_officer"), ("binta", "intake_officer"), ("coordo", "coordinator")):
        segin.json("staff", "add", login, f"Exemple {login}", "--role", role)
    _assign(segin)
    return segin


def _assign(segin: CommandLine) -> None:
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    with write_session(engine) as session:
        assign_tasks(session, case_ids=None, now=datetime.now(UTC), limit=10_000)
        session.commit()
    engine.dispose()


def _people(segin: CommandLine) -> dict[str, dict[str, Any]]:
    return {person["login"]: person for person in segin.json("workload")["people"]}


def test_the_workload_and_the_lists_say_the_same(staffed: CommandLine) -> None:
    people = _people(staffed)
    assert abs(people["awa"]["open"] - people["binta"]["open"]) <= 1
    seen = staffed.json("workload")
    total, nobodys = seen["total"]["open"], seen["unassigned"]["open"]
    assert sum(person["open"] for person in people.values()) + nobodys == total
    for login in people:
        for which in ("open", "overdue", "today", "week", "held", "emergency"):
            listed = staffed.json("tasks", "--staff", login, "--which", which, "--limit", 10_000)
            assert people[login][which] == listed["total"] == len(listed["tasks"])
    first = staffed.json("tasks", "--limit", 20)
    rest = staffed.json("tasks", "--limit", 10_000, "--after", first["next"])
    assert len(first["tasks"]) + len(rest["tasks"]) == total
    assert "awa" in staffed.text("workload", "--role", "intake_officer")
    assert staffed.json("tasks", "--unassigned")["total"] == nobodys
    assert staffed.json("tasks", "--due-before", "2000-01-01")["total"] == 0
    assert staffed.error("workload", "--office", "NONE", code=2)


def test_a_task_changes_hands_and_its_history_tells(staffed: CommandLine) -> None:
    task = staffed.json("tasks", "--staff", "awa", "--limit", 1)["tasks"][0]
    given = staffed.json("tasks", "assign", task["id"], "--to", "binta", "--as", "coordo")
    assert given == {"id": task["id"], "staff": "binta"}
    history = staffed.json("tasks", "history", task["id"])["history"]
    assert [(entry["from"], entry["to"], entry["by"], entry["cause"]) for entry in history] == [
        (None, "awa", None, "turn"),
        ("awa", "binta", "coordo", "by_hand"),
    ]
    assert "by_hand" in staffed.text("tasks", "history", task["id"])
    assert "coordinator" in staffed.error("tasks", "assign", task["id"], "--to", "coordo", code=2)
    assert staffed.error("tasks", "assign", 99_999, "--to", "awa", code=2)
    assert staffed.error("tasks", "history", 99_999, code=2)


def test_who_is_away_hands_over_and_comes_back(staffed: CommandLine) -> None:
    before = _people(staffed)
    away = staffed.json(
        *("staff", "absent", "awa", "--from", "2024-01-01", "--reason", "sick", "--hand-over", "--as", "coordo")
    )
    assert away == {
        "login": "awa",
        "from": "2024-01-01",
        "to": None,
        "given": {"binta": before["awa"]["open"]},
        "left": 0,
        "held": 0,
    }
    after = _people(staffed)
    assert (after["awa"]["away"], after["awa"]["open"]) == (True, 0)
    assert after["binta"]["open"] == before["awa"]["open"] + before["binta"]["open"]
    assert "absent" in staffed.text("workload")
    task = staffed.json("tasks", "--staff", "binta", "--limit", 1)["tasks"][0]
    assert "not at work" in staffed.error("tasks", "assign", task["id"], "--to", "awa", code=2)
    (line,) = staffed.json("staff", "absences")["absences"]
    assert (line["login"], line["from"], line["to"], line["reason"]) == ("awa", "2024-01-01", None, "sick")
    assert "awa" in staffed.text("staff", "absences")
    assert staffed.json("staff", "back", "awa") == {"login": "awa", "ended": 1}
    assert staffed.json("staff", "back", "awa") == {"login": "awa", "ended": 0}
    assert _people(staffed)["awa"] == after["awa"] | {"away": False}, "tasks stay where they are"
    assert staffed.error("staff", "absent", "awa", "--from", "2024-02-01", "--to", "2024-01-01", code=2)


def test_who_leaves_hands_everything_over_and_cannot_act(staffed: CommandLine) -> None:
    before, nobodys = _people(staffed), staffed.json("workload")["unassigned"]["open"]
    left = staffed.json("staff", "leave", "awa", "--as", "coordo")
    assert left == {"login": "awa", "given": {"binta": before["awa"]["open"]}, "left": 0, "held": 0}
    assert _people(staffed).keys() == {"binta", "coordo"}
    task = staffed.json("tasks", "--staff", "binta", "--limit", 1)["tasks"][0]
    assert "not work here" in staffed.error("tasks", "done", task["id"], "--as", "awa", code=2)
    assert staffed.error("staff", "leave", "awa", code=2)
    last = staffed.json("staff", "leave", "binta")
    assert (last["given"], last["left"]) == ({}, before["awa"]["open"] + before["binta"]["open"])
    assert staffed.json("workload")["unassigned"]["open"] == nobodys + last["left"]


def test_an_offices_tasks_move_to_another(staffed: CommandLine) -> None:
    for code in ("SEG", "BKO"):
        staffed.json("office", "add", code, f"Bureau {code}")
    assert staffed.json("tasks", "move", "SEG", "BKO", "--as", "coordo") == {"given": {}, "left": 0, "held": 0}
    assert staffed.error("tasks", "move", "SEG", "SEG", code=2)
    assert staffed.error("tasks", "move", "SEG", "NONE", code=2)
