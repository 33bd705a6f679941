"""Writes a pathway as Mermaid text, for pages that draw it themselves: `segin pathway diagram --format mermaid`."""

from __future__ import annotations

from collections.abc import Container, Iterator

from states.pathway import Pathway, StateKind
from states.pathways.chart import Chart, Node, charts_of
from states.pathways.ways import PREVIOUS


def draw_mermaid(pathway: Pathway, language: str) -> str:
    """One state diagram: the pathway, and beside it the small machines of its records."""
    charts = charts_of(pathway, language)
    lines = ["stateDiagram-v2", "    direction TB", f"    accTitle: {_safe(charts[0].title)}"]
    lines += _chart(charts[0], "s", "    ", language)
    for chart, kind in zip(charts[1:], pathway.records, strict=True):
        lines.append(f'    state "{_safe(chart.title)}" as r_{kind} {{')
        lines += _chart(chart, f"r_{kind}", "        ", language)
        lines.append("    }")
    return "\n".join(lines) + "\n"


def _chart(chart: Chart, prefix: str, indent: str, language: str) -> Iterator[str]:
    """Names have a prefix: `end` or `state` alone would be words of Mermaid."""
    active = [node for node in chart.nodes if node.kind is StateKind.ACTIVE]
    others = [node for node in chart.nodes if node.kind is not StateKind.ACTIVE]
    outside = {node.key for node in others}
    inner = indent
    if chart.common:  # what all have in common is an arrow from the frame around them
        together = "Chacun de ces états" if language == "fr" else "Each of these states"
        yield f'{indent}state "{together}" as {prefix}_active {{'
        inner = indent + "    "
    for node in active:
        yield f'{inner}state "{_safe(node.title)}" as {prefix}_{node.key}'
        if node.first:
            yield f"{inner}[*] --> {prefix}_{node.key}{_label(node.begins)}"
    for node in active:
        yield from _ways(node, prefix, inner, {each.key for each in active})
    if chart.common:
        yield f"{indent}}}"
    for node in others:
        yield f'{indent}state "{_safe(node.title)}" as {prefix}_{node.key}'
        if node.first:
            yield f"{indent}[*] --> {prefix}_{node.key}{_label(node.begins)}"
        if node.kind is StateKind.FINAL:
            yield f"{indent}{prefix}_{node.key} --> [*]"
    for node in active:
        yield from _ways(node, prefix, indent, outside)
    for node in others:
        yield from _ways(node, prefix, indent, {each.key for each in chart.nodes})
        back = tuple(title for way in node.ways if way.goal == PREVIOUS for title in way.titles)
        if back:
            yield f"{indent}note right of {prefix}_{node.key}{_label(back)} ↩"
    for each in chart.common:
        if each.goal in outside:
            but = f" ({'sauf' if language == 'fr' else 'not'} {', '.join(each.but)})" if each.but else ""
            yield f"{indent}{prefix}_active --> {prefix}_{each.goal}{_label((each.title + but,))}"


def _ways(node: Node, prefix: str, indent: str, goals: Container[str]) -> Iterator[str]:
    for way in node.ways:
        if way.goal in goals:
            yield f"{indent}{prefix}_{node.key} --> {prefix}_{way.goal}{_label(way.titles)}"


def _label(titles: tuple[str, ...]) -> str:
    return f": {_safe(', '.join(titles))}" if titles else ""


def _safe(text: str) -> str:
    """Text without what Mermaid would read as its own signs."""
    return "".join(f"#{ord(each)};" if each in '#;:"<>{}[]%\\`&' or not each.isprintable() else each for each in text)
