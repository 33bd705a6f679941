"""Which moves a change frees or refuses, decided on values alone: nobody in here exists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from changing_pathways import OLD, change_of, newer

from states.change.comparison import transitions_of
from states.change.sides import Change
from states.change.ways import Way
from states.facts import Facts, PlanFact

START = datetime(2024, 1, 8, 8, tzinfo=UTC)
NOW = START + timedelta(days=5)
SUBMITTED = PlanFact("submitted", frozenset(), 11, None)


def found(change: Change, state: str, **parts: Any) -> list[tuple[str, Way]]:
    """What becomes of the moves of a case in this state."""
    facts = Facts(7, state, 3, START, START.date(), START, **parts)
    return [(each.trigger, each.way) for each in change.ways.changes_for(facts, NOW)]


def test_that_two_people_are_needed_refuses_nobody_who_is_the_second_one() -> None:
    change = change_of(OLD, newer(("      - note_given\n", "      - plan_approver_differs\n")))
    assert found(change, "waiting", plan=SUBMITTED) == []
    assert found(change, "waiting") == [("help", Way.REFUSED)]
    back = change_of(newer(("      - note_given\n", "      - plan_approver_differs\n")), OLD)
    assert found(back, "waiting", plan=SUBMITTED) == []
    assert found(back, "waiting") == [("help", Way.FREED)]


def test_two_states_that_become_one_keep_their_own_ways() -> None:
    change = change_of(OLD, newer(("note\n    from: helped", "note\n    from: [waiting, helped]")), "helped=waiting")
    before = transitions_of(change.old.file, change.way.names.states)
    assert {trigger for state, trigger in before if state == "helped"} == {"note", "pause", "end"}
    assert {trigger for state, trigger in before if state == "waiting"} == {"help", "pause", "end"}
    assert before["waiting", "help"].to == "waiting"
    assert ("note", Way.FREED) in found(change, "waiting")
    assert ("note", Way.FREED) not in found(change, "helped")
