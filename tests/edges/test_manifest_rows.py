"""One row to one person: what rejects it and why, and what is only a warning whose text is kept."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_files import xlsx

from integrations.manifests.arrival import ArrivalRow
from integrations.manifests.phones import parse_phone
from integrations.manifests.problems import REASONS, RejectedRow
from integrations.manifests.profile import ProfileError, load_profile
from integrations.manifests.reader import read_rows
from integrations.manifests.rows import parse_row
from integrations.manifests.table import EXCEL_EPOCH, Cell, Column, ManifestTable, RawRow, Unusable
from integrations.manifests.vocabulary import load_vocabulary

MALI = load_profile("mali")
TODAY = date(2024, 7, 31)
PERSON: dict[str, Cell] = {
    "family_name": "Traoré",
    "given_names": "Moussa",
    "sex": "M",
    "birth_date": "12/05/1990",
    "departure_country": "Libye",
    "arrival_date": "05/01/2024",
}


def parsed(**cells: Cell) -> ArrivalRow | RejectedRow:
    """A row with these cells over a complete one; the header of each column is the field's name."""
    values = {**PERSON, **cells}
    columns = tuple(Column(index, f"<{name}>", name) for index, name in enumerate(values))
    table = ManifestTable("list.xlsx", "0" * 64, "oim", 1, columns, [], EXCEL_EPOCH, 0, (), (), ())
    return parse_row(RawRow(7, tuple(values.values())), table, MALI, TODAY)


def accepted(**cells: Cell) -> ArrivalRow:
    row = parsed(**cells)
    assert isinstance(row, ArrivalRow), row
    return row


@pytest.mark.parametrize(
    ("field", "cell", "reason"),
    [
        ("sex", "X9", "bad_sex"),
        ("sex", None, "no_sex"),
        ("birth_date", "31/02/1996", "bad_date"),
        ("birth_date", None, "no_birth"),
        ("birth_date", "15/08/2031", "born_after_arrival"),
        ("birth_date", "06/01/2024", "born_after_arrival"),
        ("birth_date", "01/01/1899", "too_old"),
        ("arrival_date", None, "no_arrival"),
        ("arrival_date", "2024", "bad_date"),
        ("arrival_date", "vers 05/01/2024", "bad_date"),
        ("arrival_date", "05/01/1924", "arrival_out_of_range"),
        ("arrival_date", "05/01/2042", "arrival_out_of_range"),
        ("departure_country", "Atlantide", "unknown_country"),
        ("departure_country", None, "no_country"),
        ("family_name", "=HYPERLINK(1)", "bad_name"),
        ("given_names", "12345", "bad_name"),
        ("given_names", "a" * 101, "bad_name"),
        ("family_name", Unusable.FORMULA, "formula"),
        ("birth_date", Unusable.ERROR, "formula"),
        ("sex", Unusable.FORMULA, "formula"),
    ],
)
def test_what_registration_cannot_do_without_rejects_the_row(field: str, cell: Cell, reason: str) -> None:
    row = parsed(**{field: cell})
    assert isinstance(row, RejectedRow)
    assert (row.line, row.reason, len(row.problems)) == (7, reason, 1)
    problem = row.problems[0]
    assert (problem.field, problem.column) == (field, f"<{field}>")
    assert problem.found == (cell if isinstance(cell, str) else None)


def test_both_names_missing_is_one_problem_and_one_missing_is_a_warning() -> None:
    row = parsed(family_name=None, given_names=None)
    assert isinstance(row, RejectedRow)
    assert [problem.reason for problem in row.problems] == ["no_name"]
    assert accepted(family_name=None).warnings == ("one_name_only: <family_name>",)


def test_a_row_tells_everything_that_is_wrong_with_it() -> None:
    row = parsed(sex="?", birth_date="x", departure_country="y")
    assert isinstance(row, RejectedRow)
    assert [problem.reason for problem in row.problems] == ["bad_sex", "bad_date", "unknown_country"]


