"""Places a chart on a page: states one below the other, each way a wire to the right of them that leads to its goal.

A way's text stands in the box that it leaves, so that no two texts can touch; wires to the same goal run together, and
the shorter ones run nearer to the boxes. `states.pathways.drawing` draws what is placed here. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

from states.pathway import StateKind
from states.pathways.chart import Chart, Common, Node
from states.pathways.ways import PREVIOUS

WIDTH: Final = 340
HEAD: Final = 30
LINE: Final = 18
INNER: Final = 10
GAP: Final = 24
LANE: Final = 14
FIRST_LANE: Final = 20
START: Final = 12
"""From the dot at which a machine begins, with what makes it begin beside it, to the box below."""

_CHARACTERS: Final = 45
"""As many of the widest usual letters go on a line of a box."""


class Row(NamedTuple):
    """A few lines of text in a box, from `y` downwards; with a goal, a wire leaves beside the first line."""

    y: float
    lines: tuple[str, ...]
    goal: str | None


class Box(NamedTuple):
    """A state, or with no node what all active states have in common. `begins` are the lines beside the dot of a state
    in which a machine begins; it stands at `dot`, above the box."""

    node: Node | None
    title: str
    y: float
    height: float
    rows: tuple[Row, ...]
    begins: tuple[str, ...] = ()
    dot: float | None = None

    @property
    def port(self) -> float:
        """Where wires arrive."""
        return self.y + HEAD / 2


class Wire(NamedTuple):
    """All ways to one goal: they leave at the `starts` and arrive at `end`, on a lane counted from the boxes."""

    goal: str
    starts: tuple[float, ...]
    end: float
    lane: int


class Placed(NamedTuple):
    """A chart on the page, from `top` down to `bottom`. `frame` is the top and bottom of what surrounds the active
    states when they have something in common."""

    chart: Chart
    top: float
    bottom: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    frame: tuple[float, float] | None

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return 1 + max((wire.lane for wire in self.wires), default=-1)


def place(chart: Chart, top: float, language: str) -> Placed:
    """The chart with its first box below `top`."""
    boxes: list[Box] = []
    titles = {node.key: node.title for node in chart.nodes}
    y = top
    frame = None
    if chart.common:
        y += INNER
    for node in chart.nodes:
        if chart.common and frame is None and node.kind is not StateKind.ACTIVE:
            boxes.append(_common_box(chart.common, titles, y, language))
            frame = (top, boxes[-1].y + boxes[-1].height + INNER)
            y = frame[1] + GAP
        boxes.append(_box(node, titles, y, language))
        y = boxes[-1].y + boxes[-1].height + GAP
    if chart.common and frame is None:
        boxes.append(_common_box(chart.common, titles, y, language))
        frame = (top, boxes[-1].y + boxes[-1].height + INNER)
        y = frame[1] + GAP
    return Placed(chart, top, y - GAP, tuple(boxes), _wires(boxes), frame)


def _box(node: Node, titles: dict[str, str], top: float, language: str) -> Box:
    begins = tuple(wrap(", ".join(node.begins), _CHARACTERS - 4))
    y = top + (LINE * max(1, len(begins)) + START if node.first else 0)
    english = language == "en"
    texts: list[tuple[str, str | None]] = []
    for way in node.ways:
        named = ", ".join(way.titles)
        if way.goal == PREVIOUS:
            texts.append((f"{named} ↩ {'where it came from' if english else 'là d’où vient le dossier'}", None))
        else:
            texts.append((f"{named} → {titles[way.goal]}", way.goal))
    if node.inside:
        texts.append((f"{'Here: ' if english else 'Sur place : '}{', '.join(node.inside)}", None))
    filled = _filled(node, node.title, texts, y)
    return filled._replace(begins=begins, dot=top + LINE / 2) if node.first else filled


def _common_box(common: Sequence[Common], titles: dict[str, str], y: float, language: str) -> Box:
    english = language == "en"
    texts: list[tuple[str, str | None]] = []
    inside: dict[tuple[str, ...], list[str]] = {}
    for each in common:
        if each.goal is None:
            inside.setdefault(each.but, []).append(each.title)
        elif each.goal == PREVIOUS:
            texts.append((f"{each.title} ↩{_but(each.but, english)}", None))
        else:
            texts.append((f"{each.title} → {titles[each.goal]}{_but(each.but, english)}", each.goal))
    for but, named in inside.items():
        texts.append((f"{'There: ' if english else 'Sur place : '}{', '.join(named)}{_but(but, english)}", None))
    return _filled(None, "From each of these states" if english else "Depuis chacun de ces états", texts, y)


def _but(states: Sequence[str], english: bool) -> str:
    if not states:
        return ""
    return f" ({'not' if english else 'sauf'} {', '.join(states)})"


def _filled(node: Node | None, title: str, texts: Iterable[tuple[str, str | None]], y: float) -> Box:
    rows: list[Row] = []
    below = y + HEAD + INNER / 2
    for text, goal in texts:
        lines = _lines(text)
        rows.append(Row(below, lines, goal))
        below += LINE * len(lines) + 4
    return Box(node, title, y, (below + INNER / 2 if rows else y + HEAD) - y, tuple(rows))


def _lines(text: str) -> tuple[str, ...]:
    """The text on lines; what does not fit on one breaks first before its arrow."""
    named, arrow, goal = text.partition(" → ")
    if not arrow or len(text) <= _CHARACTERS:
        return tuple(wrap(text, _CHARACTERS))
    return (*wrap(named, _CHARACTERS), *wrap(f"→ {goal}", _CHARACTERS, subsequent_indent="   "))


def _wires(boxes: Sequence[Box]) -> tuple[Wire, ...]:
    ports = {box.node.key: box.port for box in boxes if box.node is not None}
    starts: dict[str, list[float]] = {}
    for box in boxes:
        for row in box.rows:
            if row.goal is not None:
                starts.setdefault(row.goal, []).append(row.y + LINE / 2)
    spans = {goal: (min(*ys, ports[goal]), max(*ys, ports[goal])) for goal, ys in starts.items()}
    lanes: list[list[tuple[float, float]]] = []
    wires = []
    for goal, (low, high) in sorted(spans.items(), key=lambda item: (item[1][1] - item[1][0], item[1])):
        lane = next((at for at, used in enumerate(lanes) if _free(used, low, high)), len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((low, high))
        wires.append(Wire(goal, tuple(starts[goal]), ports[goal], lane))
    return tuple(wires)


def _free(used: Sequence[tuple[float, float]], low: float, high: float) -> bool:
    return all(high + LINE < begins or low - LINE > ends for begins, ends in used)
