"""Builds manifests and hostile files for the intake's tests. Everybody in them is synthetic."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from integrations.manifests import __file__ as _package

DEMO = Path(_package).parents[2] / "deployments" / "demo" / "manifests"
"""The 53 manifests of the demonstration."""

HEADER = ("Nom", "Prénom(s)", "Sexe", "Date de naissance", "Pays de départ", "Date d'arrivée", "Téléphone")
MOUSSA = ("Traoré", "Moussa", "M", "12/05/1990", "Libye", "05/01/2024", "76 00 00 01")
AWA = ("Keïta", "Awa", "F", "03/04/1995", "Niger", "05/01/2024", None)


def xlsx(rows: Sequence[Sequence[Any]], *more_sheets: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with these rows, and further sheets with theirs."""
    workbook = Workbook()
    for index, sheet_rows in enumerate((rows, *more_sheets)):
        sheet = workbook.worksheets[0] if index == 0 else workbook.create_sheet()
        for row in sheet_rows:
            sheet.append(list(row))
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def csv_text(rows: Sequence[Sequence[Any]], delimiter: str = ";") -> str:
    """Plain lines with this delimiter."""
    return "".join(delimiter.join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in rows)


def parts_of(workbook: bytes) -> dict[str, bytes]:
    """The parts of a workbook's archive."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(parts: Mapping[str, bytes]) -> bytes:
    """An archive of these parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def with_sheet(rows_xml: str, *, dimension: str = "A1:G3", before: str = "") -> bytes:
    """A workbook whose only sheet has this XML between `<sheetData>` and its end."""
    parts = parts_of(xlsx([HEADER]))
    parts["xl/worksheets/sheet1.xml"] = (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{rows_xml}</sheetData></worksheet>'
    ).encode()
    return archive_of(parts)


def row_xml(line: int, cells: Sequence[str | None]) -> str:
    """A row of inline texts."""
    written = "".join(
        f'<c r="{chr(ord("A") + index)}{line}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for index, cell in enumerate(cells)
        if cell is not None
    )
    return f'<row r="{line}">{written}</row>'
