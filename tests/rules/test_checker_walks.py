"""The checker against the plainest reading: every graph searched naively, every combination of a move tried."""

from __future__ import annotations

from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st
from situations import NOW, Situation
from small_pathway import SMALL

from states.decide import decide
from states.guards.demands import Condition, Patience, Rule, Values, one_of, possible
from states.moves import Refusal
from states.pathways.checker import check_pathway
from states.pathways.loader import load_pathway
from states.pathways.problems import Problem

HEAD = """\
pathway: graph
version: 1
title: {fr: Graphe, en: Graph}
timezone: Africa/Bamako
calendar: {weekend: [sunday]}
initial: s0
roles: {worker: {fr: agent, en: worker}}
reasons: {close: {done: {fr: fini, en: done}}}
registration: {announce: [case.registered]}
"""
Ways = frozenset[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Ways]:
    """The number of states, the last of them final, and the ways between them; at least one."""
    size = draw(st.integers(3, 8))
    pairs = st.tuples(st.integers(0, size - 2), st.integers(0, size - 1)).filter(lambda pair: pair[0] != pair[1])
    return size, draw(st.frozensets(pairs, min_size=1, max_size=3 * size))


def written(size: int, ways: Ways) -> str:
    states = "".join(
        f"  s{at}: {{title: {{fr: É{at}, en: S{at}}}, shared: true{', kind: final' if at == size - 1 else ''}}}\n"
        for at in range(size)
    )
    triggers = "".join(f"  to_s{goal}: {{fr: V{goal}, en: T{goal}}}\n" for goal in sorted({goal for _, goal in ways}))
    transitions = "".join(
        f"  - {{trigger: to_s{goal}, from: s{source}, to: s{goal}, roles: worker, announce: [case.advanced]}}\n"
        for source, goal in sorted(ways)
    )
    return f"{HEAD}states:\n{states}triggers:\n{triggers}transitions:\n{transitions}"


def reached(ways: Ways, start: int) -> set[int]:
    found = {start}
    for _ in range(len(ways)):
        found |= {goal for source, goal in ways if source in found}
    return found


def distance(ways: Ways, goal: int) -> int:
    found, steps = {0}, 0
    while goal not in found:
        found |= {to for source, to in ways if source in found}
        steps += 1
    return steps


def named(problems: list[Problem], code: str) -> dict[int, Problem]:
    lines = {each.line: each for each in problems if each.code == code}
    first = HEAD.count("\n") + 2
    return {line - first: each for line, each in lines.items()}


@given(graph=graphs())
def test_states_never_entered_or_closed_are_those_that_a_plain_search_finds(graph: tuple[int, Ways]) -> None:
    size, ways = graph
    problems = check_pathway(written(size, ways), "graph.yaml")
    entered = reached(ways, 0)
    assert set(named(problems, "never_entered")) == set(range(size)) - entered
    never_closed = named(problems, "never_closed")
    assert set(never_closed) == {at for at in range(size) if size - 1 not in reached(ways, at)}
    for at, problem in never_closed.items():
        if at not in entered:
            assert problem.walk == ()
            continue
        steps = [int(step.state.removeprefix("s")) for step in problem.walk]
        assert (steps[0], steps[-1], problem.walk[0].trigger) == (0, at, None)
        assert all(pair in ways for pair in pairwise(steps))
        assert [step.trigger for step in problem.walk[1:]] == [f"to_s{goal}" for goal in steps[1:]]
        assert len(steps) - 1 == distance(ways, at)


FIELDS = ("a", "b", "c")
some = st.frozensets(st.integers(0, 2), min_size=1, max_size=2).map(one_of)
conditions = st.builds(Condition, st.sampled_from(FIELDS), some, st.just({}))
rules = st.builds(Rule, st.lists(conditions, max_size=2).map(tuple), st.dictionaries(st.sampled_from(FIELDS), some))


@given(rules=st.lists(rules, max_size=7))
def test_rules_can_hold_together_when_some_combination_of_values_meets_them_all(rules: list[Rule]) -> None:
    known = {field: one_of(range(3)) for field in FIELDS}

    def meets(values: dict[str, int], rule: Rule) -> bool:
        asked = all(values[each.field] in each.values.listed for each in rule.when)
        return not asked or all(values[field] in allowed.listed for field, allowed in rule.then.items())

    combinations = [dict(zip(FIELDS, values, strict=True)) for values in product(range(3), repeat=len(FIELDS))]
    assert possible(known, rules, Patience()) == any(all(meets(each, rule) for rule in rules) for each in combinations)


sets = st.builds(Values, st.frozensets(st.integers(0, 3)), st.booleans())


@given(one=sets, other=sets, value=st.integers(0, 4))
def test_values_are_narrowed_and_turned_round_like_sets(one: Values, other: Values, value: int) -> None:
    def has(values: Values) -> bool:
        return (value in values.listed) != values.others

    assert has(one.within(other)) == (has(one) and has(other))
    assert has(one.but()) != has(one)


WHENS = (
    "",
    ", when: {reason: done}",
    ", when: {reason: absent, priority: [urgent, normal]}",
    ", when: {priority: urgent}",
)
GUARDS = (
    "reason_in, with: {reasons: [done, absent]}",
    "reason_in, with: {reasons: [absent, ill]}",
    "actor_in, with: {roles: [chief]}",
    "actor_in, with: {roles: [system, worker]}",
    "priority_in, with: {priorities: [emergency, urgent]}",
    "priority_in, with: {priorities: [normal]}",
    "data_in, with: {field: week, values: [1, 2]}",
    "data_in, with: {field: week, values: [2, 3]}",
    "note_given",
)
guard_lists = st.lists(st.tuples(st.sampled_from(GUARDS), st.sampled_from(WHENS)), min_size=1, max_size=5)


@given(guards=guard_lists)
@settings(max_examples=60)
def test_a_transition_is_never_possible_when_no_move_at_all_gets_through(guards: list[tuple[str, str]]) -> None:
    """Neither a false alarm nor a miss: `decide` itself tries every role, reason, priority, week and note."""
    lines = "".join(f"      - {{guard: {guard}{when}}}\n" for guard, when in guards)
    text = SMALL.replace("      - {guard: reason_in, with: {reasons: [done, absent]}}\n", lines)
    codes = {problem.code for problem in check_pathway(text, "small.yaml")}
    pathway = load_pathway(text, "small.yaml")

    def passes(role: str, reason: str | None, priority: str, week: int, note: str | None) -> bool:
        facts = {"state": "waiting", "priority": priority}
        situation = Situation(facts, {"reason": reason, "data": {"week": week}, "note": note}, role)
        return not isinstance(decide(pathway, situation.as_facts(), situation.as_move("end"), NOW), Refusal)

    ways = product(
        ("chief", "system"),
        ("done", "absent", "ill", None),
        ("emergency", "urgent", "normal"),
        (0, 1, 2, 3),
        ("so", None),
    )
    never = not any(passes(*way) for way in ways)
    assert bool(codes & {"guards_contradict", "guard_never_holds"}) == never
