"""A mapping file is read strictly: each thing that is wrong with it is said with its line, in French and in English."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bridge_referrals import SAMPLE

from integrations.bridges.bridge import bridge
from integrations.bridges.checks import sources_of
from integrations.bridges.loader import mapping_text, read_mapping
from integrations.bridges.mapping import SERVICE, SOURCES
from models.errors import WrongUse
from models.shared_fields import SHARED_FIELDS
from states.pathways.problems import FileProblems, Severity

PRIMERO = mapping_text("primero")[0]
DHIS2 = mapping_text("dhis2")[0]

SMALL = """\
name: small
system: primero
case:
  name_last: {from: family_name}
  religion: {constant: [}
services:
  each: referral_services
  fields:
    service_type: {from: service}
"""


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(FileProblems) as refused:
        read_mapping(text, "own.yaml")
    for each in refused.value.problems:
        assert each.what.fr
        assert each.what.en
        assert each.remedy.fr
        assert each.remedy.en
        assert "pathway" not in f"{each.remedy}"
    return [(each.line, each.code) for each in refused.value.problems]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "before", "after", "code"),
    [
        (PRIMERO, "system: primero", "system: openmrs", "system_unknown"),
        (PRIMERO, "system: primero\n", "", "system_unknown"),
        (PRIMERO, "name: primero", "name: Primero Nord", "not_usable"),
        (PRIMERO, "name: primero", "nom: primero", "not_known_here"),
        (PRIMERO, "status: {constant: open}", "status: open", "not_like_this"),
        (PRIMERO, "status: {constant: open}", "status: {constant: [open]}", "not_like_this"),
        (PRIMERO, "status: {constant: open}", "status: {constant: open, from: sex}", "not_like_this"),
        (PRIMERO, "status: {constant: open}", "status: {constant: open, required: true}", "not_like_this"),
        (PRIMERO, "status: {constant: open}", "status: {}", "not_like_this"),
        (PRIMERO, "status: {constant: open}", "status: {constant: open, default: x}", "not_known_here"),
        (PRIMERO, "status: {constant: open}", "Statut: {constant: open}", "not_usable"),
        (PRIMERO, "id: {uuid: referral}", "id: {uuid: person}", "not_like_this"),
        (PRIMERO, "id: {uuid: referral}", "id: {uuid: service}", "no_service_here"),
        (PRIMERO, "{from: phone}", "{from: service}", "no_service_here"),
        (PRIMERO, "{from: phone}", "{from: phones}", "source_misspelt"),
        (PRIMERO, "{from: phone}", "{from: national_identity_number}", "source_unknown"),
        (PRIMERO, "{from: phone}", '{from: phone, join: ","}', "not_a_list"),
        (PRIMERO, "{from: sex, table: sex, required: true}", "{from: sex, table: sexes}", "table_unknown"),
        (PRIMERO, "{from: sex, table: sex, required: true}", "{from: sex, required: oui}", "not_like_this"),
        (PRIMERO, "each: referral_services", "each: referral_reason", "not_a_list"),
        (PRIMERO, "each: referral_services", "each: services", "source_misspelt"),
        (PRIMERO, "status: {constant: open}", "services_section: {constant: open}", "filled_by_segin"),
        (PRIMERO, "already_there: [409]", "already_there: [200]", "not_like_this"),
        (PRIMERO, "already_there: [409]", "already_there: 409", "not_like_this"),
        (PRIMERO, "sex: {male: male, female: female}", "sex: {male: [m], female: f}", "not_like_this"),
        (PRIMERO, "sex: {male: male, female: female}", "sex: {male: male, male: female}", "written_twice"),
        (PRIMERO, "status: {constant: open}", "status: &a {constant: open}", "anchor"),
        (DHIS2, "type: SeginPerson", "type: Person", "not_like_this"),
        (DHIS2, "SeginPhone1: {", "Téléphone01: {", "not_like_this"),
        (DHIS2, "  program: SeginReturn\n", "", "missing"),
        (DHIS2, "enrolled_at: time", "enrolled_at: phone", "not_a_date"),
        (DHIS2, "occurred_at: time", "occurred_at: tomorrow_morning_at_eight", "source_unknown"),
        (DHIS2, 'table: vulnerabilities, join: ","', "table: vulnerabilities", "list_not_joined"),
        (DHIS2, "ML07: SeginGao001", "ML07: Gao", "no_org_unit"),
        (DHIS2, "org_unit: {from: region, table: org_units}", "org_unit: {from: region}", "no_org_unit"),
        (DHIS2, "org_unit: {from: region, table: org_units}", "org_unit: {constant: Mali}", "no_org_unit"),
        (DHIS2, "org_unit: {from: region, table: org_units}", "org_unit: {uuid: case}", "no_org_unit"),
        (DHIS2, "stage: SeginRefStg", "stage: SeginRefStg\n  status: DONE", "not_like_this"),
    ],
)
def test_each_problem_is_said_where_it_stands(text: str, before: str, after: str, code: str) -> None:
    assert before in text
    wrong = text.replace(before, after, 1)
    found = problems_of(wrong)
    assert code in [each for _, each in found]
    if code not in ("missing", "system_unknown", "no_org_unit"):  # said for a part that is not there, or elsewhere
        line = line_of(text, before)
        assert {line, line + after.count("\n")} & {each for each, _ in found}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = PRIMERO.replace("{from: phone}", "{from: phones}").replace("{from: district}", "{from: service}")
    assert problems_of(wrong) == [
        (line_of(PRIMERO, "{from: phone}"), "source_misspelt"),
        (line_of(PRIMERO, "{from: district}"), "no_service_here"),
    ]


@pytest.mark.parametrize("text", ["", "- a\n", "a: b: c\n", SMALL])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(FileProblems):
        read_mapping(text, "own.yaml")


@pytest.mark.parametrize(
    ("before", "after", "code", "said"),
    [
        ("financial: cash_assistance", "# nothing for money", "codes_missing", "financial"),
        ("risk: {emergency: high,", "risk: {emergency: high, soon: high,", "codes_unknown", "soon"),
        ("tables:\n", "tables:\n  spare: {a: b}\n", "table_unused", "spare"),
        ("unaccompanied_child: unaccompanied", "unaccompanied: unaccompanied", "codes_missing", "unaccompanied_child"),
    ],
)
def test_what_may_keep_a_referral_back_later_is_a_warning_now(before: str, after: str, code: str, said: str) -> None:
    assert before in PRIMERO
    _, doubtful = read_mapping(PRIMERO.replace(before, after), "own.yaml")
    assert {each.severity for each in doubtful} == {Severity.WARNING}
    found = {each.code: each for each in doubtful}
    assert said in found[code].what.en
    assert said in found[code].what.fr


def test_the_fields_that_an_agreement_must_allow_are_known_from_the_mapping() -> None:
    asked = sources_of(bridge("primero").mapping)
    assert [name for name, needed in asked.items() if needed] == [
        "family_name",
        "given_names",
        "sex",
        "referral_services",
    ]
    assert asked.keys() <= SOURCES.keys()
    assert SERVICE not in SOURCES
    assert SHARED_FIELDS.keys() <= SOURCES.keys()
    assert sources_of(bridge("dhis2").mapping)["region"]


def test_a_mapping_file_of_ones_own_is_used_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(SMALL.replace("[}", "}").replace("  religion: {constant: }\n", "  open: {constant: false}\n"))
    made = json.loads(bridge(str(path)).body(SAMPLE))
    assert made == {
        "data": {
            "name_last": "Exemple-Synthétique",
            "open": False,
            "services_section": [{"service_type": "health"}, {"service_type": "training"}],
        }
    }


@pytest.mark.parametrize("where", ["openmrs", "../mappings/primero", "no-such.yaml", "."])
def test_what_is_not_there_is_wrong_use(where: str) -> None:
    with pytest.raises(WrongUse) as refused:
        bridge(where)
    assert "dhis2" in refused.value.remedy
    assert "dhis2" in refused.value.remedy_fr


def test_a_file_that_is_no_text_is_wrong_use(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WrongUse, match=r"own\.yaml is not UTF-8 text"):
        bridge(str(path))
