"""`segin partner subscribe` and `handover`, through processes, with a real mail server and a real folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from edges.mail_server import MailServer
from edges.sharing_rows import agree, consent
from edges.webhook_outbox import announce, open_cases
from sqlmodel import select

from integrations.webhooks.fanout import fan_out
from models import Partner
from models.database import create_engine_for, write_session

URL = "https://partner.example.org/events"


def happened(segin: CommandLine) -> None:
    """Something that every partner there is may see, of a synthetic person."""
    engine = create_engine_for(f"sqlite:///{segin.data_dir}/segin.db")
    with write_session(engine) as session:
        (case,) = open_cases(session, 1)
        consent(session, case)
        event = announce(session, case)
        for partner in session.exec(select(Partner)):
            agree(session, partner)
        fan_out(session, now=event.occurred_at)
        session.commit()
    engine.dispose()


def test_each_channel_has_its_address(fresh: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    fresh.settings["drop_dir"] = tmp_path / "drop"
    assert fresh.json("partner", "add", "one", "Un")["subscription"] is None
    web = fresh.json("partner", "subscribe", "one", "--url", URL, "--format", "primero", "--language", "en")
    assert (web["channel"], web["format"], web["event_types"], web["url"]) == (
        "webhook",
        "primero",
        ["referral.made"],
        URL,
    )
    assert web["secret"].startswith("whsec_")
    mail = fresh.json("partner", "subscribe", "one", "--channel", "email", "--url", "suivi@partner.example.org")
    assert (mail["url"], mail["secret"], mail["language"]) == ("mailto:suivi@partner.example.org", None, "fr")
    assert fresh.json("partner", "subscribe", "one", "--channel", "feed")["url"] == ""
    assert fresh.json("partner", "subscribe", "one", "--channel", "drop", "--event", "case.closed")["url"] == "one"
    assert (tmp_path / "drop" / "one").stat().st_mode & 0o777 == 0o700
    lines = fresh.json("partner", "list")["subscriptions"]
    assert [(line["channel"], line["format"]) for line in lines] == [
        ("webhook", "primero"),
        *((channel, "cloudevents") for channel in ("email", "feed", "drop")),
    ]
    assert "webhook (primero)" in fresh.text("partner", "list")
    for command in ("test", "rotate"):
        assert "no webhook" in fresh.error("partner", command, mail["subscription"], code=2)
    assert [line["status"] for line in fresh.json("partner", "pause", "one")["subscriptions"]] == ["paused"] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        "--channel email",
        "--channel email --url suivi",
        "--channel email --url a@b.example,c@d.example",
        "--channel email --url mailto:a@b.example?bcc=c@d.example",
        "--channel email --url a@b.example --format primero",
        "--channel email --url a@b.example --secret whsec_x",
        "--channel drop --url elsewhere",
        "--channel drop",
        "--channel feed --url https://partner.example.org",
        "--channel webhook",
        "--url http://partner.example.org",
        "--url https://partner.example.org/events --format ../primero",
        "--url https://partner.example.org/events --format unknown",
        "--url https://partner.example.org/events --format primero --event case.closed",
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(fresh: CommandLine, wrong: str) -> None:
    fresh.json("partner", "add", "one", "Un")
    assert fresh.error("partner", "subscribe", "one", *wrong.split(), code=2)
    assert fresh.json("partner", "list") == {"subscriptions": []}


def test_a_format_of_the_programmes_own(fresh: CommandLine, tmp_path: Path) -> None:
    bundled = Path(__file__).parents[2] / "integrations" / "bridges" / "mappings" / "primero.yaml"
    (tmp_path / "our_primero.yaml").write_text(bundled.read_text(encoding="utf-8"), encoding="utf-8")
    fresh.json("partner", "add", "one", "Un")
    given = ("partner", "subscribe", "one", "--url", URL, "--format", "our_primero")
    assert "SEGIN_BRIDGES_DIR" in fresh.error(*given, code=2)
    assert fresh.json(*given, bridges_dir=tmp_path)["format"] == "our_primero"


def test_handing_over_by_hand_says_what_went_wrong(fresh: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    fresh.settings |= {"drop_dir": tmp_path / "drop", "smtp_sender": "segin@example.org", "smtp_host": "127.0.0.1"}
    fresh.json("partner", "add", "one", "Un")
    fresh.json("partner", "subscribe", "one", "--channel", "email", "--url", "suivi@partner.example.org")
    fresh.json("partner", "subscribe", "one", "--channel", "drop")
    happened(fresh)
    with MailServer() as server:
        fresh.settings["smtp_port"] = server.port
        refused = fresh.json("partner", "handover", code=1)
        assert [line["outcome"] for line in refused["subscriptions"]] == ["tls_missing", "ok"]
        assert refused["failed"] == 1
        assert len(list((tmp_path / "drop" / "one").iterdir())) == 2
        assert fresh.text("partner", "list").count("échoue depuis le") == 1
        assert "STARTTLS" in fresh.text("partner", "handover", code=1)
        fresh.settings["allow_loopback_webhooks"] = True
        done = fresh.json("partner", "handover")
        assert [(line["outcome"], line["events"]) for line in done["subscriptions"]] == [("ok", 1), ("ok", 0)]
        assert [taken.to for taken in server.taken] == [["suivi@partner.example.org"]]
    assert "remis" in fresh.text("partner", "handover")
