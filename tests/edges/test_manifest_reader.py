"""Reading a manifest: its header under titles, its encoding and delimiter, its line numbers, and what is skipped."""

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_files import AWA, DEMO, HEADER, MOUSSA, csv_text, row_xml, with_sheet, xlsx

from integrations.manifests.headers import MappingError, load_mapping
from integrations.manifests.reader import read_rows
from integrations.manifests.table import ManifestTable, Unusable
from integrations.manifests.unreadable import UnreadableManifest


def values(table: ManifestTable, line: int) -> dict[str, Any]:
    """The cells of one line by field."""
    return table.fields_of(next(row for row in table.rows if row.line == line))


@given(
    titles=st.lists(
        st.lists(st.sampled_from(["OIM", "Manifeste; de retour", "a, b", None, "Total", "Nom"]), max_size=2),
        max_size=12,
    ),
    blanks=st.integers(0, 3),
)
def test_the_header_is_found_under_any_titles(titles: list[list[str | None]], blanks: int) -> None:
    rows = [*titles, *[()] * blanks, HEADER, MOUSSA, AWA]
    table = read_rows(xlsx(rows or [HEADER]), "list.xlsx")
    assert table.header_line == len(rows) - 2
    assert [row.line for row in table.rows] == [len(rows) - 1, len(rows)]
    assert values(table, len(rows))["family_name"] == "Keïta"