def test_every_reason_has_its_texts_in_both_languages() -> None:
    for texts in REASONS.values():
        assert all(texts)
        assert texts.message_fr != texts.message_en
        assert texts.expected_fr != texts.expected_en


@pytest.mark.parametrize(
    ("texts", "sex"),
    [
        ("M m H h Masculin masculin Homme Male MALE", "male"),
        ("F f Féminin FEMININ féminin Femme Female", "female"),
    ],
)
def test_sex_in_every_word(texts: str, sex: str) -> None:
    assert {accepted(sex=text).sex for text in texts.split()} == {sex}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Libye", "LBY"),
        ("LIBYA", "LBY"),
        ("lybie", "LBY"),
        ("Algerie", "DZA"),
        ("Niger", "NER"),
        ("Nigeria", "NGA"),
        ("TCD", "TCD"),
        ("Côte d'Ivoire", "CIV"),
        ("Cote d Ivoire", "CIV"),
        ("ML", "MLI"),
        ("Tunisia", "TUN"),
    ],
)
def test_countries_in_french_english_or_by_code(text: str, code: str) -> None:
    assert accepted(departure_country=text).departure_country == code


def test_nationality_by_national_or_country_and_an_unknown_one_is_kept_as_text() -> None:
    assert [accepted(nationality=text).nationality for text in ("Malienne", "malian", "Mali")] == ["MLI"] * 3
    row = accepted(nationality="Martien")
    assert (row.nationality, row.remarks) == (None, "<nationality>: Martien")
    assert row.warnings == ("unknown_nationality: <nationality>",)


@pytest.mark.parametrize(
    ("region", "district", "codes"),
    [
        ("Kayes", "Kita", ("ML01", "ML0105")),
        (" SÉGOU ", "segou", ("ML04", "ML0406")),
        ("Région de Koulikoro", "Cercle de Dioïla", ("ML02", "ML0202")),
        ("Tombouctou", "Gourma Rharous", ("ML06", "ML0603")),
        ("Timbuktu", None, ("ML06", None)),
        (None, "Yelimané", ("ML01", "ML0107")),
        ("Kaye", "Bafoulabe", ("ML01", "ML0101")),
        ("Sikaso", "Koutialla", ("ML03", "ML0304")),
        ("District de Bamako", "Bamako", ("ML09", "ML0901")),
    ],
)
def test_places_in_any_spelling(region: str | None, district: str | None, codes: tuple[str, str | None]) -> None:
    row = accepted(region=region, district=district)
    assert (row.region_pcode, row.district_pcode) == codes
    assert row.warnings == ()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Kita (Kayes)", ("ML01", "ML0105")),
        ("Baraouéli (Ségou)", ("ML04", "ML0401")),
        ("Kayes (Kita)", ("ML01", "ML0105")),
        ("Kita, Kayes", ("ML01", "ML0105")),
        ("Gourma-Rharous (Tombouctou)", ("ML06", "ML0603")),
        ("Kayes", ("ML01", None)),
        ("Kita", ("ML01", "ML0105")),
        ("Bamako (Bamako", ("ML09", "ML0901")),
    ],
)
def test_a_district_and_its_region_in_one_cell(text: str, codes: tuple[str, str | None]) -> None:
    row = accepted(place=text)
    assert (row.region_pcode, row.district_pcode) == codes


@pytest.mark.parametrize(
    "cells", [{"place": "Atlantis (Kayes)"}, {"district": "Kiti"}, {"region": "Gao", "district": "Kita"}]
)
def test_a_doubtful_place_is_kept_as_text(cells: dict[str, Cell]) -> None:
    """`Kiti` may be Kita or Kati; Kita lies in Kayes and not in Gao."""
    row = accepted(**cells)
    assert row.district_pcode is None
    assert row.warnings
    assert row.remarks is not None
    assert all(str(text) in row.remarks for text in cells.values())


@pytest.mark.parametrize("cell", ["76 00 00 01", "76000001", 76000001, 76000001.0, "+223 76 00 00 01", "0022376000001"])
def test_phones_to_e164(cell: Cell) -> None:
    assert accepted(phone=cell).phone == "+22376000001"


