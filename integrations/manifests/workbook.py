"""An .xlsx workbook to grids of cells, through openpyxl's read-only mode. `reader` calls it.

Dimension tags are not believed, formulas are never evaluated, and nothing unpacks before `archive.inspect` allows it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

from openpyxl import Workbook, load_workbook

from integrations.manifests.archive import inspect
from integrations.manifests.folding import clean
from integrations.manifests.table import Cell, Grid, RawRow, Unusable
from integrations.manifests.unreadable import UnreadableManifest

MAX_COLUMNS: Final = 100
MAX_SHEETS: Final = 50

_ERRORS: Final = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})


def read_workbook(data: bytes, file: str, max_rows: int) -> list[Grid]:
    """The sheets in order. Cells right of column 100 are left out: no table of people is that wide.

    Raises UnreadableManifest.
    """
    has_formulas = inspect(data, file, max_rows).has_formulas
    with _opened(data, file, data_only=True) as workbook:
        grids = [_grid(sheet, workbook) for sheet in workbook.worksheets]
    if has_formulas:
        with _opened(data, file, data_only=False) as workbook:
            for grid, sheet in zip(grids, workbook.worksheets, strict=True):
                _mark_formulas(grid, sheet)
    return grids


@contextmanager
def _opened(data: bytes, file: str, *, data_only: bool) -> Iterator[Workbook]:
    """The workbook while it is read; openpyxl's warnings are silenced, since they quote cells."""
    workbook = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=data_only, keep_links=False)
            if len(workbook.worksheets) > MAX_SHEETS:
                raise UnreadableManifest("too_many_parts", file, limit=MAX_SHEETS)
            yield workbook
        except UnreadableManifest:
            raise
        except Exception:  # noqa: BLE001 (openpyxl raises whatever its parsing trips over, and quotes the cell)
            raise UnreadableManifest("damaged", file, part="") from None
        finally:
            if workbook is not None:
                workbook.close()


def _rows(sheet: Any, *, values_only: bool) -> Iterable[tuple[Any, ...]]:
    """Every row from the first, as tuples of `MAX_COLUMNS` (or an empty tuple where the file has none)."""
    sheet.reset_dimensions()
    rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(min_row=1, max_col=MAX_COLUMNS, values_only=values_only)
    return rows


def _grid(sheet: Any, workbook: Workbook) -> Grid:
    rows: list[RawRow] = []
    line = 0
    for line, values in enumerate(_rows(sheet, values_only=True), start=1):
        # count() runs in C: a stray cell in the last row makes openpyxl give a million empty rows before it.
        if values.count(None) < len(values):
            cells = tuple(_cell(value) for value in _trimmed(values))
            if any(cell is not None for cell in cells):
                rows.append(RawRow(line, cells))
    return Grid(sheet.title, rows, line - len(rows), workbook.epoch.date())


def _trimmed(values: tuple[Any, ...]) -> tuple[Any, ...]:
    width = len(values)
    while width and values[width - 1] is None:
        width -= 1
    return values[:width]


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).lower() if isinstance(value, bool) else clean(str(value))
    return Unusable.ERROR if text in _ERRORS else text or None


def _mark_formulas(grid: Grid, sheet: Any) -> None:
    """Marks the cells that hold a formula without a saved result: read by value, they look empty."""
    by_line = {row.line: position for position, row in enumerate(grid.rows)}
    found: list[RawRow] = []
    for line, cells in enumerate(_rows(sheet, values_only=False), start=1):
        formulas = [index for index, cell in enumerate(cells) if cell.value is not None and cell.data_type == "f"]
        if not formulas:
            continue
        position = by_line.get(line)
        known = grid.rows[position].cells if position is not None else ()
        values = list(known) + [None] * (max(formulas) + 1 - len(known))
        for index in formulas:
            if values[index] is None:
                values[index] = Unusable.FORMULA
        if position is None:
            found.append(RawRow(line, tuple(values)))
        else:
            grid.rows[position] = RawRow(line, tuple(values))
    grid.rows.extend(found)
    grid.rows.sort(key=lambda row: row.line)
