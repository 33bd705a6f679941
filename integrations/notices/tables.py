"""The events of a stream as a table for people: one row each, the same columns always, as CSV and as a workbook.

`message` attaches the CSV, `drop` writes both. Pure; nothing is in a row that is not in the event's own bytes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font

from models.shared_fields import SHARED_FIELDS
from states.pathway import Text

OWN_COLUMNS: Final[dict[str, Text]] = {
    "position": Text("numéro dans votre flux", "number in your stream"),
    "event": Text("identifiant de l'événement ; le même deux fois est le même", "id of the event; twice is the same"),
    "type": Text("ce qui s'est passé", "what happened"),
    "time": Text("quand (UTC)", "when (UTC)"),
    "case": Text("votre code du dossier", "your code of the case"),
    "sequence": Text("numéro parmi les événements du dossier", "number among the events of the case"),
    "state": Text("état du dossier", "state of the case"),
    "deadline": Text("délai dépassé", "deadline that passed"),
    "referral": Text("code de l'orientation", "code of the referral"),
    "corrects": Text("identifiant de l'événement repris", "id of the event that is taken back"),
    "about": Text("identifiant de l'événement que ceci rappelle", "id of the event that this is a reminder of"),
    "due_at": Text("jusqu'à quand (UTC)", "until when (UTC)"),
}
COLUMNS: Final[dict[str, Text]] = OWN_COLUMNS | {
    name: Text(field.fr, field.en) for name, field in SHARED_FIELDS.items()
}
"""Every column with what it holds. A field that the partner may not see, or that is not known, is an empty cell."""

RENAMED: Final = {"event": "about"}
"""Parts of the data whose column has another name, since theirs is that of the event's own."""

DELIMITERS: Final = {"fr": ";", "en": ","}
"""What a spreadsheet in this language takes for the next column when it opens a CSV file."""

_NOT_IN_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STARTS_A_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


class Line(NamedTuple):
    """An event of a partner's stream: its row, its position, and its bytes as text."""

    id: int
    position: int
    body: str


def row_of(line: Line) -> dict[str, str]:
    """The cells that are not empty, by column."""
    event: Mapping[str, Any] = json.loads(line.body)
    said = {
        "position": line.position,
        "event": event["id"],
        "type": event["type"],
        "time": event["time"],
        "sequence": int(event["sequence"]),
        **{RENAMED.get(name, name): value for name, value in event["data"].items() if name != "details"},
        **event["data"].get("details", {}),
    }
    return {name: _text(said[name]) for name in COLUMNS if said.get(name) is not None}


def as_csv(lines: Sequence[Line], language: str) -> bytes:
    """UTF-8 with a byte order mark, as spreadsheets want it. A cell that one would run as a formula begins with an
    apostrophe."""
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, restval="", delimiter=DELIMITERS[language], lineterminator="\r\n")
    table.writeheader()
    for line in lines:
        table.writerow({name: _harmless(cell) for name, cell in row_of(line).items()})
    return text.getvalue().encode("utf-8-sig")


def as_workbook(lines: Sequence[Line], language: str) -> bytes:
    """The same rows as an Excel file. Every cell is a text, so that none is a formula; a second sheet says what the
    columns hold."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("events")
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, name, bold=True) for name in COLUMNS])
    for line in lines:
        row = row_of(line)
        sheet.append([_cell(sheet, row.get(name, "")) for name in COLUMNS])
    legend = book.create_sheet("columns")
    for name, words in COLUMNS.items():
        legend.append([_cell(legend, name, bold=True), _cell(legend, words.in_(language))])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, text: str, *, bold: bool = False) -> Cell:
    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub(" ", text))
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode(errors="replace").decode()  # half a character is none


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_STARTS_A_FORMULA) else cell
