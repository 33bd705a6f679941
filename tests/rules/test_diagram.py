"""Diagrams show every way once, put no text over another, say nothing that the file could smuggle in, and are the same
every time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from large_pathway import large_pathway
from small_pathway import SMALL

from states.pathway import Pathway, StateKind
from states.pathways.chart import Chart, Common, Node, Way, charts_of
from states.pathways.drawing import draw_svg
from states.pathways.layout import HEAD, LINE, Placed, place
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.mermaid import draw_mermaid
from states.pathways.ways import PREVIOUS

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "desc", "style", "rect", "text", "g", "path", "circle"}
MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
HOSTILE = SMALL.replace("fr: Attente,", "fr: '<b>&\"; }} %% # A',").replace("fr: Aider,", "fr: 'a --> b: <script>',")
RECORDS = (
    SMALL.replace(
        "tasks:\n  greet:",
        "records:\n  referral:\n    title: {fr: Orientation, en: Referral}\n    states:\n"
        "      asked: {fr: demandée, en: asked}\n      taken: {fr: acceptée, en: taken}\n"
        "      over: {fr: finie, en: over}\ntasks:\n  greet:",
    )
    .replace(
        "triggers:\n",
        "triggers:\n  refer: {fr: Orienter, en: Refer}\n  take: {fr: Accepter, en: Take}\n"
        "  chase: {fr: Relancer, en: Chase}\n  finish: {fr: Finir, en: Finish}\n  drop: {fr: Annuler, en: Drop}\n",
    )
    .replace(
        "transitions:\n",
        "transitions:\n"
        "  - {trigger: refer, from: '*', record: {kind: referral, to: asked}, roles: [worker]}\n"
        "  - {trigger: take, from: '*', record: {kind: referral, from: asked, to: taken}, roles: [worker]}\n"
        "  - {trigger: chase, from: '*', record: {kind: referral, from: asked, to: asked}, roles: [worker]}\n"
        "  - {trigger: finish, from: '*', record: {kind: referral, from: taken, to: over}, roles: [worker]}\n"
        "  - {trigger: drop, from: '*', record: {kind: referral, from: [asked, taken], to: over}, roles: [worker]}\n",
    )
)
PATHWAYS = {
    "mali": MALI,
    "small": load_pathway(SMALL, "small.yaml"),
    "hostile": load_pathway(HOSTILE, "small.yaml"),
    "records": load_pathway(RECORDS, "small.yaml"),
    "large": load_pathway(large_pathway(60), "large.yaml"),
}
each_pathway = pytest.mark.parametrize("pathway", PATHWAYS.values(), ids=list(PATHWAYS))


def ways_of(pathway: Pathway) -> set[tuple[str, str, str]]:
    """(state, trigger's French title, goal) of every way that moves a case."""
    found = set()
    for (state, trigger), transition in pathway.table.items():
        if not transition.internal:
            goals = [PREVIOUS] if transition.to_previous else list(transition.branches)
            found |= {(state, pathway.triggers[trigger].fr, goal) for goal in goals}
    return found


def drawn_ways(chart: Chart) -> Iterator[tuple[str, str, str]]:
    for node in chart.nodes:
        for way in node.ways:
            yield from ((node.key, title, way.goal) for title in way.titles)
    for each in chart.common:
        for node in chart.nodes:
            if each.goal is not None and node.kind is StateKind.ACTIVE and node.title not in each.but:
                yield node.key, each.title, each.goal


@each_pathway
def test_every_way_is_drawn_once(pathway: Pathway) -> None:
    chart = charts_of(pathway, "fr")[0]
    drawn = list(drawn_ways(chart))
    assert set(drawn) == ways_of(pathway)
    assert len(drawn) == len(set(drawn))
    assert [node.key for node in chart.nodes if node.first] == [pathway.initial]
    kinds = [node.kind for node in chart.nodes]
    assert kinds == sorted(kinds, key=list(StateKind).index)


def test_what_nearly_all_states_have_is_drawn_once_with_its_exceptions() -> None:
    common = {each.title: each for each in charts_of(MALI, "fr")[0].common}
    assert (common["Clore"].goal, common["Clore"].but) == ("closed", ())
    assert common["Mettre en suspens"].goal == "on_hold"
    assert "Commencer la formation" not in common
    noting = large_pathway(12).replace("triggers:\n", "triggers:\n  note: {fr: Noter, en: Note}\n")
    states = ", ".join(f"s{at}" for at in range(12) if at != 3)
    noting += f"  - {{trigger: note, from: [{states}], roles: worker}}\n"
    chart = charts_of(load_pathway(noting, "noting.yaml"), "en")[0]
    assert Common(None, "Note", ("Step 3",)) in chart.common
    assert all(node.inside == () for node in chart.nodes)


def test_records_have_a_chart_of_their_own() -> None:
    _, chart = charts_of(PATHWAYS["records"], "fr")
    assert chart == Chart(
        "Orientation",
        (
            Node(
                *("asked", "demandée", StateKind.ACTIVE),
                *((Way("taken", ("Accepter",)), Way("over", ("Annuler",))), ("Relancer",), ("Orienter",), True),
            ),
            Node("taken", "acceptée", StateKind.ACTIVE, (Way("over", ("Finir", "Annuler")),)),
            Node("over", "finie", StateKind.FINAL, ()),
        ),
    )
    assert all(
        not node.inside or "Relancer" not in node.inside for node in charts_of(PATHWAYS["records"], "fr")[0].nodes
    )


def assert_clean(placed: Placed) -> None:
    """Boxes do not overlap, rows stay in their boxes, and wires that could be taken for each other keep apart."""
    below = placed.top
    for box in placed.boxes:
        assert (box.y if box.dot is None else box.dot - LINE / 2) >= below
        assert box.dot is None or box.dot + LINE * (len(box.begins) - 0.5) <= box.y
        below = box.y + box.height
        at = box.y + HEAD
        for row in box.rows:
            assert row.y >= at
            at = row.y + LINE * len(row.lines)
        assert at <= below
    assert placed.bottom >= below
    ends = [wire.end for wire in placed.wires]
    assert len(ends) == len(set(ends))
    for one in placed.wires:
        for other in placed.wires:
            if one is not other and one.lane == other.lane:
                mine, theirs = (one.end, *one.starts), (other.end, *other.starts)
                assert max(mine) < min(theirs) or max(theirs) < min(mine)


@each_pathway
@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_stands_over_anything_else(pathway: Pathway, language: str) -> None:
    for chart in charts_of(pathway, language):
        assert_clean(place(chart, 40, language))


texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=90)


