"""A preview lists every trigger once, allowed or with all its refusals, and agrees with `decide` on both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from situations import APPROVER, AUTHOR, NOW, Situation

from states.decide import Possible, decide, preview
from states.facts import PlanFact
from states.moves import Decision, Move, Refusal
from states.pathway import Transition
from states.pathways.loader import bundled_pathway, load_pathway

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
PLAN = PlanFact("approved", frozenset({"psychosocial", "training"}), AUTHOR, APPROVER)


def test_a_preview_says_what_a_move_may_have_to_bring_along() -> None:
    situation = Situation({"state": "follow_up", "plan": PLAN, "open_deadlines": frozenset({"visit_12_opens"})})
    situation.facts["exit_talks"] = frozenset({"withdrew"})
    found = {each.trigger: each for each in preview(MALI, situation.as_facts(), situation.as_move().actor, NOW)}
    assert list(found) == list(MALI.triggers)
    close = found["close"]
    assert close.allowed
    assert close.to_state == "closed"
    assert "completed" not in close.asks["reason"]
    assert {"withdrew", "left_area"} <= set(close.asks["reason"])
    assert not {"re_migrated", "lost_contact"} & set(close.asks["reason"])
    assert close.asks["note"] == ()
    visit = found["record_visit"]
    assert [reason.code for reason in visit.reasons] == [
        "awaited",
        "awaited",
        "ran_out",
        "awaited",
    ]
    assert visit.asks == {"months": ()}
    assert visit.to_state == "follow_up"
    assert found["begin_screening"].to_state is None
    assert [reason.code for reason in found["begin_screening"].reasons] == ["wrong_state"]


def test_visits_that_are_awaited_are_the_ones_that_can_be_chosen() -> None:
    awaited = frozenset({"visit_3", "visit_12"})
    situation = Situation({"state": "follow_up", "visits": frozenset({12}), "open_deadlines": awaited})
    found = {each.trigger: each for each in preview(MALI, situation.as_facts(), situation.as_move().actor, NOW)}
    assert found["record_visit"].asks == {"months": (3, 12)}
    assert "completed" in found["close"].asks["reason"]


@pytest.mark.parametrize("state", MALI.states)
def test_a_preview_agrees_with_decide(state: str) -> None:
    """Whatever is allowed is decided with one of its choices; whatever is refused is refused with each of them."""
    origin = "training" if MALI.states[state].kind != "active" else None
    for role, plan in product([*MALI.roles, "nobody"], [None, PLAN]):
        situation = Situation({"state": state, "previous_state": origin, "plan": plan}, role=role)
        facts, actor = situation.as_facts(), situation.as_move().actor
        for possible in preview(MALI, facts, actor, NOW):
            way = MALI.table.get((state, possible.trigger))
            answers = list(_answers(way, possible))
            verdicts = [(answer, decide(MALI, facts, _move(answer, role, possible.trigger), NOW)) for answer in answers]
            decided = [(answer, each) for answer, each in verdicts if isinstance(each, Decision)]
            assert possible.allowed == bool(decided), possible
            assert possible.internal == (way is not None and way.internal)
            if possible.allowed:
                assert {each.to_state for _, each in decided} == {possible.to_state}
                for name, choices in possible.asks.items():
                    if choices:
                        assert set(choices) == {answer[name] for answer, _ in decided}
            else:
                said = {reason for _, each in verdicts if isinstance(each, Refusal) for reason in each.reasons}
                assert set(possible.reasons) <= said


def _answers(way: Transition | None, possible: Possible) -> Iterator[dict[str, Any]]:
    """Every combination of what the move may bring along: what the pathway or the preview names, something else, and
    nothing."""
    choices: dict[str, list[Any]] = {name: [*values, "…", None] for name, values in possible.asks.items()}
    for guard in way.guards if way else ():
        if guard.asks:
            choices.setdefault(guard.asks, ["…", None])
            choices[guard.asks] += [value for value in guard.choices if value not in choices[guard.asks]]
    for values in product(*choices.values()):
        yield dict(zip(choices, values, strict=True))


def _move(answer: dict[str, Any], role: str, trigger: str) -> Move:
    named = {name: answer[name] for name in ("reason", "note", "record") if name in answer}
    data = {name: value for name, value in answer.items() if name not in named and value is not None}
    return Situation(move={"note": "Une note", **named, "data": data, "details": True}, role=role).as_move(trigger)
