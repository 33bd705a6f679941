"""Guards: each holds and does not hold somewhere, looks only at what it declares, reads no clock, and speaks both
languages."""

from __future__ import annotations

import ast
import dataclasses
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from situations import ACTOR, APPROVER, AUTHOR, NOW, SAMPLES, Situation

import states
from states.facts import EnrolmentFact, Facts, GrantFact, GrantPlanFact, PlanFact, RecordFact
from states.guards import GUARDS
from states.guards.binding import Guard, bind
from states.moves import Reason
from states.pathway import GuardUse
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.schema import PathwayFile
from states.pathways.source import read_yaml

MALI = PathwayFile.model_validate(read_yaml(bundled_pathway("mali"), "mali.yaml").value)
ROOT = Path(str(states.__file__)).parent
FIELDS_OF_GROUP = {
    "returnee": {"birth_date", "birth_precision", "vulnerabilities"},
    "vulnerabilities": {"identified"},
    "consents": {"consents", "consents_recorded", "shares"},
    "attempts": {"attempts"},
    "exit_talks": {"exit_talks"},
    "records": {"records"},
    "assessments": {"assessments"},
    "plan": {"plan"},
    "sessions": {"sessions_attended"},
    "enrolment": {"enrolment"},
    "grant": {"grant"},
    "grants": {"grants"},
    "visits": {"visits"},
    "referrals": {"open_referrals"},
    "tasks": {"open_tasks", "done_tasks"},
    "deadlines": {"open_deadlines"},
}


def bound(name: str, **parameters: Any) -> GuardUse:
    return bind(GUARDS[name], parameters or SAMPLES[name].parameters, MALI.words, None)


def verdict(guard: GuardUse, situation: Situation) -> Reason | None:
    return guard.check(situation.as_facts(), situation.as_move(), NOW)


def test_every_guard_has_a_sample_of_both_outcomes() -> None:
    assert SAMPLES.keys() == GUARDS.keys()


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_holds_and_refuses_by_its_name(name: str) -> None:
    guard, sample = bound(name), SAMPLES[name]
    good, bad = Situation(), Situation()
    sample.satisfy(good, sample.parameters)
    assert verdict(guard, good) is None
    sample.satisfy(bad, sample.parameters)
    sample.spoil(bad, sample.parameters)
    refusal = verdict(guard, bad)
    assert refusal is not None
    assert refusal == guard.refusal
    assert refusal.code == name
    assert refusal.missing
    assert refusal.text_fr != refusal.text_en
    for text in (refusal.text_fr, refusal.text_en):
        assert text.endswith(".")
        assert not set("{}_") & set(text), text


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_sees_no_more_than_it_declares(name: str) -> None:
    """With every other group of facts back at its default, it says the same."""
    guard, sample = bound(name), SAMPLES[name]
    others = set().union(*(fields for group, fields in FIELDS_OF_GROUP.items() if group not in guard.reads))
    defaults = Facts(1, "registered", 1, NOW, NOW.date(), NOW)
    for change in (sample.satisfy, sample.spoil):
        situation = Situation()
        change(situation, sample.parameters)
        facts = situation.as_facts()
        blinded = dataclasses.replace(facts, **{name: getattr(defaults, name) for name in others})
        assert guard.check(facts, situation.as_move(), NOW) == guard.check(blinded, situation.as_move(), NOW)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_is_the_same_at_any_time(name: str) -> None:
    guard, sample = bound(name), SAMPLES[name]
    for change in (sample.satisfy, sample.spoil):
        situation = Situation()
        change(situation, sample.parameters)
        facts, move = situation.as_facts(), situation.as_move()
        assert guard.check(facts, move, NOW) == guard.check(facts, move, NOW + timedelta(days=4000))


@pytest.mark.parametrize("declared", GUARDS.values(), ids=lambda guard: guard.name)
def test_a_guards_texts_use_only_its_parameters(declared: Guard) -> None:
    for text in (declared.text.fr, declared.text.en, declared.missing or "", declared.asks or ""):
        used = {name for _, name, _, _ in Formatter().parse(text) if name}
        assert used <= declared.parameters.keys()


def test_every_guard_is_used_by_the_bundled_pathway_and_described() -> None:
    used = {guard.guard for part in MALI.transitions for guard in part.guards}
    assert used == GUARDS.keys()
    described = (ROOT.parent / "docs" / "pathway.md").read_text(encoding="utf-8")
    for name, declared in GUARDS.items():
        assert f"`{name}`" in described
        assert all(f"`{parameter}`" in described for parameter in declared.parameters), name


def test_two_people_are_needed_whoever_is_recorded() -> None:
    plan = bound("plan_approver_differs")
    for author, approver, holds in (
        *((AUTHOR, APPROVER, True), (AUTHOR, AUTHOR, False)),
        *((AUTHOR, None, True), (ACTOR, None, False), (None, APPROVER, False), (None, None, False)),
    ):
        situation = Situation()
        situation.facts["plan"] = PlanFact("approved", frozenset(), author, approver)
        assert (verdict(plan, situation) is None) == holds


