"""From the bytes of an arrival manifest to its rows of people, line numbers kept. `intake` calls `read_rows`.

The content decides what a file is, never its name. A file that cannot be read as a whole raises UnreadableManifest
before anything is written; rows are judged one by one in `rows`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from integrations.manifests import delimited
from integrations.manifests.folding import fold
from integrations.manifests.headers import (
    NEEDED,
    SEARCHED_ROWS,
    Header,
    Layouts,
    check_header,
    find_header,
    load_layouts,
)
from integrations.manifests.table import Cell, Grid, ManifestTable, RawRow
from integrations.manifests.unreadable import UnreadableManifest
from integrations.manifests.workbook import read_workbook

MAX_BYTES: Final = 20_000_000
# Seven months of a whole country are 5,700 people; more in one file is not one manifest.
MAX_ROWS: Final = 20_000

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = bytes.fromhex("D0CF11E0A1B11AE1")
_OTHER_FORMATS: Final = {
    b"%PDF": "PDF",
    b"{\\rtf": "RTF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "RAR",
    b"<": "HTML/XML",
}


def read_rows(source: bytes | Path, file: str, layouts: Layouts | None = None) -> ManifestTable:
    """The table in a .xlsx or .csv file; `file` is the name for messages. Nothing but the file is read.

    Raises UnreadableManifest.
    """
    data = _load(source, file)
    layouts = layouts or load_layouts()
    grids = _grids(data, file, layouts)
    header, grid = _only_table(grids, file, layouts)
    check_header(header, layouts, file)
    return _table(data, file, header, grid, layouts)


def _load(source: bytes | Path, file: str) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableManifest("too_big", file, size=size // 1_000_000, limit=MAX_BYTES // 1_000_000)
    data = source if isinstance(source, bytes) else source.read_bytes()
    if not data.strip():
        raise UnreadableManifest("empty", file)
    return data


def _grids(data: bytes, file: str, layouts: Layouts) -> list[Grid]:
    if data.startswith(_ZIP):
        return read_workbook(data, file, MAX_ROWS)
    if data.startswith(_OLE):
        raise UnreadableManifest(_kind_of_ole(data), file)
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, kind in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise UnreadableManifest("other_format", file, kind=kind)
    text = delimited.decode(data, file)
    return [delimited.split(text, _delimiter(text, file, layouts), file, MAX_ROWS)]


def _kind_of_ole(data: bytes) -> str:
    """The old container of Office holds encrypted workbooks of today and plain ones of before 2007."""
    return "encrypted" if "EncryptedPackage".encode("utf-16-le") in data else "old_excel"


def _delimiter(text: str, file: str, layouts: Layouts) -> str:
    """The delimiter that makes most sense of the header; a title above may be full of the others."""

    def known_headers(delimiter: str) -> int:
        try:
            start = delimited.split(text, delimiter, file, MAX_ROWS, first=SEARCHED_ROWS)
        except UnreadableManifest:
            return 0
        header = find_header(start.rows, layouts)
        return header.known if header else 0

    return max(delimited.DELIMITERS, key=known_headers)


def _only_table(grids: list[Grid], file: str, layouts: Layouts) -> tuple[Header, Grid]:
    """The one list of people; an empty template on another sheet does not count beside it."""
    found = [(header, grid) for grid in grids if (header := find_header(grid.rows, layouts))]
    if not found:
        raise UnreadableManifest("no_header", file, limit=SEARCHED_ROWS, needed=layouts.written(NEEDED))
    filled = [(header, grid) for header, grid in found if grid.rows[-1].line > header.line]
    if len(filled) > 1:
        raise UnreadableManifest("several_tables", file, found=", ".join(grid.title for _, grid in filled))
    return (filled or found)[0]


def _table(data: bytes, file: str, header: Header, grid: Grid, layouts: Layouts) -> ManifestTable:
    titles = tuple(fold(column.header) for column in header.columns)
    people: list[RawRow] = []
    totals: list[int] = []
    repeated: list[int] = []
    notes: list[int] = []
    for row in grid.rows:
        if row.line <= header.line:
            continue
        if _is_total(row, header, layouts):
            totals.append(row.line)
        elif tuple(fold(cell) if isinstance(cell, str) else "" for cell in row.cells) == titles:
            repeated.append(row.line)
        elif _is_note(row, header):
            notes.append(row.line)
        else:
            people.append(row)
    return ManifestTable(
        file=file,
        checksum=hashlib.sha256(data).hexdigest(),
        layout=header.layout,
        header_line=header.line,
        columns=header.columns,
        rows=people,
        epoch=grid.epoch,
        blank_rows=grid.blank_rows,
        total_lines=tuple(totals),
        repeated_header_lines=tuple(repeated),
        note_lines=tuple(notes),
    )


def _is_total(row: RawRow, header: Header, layouts: Layouts) -> bool:
    """A sum: its label begins with a word such as "total", and sex, birth and arrival are empty or counts."""
    label = next((cell for cell in row.cells if cell is not None), None)
    words = fold(label) if isinstance(label, str) else ""
    is_label = any(words == total or words.startswith(f"{total} ") for total in layouts.totals)
    said = _cells_of(row, header, {"sex", "birth_date", "arrival_date"})
    return is_label and all(isinstance(cell, int | float) for cell in said)


def _is_note(row: RawRow, header: Header) -> bool:
    """A line under or between the people (a signature, a place): one cell, and not where a name would stand."""
    filled = sum(cell is not None for cell in row.cells)
    return filled == 1 and not _cells_of(row, header, {"family_name", "given_names"})


def _cells_of(row: RawRow, header: Header, fields: set[str]) -> list[Cell]:
    """The filled cells of a row under these fields."""
    indexes = [column.index for column in header.columns if column.field in fields and column.index < len(row.cells)]
    return [row.cells[index] for index in indexes if row.cells[index] is not None]
