"""`segin bridge` as processes: a mapping file is checked and a referral looked at, without a database."""

from __future__ import annotations

import json
from pathlib import Path

from bridge_referrals import SAMPLE, changed
from command_line import CommandLine

from integrations.bridges.bridge import bridge
from integrations.bridges.loader import mapping_text

FIELDS = ["family_name", "given_names", "sex", "birth_date", "birth_precision", "phone", "district", "arrival_date"]


def test_a_mapping_is_checked_without_a_database(fresh: CommandLine, tmp_path: Path) -> None:
    assert fresh.json("bridge", "check", "primero") == {
        "file": "primero.yaml",
        "system": "primero",
        "usable": True,
        "fields": [*FIELDS, "referral_priority", "vulnerabilities", "referral_reason", "referral_services"],
        "required": ["family_name", "given_names", "sex", "referral_services"],
        "problems": [],
    }
    assert "dhis2.yaml : peut servir (dhis2).\n  region (obligatoire)\n" in fresh.text("bridge", "check", "dhis2")
    own = tmp_path / "own.yaml"
    own.write_text(mapping_text("primero")[0].replace("from: phone", "from: phones"), encoding="utf-8")
    found = fresh.json("bridge", "check", own, code=1)
    assert (found["system"], found["usable"], found["fields"]) == (None, False, [])
    (problem,) = found["problems"]
    assert (problem["code"], problem["remedy_fr"]) == ("source_misspelt", "Vouliez-vous dire « phone » ?")
    said = fresh.text("bridge", "check", own, code=1, language="en")
    assert f"own.yaml:{problem['line']} error · source_misspelt" in said
    assert "own.yaml: cannot be used." in said
    own.write_text(mapping_text("primero")[0].replace("normal: low", "calm: low"), encoding="utf-8")
    doubtful = fresh.json("bridge", "check", own)
    assert (doubtful["usable"], len(doubtful["problems"])) == (True, 2)
    assert not fresh.data_dir.exists()


def test_a_referral_is_looked_at_before_any_leaves(fresh: CommandLine, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(SAMPLE)
    body = json.loads(bridge("dhis2").body(SAMPLE))
    assert fresh.json("bridge", "preview", "dhis2", event) == {
        "mapping": "dhis2",
        "content_type": "application/json",
        "body": body,
    }
    assert json.loads(fresh.text("bridge", "preview", "dhis2", event)) == body
    assert not fresh.data_dir.exists()


def test_a_referral_that_cannot_go_over_is_refused_by_field(fresh: CommandLine, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(changed(sex="secret-code"))
    said = fresh.error("bridge", "preview", "primero", event, code=1)
    assert "data.sex" in said
    assert "secret-code" not in said
    assert "no bundled mapping" in fresh.error("bridge", "preview", "openmrs", event, code=2)
    assert "none.json cannot be read" in fresh.error("bridge", "preview", "primero", tmp_path / "none.json", code=2)
    assert "cannot be read" in fresh.error("bridge", "check", tmp_path / "none.yaml", code=2)
