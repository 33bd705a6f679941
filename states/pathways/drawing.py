"""Draws a pathway as one SVG picture, legible on a phone and on paper without colours; `segin pathway diagram` asks.

Nothing but text is made here: no program, no font and no network is needed. The same pathway gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from states.pathway import Pathway, StateKind
from states.pathways.chart import Chart, charts_of
from states.pathways.layout import FIRST_LANE, GAP, HEAD, INNER, LANE, LINE, WIDTH, Box, Placed, Wire, place

_MARGIN: Final = 24
_LEFT: Final = _MARGIN + INNER
_RIGHT: Final = _LEFT + WIDTH
_COLOURS: Final = ("#0b5394", "#a61c00", "#38761d", "#741b47", "#7f6000", "#134f5c", "#351c75", "#444444")
_STYLE: Final = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',Arial,sans-serif;font-size:13px;"
    "fill:#1a1a1a}.h{font-size:18px;font-weight:700}.t{font-size:14px;font-weight:700}.k{font-size:10px;fill:#555}"
    ".i{fill:#444}.s{font-size:11px;fill:#444}.b{fill:#fff;stroke:#1a1a1a;stroke-width:1.5}"
    ".f{fill:none;stroke:#888;stroke-width:1}.w{fill:none;stroke-width:1.8}"
    ".d{stroke-dasharray:6 4}"
)
_LEGEND: Final = {
    "fr": "● départ · pointillé : en suspens · double trait : fin · ↩ retour à l'état précédent",
    "en": "● start · dashed: on hold · double line: end · ↩ back to the state before",
}


def draw_svg(pathway: Pathway, language: str) -> str:
    """The pathway and the small machines of its records, one below the other, with the texts in `language`."""
    placed: list[Placed] = []
    top = float(_MARGIN)
    for chart in charts_of(pathway, language):
        top += HEAD * len(_heading(chart))
        placed.append(place(chart, top, language))
        top = placed[-1].bottom + 2 * GAP
    lanes = max(each.lanes for each in placed)
    width = _RIGHT + FIRST_LANE + lanes * LANE + _MARGIN
    height = top + LINE
    title, told = placed[0].chart.title, " ".join(_told(each.chart) for each in placed)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" style="max-width:100%;height:auto" role="img" aria-labelledby="title desc" '
        f"xml:lang={quoteattr(language)}>",
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(told)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for each in placed:
        lines += _chart(each)
    lines += [_text(_MARGIN, height - _MARGIN, _LEGEND[language], "s"), "</svg>"]
    return "\n".join(lines) + "\n"


def _heading(chart: Chart) -> list[str]:
    return wrap(chart.title, 40)


def _told(chart: Chart) -> str:
    """The chart in words, for those who do not see it."""
    titles = {node.key: node.title for node in chart.nodes}
    said = [f"{chart.title}."]
    for node in chart.nodes:
        ways = "; ".join(f"{', '.join(way.titles)} → {titles.get(way.goal, '↩')}" for way in node.ways)
        said.append(f"{node.title}: {ways or '–'}.")
    said += [f"{each.title} → {titles.get(each.goal or '', '↺')}." for each in chart.common]
    return " ".join(said)


def _chart(placed: Placed) -> Iterator[str]:
    heading = _heading(placed.chart)
    for at, line in enumerate(heading):
        yield _text(_MARGIN, placed.top - HEAD * (len(heading) - at) + LINE, line, "h")
    if placed.frame is not None:
        low, high = placed.frame
        yield _rect(_LEFT - INNER, low, WIDTH + 2 * INNER, high - low, "f", 10)
    for box in placed.boxes:
        yield from _box(box)
    for wire in placed.wires:
        yield from _wire(wire)


def _wire(wire: Wire) -> Iterator[str]:
    """One line for all the ways to a goal: where it turns, they join; others it crosses straight."""
    colour = _COLOURS[wire.lane % len(_COLOURS)]
    x = _RIGHT + FIRST_LANE + wire.lane * LANE
    path = "".join(_bend(start, wire.end, x) for start in wire.starts)
    yield f'<path class="w" stroke="{colour}" d="{path}"/>'
    for start in wire.starts:
        yield f'<circle cx="{_RIGHT:g}" cy="{start:g}" r="3" fill="{colour}"/>'
    yield f'<path fill="{colour}" d="M{_RIGHT + 1:g} {wire.end:g}l9 -4.5v9z"/>'


def _bend(start: float, end: float, x: float) -> str:
    turn = min(6.0, abs(end - start) / 2)
    down = turn if end > start else -turn
    return (
        f"M{_RIGHT:g} {start:g}H{x - turn:g}Q{x:g} {start:g} {x:g} {start + down:g}"
        f"V{end - down:g}Q{x:g} {end:g} {x - turn:g} {end:g}H{_RIGHT + 8:g}"
    )


def _box(box: Box) -> Iterator[str]:
    node = box.node
    kind = node.kind if node else None
    yield "<g>"
    if node is not None:
        yield f"<title>{escape(node.title)}</title>"
        style = "b d" if kind is StateKind.HOLD else "b"
        yield _rect(_LEFT, box.y, WIDTH, box.height, style, 8)
        if kind is StateKind.FINAL:
            yield _rect(_LEFT + 3, box.y + 3, WIDTH - 6, box.height - 6, "b", 6)
        yield _text(_RIGHT - INNER, box.y + HEAD / 2 + 4, node.key, "k", end=True)
    if box.dot is not None:
        x = _LEFT + 2 * INNER
        yield f'<circle cx="{x:g}" cy="{box.dot:g}" r="5"/>'
        yield f'<path d="M{x:g} {box.dot:g}V{box.y - 6:g}" stroke="#1a1a1a"/>'
        yield f'<path d="M{x:g} {box.y:g}l-4 -8h8z"/>'
        for at, line in enumerate(box.begins):
            yield _text(x + INNER, box.dot + LINE * at + 4, line, "i")
    yield _text(_LEFT + INNER, box.y + HEAD / 2 + 5, box.title, "t")
    for row in box.rows:
        for at, line in enumerate(row.lines):
            yield _text(_LEFT + INNER, row.y + LINE * at + 13, line, "" if row.goal else "i")
    yield "</g>"


def _rect(x: float, y: float, width: float, height: float, style: str, round_: float) -> str:
    return (
        f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_:g}" '
        f'ry="{round_:g}"/>'
    )


def _text(x: float, y: float, text: str, style: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:g}" y="{y:g}" class="{style}"{anchor}>{escape(text)}</text>'
