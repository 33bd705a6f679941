"""The full matrix of the bundled pathway: every state, trigger, role, answer and outcome of every guard.

The expected verdicts come from the file itself, from the machine built from it and from the samples of the guards; none
of it runs through `decide`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from situations import NOW, SAMPLES, Situation

from states.decide import decide
from states.facts import RecordFact
from states.machine import Token, build_machine, fire
from states.moves import Decision, Refusal
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.schema import GuardPart, PathwayFile, TransitionPart, WhenPart
from states.pathways.source import read_yaml
from states.pathways.ways import arrows_of

TEXT = bundled_pathway("mali")
PATHWAY = load_pathway(TEXT, "mali.yaml")
FILE = PathwayFile.model_validate(read_yaml(TEXT, "mali.yaml").value)
MACHINE = build_machine(FILE.states, FILE.initial, arrows_of(FILE))
PARTS = {(state, part.trigger): part for part in FILE.transitions for state in part.from_}
NEEDS = frozenset({"psychosocial", "training", "livelihood"})
# Where spoiling one guard cannot leave the other standing: too much is more than one may sign.
FALLS_WITH = {"one_signature_suffices": "within_ceiling"}
ASKED_BY_THE_MOVE = ("reason_in", "data_in", "actor_in")


@pytest.mark.parametrize("state", FILE.states)
@pytest.mark.parametrize("trigger", [*FILE.triggers, "no_such_trigger"])
def test_every_state_trigger_role_answer_and_guard_outcome(state: str, trigger: str) -> None:
    part = PARTS.get((state, trigger))
    seen = 0
    for role, previous in product([*FILE.roles, "nobody"], _origins(state)):
        if part is None:
            situation = Situation(facts={"state": state, "previous_state": previous}, role=role)
            verdict = decide(PATHWAY, situation.as_facts(), situation.as_move(trigger), NOW)
            assert isinstance(verdict, Refusal)
            code = "wrong_state" if trigger in FILE.triggers else "unknown_trigger"
            assert [reason.code for reason in verdict.reasons] == [code]
            assert not fire(MACHINE, trigger, Token(state, previous))
            continue
        for answer, status in product(_answers(part), _statuses(part)):
            for spoiled in _spoilings(part, answer):
                seen += 1
                _check(part, state, previous, role, answer, spoiled, status)
    assert part is None or seen > 0


def _origins(state: str) -> list[str | None]:
    """The states that a case in `state` may have come from; none for an active state, and one that cannot be."""
    if FILE.states[state].kind == "active":
        return [None]
    return [None, "on_hold", *(key for key, each in FILE.states.items() if each.kind == "active")]


def _answers(part: TransitionPart) -> Iterator[dict[str, Any]]:
    """Every reason and every value of data that the transition's guards speak of, a wrong one, and none."""
    reasons: list[str | None] = [None]
    fields: dict[str, list[Any]] = {}
    for guard in part.guards:
        if guard.guard == "reason_in":
            reasons += [
                *FILE.reasons.all,
                "none",
            ]
        if guard.guard == "data_in":
            fields[guard.with_["field"]] = [*guard.with_["values"], 7, None]
    for reason, *values in product(reasons, *fields.values()):
        data = {name: value for name, value in zip(fields, values, strict=True) if value is not None}
        yield {"reason": reason, "data": data}


def _statuses(part: TransitionPart) -> list[str | None]:
    """Every state that the record of a step may be in; none for a step that makes it, and for moves of the case."""
    if part.record is None or not part.record.from_:
        return [None]
    return list(FILE.records[part.record.kind].states)


def _applies(when: WhenPart | None, answer: dict[str, Any]) -> bool:
    """Whether a condition holds for a move with this answer on a case of normal priority with every need."""
    if when is None:
        return True
    return (
        (when.priority is None or "normal" in when.priority)
        and (when.reason is None or answer["reason"] in when.reason)
        and all(answer["data"].get(name) in values for name, values in when.data.items())
        and (when.need is None or when.need in NEEDS)
    )


def _spoilings(part: TransitionPart, answer: dict[str, Any]) -> Iterator[frozenset[int]]:
    """Every choice of guards that do not hold, by index, among those that apply and look at the case."""
    free = [
        index
        for index, guard in enumerate(part.guards)
        if guard.guard not in ASKED_BY_THE_MOVE and _applies(guard.when, answer)
    ]
    for chosen in product([False, True], repeat=len(free)):
        yield frozenset(index for index, spoil in zip(free, chosen, strict=True) if spoil)


def _holds(guard: GuardPart, index: int, part: TransitionPart, role: str, answer: dict[str, Any], spoiled: Any) -> bool:
    if not _applies(guard.when, answer):
        return True
    if guard.guard == "reason_in":
        return answer["reason"] in guard.with_["reasons"]
    if guard.guard == "data_in":
        return answer["data"].get(guard.with_["field"]) in guard.with_["values"]
    if guard.guard == "actor_in":
        return role in guard.with_["roles"]
    support = FALLS_WITH.get(guard.guard)
    fallen = any(each.guard == support and at in spoiled for at, each in enumerate(part.guards))
    return index not in spoiled and not fallen


def _check(
    part: TransitionPart,
    state: str,
    previous: str | None,
    role: str,
    answer: dict[str, Any],
    spoiled: frozenset[int],
    status: str | None,
) -> None:
    situation = Situation(
        facts={"state": state, "previous_state": previous},
        move={"reason": answer["reason"], "data": dict(answer["data"]), "details": True},
        role=role,
    )
    if part.record is not None:
        situation.move["record"] = "R"
        if status is not None:
            leaning = RecordFact("referral", "L", "done", None, partner_id=5, leans_on="R")
            situation.facts["records"] = {"R": RecordFact(part.record.kind, "R", status, None), "L": leaning}
    situation.change("plan", needs=NEEDS)
    for wanted in (False, True):  # first all that hold, then all that are spoiled
        for index, guard in enumerate(part.guards):
            if guard.guard not in ASKED_BY_THE_MOVE and (index in spoiled) == wanted:
                parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in guard.with_.items()}
                sample = SAMPLES[guard.guard]
                (sample.spoil if wanted else sample.satisfy)(situation, parameters)
    verdict = decide(PATHWAY, situation.as_facts(), situation.as_move(part.trigger), NOW)

    token = Token(state, previous)
    possible = fire(MACHINE, part.trigger, token)
    expected = [] if role in part.roles else ["role_not_allowed"]
    if part.record is not None and part.record.from_ and status not in part.record.from_:
        expected.append("wrong_record_state")
    expected += [
        guard.guard for index, guard in enumerate(part.guards) if not _holds(guard, index, part, role, answer, spoiled)
    ]
    expected += [] if possible else ["no_way_back"]
    expected += ["nothing_to_take_back"] if part.takes_back else []
    expected += ["no_such_deadline"] if part.waives else []
    if expected:
        assert isinstance(verdict, Refusal), (role, answer, spoiled)
        assert [reason.code for reason in verdict.reasons] == expected
        assert verdict.from_state == state
    else:
        assert isinstance(verdict, Decision), (role, answer, spoiled, verdict)
        assert (verdict.from_state, verdict.to_state, verdict.trigger) == (state, token.state, part.trigger)
        announced = [effect.type for effect in verdict.effects if type(effect).__name__ == "Announce"]
        assert announced == part.announce
