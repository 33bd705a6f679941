"""A preview lists every trigger once, allowed or with all its refusals, and agrees with `decide` on both."""

from __future__ import annotations

from itertools import product

import pytest
from situations import APPROVER, AUTHOR, NOW, Situation

from states.decide import decide, preview
from states.facts import PlanFact
from states.moves import Decision, Refusal
from states.pathways.loader import bundled_pathway, load_pathway

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
PLAN = PlanFact("approved", frozenset({"psychosocial", "training"}), AUTHOR, APPROVER)


def test_a_preview_says_what_a_move_may_have_to_bring_along() -> None:
    situation = Situation({"state": "follow_up", "plan": PLAN, "open_deadlines": frozenset({"visit_12_opens"})})
    found = {each.trigger: each for each in preview(MALI, situation.as_facts(), situation.as_move().actor, NOW)}
    assert list(found) == list(MALI.triggers)
    close = found["close"]
    assert close.allowed
    assert close.to_state == "closed"
    assert "completed" not in close.asks["reason"]
    assert {"withdrew", "lost_contact"} <= set(close.asks["reason"])
    assert close.asks["note"] == ()
    visit = found["record_visit"]
    assert [reason.code for reason in visit.reasons] == [
        "visit_recorded",
        "visit_recorded",
        "ran_out",
        "visit_recorded",
    ]
    assert visit.asks == {"months": ()}
    assert visit.to_state == "follow_up"
    assert found["begin_screening"].to_state is None
    assert [reason.code for reason in found["begin_screening"].reasons] == ["wrong_state"]


def test_visits_that_are_recorded_are_the_ones_that_can_be_chosen() -> None:
    situation = Situation({"state": "follow_up", "visits": frozenset({3, 12})})
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
            verdicts = []
            for reason, months in product([None, *MALI.close_reasons, *MALI.hold_reasons], [None, 3, 6, 12]):
                asked = Situation(move={"reason": reason, "note": "Une note", "data": {"months": months}}, role=role)
                verdicts.append((reason, months, decide(MALI, facts, asked.as_move(possible.trigger), NOW)))
            decided = [each for each in verdicts if isinstance(each[2], Decision)]
            assert possible.allowed == bool(decided)
            assert possible.internal == any(
                (state, possible.trigger) == key and way.internal for key, way in MALI.table.items()
            )
            if possible.allowed:
                assert {each[2].to_state for each in decided} == {possible.to_state}
                if "reason" in possible.asks:
                    assert set(possible.asks["reason"]) == {each[0] for each in decided}
                if "months" in possible.asks:
                    assert set(possible.asks["months"]) == {each[1] for each in decided}
            else:
                said = {reason for each in verdicts if isinstance(each[2], Refusal) for reason in each[2].reasons}
                assert set(possible.reasons) <= said
