"""Looks through an .xlsx archive before anything unpacks it: bombs, macros, entities, damage, absurd sizes.

`workbook` calls `inspect` first, so that openpyxl only ever parses parts whose size and element counts are known.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from integrations.manifests.unreadable import UnreadableManifest

MAX_UNPACKED: Final = 200_000_000
MAX_PARTS: Final = 1_000
# A list of 20,000 people in 17 columns unpacks to about 20 MB; a larger part is padding or an attack.
MAX_PART: Final = 50_000_000
MAX_CELLS: Final = 500_000
# Formats, merged ranges, links...: each costs openpyxl about a kilobyte, whatever its size in the file.
MAX_OTHER_ELEMENTS: Final = 60_000
# Excel allows 32,767 characters in a cell.
MAX_TEXT: Final = 40_000

_CHUNK: Final = 65_536
_ENCRYPTED_FLAG: Final = 0x1
_CELLS: Final = frozenset({"c", "si"})
_CHEAP: Final = frozenset({"row", "v", "f", "is", "t", "r", "sheetData"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the look through the archive found out for the reader."""

    has_formulas: bool


def inspect(data: bytes, file: str, max_rows: int) -> Inspection:
    """Refuses an archive that is not a plain, sound workbook within bounds; unpacks one small chunk at a time.

    Raises UnreadableManifest.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive, file)
            formulas = [_check_part(archive, part, file, max_rows) for part in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise UnreadableManifest("damaged", file, part="") from None
    return Inspection(has_formulas=any(formulas))


def _check_directory(archive: zipfile.ZipFile, file: str) -> None:
    """What the table of contents tells without unpacking. A part that lies about its size is cut there by zipfile."""
    parts = archive.infolist()
    names = {part.filename.lower() for part in parts}
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise UnreadableManifest("unpacks_too_big", file, limit=MAX_UNPACKED // 1_000_000)
    if len(parts) > MAX_PARTS:
        raise UnreadableManifest("too_many_parts", file, limit=MAX_PARTS)
    if any(part.flag_bits & _ENCRYPTED_FLAG for part in parts):
        raise UnreadableManifest("encrypted", file)
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names):
        raise UnreadableManifest("macros", file)
    if "xl/workbook.bin" in names:
        raise UnreadableManifest("binary_excel", file)
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise UnreadableManifest("other_format", file, kind=_kind(names))
    for part in parts:
        if part.file_size > MAX_PART:
            raise _part_too_big(file, part.filename, MAX_PART // 1_000_000, "Mo / MB")


def _kind(names: set[str]) -> str:
    if any(name.startswith("word/") for name in names):
        return "Word"
    if any(name.startswith("ppt/") for name in names):
        return "PowerPoint"
    return "OpenDocument" if "mimetype" in names else "zip"


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, file: str, max_rows: int) -> bool:
    """Streams one part through expat with counters; true when it holds formulas. A picture is no XML and is left."""
    counts = _Counts(part.filename, file, max_rows)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = counts.doctype
    parser.StartElementHandler = counts.element
    parser.CharacterDataHandler = counts.text
    try:
        with archive.open(part) as content:
            while chunk := content.read(_CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if counts.elements:
            raise UnreadableManifest("damaged", file, part=f" ({part.filename})") from None
    if counts.macros:
        raise UnreadableManifest("macros", file)
    return counts.formulas > 0


class _Counts:
    """Counts the elements of one part and refuses what exceeds the bounds, as the parser reports it."""

    def __init__(self, part: str, file: str, max_rows: int) -> None:
        self.part, self.file, self.max_rows = part, file, max_rows
        self.elements = self.rows = self.cells = self.others = self.formulas = 0
        self.last_row = self.text_length = 0
        self.macros = False

    def doctype(self, *_declaration: object) -> None:
        raise UnreadableManifest("entities", self.file, part=self.part)

    def element(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.text_length = 0
        local = name.rpartition(" ")[2]
        if local in _CELLS:
            self.cells += 1
            if self.cells > MAX_CELLS:
                raise _part_too_big(self.file, self.part, MAX_CELLS, "cellules / cells")
        elif local == "row":
            self._row(attributes.get("r"))
        elif local == "f":
            self.formulas += 1
        elif local not in _CHEAP:
            self.others += 1
            if self.others > MAX_OTHER_ELEMENTS:
                raise _part_too_big(self.file, self.part, MAX_OTHER_ELEMENTS, "éléments / elements")
            self.macros |= "macroEnabled" in attributes.get("ContentType", "")

    def text(self, text: str) -> None:
        self.text_length += len(text)
        if self.text_length > MAX_TEXT:
            raise UnreadableManifest("cell_too_long", self.file, line=self.last_row or "?", limit=MAX_TEXT)

    def _row(self, number: str | None) -> None:
        """openpyxl skips, in silence, a row whose number is not above the one before."""
        self.rows += 1
        if self.rows > self.max_rows:
            raise UnreadableManifest("too_many_rows", self.file, sheet="", limit=self.max_rows)
        row = int(number) if number and number.isdecimal() else self.last_row + 1
        if row <= self.last_row:
            raise UnreadableManifest("rows_out_of_order", self.file, sheet="", line=row)
        self.last_row = row


def _part_too_big(file: str, part: str, limit: int, unit: str) -> UnreadableManifest:
    return UnreadableManifest("part_too_big", file, part=part, limit=limit, unit=unit)
