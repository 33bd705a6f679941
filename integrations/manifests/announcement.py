"""People announced one by one, as the table that a manifest with them would be. The partner API makes it.

From there on an announcement is a manifest like any other: the same rows are rejected, known, waiting or new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

from integrations.manifests.folding import clean
from integrations.manifests.headers import FIELDS
from integrations.manifests.table import EXCEL_EPOCH, Cell, Column, ManifestTable, RawRow

LAYOUT: Final = "announcement"
_COLUMNS: Final = tuple(Column(index, name, name) for index, name in enumerate(FIELDS))


def announced(people: Sequence[Mapping[str, Cell]], file: str, sender: str) -> ManifestTable:
    """The table of these people, each a row by the fields of `headers.FIELDS`; the first is line 1.

    The same people from the same `sender` have the same checksum: whoever announces them again changes nothing.
    """
    rows = [RawRow(line, tuple(map(_cell, map(person.get, FIELDS)))) for line, person in enumerate(people, start=1)]
    said = json.dumps([LAYOUT, sender, [row.cells for row in rows]], ensure_ascii=False)
    return ManifestTable(
        file=file,
        checksum=hashlib.sha256(said.encode()).hexdigest(),
        layout=LAYOUT,
        header_line=0,
        columns=_COLUMNS,
        rows=rows,
        epoch=EXCEL_EPOCH,
        blank_rows=0,
        total_lines=(),
        repeated_header_lines=(),
        note_lines=(),
    )


def _cell(value: Cell) -> Cell:
    return clean(value) or None if isinstance(value, str) else value
