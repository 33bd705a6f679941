"""The values that reading gives: cells, rows with their line numbers, columns with the fields they stand for.

`workbook` and `delimited` make grids, `reader` makes the table, `rows` and the error file read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final, NamedTuple


class Unusable(Enum):
    """A cell whose value cannot be known from the file alone."""

    FORMULA = "formula"
    """A formula that was saved without its result."""
    ERROR = "error"
    """A formula whose result is an error, such as #REF!."""


Cell = str | int | float | date | Unusable | None
"""Text is cleaned and never empty; a boolean is the text `true` or `false`; a date has no time of day."""

EXCEL_EPOCH: Final = date(1899, 12, 30)
"""Day 0 of spreadsheet serial dates from 1 March 1900 on; workbooks made on old Macs count from 1904-01-01."""


def as_text(cell: Cell) -> str | None:
    """A number without its `.0`, a date in ISO form; none for an empty or unusable cell."""
    if cell is None or isinstance(cell, Unusable):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


class RawRow(NamedTuple):
    """One row that is not blank, by its line in the file (1 is the first), as wide as its last cell."""

    line: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet, or one text file, before anybody knows which row is the header."""

    title: str
    rows: list[RawRow] = field(repr=False)
    blank_rows: int
    epoch: date = EXCEL_EPOCH


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its header as written, and the field it stands for (none: kept, but not used)."""

    index: int
    header: str
    field: str | None


@dataclass(frozen=True, slots=True)
class ManifestTable:
    """A manifest as read: which column says what, the rows of people, and what was skipped and where.

    `checksum` is the SHA-256 of the bytes, in hex; `layout` the known layout that fits best, or `mapping`.
    """

    file: str
    checksum: str
    layout: str
    header_line: int
    columns: tuple[Column, ...]
    rows: list[RawRow] = field(repr=False)
    epoch: date
    blank_rows: int
    total_lines: tuple[int, ...]
    repeated_header_lines: tuple[int, ...]
    note_lines: tuple[int, ...]

    def header_of(self, name: str) -> str | None:
        """The header of the column that stands for a field; none when the manifest has no such column."""
        return next((column.header for column in self.columns if column.field == name), None)

    def fields_of(self, row: RawRow) -> dict[str, Cell]:
        """The cells of a row by field; fields without a column or with an empty cell are absent."""
        return {name: cell for name, cell in self._named_cells(row) if cell is not None}

    def texts_of(self, row: RawRow) -> list[str]:
        """The cells of a row as texts, one for each column; a formula without a result is its kind."""
        texts = [as_text(cell) or (cell.value if isinstance(cell, Unusable) else "") for cell in row.cells]
        return (texts + [""] * len(self.columns))[: max(len(texts), len(self.columns))]

    def _named_cells(self, row: RawRow) -> Iterator[tuple[str, Cell]]:
        for column in self.columns:
            if column.field is not None and column.index < len(row.cells):
                yield column.field, row.cells[column.index]