def test_who_proposed_or_signed_a_grant_does_not_sign_it_again() -> None:
    guard = bound("grant_approver_differs")
    for proposer, endorser, holds in (
        *((AUTHOR, None, True), (AUTHOR, APPROVER, True), (ACTOR, None, False), (AUTHOR, ACTOR, False)),
        *((None, None, False), (None, APPROVER, False)),
    ):
        plan = GrantPlanFact("individual", 300_000, 0, proposer, endorser)
        for status in ("planned", "endorsed"):
            records = {"R": RecordFact("grant", "R", status, proposer)}
            known = {"grants": {"R": plan, "another": plan}, "records": records}
            found = verdict(guard, Situation(facts=known, move={"record": "R"}))
            assert (found is None) == (holds or (status == "planned" and (proposer, endorser) == (AUTHOR, ACTOR)))
    unknown = Situation(facts={"grants": {"R": GrantPlanFact("individual", 1, 0, AUTHOR, None)}}, move={"record": "S"})
    assert verdict(guard, unknown) is not None


def test_the_steps_of_a_grant_are_reached_in_order() -> None:
    steps = ["planned", "endorsed", "approved", "procured", "delivered", "verified"]
    for asked in steps:
        for status in steps:
            situation = Situation(facts={"grant": GrantFact(status, AUTHOR, APPROVER, NOW)})
            holds = verdict(bound("livelihood_reached", step=asked), situation) is None
            assert holds == (steps.index(status) >= steps.index(asked))
    ended = RecordFact("membership", "M", "completed", None)
    assert verdict(bound("livelihood_reached", step="verified"), Situation(facts={"records": {"M": ended}})) is None


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        ({"kind": "individual", "amount_xof": 1_000_000}, True),
        ({"kind": "individual", "amount_xof": 1_000_001}, False),
        ({"kind": "community", "amount_xof": 15_000_000}, True),
        ({"kind": "unheard_of", "amount_xof": 1}, False),
        ({"amount_xof": 1}, False),
        ({"kind": "individual", "amount_xof": -1}, False),
        ({"kind": "individual", "amount_xof": 1.5}, False),
        ({"kind": "individual", "amount_xof": True}, False),
        ({"kind": "individual", "amount_xof": "1"}, False),
    ],
)
def test_what_a_plan_asks_for_stays_below_the_ceiling_of_its_kind(data: dict[str, Any], holds: bool) -> None:
    assert (verdict(bound("within_ceiling"), Situation(move={"data": data})) is None) == holds


def test_waivers_need_the_role_a_note_and_a_need_of_the_plan() -> None:
    guard = bound("waivers_allowed")
    plan = PlanFact("approved", frozenset({"training", "livelihood"}), AUTHOR, APPROVER)

    def allowed(role: str, note: str | None, waived: object) -> bool:
        move = {"note": note, "data": {"waived": waived}}
        return verdict(guard, Situation(facts={"plan": plan}, move=move, role=role)) is None

    assert allowed("coordinator", "Formation fermée", ["training"])
    assert allowed("coordinator", "Formation fermée", ("training", "livelihood"))
    assert allowed("case_worker", None, [])
    assert not allowed("case_worker", "Formation fermée", ["training"])
    assert not allowed("coordinator", " ", ["training"])
    assert not allowed("coordinator", None, ["training"])
    for malformed in ("training", 3, True, [3], [["training"]], {"training": 1}, ["training", "housing"]):
        assert not allowed("coordinator", "Formation fermée", malformed)


@pytest.mark.parametrize("value", [None, [], ["a"], {"a": 1}, "3", 3.5, True])
def test_guards_refuse_strange_data_and_do_not_break(value: object) -> None:
    move = {"data": {"months": value, "waived": value}}
    situation = Situation(facts={"enrolment": EnrolmentFact("enrolled", False)}, move=move)
    assert verdict(bound("data_in"), situation) is not None
    for name in GUARDS:
        found = verdict(bound(name), situation)
        assert found is None or found.code == name


def test_the_rules_read_no_clock() -> None:
    """No call of now, today, utcnow, time or monotonic in what decides."""
    rules = ("calendar", "decide", "pathway", "machine", "guards/binding", "guards/general")
    names = (*rules, "pathways/branches", "pathways/compiler")
    for name in names:
        tree = ast.parse((ROOT / f"{name}.py").read_text(encoding="utf-8"))
        called = {
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        }
        assert not called & {"now", "today", "utcnow", "time", "monotonic", "perf_counter", "getenv", "open_code"}, name


def test_the_bundled_pathway_binds_each_guard_with_words_of_its_own() -> None:
    pathway = load_pathway(bundled_pathway("mali"), "mali.yaml")
    for transition in pathway.table.values():
        for guard in transition.guards:
            assert guard.refusal.text_fr
            assert guard.refusal.text_en
            assert guard.name == guard.refusal.code
