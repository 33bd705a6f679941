"""Consents, referrals and households, through the command line's processes."""

from __future__ import annotations

import pytest
from command_line import CommandLine


@pytest.fixture
def case(segin: CommandLine) -> str:
    """A case, with two partners that it can be referred to."""
    for code in ("clinique", "atelier"):
        segin.json("partner", "add", code, "Fictif", "--url", f"https://{code}.example.org/events")
    return str(segin.json("case", "list", "--limit", 1)["cases"][0]["code"])


SHARED = ("--information", "name", "--information", "phone")


def test_from_consent_to_referral_to_answer_and_back(segin: CommandLine, case: str) -> None:
    make = ("referral", "make", case, "clinique", "--service", "health", *SHARED, "--priority", "urgent")
    refused = segin.json(*make, code=1)
    assert [reason["code"] for reason in refused["reasons"]] == ["consent_names"]
    consent = segin.json("consent", "record", case, "sharing", "--partner", "clinique", "--information", "name")
    assert "phone" in segin.json(*make, code=1)["reasons"][0]["text_en"]
    consent = segin.json("consent", "record", case, "sharing", "--partner", "clinique", *SHARED)["consent"]
    made = segin.json(*make, "--command-id", "once")
    assert segin.json(*make, "--command-id", "once")["outcome"] == "already_done"

    (line,) = segin.json("referral", "list", "--case", case)["referrals"]
    assert (line["code"], line["partner"], line["priority"], line["status"]) == (
        *(made["referral"], "clinique", "urgent", "in_progress"),
    )
    assert line["due_at"] is not None
    assert segin.json("referral", "list", "--case", case, "--overdue")["referrals"] == []
    shown = segin.json("referral", "show", made["referral"])
    assert (shown["services"], shown["information"], shown["consent"]) == (["health"], ["name", "phone"], consent)
    assert "santé" in segin.text("referral", "show", made["referral"])

    answer = ("referral", "answer", made["referral"])
    assert segin.json(*answer, "accepted")["outcome"] == "moved"
    again = segin.json(*answer, "accepted", code=1)
    assert [reason["code"] for reason in again["reasons"]] == ["wrong_record_state"]
    assert segin.json("referral", "progress", made["referral"], "begun", "--on", "2024-01-02")["outcome"] == "moved"
    assert "2024-01-02" in segin.text("referral", "show", made["referral"])
    assert segin.json("referral", "show", made["referral"])["progress"] == "begun"
    assert "under_way" in segin.error("referral", "progress", made["referral"], "done", code=2)
    second = segin.json(*make)["referral"]
    assert segin.json("referral", "answer", second, "rejected", code=1)["reasons"][0]["code"] == "reason_in"
    assert segin.json("referral", "answer", second, "rejected", "--reason", "no_capacity")["outcome"] == "moved"

    segin.json("consent", "revoke", case, consent)
    statuses = {each["code"]: each["status"] for each in segin.json("referral", "list", "--case", case)["referrals"]}
    assert statuses == {made["referral"]: "revoked", second: "rejected"}
    listed = segin.json("consent", "list", case)["consents"]
    assert [each["status"] for each in listed if each["partner"] == "clinique"] == ["revoked", "revoked"]
    assert "clinique" in segin.text("consent", "list", case)
    assert "clinique" in segin.text("referral", "list", "--status", "revoked", "--partner", "clinique")
    assert segin.json("referral", "list", "--partner", "atelier")["referrals"] == []


def test_wrong_use_of_consents_and_referrals_is_told(segin: CommandLine, case: str) -> None:
    record = ("consent", "record", case, "sharing")
    assert "any-partner" in segin.error(*record, "--partner", "clinique", "--any-partner", code=2)
    assert "shoe_size" in segin.error(*record, "--any-partner", "--information", "shoe_size", code=2)
    assert "partner list" in segin.error(*record, "--partner", "nobody", code=2)
    assert "referral list" in segin.error("referral", "show", "NONE", code=2)
    assert "referral list" in segin.error("referral", "answer", "NONE", "done", code=2)
    assert "haircut" in segin.error("referral", "make", case, "clinique", "--service", "haircut", code=2)
    unknown = segin.json("consent", "revoke", case, "NONE", code=1)
    assert [reason["code"] for reason in unknown["reasons"]] == ["no_such_record"]


def test_a_family_comes_together_and_parts(segin: CommandLine) -> None:
    mother, child = (each["code"] for each in segin.json("case", "list", "--limit", 2)["cases"])
    household = segin.json("household", "join", mother, "--member", "head")["household"]
    assert segin.json("household", "join", child, "--household", household, "--member", "child")["outcome"] == "moved"
    shown = segin.json("household", "show", mother)["household"]
    assert {each["case"]: each["role"] for each in shown["present"]} == {mother: "head", child: "child"}
    own = segin.json("household", "split", child)["household"]
    assert own != household
    after = segin.json("household", "show", child)
    assert [each["household"] for each in after["stays"]][-2:] == [household, own]
    assert [each["case"] for each in segin.json("household", "show", mother)["household"]["past"]] == [child]
    assert household in segin.text("household", "show", mother)
    assert "household show" in segin.error("household", "join", child, "--household", "NONE", code=2)
