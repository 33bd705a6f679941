"""A text file with delimiters to a grid of cells. `reader` calls it.

Encodings are told apart by evidence in the bytes; damaged text is refused rather than read with spoilt names.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Final

from integrations.manifests.archive import MAX_TEXT
from integrations.manifests.folding import clean
from integrations.manifests.table import Grid, RawRow
from integrations.manifests.unreadable import UnreadableManifest

DELIMITERS: Final = (";", ",", "\t")

# A swallowed row has at least the five delimiters between the six columns that every manifest needs.
_DELIMITERS_OF_A_ROW: Final = 5
_END: Final = "\x1e"
_UTF8_LETTER: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# What French text holds beyond ASCII. A byte outside it means another encoding (Mac Roman's é is Windows-1252's Ž, a
# DOS é is a low quote) or half a UTF-8 letter (Ã), and reading on would spoil every name.
_WINDOWS_FRENCH: Final = frozenset("àâäæçéèêëîïñôöœùûüÿÀÂÄÆÇÉÈÊËÎÏÑÔÖŒÙÛÜŸ’‘“”«»–—…°·€\u00a0\u00ad")


def decode(data: bytes, file: str) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one (a spreadsheet's "Unicode text"), or Windows-1252.

    Raises UnreadableManifest for NUL bytes, for UTF-8 that breaks off inside a letter, and for other encodings.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise UnreadableManifest("unknown_encoding", file, line=_line(data, error.start)) from None
    if (position := data.find(b"\x00")) >= 0:
        raise UnreadableManifest("nul_bytes", file, line=_line(data, position))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Windows-1252 text never happens to hold a whole UTF-8 letter: one of them makes this a damaged UTF-8 file.
        if data.startswith(codecs.BOM_UTF8) or _UTF8_LETTER.search(data):
            raise UnreadableManifest("broken_utf8", file, line=_line(data, error.start)) from None
    text = data.decode("cp1252", errors="replace")
    for position, letter in enumerate(text):
        if letter > "\x7f" and letter not in _WINDOWS_FRENCH:
            raise UnreadableManifest("unknown_encoding", file, line=text.count("\n", 0, position) + 1)
    return text


def split(text: str, delimiter: str, file: str, max_rows: int, *, first: int | None = None) -> Grid:
    """The grid of a text with this delimiter; with `first`, only so many rows that are not blank.

    Line numbers are those of the text file: a cell may span several. Raises UnreadableManifest.
    """
    rows: list[RawRow] = []
    blank = line = 0
    # The end mark comes out as a row of its own unless a quotation mark is still open at the end of the text.
    ended = text if text.endswith(("\n", "\r")) else f"{text}\n"
    lines = csv.reader(io.StringIO(f"{ended}{_END}", newline=""), delimiter=delimiter)
    try:
        for values in lines:
            start, line = line + 1, lines.line_num
            if values == [_END]:
                return Grid(file, rows, blank)
            if line > max_rows:
                raise UnreadableManifest("too_many_rows", file, sheet="", limit=max_rows)
            _check_cells(values, delimiter, file, start)
            cells = tuple(clean(value) or None for value in values)
            if not any(cells):
                blank += 1
            elif values[0].lower().startswith("sep=") and start == 1:
                continue
            else:
                rows.append(RawRow(start, cells))
                if first is not None and len(rows) >= first:
                    return Grid(file, rows, blank)
    except csv.Error:
        raise UnreadableManifest("cell_too_long", file, line=line + 1, limit=MAX_TEXT) from None
    raise UnreadableManifest("unclosed_quote", file, line=rows[-1].line if rows else 1)


def _check_cells(values: list[str], delimiter: str, file: str, line: int) -> None:
    for value in values:
        if len(value) > MAX_TEXT:
            raise UnreadableManifest("cell_too_long", file, line=line, limit=MAX_TEXT)
        if "\n" in value and value.count(delimiter) >= _DELIMITERS_OF_A_ROW:
            raise UnreadableManifest("unclosed_quote", file, line=line)


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
