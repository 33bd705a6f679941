"""Courses, grants, budgets and projects from the command line: what is said, what is refused, and with which code."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from sqlmodel import Session
from supported_cases import in_state, propose
from synthetic_cases import open_caseload

from models.database import create_engine_for, write_session
from states.codes import read_code

YEAR = ("--from", "2020-01-01", "--until", "2099-12-31")


@pytest.fixture
def living(fresh: CommandLine) -> tuple[CommandLine, list[str], list[str]]:
    """A new data folder with two cases in training and one in livelihood with a proposed grant; their codes."""
    fresh.json("staff", "list")  # makes the database
    engine = create_engine_for(f"sqlite:///{Path(fresh.data_dir)}/segin.db")
    with write_session(engine) as session:
        training, livelihood = _cases(session)
        session.commit()
    engine.dispose()
    return fresh, training, livelihood


def _cases(session: Session) -> tuple[list[str], list[str]]:
    caseload = open_caseload(session)
    training = [caseload.case(id_).code for id_ in in_state(caseload, "start_training", 2)]
    (case_id,) = in_state(caseload, "start_livelihood")
    assert propose(caseload, case_id, "GRANT-1", 300_000).reasons == ()
    return training, [caseload.case(case_id).code]


def test_a_course_fills_up_and_a_line_forms(living: tuple[CommandLine, list[str], list[str]]) -> None:
    segin, (first, second), _ = living
    held = ("--capacity", "1", "--place", "Kayes", "--provider", "Centre (fictif)", *YEAR)
    assert segin.json("course", "add", "COUTURE", "couture", *held) == {"code": "COUTURE", "capacity": 1}
    again = segin.json("course", "add", "COUTURE", "couture", *held, code=2)
    assert "COUTURE" in again["error"]["message"]
    segin.json("course", "add", "X", "x", "--capacity", "1", "--place", "x", "--partner", "unheard", *YEAR, code=2)

    done = segin.json("course", "enrol", first, "COUTURE", "--command-id", "once")
    assert (done["outcome"], read_code(done["enrolment"])) == ("moved", done["enrolment"])
    assert segin.json("course", "enrol", first, "COUTURE", "--command-id", "once")["outcome"] == "already_done"
    full = segin.json("course", "enrol", second, "COUTURE", code=1)
    assert [reason["code"] for reason in full["reasons"]] == ["course_full"]
    assert segin.json("course", "enrol", second, "COUTURE", "--wait")["outcome"] == "moved"

    (line,) = segin.json("course", "list", "--open")["courses"]
    assert (line["capacity"], line["taken"], line["free"], line["waiting"]) == (1, 1, 0, 1)
    (turn,) = segin.json("course", "waiting", "COUTURE")["waiting"]
    assert (turn["rank"], turn["case"], turn["priority"]) == (1, second, "normal")
    assert turn["why"]["fr"].startswith("Priorité : normale")
    shown = segin.json("course", "show", "COUTURE")
    assert [(each["case"], each["status"], each["rate"]) for each in shown["enrolments"]] == [
        *((first, "enrolled", None), (second, "waiting", None)),
    ]
    assert second in segin.text("course", "waiting", "COUTURE")
    assert "COUTURE" not in segin.text("course", "list", "--region", "ML01")
    segin.json("course", "show", "UNHEARD", code=2)
    assert segin.json("course", "close", "COUTURE") == {"code": "COUTURE", "status": "closed"}
    cancelled = segin.json("course", "cancel", "COUTURE")
    assert cancelled == {"code": "COUTURE", "status": "cancelled", "ended": 2, "left": 0}


def test_a_grant_is_signed_on_a_budget_that_says_what_it_has_left(
    living: tuple[CommandLine, list[str], list[str]],
) -> None:
    segin, _, (case,) = living
    segin.json("budget", "add", "SMALL", "Petit (fictif)", "--amount", "299999", *YEAR)
    segin.json("budget", "add", "LARGE", "Grand (fictif)", "--amount", "1000000", *YEAR)
    segin.json("staff", "add", "second", "Personnel fictif", "--role", "coordinator")
    signed = ("--as", "second")
    small = segin.json("grant", "approve", case, "GRANT-1", "--budget", "SMALL", *signed, code=1)
    assert [reason["code"] for reason in small["reasons"]] == ["budget_spent"]
    assert "299999 F CFA" in small["reasons"][0]["text_fr"]
    segin.json("grant", "reject", case, "GRANT-1", "--reason", "no_idea", *signed, code=1)
    assert segin.json("grant", "endorse", case, "GRANT-1", *signed)["outcome"] == "moved"
    own = segin.json("grant", "approve", case, "GRANT-1", "--budget", "LARGE", "--second", *signed, code=1)
    assert [reason["code"] for reason in own["reasons"]] == ["grant_approver_differs"]
    done = segin.json("grant", "approve", case, "GRANT-1", "--budget", "LARGE", "--second", "--as", "coordinator")
    assert (done["outcome"], done["grant"]) == ("moved", "GRANT-1")
    (grant,) = segin.json("grant", "list", "--status", "approved", "--budget", "LARGE")["grants"]
    assert (grant["code"], grant["case"], grant["amount_xof"]) == ("GRANT-1", case, 300_000)
    assert segin.json("grant", "show", "GRANT-1")["lines"] == [
        {"position": 1, "item": "moutons", "quantity": 1, "unit_price_xof": 300_000}
    ]
    assert segin.json("grant", "cancel", case, "GRANT-1", "--reason", "not_viable", *signed)["outcome"] == "moved"
    budget = segin.json("budget", "show", "LARGE")
    assert (budget["available_xof"], [line["kind"] for line in budget["lines"]]) == (
        *(1_000_000, ["commitment", "release"]),
    )
    assert [each["code"] for each in segin.json("budget", "list")["budgets"]] == ["LARGE", "SMALL"]
    assert "restitution" in segin.text("budget", "show", "LARGE")
    assert "moutons" in segin.text("grant", "show", "GRANT-1")
    segin.json("grant", "show", "UNHEARD", code=2)
    segin.json("budget", "show", "UNHEARD", code=2)


def test_projects_are_written_and_listed(fresh: CommandLine) -> None:
    place = ("--place", "Kayes", "--region", "ML01", "--from", "2024-02-01")
    assert fresh.json("project", "add", "JARDIN", "Jardin (fictif)", *place) == {
        "code": "JARDIN",
        "status": "planned",
        "version": 1,
    }
    fresh.json("project", "add", "JARDIN", "Jardin (fictif)", *place, code=2)
    (line,) = fresh.json("project", "list")["projects"]
    assert (line["returnees"], line["community"], line["given_xof"]) == (0, 0, 0)
    shown = fresh.json("project", "show", "JARDIN")
    assert [(each["seq"], each["what"]) for each in shown["history"]] == [(1, "created")]
    assert "Jardin (fictif)" in fresh.text("project", "show", "JARDIN")