@pytest.mark.parametrize("text", ["123", "76 00 00 01 / 66 00 00 02", "call me", "76-CALL-ME", "+999 1234567"])
def test_a_bad_phone_is_kept_as_text(text: str) -> None:
    row = accepted(phone=text)
    assert (row.phone, row.warnings, row.remarks) == (None, ("bad_phone: <phone>",), f"<phone>: {text}")


@given(st.text(max_size=40) | st.from_regex(r"[+0]?[0-9 ().-]{0,20}", fullmatch=True))
def test_no_text_breaks_the_phones_and_what_comes_out_is_e164(text: str) -> None:
    phone = parse_phone(text, "ML")
    assert phone is None or (phone.startswith("+") and phone[1:].isdecimal() and 8 <= len(phone) <= 16)


def test_vulnerabilities_by_word_and_what_is_unknown_is_a_remark() -> None:
    row = accepted(vulnerabilities="Besoin médical; Mère seule / sans papiers, handicap", remarks="fatigue")
    assert row.vulnerabilities == ("medical", "single_parent", "disability")
    assert row.remarks == "sans papiers; fatigue"
    assert accepted(vulnerabilities="Pas de handicap").vulnerabilities == ()
    assert accepted(vulnerabilities="Néant").remarks is None


def test_every_vulnerability_code_has_words() -> None:
    codes = {"medical", "trafficking", "unaccompanied_child", "single_parent", "disability", "detention", "distress"}
    assert set(load_vocabulary().vulnerabilities.values()) == codes


@pytest.mark.parametrize(
    ("cell", "given_"), [("Oui", True), ("yes", True), ("NON", False), ("no", False), (None, None), ("peut-être", None)]
)
def test_consent(cell: Cell, given_: bool | None) -> None:
    assert accepted(consent=cell).consent_to_share is given_


def test_household_size() -> None:
    assert [accepted(household_size=cell).household_size for cell in (4, "4", 4.0, 0, "many")] == [4, 4, 4, None, None]


cells: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=60).map(lambda text: text.strip() or None),
    st.integers(),
    st.floats(),
    st.dates(),
    st.sampled_from(Unusable),
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys([*PERSON, "place", "region", "phone", "consent", "vulnerabilities", "remarks"], cells),
    )
)
def test_no_cell_breaks_it_and_every_row_has_an_outcome(values: dict[str, Cell]) -> None:
    row = parsed(**values)
    assert row.line == 7
    if isinstance(row, RejectedRow):
        assert all(problem.reason in REASONS for problem in row.problems)
        assert row.problems
    else:
        assert row.birth_date <= row.arrival_date


def test_a_row_does_not_show_the_person_when_printed() -> None:
    row = accepted(phone="76 00 00 01", reference="ML24-1", remarks="note")
    assert not [private for private in ("Traor", "Moussa", "1990", "7600", "ML24", "note") if private in repr(row)]
    rejected = parsed(sex="secret")
    assert "secret" not in repr(rejected)


def test_the_profile_of_another_country_is_a_file(tmp_path: Any) -> None:
    (tmp_path / "places.csv").write_text("admin_level,pcode,name,parent_pcode\n1,SN01,Dakar,SEN\n", encoding="utf-8")
    (tmp_path / "sn.yaml").write_text("phone_region: SN\nplaces: places.csv\n", encoding="utf-8")
    profile = load_profile(str(tmp_path / "sn.yaml"))
    table = read_rows(
        xlsx(
            [
                [*("Nom", "Prénom", "Sexe", "Date de naissance", "Provenance", "Date arrivée"), "Région", "Tél"],
                [*PERSON.values(), "dakar", "77 123 45 67"],
            ]
        ),
        "l",
    )
    row = parse_row(table.rows[0], table, profile, TODAY)
    assert isinstance(row, ArrivalRow)
    assert (row.region_pcode, row.phone) == ("SN01", "+221771234567")


def test_a_missing_profile_names_those_there_are() -> None:
    with pytest.raises(ProfileError, match="mali"):
        load_profile("atlantis")
