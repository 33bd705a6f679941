"""Which row is the header and what its columns mean: known layouts from `layouts.yaml`, others from a mapping file.

`reader` looks for the header with `find_header`; the edges load a programme's own mapping file with `load_mapping`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from integrations.manifests.folding import fold
from integrations.manifests.table import Column, RawRow
from integrations.manifests.unreadable import UnreadableManifest
from models.errors import WrongUse

FIELDS: Final = (
    "reference",
    "family_name",
    "given_names",
    "sex",
    "birth_date",
    "nationality",
    "departure_country",
    "departure_place",
    "arrival_date",
    "transport",
    "region",
    "district",
    "place",
    "phone",
    "household_size",
    "vulnerabilities",
    "consent",
    "remarks",
)
"""What a column may stand for. `place` is a district with its region; `vulnerabilities` may hold remarks too."""

NEEDED: Final = ("family_name", "given_names", "sex", "birth_date", "departure_country", "arrival_date")
"""The columns without which no person of the list could be registered."""

SEARCHED_ROWS: Final = 40
# Fewer known headers than this may be a title or a person whose name happens to be a header.
_RECOGNISED: Final = 3
_LAYOUTS: Final = Path(__file__).with_name("layouts.yaml")
_BRACKETS: Final = re.compile(r"\([^)]*\)|\[[^]]*]")


class MappingError(WrongUse):
    """A mapping file cannot be used: it is no YAML, or it names a field that does not exist."""


class Header(NamedTuple):
    """A row recognised as the header. `known` counts its columns with a meaning."""

    line: int
    layout: str
    columns: tuple[Column, ...]
    known: int


@dataclass(frozen=True, slots=True)
class Layouts:
    """The headers that are known, by folded text. `own` (from a mapping file) goes before the built-in ones.

    `examples` gives one header, as a person writes it, for each field.
    """

    by_layout: Mapping[str, Mapping[str, str]]
    examples: Mapping[str, str]
    other: Mapping[str, str]
    totals: tuple[str, ...]
    own: Mapping[str, str]

    def field_of(self, header: str) -> str | None:
        """The field that a header stands for; what stands in brackets counts only when the rest is unknown."""
        for text in (fold(header), fold(_BRACKETS.sub(" ", header))):
            for known in (self.own, *self.by_layout.values(), self.other):
                if text in known:
                    return known[text]
        return None

    def written(self, fields: Sequence[str]) -> str:
        """The fields by an example of their headers, for messages."""
        return ", ".join(self.examples.get(name, name) for name in fields)

    def layout_of(self, headers: Sequence[str]) -> str:
        """The layout with the most of these headers; `mapping` when a mapping file gave one of them its meaning."""
        folded = {fold(header) for header in headers}
        if folded & self.own.keys():
            return "mapping"
        return max(self.by_layout, key=lambda name: len(folded & self.by_layout[name].keys()))


@lru_cache(maxsize=1)
def load_layouts() -> Layouts:
    """The layouts and headers that come with Segin."""
    data = yaml.safe_load(_LAYOUTS.read_text(encoding="utf-8"))
    by_layout = {
        name: {fold(header): field for field, headers in fields.items() for header in headers}
        for name, fields in data["layouts"].items()
    }
    other = {fold(header): field for field, headers in data["other_headers"].items() for header in headers}
    first = next(iter(data["layouts"].values()))
    examples = {field: headers[0] for field, headers in first.items()}
    return Layouts(by_layout, examples, other, tuple(fold(word) for word in data["totals"]), own={})


def load_mapping(path: Path) -> Layouts:
    """The known layouts and, before them, those of a YAML file with one `column header: field` on each line.

    Raises MappingError, which names the file, what is wrong and what may stand there.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise _wrong_mapping(path, f"cannot be read as YAML{where}", f"est illisible comme YAML{where}") from None
    if not isinstance(data, dict) or not data:
        raise _wrong_mapping(path, "holds no `header: field` lines", "ne contient pas de lignes « titre: champ »")
    own: dict[str, str] = {}
    for header, field in data.items():
        if field not in FIELDS:
            close = difflib.get_close_matches(str(field), FIELDS, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise _wrong_mapping(
                path,
                f"gives the column {header!r} the unknown field {field!r}{hint}",
                f"donne à la colonne {header!r} le champ inconnu {field!r}",
            )
        if own.setdefault(fold(str(header)), field) != field:
            raise _wrong_mapping(path, f"gives {header!r} two fields", f"donne deux champs à {header!r}")
    return replace(load_layouts(), own=own)


def find_header(rows: Sequence[RawRow], layouts: Layouts) -> Header | None:
    """The row among the first that has most known headers (the first of them); none when no row has at least three."""
    headers = (_header(row, layouts) for row in rows[:SEARCHED_ROWS])
    best = max(headers, key=lambda header: header.known, default=None)
    return best if best is not None and best.known >= _RECOGNISED else None


def check_header(header: Header, layouts: Layouts, file: str) -> None:
    """Raises UnreadableManifest when a needed column is missing or two columns stand for the same field."""
    by_field = Counter(column.field for column in header.columns if column.field)
    missing = [name for name in NEEDED if not by_field[name]]
    if missing:
        found = ", ".join(column.header for column in header.columns if column.header)
        raise UnreadableManifest(
            "missing_columns", file, line=header.line, missing=layouts.written(missing), found=found
        )
    twice = [column.header for column in header.columns if column.field and by_field[column.field] > 1]
    if twice:
        raise UnreadableManifest("same_column_twice", file, line=header.line, found=", ".join(twice))


def _header(row: RawRow, layouts: Layouts) -> Header:
    texts = [cell if isinstance(cell, str) else "" for cell in row.cells]
    fields = [layouts.field_of(text) if text else None for text in texts]
    own = {layouts.own[fold(text)] for text in texts if fold(text) in layouts.own}
    columns = tuple(
        # Where a mapping file says which column stands for a field, a built-in reading of another column gives way.
        Column(index, text, None if field in own and fold(text) not in layouts.own else field)
        for index, (text, field) in enumerate(zip(texts, fields, strict=True))
    )
    known = len({column.field for column in columns if column.field})
    return Header(row.line, layouts.layout_of(texts), columns, known)


def _wrong_mapping(path: Path, en: str, fr: str) -> MappingError:
    return MappingError(
        f"The mapping file {path.name} {en}.",
        f"Le fichier de correspondance {path.name} {fr}.",
        remedy=f"Write lines such as `Nom de famille: family_name`; the fields are {', '.join(FIELDS)}.",
        remedy_fr=f"Écrivez des lignes comme `Nom de famille: family_name` ; les champs sont {', '.join(FIELDS)}.",
    )
