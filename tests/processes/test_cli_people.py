"""Partners, deliveries, staff, offices, the pathway and the settings, through the command line's processes."""

from __future__ import annotations

from command_line import CommandLine
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from models.database import create_engine_for

URL = "https://partner.example.org/events"


def test_a_partner_is_shown_its_secret_once(fresh: CommandLine) -> None:
    added = fresh.json("partner", "add", "one", "Un", "--url", URL, "--event", "case.closed", "--region", "ML09")
    assert (added["partner"], added["event_types"], added["regions"]) == ("one", ["case.closed"], ["ML09"])
    Webhook(added["secret"])
    own = "whsec_" + "c2VjcmV0IG9mIGEgc3ludGhldGljIHBhcnRuZXI="
    shown = fresh.text("partner", "add", "two", "Deux", "--url", URL, "--secret", own)
    assert own in shown
    listed = fresh.json("partner", "list")["subscriptions"]
    assert [line["partner"] for line in listed] == ["one", "two"]
    everywhere = str(listed) + fresh.text("partner", "list")
    assert added["secret"] not in everywhere
    assert own not in everywhere
    assert fresh.error("partner", "add", "one", "Un", "--url", URL, code=2)
    assert fresh.error("partner", "add", "three", "Trois", "--url", "http://127.0.0.1/", code=2)
    assert own.removesuffix("=") not in fresh.error(
        "partner", "add", "four", "Quatre", "--url", "http://x.example.org", "--secret", own, code=2
    )
    assert [line["partner"] for line in fresh.json("partner", "list")["subscriptions"]] == ["one", "two"]


def test_what_is_dead_is_sent_again_on_request(segin: CommandLine) -> None:
    segin.json("partner", "add", "training", "Formation", "--url", URL)
    segin.json("nightly", "--as-of", "2024-03-25")
    owed = segin.json("deliveries", "list", "--limit", 3)["deliveries"]
    assert [line["status"] for line in owed] == ["pending"] * 3
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    with engine.begin() as connection:  # as the sender leaves what it has given up
        connection.execute(
            text(
                "UPDATE delivery SET status = 'dead', dead_reason = 'exhausted', next_attempt_at = NULL, "
                "finished_at = '2024-03-25 03:00:00.000000' WHERE id IN (:a, :b)"
            ),
            {"a": owed[0]["id"], "b": owed[1]["id"]},
        )
    engine.dispose()
    dead = segin.json("deliveries", "list", "--status", "dead", "--partner", "training")["deliveries"]
    assert {line["id"] for line in dead} == {owed[0]["id"], owed[1]["id"]}
    assert dead[0]["case_code"] in segin.text("deliveries", "list", "--case", dead[0]["case_code"])
    assert segin.json("deliveries", "replay", "--dead", "--since", "2999-01-01") == {"replayed": 0}
    assert segin.json("deliveries", "replay", owed[0]["id"]) == {"replayed": 1}
    assert "1 envoi" in segin.text("deliveries", "replay", "--dead", "--partner", "training")
    assert segin.json("deliveries", "list", "--status", "dead") == {"deliveries": []}
    again = segin.json("deliveries", "list", "--limit", 3)["deliveries"]
    assert [line["event_uid"] for line in again] == [line["event_uid"] for line in owed]
    assert segin.error("deliveries", "replay", code=2)
    assert segin.error("deliveries", "replay", 1, "--dead", code=2)
    assert segin.error("deliveries", "replay", 99_999, code=2)
    assert "dead" in segin.error("deliveries", "list", "--status", "lost", code=2)


def test_offices_and_staff_are_opened_and_act(segin: CommandLine) -> None:
    office = segin.json("office", "add", "KYS", "Kayes [1]", "--region", "ML02", "--region", "ML01")
    assert office == {"code": "KYS", "name": "Kayes [1]", "regions": ["ML01", "ML02"]}
    assert segin.error("office", "add", "KYS", "Kayes", code=2)
    added = segin.json("staff", "add", "awa", "Awa Exemple", "--role", "intake_officer", "--office", "KYS")
    assert added == {"login": "awa", "role": "intake_officer", "office": "KYS"}
    assert "awa" in segin.error("staff", "add", "awa", "Awa", "--role", "intake_officer", code=2)
    assert "intake_officer" in segin.error("staff", "add", "ibra", "Ibra", "--role", "pilot", code=2)
    assert segin.error("staff", "add", "ibra", "Ibra", "--role", "case_worker", "--office", "NONE", code=2)
    listed = segin.json("staff", "list")
    assert listed == {"staff": [added | {"active": True}], "offices": [office]}
    assert "Kayes [1]" in segin.text("staff", "list")
    code = segin.json("case", "list", "--limit", 1)["cases"][0]["code"]
    assert segin.json("case", "preview", code, "--as", "awa")["role"] == "intake_officer"
    assert segin.json("case", "move", code, "confirm_arrival", "--as", "awa")["outcome"] == "moved"
    assert segin.json("case", "show", code)["journal"][-1]["actor_id"] is not None


def test_the_pathway_is_told_in_both_languages(fresh: CommandLine) -> None:
    french, english = (fresh.json("pathway", "show", language=language) for language in ("fr", "en"))
    assert french["content_hash"] == english["content_hash"]
    assert [one["trigger"] for one in french["transitions"]] == [one["trigger"] for one in english["transitions"]]
    assert [state["key"] for state in french["states"]] == [state["key"] for state in english["states"]]
    assert "Enregistré" in fresh.text("pathway", "show", "mali")
    assert "Registered" in fresh.text("pathway", "show", language="en")
    assert "nowhere" in fresh.error("pathway", "show", "nowhere", code=2)


def test_a_setting_that_cannot_be_used_is_named_and_no_secret_is(fresh: CommandLine) -> None:
    assert "SEGIN_LANGUAGE" in fresh.error("case", "list", code=2, languag="en")
    assert "SEGIN_NIGHTLY_HOUR" in fresh.error("case", "list", code=2, nightly_hour=24)
    for url, code in (("mysql://u:hidden@h/x", 2), ("postgresql://u:hidden@127.0.0.1:9/x", 1)):
        assert "hidden" not in fresh.error("case", "list", code=code, database_url=url)
        assert "hidden" not in fresh.run("case", "list", code=code, database_url=url).stderr
    assert not fresh.data_dir.joinpath("segin.db").exists()