@given(titles=st.lists(texts, min_size=1, max_size=6), data=st.data())
def test_any_texts_and_any_ways_can_be_placed(titles: list[str], data: st.DataObject) -> None:
    keys = [f"s{at}" for at in range(len(titles))]
    goals = st.lists(st.sampled_from([*keys, PREVIOUS]), unique=True, max_size=4)
    nodes = [
        Node(
            *(key, title, StateKind.ACTIVE),
            tuple(Way(goal, tuple(data.draw(st.lists(texts, min_size=1, max_size=3)))) for goal in data.draw(goals)),
            tuple(data.draw(st.lists(texts, max_size=3))),
            tuple(data.draw(st.lists(texts, max_size=3))) if key == "s0" else (),
            first=key == "s0",
        )
        for key, title in zip(keys, titles, strict=True)
    ]
    assert_clean(place(Chart("Title", tuple(nodes)), 40, "fr"))


@each_pathway
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_picture_is_well_formed_explains_itself_and_is_always_the_same(pathway: Pathway, language: str) -> None:
    drawn = draw_svg(pathway, language)
    assert drawn == draw_svg(pathway, language)
    root = ElementTree.fromstring(drawn)  # noqa: S314  (made here)
    assert root.get("role") == "img"
    assert (root[0].tag, root[1].tag) == (f"{SVG}title", f"{SVG}desc")
    assert pathway.title.in_(language) in str(root[0].text)
    assert all(state.title.in_(language) in str(root[1].text) for state in pathway.states.values())
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= DRAWN
    written = {str(each.text) for each in root.iter(f"{SVG}text")}
    assert {state.title.in_(language) for state in pathway.states.values()} <= written


@each_pathway
def test_mermaid_says_the_same_ways(pathway: Pathway) -> None:
    drawn = draw_mermaid(pathway, "fr")
    assert drawn == draw_mermaid(pathway, "fr")
    lines = [line.strip() for line in drawn.splitlines()]
    assert lines[0] == "stateDiagram-v2"
    arrow = re.compile(r"s_(\w+) --> s_(\w+): ([^<>:]+)")
    arrows = {match.groups()[:2] for line in lines if (match := arrow.fullmatch(line))}
    states, moves = set(pathway.states), {(state, goal) for state, _, goal in ways_of(pathway) if goal != PREVIOUS}
    assert {pair for pair in arrows if pair[0] in states} <= moves
    shared = {goal for state, goal in arrows if state == "active"}
    assert {(state, goal) for state, goal in moves if goal not in shared} <= arrows
    assert drawn.count("{") == drawn.count("}")
    declared = set(re.findall(r'^ *state "[^"]*" as (\w+)', drawn, re.MULTILINE))
    used = {name for line in lines for name in re.findall(r"\b[sr]_\w+", line.split(":")[0])}
    assert used <= declared


def test_signs_of_mermaid_in_a_title_are_written_as_numbers() -> None:
    drawn = draw_mermaid(PATHWAYS["hostile"], "fr")
    assert "<script>" not in drawn
    assert "a --#62; b#58; #60;script#62;" in drawn
