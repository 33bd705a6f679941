"""Hostile and broken files: each gets its own clear error, in French and English, within bounded memory."""

import io
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_files import AWA, HEADER, MOUSSA, archive_of, csv_text, parts_of, row_xml, with_sheet, xlsx

from integrations.manifests.reader import read_rows
from integrations.manifests.unreadable import TEXTS, UnreadableManifest

GOOD = xlsx([HEADER, MOUSSA, AWA])
LINES = csv_text([HEADER, MOUSSA, AWA])
ROWS_XML = row_xml(1, HEADER) + row_xml(2, MOUSSA) + row_xml(3, AWA)
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)

# What a reader may take above the interpreter and its libraries, whatever the file holds.
MEMORY = 300_000_000


def zip_bomb() -> bytes:
    """250 MB of nothing in a few hundred kilobytes, beside a good sheet."""
    return archive_of({**parts_of(GOOD), "xl/media/image1.png": bytes(250_000_000)})


def nested_zip_bomb() -> bytes:
    return archive_of({f"xl/media/{number}.bin": bytes(1_000_000) for number in range(201)} | parts_of(GOOD))


def lying_bomb() -> bytes:
    """A part whose table of contents says ten bytes and which unpacks to a hundred megabytes."""
    data = archive_of({**parts_of(GOOD), "xl/worksheets/sheet1.xml": b" " * 100_000_000})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    return data.replace(size, (10).to_bytes(4, "little"))


def entity_expansion() -> bytes:
    doctype = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
    )
    return with_sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>', before=f"{doctype}]>")


def macro_workbook() -> bytes:
    return archive_of({**parts_of(GOOD), "xl/vbaProject.bin": b"Attribut"})


def macro_type_without_project() -> bytes:
    parts = parts_of(GOOD)
    types = parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types.replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    return archive_of(parts)


def encrypted_zip() -> bytes:
    data = bytearray(GOOD)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(signature, start)) >= 0:
            data[start + offset] |= 1
            start += 4
    return bytes(data)


def many_formats() -> bytes:
    parts = parts_of(GOOD)
    parts["xl/styles.xml"] = parts["xl/styles.xml"].replace(b"<cellXfs", b"<xf/>" * 200_000 + b"<cellXfs")
    return archive_of(parts)


