"""Checks that an instrument's bands cover their scales and that what it names is there; each problem with its line.

`states.instruments.catalogue` runs it after Pydantic accepted the shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from states.instruments.definition import WHOLE, Awaited, Band, Definition, Scored, Summed, Weighted
from states.instruments.sayings import CHECKS
from states.pathways.problems import Problem, listed, problem
from states.pathways.source import Path, Source


def scale_problems(definition: Definition, source: Source) -> list[Problem]:
    """Everything in the definition that makes no sense."""
    if isinstance(definition, Awaited):
        return []
    checks = _Checks(source)
    checks.covers(("bands",), definition.bands, definition.lowest, definition.highest)
    checks.rules(definition)
    if isinstance(definition, Summed):
        checks.summed(definition)
    else:
        checks.weighted(definition)
    return checks.problems


class _Checks:
    """The checks of one file, and what they found."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def rules(self, definition: Scored) -> None:
        """What acts at once, and which change counts."""
        codes = [band.code for band in definition.bands]
        for index, rule in enumerate(definition.act_at_once):
            for code in rule.bands:
                self._known(("act_at_once", index, "bands"), code, codes)
        percent = definition.percent_factor if isinstance(definition, Summed) else None
        if definition.change is not None and definition.change.of == "percent" and percent is None:
            self._add(("change",), "no_percent")

    def summed(self, definition: Summed) -> None:
        """Items that are named are there, and subscales are covered."""
        count = definition.items
        self._items(("ranges",), list(definition.ranges), count)
        self._items(("reverse",), definition.reverse, count)
        for index, rule in enumerate(definition.act_at_once):
            self._items(("act_at_once", index), rule.items, count)
        for key, part in definition.subscales.items():
            path = ("subscales", key)
            self._items((*path, "items"), part.items, count)
            spans = [definition.range_of(item) for item in part.items]
            lowest, highest = sum(span.lowest for span in spans), sum(span.highest for span in spans)
            self.covers((*path, "bands"), part.bands, lowest, highest)

    def weighted(self, definition: Weighted) -> None:
        """Every indicator is in a dimension that is there, and every dimension has one."""
        for index, rule in enumerate(definition.act_at_once):
            self._items(("act_at_once", index), rule.items, len(definition.indicators))
        for key, indicator in definition.indicators.items():
            self._known(("indicators", key, "dimension"), indicator.dimension, list(definition.dimensions))
        used = {each.dimension for each in definition.indicators.values()}
        for key, dimension in definition.dimensions.items():
            if key not in used:
                self._add(("dimensions", key), "nothing_in_it", key=key)
            self.covers(("dimensions", key, "bands"), dimension.bands, 0, WHOLE)

    def covers(self, path: Path, bands: Sequence[Band], lowest: int, highest: int) -> None:
        """Bands begin where the scale begins, rise, and stay within it: then every result falls into exactly one."""
        starts = [band.start for band in bands]
        if starts[0] != lowest or starts[-1] > highest or any(a >= b for a, b in pairwise(starts)):
            self._add(path, "bands_do_not_cover", lowest=lowest, highest=highest)
        if len({band.code for band in bands}) != len(bands):
            self._add(path, "band_twice")

    def _items(self, path: Path, items: Sequence[int], count: int) -> None:
        if any(not 1 <= item <= count for item in items):
            self._add(path, "no_item", count=count)
        if len(set(items)) != len(items):
            self._add(path, "item_twice")

    def _known(self, path: Path, name: str, known: Iterable[str]) -> None:
        if name not in known:
            self._add(path, "no_such_name", name=name, known=listed([*known]))

    def _add(self, path: Path, code: str, **values: Any) -> None:
        where = ".".join(str(part) for part in path)
        line = self._source.line(path)
        self.problems.append(problem(self._source.file, line, code, CHECKS[code], {"where": where, **values}))
