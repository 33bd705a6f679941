"""Countries and their nationals in French or English to ISO 3166 alpha-3 codes, from `reference/countries.csv`.

`rows` calls it. Names are never guessed from near spellings: Niger and Nigeria are one letter apart.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from integrations.manifests.folding import fold

_FILE: Final = Path(__file__).parent / "reference" / "countries.csv"


@dataclass(frozen=True, slots=True)
class Countries:
    """Alpha-3 codes by folded name (or alpha-2, alpha-3 code), and by the word for a national."""

    names: Mapping[str, str]
    nationals: Mapping[str, str]

    def find(self, text: str) -> str | None:
        """The country of that name: `Libye`, `LIBYA`, `Libyan Arab Jamahiriya`, `LY`, `LBY` -> `LBY`."""
        return self.names.get(fold(text))

    def find_nationality(self, text: str) -> str | None:
        """The country whose national or whose own name this is: `Malienne`, `Malian`, `Mali` -> `MLI`."""
        return self.nationals.get(fold(text)) or self.find(text)


@lru_cache(maxsize=1)
def load_countries() -> Countries:
    """The countries that come with Segin."""
    names: dict[str, str] = {}
    nationals: dict[str, str] = {}
    with _FILE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            code = row["iso3"]
            written = (row["iso2"], code, row["name_fr"], row["name_en"], *row["other_names"].split("|"))
            names.update({fold(name): code for name in written if name})
            nationals.update({fold(word): code for word in row["nationals"].split("|") if word})
    return Countries(names, nationals)
