"""Regions and their districts in any spelling to place codes (P-codes), from a reference file. `rows` calls it.

A misspelt name is understood only when a single place is that near; a doubtful one stays without a code.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from integrations.manifests.folding import fold

_IN_BRACKETS: Final = re.compile(r"\s*(.+?)\s*[(\[]\s*(.+?)\s*[)\]]?\s*")
_SEPARATED: Final = re.compile(r"\s*(.+?)\s*(?:[,;/|]| - | – )\s*(.+?)\s*")
_REGION, _DISTRICT = 1, 2
# Names of up to five letters differ from each other by as little as one slip (Kita, Kati).
_SHORT: Final = 5


class Place(NamedTuple):
    """Where somebody returns to. `understood` is false when a text was given that has no code, or the two disagree."""

    region_pcode: str | None
    district_pcode: str | None
    understood: bool


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The places of one country: pcodes by folded name for each level, and the region of each district."""

    regions: Mapping[str, str]
    districts: Mapping[str, str]
    region_of: Mapping[str, str]
    prefixes: frozenset[str]

    def find(self, region: str | None, district: str | None) -> Place:
        """The codes of a region and a district that stand in two cells; either may be missing."""
        region_pcode = self._match(region, self.regions) if region else None
        district_pcode = self._match(district, self.districts) if district else None
        understood = (not region or region_pcode is not None) and (not district or district_pcode is not None)
        if district_pcode is None:
            return Place(region_pcode, None, understood)
        home = self.region_of[district_pcode]
        if region_pcode is not None and region_pcode != home:
            return Place(None, None, understood=False)
        return Place(home, district_pcode, understood)

    def find_in_one(self, text: str) -> Place:
        """The codes of a cell such as `Kita (Kayes)`, `Kita, Kayes`, `Kita` or `Kayes`.

        A name that is both a region and one of its districts means the region: that much is sure.
        """
        if match := _IN_BRACKETS.fullmatch(text) or _SEPARATED.fullmatch(text):
            for region, district in ((match[2], match[1]), (match[1], match[2])):
                place = self.find(region, district)
                if place.understood:
                    return place
            return self.find(match[2], match[1])
        region_pcode = self._match(text, self.regions)
        return Place(region_pcode, None, True) if region_pcode else self.find(None, text)

    def _match(self, text: str, names: Mapping[str, str]) -> str | None:
        name = self._bare(text)
        if name in names:
            return names[name]
        slips = 1 if len(name) <= _SHORT else 2
        near: dict[str, int] = {}
        for known, pcode in names.items():
            distance = OSA.distance(name, known, score_cutoff=slips)
            if distance <= slips and len(known) > slips + 1:
                near[pcode] = min(distance, near.get(pcode, distance))
        best = min(near.values(), default=0)
        nearest = [pcode for pcode, distance in near.items() if distance == best]
        return nearest[0] if len(nearest) == 1 else None

    def _bare(self, text: str) -> str:
        words = fold(text).split()
        while len(words) > 1 and words[0] in self.prefixes:
            words.pop(0)
        return " ".join(words)


def load_gazetteer(file: Path, other_names: Mapping[str, Iterable[str]], prefixes: Iterable[str]) -> Gazetteer:
    """The places of a CSV file with the columns admin_level, pcode, name, parent_pcode, and further names by pcode."""
    names: dict[int, dict[str, str]] = {_REGION: {}, _DISTRICT: {}}
    region_of: dict[str, str] = {}
    level_of: dict[str, int] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            level, pcode = int(row["admin_level"]), row["pcode"]
            level_of[pcode] = level
            names[level][fold(row["name"])] = pcode
            if level == _DISTRICT:
                region_of[pcode] = row["parent_pcode"]
    for pcode, others in other_names.items():
        for other in others:
            names[level_of[pcode]].setdefault(fold(other), pcode)
    return Gazetteer(names[_REGION], names[_DISTRICT], region_of, frozenset(fold(word) for word in prefixes))
