"""Agreements and the sharing ledger, through the command line's processes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import CommandLine
from sqlmodel import col, select

from integrations.sharing.projection import enqueue, show_next
from models import Case, Event, Partner
from models.database import create_engine_for, write_session

AGREEMENT = """\
code: clinic-health
partner: clinique
title: Soins (fictif)
purpose: assistance
event_types: [case.registered]
fields: [region, phone, family_name]
valid_from: 2024-01-01
"""


@pytest.fixture
def agreement(segin: CommandLine, tmp_path: Path) -> Path:
    segin.json("partner", "add", "clinique", "Fictif", "--url", "https://clinique.example.org/events")
    file = tmp_path / "clinic.yaml"
    file.write_text(AGREEMENT, encoding="utf-8")
    return file


def _pull(segin: CommandLine, event_type: str = "case.registered") -> str:
    """The partner is shown the first event of the type. The code of its case."""
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    with write_session(engine) as session:
        partner = session.exec(select(Partner)).one()
        code, event_id = session.exec(
            select(Case.code, Event.id)
            .join(Event, col(Event.case_id) == col(Case.id))
            .where(Event.type == event_type)
            .order_by(col(Event.id))
        ).first() or ("", 0)
        enqueue(session, [(event_id or 0, partner.id or 0)])
        now = datetime.now(UTC)
        show_next(session, partner.id or 0, 10, public_url="https://segin.example.org", day=now.date(), now=now)
        session.commit()
    engine.dispose()
    return code


def test_an_agreement_is_added_shown_and_ended(segin: CommandLine, agreement: Path) -> None:
    assert segin.json("agreement", "add", agreement) == {"code": "clinic-health", "version": 1, "new": True}
    assert segin.json("agreement", "add", agreement)["new"] is False
    agreement.write_text(AGREEMENT + "sensitive_fields: [vulnerabilities]\n", encoding="utf-8")
    assert "version 2 enregistrée" in segin.text("agreement", "add", agreement)
    (line,) = segin.json("agreement", "list")["agreements"]
    assert (line["code"], line["version"], line["in_force"]) == ("clinic-health", 2, True)
    assert "clinic-health" in segin.text("agreement", "list")
    assert [each["version"] for each in segin.json("agreement", "show", "clinic-health")["versions"]] == [2, 1]
    assert "vulnérabilités" in segin.text("agreement", "show", "clinic-health")
    assert "vulnerabilities" in segin.text("agreement", "show", "clinic-health", language="en")
    assert segin.json("agreement", "end", "clinic-health")["ended"] is True
    assert "déjà terminé" in segin.text("agreement", "end", "clinic-health")
    assert segin.json("agreement", "list")["agreements"][0]["in_force"] is False


def test_wrong_use_of_agreements_is_told(segin: CommandLine, agreement: Path, tmp_path: Path) -> None:
    assert "agreement list" in segin.error("agreement", "end", "none", code=2)
    assert "agreement list" in segin.error("agreement", "show", "none", code=2)
    segin.error("agreement", "add", tmp_path / "nowhere.yaml", code=2)
    agreement.write_text(AGREEMENT.replace("phone", "vulnerabilities") + "regions: [ML99]\n", encoding="utf-8")
    assert "clinic.yaml:6" in segin.error("agreement", "add", agreement, code=2)
    agreement.write_text(AGREEMENT + "regions: [ML99]\n", encoding="utf-8")
    assert "ML99" in segin.error("agreement", "add", agreement, code=2)
    assert segin.json("agreement", "list")["agreements"] == []


def test_the_ledger_says_who_got_what_and_what_was_withheld(segin: CommandLine, agreement: Path) -> None:
    code = _pull(segin)
    empty = segin.json("sharing", code)
    assert (empty["shown"], [each["reason"] for each in empty["withheld"]]) == ([], ["no_agreement"])
    assert "Aucun partenaire" in segin.text("sharing", code)
    assert "no agreement covers it" in segin.text("sharing", code, language="en")


def test_the_ledger_names_the_fields_and_the_grounds(segin: CommandLine, agreement: Path) -> None:
    segin.json("agreement", "add", agreement)
    case = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    consent = segin.json("consent", "record", case, "assistance", "--information", "name")["consent"]
    assert _pull(segin) == case
    ledger = segin.json("sharing", case)
    (entry,) = ledger["shown"]
    assert (ledger["withheld"], entry["fields"]) == ([], ["region", "family_name"])
    assert (entry["partner"], entry["what"], entry["way"]) == ("clinique", "case.registered", "stream")
    assert (entry["agreement"], entry["agreement_version"], entry["consent"]) == ("clinic-health", 1, consent)
    assert (entry["received_at"], entry["acknowledged_at"]) == (None, None)
    assert ledger["taken_back"] == []
    segin.json("consent", "revoke", case, consent)
    assert _pull(segin, "consent.revoked") == case
    ledger = segin.json("sharing", case)
    assert [entry["way"] for entry in ledger["shown"]] == ["stopped", "stream"], "the event had not been sent"
    (back,) = ledger["taken_back"]
    assert (back["what"], back["partner"], back["received_at"], back["acknowledged_at"]) == (
        *("consent.revoked", "clinique", None, None),
    )
    assert "Repris" in segin.text("sharing", case)
    assert "région de retour (P-code), nom de famille" in segin.text("sharing", case)
    assert "case list" in segin.error("sharing", "NONE", code=2)