def odd_zip(name: str) -> bytes:
    return archive_of({name: b"x"})


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb": (zip_bomb, "unpacks_too_big"),
    "zip bomb in many parts": (nested_zip_bomb, "unpacks_too_big"),
    "part that lies about its size": (lying_bomb, "damaged"),
    "a thousand parts": (lambda: archive_of({f"xl/{n}": b"" for n in range(1_001)}), "too_many_parts"),
    "entity expansion": (entity_expansion, "entities"),
    "a part of 60 MB": (lambda: with_sheet(" " * 60_000_000), "part_too_big"),
    "a million shared cells": (lambda: with_sheet(f'<row r="1">{"<c/>" * 1_000_000}</row>'), "part_too_big"),
    "two hundred thousand formats": (many_formats, "part_too_big"),
    "a cell of 50,000 letters": (lambda: with_sheet(row_xml(1, ["a" * 50_000])), "cell_too_long"),
    "a million blank rows": (lambda: with_sheet(ROWS_XML + "<row/>" * 1_000_000), "too_many_rows"),
    "a million blank lines": (lambda: (LINES + "\r\n" * 1_000_000).encode(), "too_many_rows"),
    "a million lines of delimiters": (lambda: (LINES + ";;;;;;\n" * 1_000_000).encode(), "too_many_rows"),
    "rows out of order": (lambda: with_sheet(ROWS_XML + row_xml(2, AWA)), "rows_out_of_order"),
    "encrypted workbook": (lambda: OLE + "EncryptedPackage".encode("utf-16-le") + bytes(9000), "encrypted"),
    "encrypted archive": (encrypted_zip, "encrypted"),
    "macros": (macro_workbook, "macros"),
    "macros by their type": (macro_type_without_project, "macros"),
    "old Excel": (lambda: OLE + "Workbook".encode("utf-16-le") + bytes(9000), "old_excel"),
    "binary Excel": (lambda: archive_of({**parts_of(GOOD), "xl/workbook.bin": b""}), "binary_excel"),
    "Word": (lambda: odd_zip("word/document.xml"), "other_format"),
    "OpenDocument": (lambda: odd_zip("mimetype"), "other_format"),
    "any zip": (lambda: odd_zip("a.txt"), "other_format"),
    "PDF": (lambda: b"%PDF-1.7\n" + LINES.encode(), "other_format"),
    "web page called .xls": (lambda: b"\r\n<html><table><tr><td>Nom</td></tr></table></html>", "other_format"),
    "empty": (lambda: b"", "empty"),
    "blanks only": (lambda: b" \r\n\t\r\n", "empty"),
    "cut archive": (lambda: GOOD[:-200], "damaged"),
    "damaged part": (lambda: archive_of({**parts_of(GOOD), "xl/worksheets/sheet1.xml": b"<worksheet><a"}), "damaged"),
    "no header": (lambda: csv_text([MOUSSA, AWA]).encode(), "no_header"),
    "no rows at all": (lambda: xlsx([]), "no_header"),
    "NUL bytes": (lambda: LINES.replace("Awa", "A\x00a").encode(), "nul_bytes"),
    "half a UTF-8 letter": (lambda: LINES.encode().replace("ï".encode(), "ï".encode()[:1]), "broken_utf8"),
    "cut inside a UTF-8 letter": (lambda: LINES.encode() + "é".encode()[:1], "broken_utf8"),
    "half a letter with a mark": (lambda: b"\xef\xbb\xbfNom;Pr\xc3;", "broken_utf8"),
    "half a letter in plain text": (lambda: LINES.encode("ascii", "ignore") + b"\xc3", "unknown_encoding"),
    "Mac letters": (lambda: LINES.encode("mac_roman"), "unknown_encoding"),
    "DOS letters": (lambda: LINES.encode("cp850"), "unknown_encoding"),
    "quote never closed": (lambda: (LINES + '"Ba;' + LINES).encode(), "unclosed_quote"),
    "quote over rows": (lambda: (LINES + '"' + LINES + '"').encode(), "unclosed_quote"),
    "a line of 200,000 letters": (lambda: (LINES + "a" * 200_000).encode(), "cell_too_long"),
    "a file of 21 MB": (lambda: LINES.encode() + b"a" * 21_000_000, "too_big"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_its_clear_error(name: str) -> None:
    build, code = HOSTILE[name]
    with pytest.raises(UnreadableManifest) as raised:
        read_rows(build(), "list.xlsx")
    error = raised.value
    assert error.code == code
    assert error.message_en.startswith("list.xlsx: ")
    assert error.message_fr.startswith("list.xlsx : ")
    assert error.remedy
    assert error.remedy_fr != error.remedy
    for private in ("Traoré", "Moussa", "Keïta", "Awa"):
        assert private not in str(error) + error.message_fr
    assert error.__cause__ is None


def test_every_error_is_provoked_by_some_file_here_or_in_the_reader_tests() -> None:
    elsewhere = {"missing_columns", "same_column_twice", "several_tables"}
    assert {code for _, code in HOSTILE.values()} | elsewhere == set(TEXTS)


def test_a_wrong_dimension_tag_hides_nobody() -> None:
    for dimension in ("A1", "A1:B1", "A1:XFD1048576"):
        assert len(read_rows(with_sheet(ROWS_XML, dimension=dimension), "list.xlsx").rows) == 2


def test_a_stray_cell_in_the_last_corner_is_passed_by() -> None:
    stray = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    table = read_rows(with_sheet(ROWS_XML + stray, dimension="A1:XFD1048576"), "list.xlsx")
    assert [row.line for row in table.rows] == [2, 3]
    assert table.blank_rows == 1_048_576 - 3


BOUNDED = """
import json, resource, sys
from integrations.manifests.reader import read_rows
from integrations.manifests.unreadable import UnreadableManifest
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
outcome = {}
for name, path in json.load(sys.stdin).items():
    data = open(path, "rb").read()
    try:
        outcome[name] = len(read_rows(data, name).rows)
    except UnreadableManifest as error:
        outcome[name] = error.code
print(json.dumps([outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024]))
"""


def test_no_hostile_file_takes_much_memory(tmp_path: Path) -> None:
    """All of them, one after the other, in a process of its own whose address space is bounded too."""
    builders = {name: build for name, (build, _) in HOSTILE.items()}
    builders["stray cell"] = lambda: with_sheet(ROWS_XML + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    paths = {}
    for number, (name, build) in enumerate(builders.items()):
        paths[name] = str(tmp_path / str(number))
        Path(paths[name]).write_bytes(build())
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000)),
    )
    outcome, taken = json.loads(done.stdout)
    assert outcome == {name: code for name, (_, code) in HOSTILE.items()} | {"stray cell": 2}
    assert taken < MEMORY


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(UnreadableManifest):
        read_rows(data, "list")


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(position: int, value: int) -> None:
    data = GOOD[:position] + bytes([value]) + GOOD[position + 1 :]
    try:
        table = read_rows(data, "list.xlsx")
    except UnreadableManifest:
        return
    assert len(table.rows) == 2