@given(
    delimiter=st.sampled_from([";", ",", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    newline=st.sampled_from(["\r\n", "\n", "\r"]),
    title=st.sampled_from(["", "OIM, Bamako; Kayes, Kita; 05, 01\n", "sep={}\n"]),
)
def test_every_delimiter_and_encoding(delimiter: str, encoding: str, newline: str, title: str) -> None:
    text = title.format(delimiter) + csv_text([HEADER, MOUSSA, AWA], delimiter).replace("\r\n", newline)
    table = read_rows(text.encode(encoding), "list.csv")
    first = 2 if title else 1
    assert table.header_line == first
    assert [row.line for row in table.rows] == [first + 1, first + 2]
    assert values(table, first + 2)["family_name"] == "Keïta"
    assert values(table, first + 1)["phone"] == "76 00 00 01"


def test_the_content_decides_and_not_the_name() -> None:
    rows = [HEADER, MOUSSA]
    for data in (xlsx(rows), csv_text(rows).encode()):
        for name in ("list.csv", "list.xlsx", "list.xls", "list"):
            assert values(read_rows(data, name), 2)["given_names"] == "Moussa"


def test_lines_are_those_of_the_file_when_a_cell_spans_several() -> None:
    text = csv_text([HEADER]) + '"Traoré\r\nditmore";Moussa;M;1990;Libye;05/01/2024;\r\n\r\n' + csv_text([AWA])
    table = read_rows(text.encode(), "list.csv")
    assert [row.line for row in table.rows] == [2, 5]
    assert values(table, 2)["family_name"] == "Traoré ditmore"
    assert table.blank_rows == 1


def test_totals_notes_and_repeated_headers_are_counted_and_left_out() -> None:
    total = ("TOTAL", None, 2)
    note = (None, None, "Fait à Tripoli, le 5 janvier")
    table = read_rows(xlsx([HEADER, MOUSSA, (), HEADER, AWA, note, total, ("Sous-total :", 2)]), "list.xlsx")
    assert [row.line for row in table.rows] == [2, 5]
    assert (table.blank_rows, table.repeated_header_lines, table.note_lines, table.total_lines) == (
        1,
        (4,),
        (6,),
        (7, 8),
    )


def test_a_person_called_total_is_a_person() -> None:
    table = read_rows(xlsx([HEADER, ("Total", *MOUSSA[1:])]), "list.xlsx")
    assert len(table.rows) == 1


def test_cells_keep_their_kind() -> None:
    birth = datetime(1990, 5, 12, 8, 30)  # noqa: DTZ001 (spreadsheets know no time zones)
    table = read_rows(xlsx([HEADER, ("Traoré", " Moussa  ", True, birth, 7.5, 3, "")]), "list.xlsx")
    assert table.rows[0].cells == ("Traoré", "Moussa", "true", date(1990, 5, 12), 7.5, 3)


def test_control_and_invisible_characters_go() -> None:
    table = read_rows(csv_text([HEADER, ("Tra\u200boré\u202e", "A\x07wa\u00a0 Ba", *AWA[2:])]).encode(), "list.csv")
    assert values(table, 2)["family_name"] == "Traoré"
    assert values(table, 2)["given_names"] == "A wa Ba"


def test_formulas_give_their_saved_results_and_are_marked_without_one() -> None:
    header = row_xml(1, HEADER)
    cells = (
        '<c r="A2" t="str"><f>UPPER("traoré")</f><v>TRAORÉ</v></c><c r="B2"><f>1+1</f></c>'
        '<c r="C2" t="e"><f>NA()</f><v>#N/A</v></c><c r="D2"><v>33005</v></c>'
    )
    lone = '<row r="4"><c r="A4"><f>A2</f></c></row>'
    table = read_rows(with_sheet(f'{header}<row r="2">{cells}</row>{lone}'), "list.xlsx")
    assert table.rows[0].cells == ("TRAORÉ", Unusable.FORMULA, Unusable.ERROR, 33005)
    assert (table.rows[1].line, table.rows[1].cells) == (4, (Unusable.FORMULA,))


def test_text_that_looks_like_a_formula_stays_text() -> None:
    lines = csv_text([HEADER, ("=cmd|' /C calc'!A0", "@SUM(1)", "-M", "+1990", *MOUSSA[4:])])
    assert read_rows(lines.encode(), "list.csv").rows[0].cells[:4] == ("=cmd|' /C calc'!A0", "@SUM(1)", "-M", "+1990")


def test_a_mapping_file_names_other_columns(tmp_path: Path) -> None:
    file = tmp_path / "columns.yaml"
    file.write_text("Patronyme: family_name\nPrénom usuel: given_names\nTéléphone 2: phone\n", encoding="utf-8")
    header = ("Patronyme", "Prénom usuel", *HEADER[2:], "Téléphone 2")
    table = read_rows(xlsx([header, (*MOUSSA, "66 00 00 02")]), "list.xlsx", load_mapping(file))
    assert (table.layout, values(table, 2)["family_name"]) == ("mapping", "Traoré")
    assert values(table, 2)["phone"] == "66 00 00 02"
    assert table.header_of("phone") == "Téléphone 2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Nom: familyname", "did you mean family_name"),
        ("- Nom", "header: field"),
        ("", "header: field"),
        ("Nom: [", "line"),
        ("Nom: family_name\nNOM: phone", "two fields"),
    ],
)
def test_a_wrong_mapping_file_says_what_is_wrong(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "columns.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(MappingError, match=says) as raised:
        load_mapping(file)
    assert "columns.yaml" in raised.value.message_fr
    assert "family_name" in raised.value.remedy_fr


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        (
            [("Nom", "Prénom(s)", "Sexe"), MOUSSA],
            "missing_columns",
            "Date de naissance, Pays de départ, Date d'arrivée",
        ),
        ([MOUSSA, AWA], "no_header", "40"),
        ([(*HEADER, "Tél."), MOUSSA], "same_column_twice", "Téléphone, Tél."),
    ],
)
def test_a_table_without_its_columns_is_refused(rows: list[tuple[str, ...]], code: str, says: str) -> None:
    for data in (xlsx(rows), csv_text(rows).encode()):
        with pytest.raises(UnreadableManifest, match=says) as raised:
            read_rows(data, "list.xlsx")
        assert raised.value.code == code


def test_two_lists_in_one_workbook_are_refused_and_other_sheets_are_not() -> None:
    with pytest.raises(UnreadableManifest, match="Sheet, Sheet1"):
        read_rows(xlsx([HEADER, MOUSSA], [HEADER, AWA]), "list.xlsx")
    table = read_rows(xlsx([("Lisez-moi",)], [HEADER], [HEADER, AWA], [("M",), ("F",)]), "list.xlsx")
    assert len(table.rows) == 1


def test_a_text_that_begins_like_an_archive_is_a_text() -> None:
    header = ("PK", *HEADER)
    assert len(read_rows(csv_text([header, (1, *AWA)]).encode(), "list.csv").rows) == 1


def test_the_checksum_is_that_of_the_bytes() -> None:
    file = DEMO / "001-2024-01-05-LBY.csv"
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert read_rows(file, file.name).checksum == read_rows(file.read_bytes(), file.name).checksum == expected
