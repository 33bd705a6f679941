"""The machine and the table that decisions are looked up in say the same, for pathways as they come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from states.machine import Arrow, Token, build_machine, fire, lookup
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.schema import PathwayFile
from states.pathways.source import read_yaml
from states.pathways.ways import arrows_of

TEXT = bundled_pathway("mali")
FILE = PathwayFile.model_validate(read_yaml(TEXT, "mali.yaml").value)
PATHWAY = load_pathway(TEXT, "mali.yaml")
MACHINE = build_machine(FILE.states, FILE.initial, arrows_of(FILE))

NAMES = "abcdef"
arrows = st.lists(
    st.tuples(st.sampled_from(["go", "stay", "end"]), st.sampled_from(NAMES), st.sampled_from([*NAMES, None])),
    unique_by=lambda arrow: arrow[:2],
    max_size=12,
)


def test_the_table_is_what_the_machine_knows() -> None:
    assert {
        key: tuple(None if transition.internal else goal for goal in transition.branches)
        for key, transition in PATHWAY.table.items()
    } == lookup(MACHINE)


@given(triggers=st.lists(st.sampled_from([*PATHWAY.triggers, "no_such_trigger"]), max_size=60))
def test_walking_the_machine_is_walking_the_table(triggers: list[str]) -> None:
    token = Token(PATHWAY.initial)
    for trigger in triggers:
        state, previous = token.state, token.previous
        moved = fire(MACHINE, trigger, token)
        transition = PATHWAY.table.get((state, trigger))
        branch = None if transition is None else transition.only or transition.branches.get(previous or "")
        assert moved == (branch is not None)
        assert token.state == (branch.to_state if branch else state)
        if PATHWAY.states[token.state].kind == "active":
            token.previous = None
        elif PATHWAY.states[state].kind == "active":
            token.previous = state


@given(drawn=arrows, path=st.lists(st.sampled_from(["go", "stay", "end", "to_a", "none"]), max_size=20))
def test_a_machine_has_no_door_but_its_arrows(drawn: list[tuple[str, str, str | None]], path: list[str]) -> None:
    machine = build_machine(NAMES, "a", [Arrow(*each, back=False) for each in drawn])
    ways = {(source, trigger): dest for trigger, source, dest in drawn}
    assert lookup(machine) == {key: (dest,) for key, dest in ways.items()}
    token = Token("a")
    for trigger in path:
        known, expected = (token.state, trigger) in ways, ways.get((token.state, trigger))
        before = token.state
        assert fire(machine, trigger, token) == known
        assert token.state == (expected or before)


def test_a_way_back_leads_only_to_where_the_token_came_from() -> None:
    machine = build_machine("abh", "a", [Arrow("back", "h", "a", back=True), Arrow("back", "h", "b", back=True)])
    for previous, goal in (("a", "a"), ("b", "b")):
        token = Token("h", previous)
        assert fire(machine, "back", token)
        assert token.state == goal
    for nowhere in (None, "h", "z"):
        token = Token("h", nowhere)
        assert not fire(machine, "back", token)
        assert token.state == "h"


def test_one_machine_serves_many_tokens() -> None:
    machine = build_machine("ab", "a", [Arrow("go", "a", "b", back=False)])
    tokens = [Token("a") for _ in range(3)]
    assert fire(machine, "go", tokens[1])
    assert [token.state for token in tokens] == ["a", "b", "a"]
    assert machine.models == []
