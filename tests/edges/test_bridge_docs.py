"""`docs/partners/bridges.md` says what the code does: its mappings work, its fields and schemas are those there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bridge_referrals import DATA, changed, errors_in

from integrations.bridges.bridge import Bridge
from integrations.bridges.loader import read_mapping
from integrations.bridges.mapping import SOURCES, SYSTEMS
from models.shared_fields import SHARED_FIELDS
from states.pathways.problems import Severity

PAGE = (Path(__file__).parents[2] / "docs" / "partners" / "bridges.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    return PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_a_mapping_that_carries_a_referral(text: str) -> None:
    mapping, problems = read_mapping(text, "example.yaml")
    assert {each.severity for each in problems} <= {Severity.WARNING}
    services = ["psychosocial"] if mapping.system == "primero" else ["training", "livelihood"]
    body = Bridge(mapping).body(changed(region="ML01", referral_services=services))
    required_elsewhere = {"$.data (required)"}  # the example leaves the status out
    assert set(errors_in(mapping.system, body)) <= required_elsewhere


def test_there_is_an_example_of_each_system() -> None:
    assert {read_mapping(text, "example.yaml")[0].system for text in EXAMPLES} == set(SYSTEMS)


def test_every_source_field_is_described_and_nothing_else_is() -> None:
    described = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", section("### Source fields"), re.MULTILINE))
    assert list(described) == list(SOURCES)
    for name, said in described.items():
        assert ("list" in said) == (SOURCES[name] == "list")
        sensitive = name in SHARED_FIELDS and SHARED_FIELDS[name].sensitive
        assert ("(sensitive)" in said) == sensitive


def test_the_schemas_and_mappings_that_are_named_are_there() -> None:
    root = DATA.parents[2]
    named = re.findall(r"`((?:tests|integrations)/[\w/.-]+)`", PAGE)
    assert len(named) == 3
    assert [name for name in named if not (root / name).is_file()] == []
