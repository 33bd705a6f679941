"""`segin partner pause`, `resume`, `rotate` and `test`, and ranges of dead deliveries, through processes."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from command_line import CommandLine
from edges.receivers.sink import OK, Sink, status
from standardwebhooks.webhooks import Webhook

URL = "https://partner.example.org/events"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as running:
        yield running


def standing(segin: CommandLine) -> list[str]:
    return [line["status"] for line in segin.json("partner", "list")["subscriptions"]]


def test_pausing_and_resuming_by_code_and_by_number(fresh: CommandLine) -> None:
    first = fresh.json("partner", "add", "one", "Un", "--url", URL)["subscription"]
    fresh.json("partner", "add", "two", "Deux", "--url", URL)
    assert [line["status"] for line in fresh.json("partner", "pause", "one")["subscriptions"]] == ["paused"]
    assert standing(fresh) == ["paused", "active"]
    assert "active" in fresh.text("partner", "resume", first)
    assert standing(fresh) == ["active", "active"]
    assert "segin partner list" in fresh.error("partner", "pause", "nobody", code=2)
    assert fresh.error("partner", "resume", 999, code=2)


def test_a_new_secret_is_shown_once(fresh: CommandLine) -> None:
    added = fresh.json("partner", "add", "one", "Un", "--url", URL)
    number = added["subscription"]
    rotated = fresh.json("partner", "rotate", number, "--overlap", "P2D")
    assert rotated["public_key"] is None
    assert rotated["secret"] != added["secret"]
    Webhook(rotated["secret"])
    asymmetric = fresh.json("partner", "rotate", number, "--asymmetric")
    assert asymmetric["secret"] is None
    assert len(base64.b64decode(asymmetric["public_key"].removeprefix("whpk_"))) == 32
    shown = fresh.text("partner", "rotate", number, "--overlap", "P0D")
    assert "whsec_" in shown
    assert "montré cette seule fois" in shown
    everywhere = str(fresh.json("partner", "list")) + fresh.text("partner", "list")
    assert "whs" not in everywhere
    for wrong in ("P91D", "P1M", "P1M3D", "7", "-P1D"):
        assert fresh.error("partner", "rotate", number, f"--overlap={wrong}", code=2)
    assert fresh.error("partner", "rotate", 999, code=2)


def test_a_test_event_is_signed_and_its_answer_explained(fresh: CommandLine, sink: Sink) -> None:
    fresh.settings["allow_loopback_webhooks"] = True
    added = fresh.json("partner", "add", "one", "Un", "--url", sink.url)
    number = added["subscription"]
    rotated = fresh.json("partner", "rotate", number)
    good = fresh.json("partner", "test", number)
    assert (good["outcome"], good["status_code"], good["explanation_fr"]) == ("ok", 200, "reçu par le partenaire")
    (request,) = sink.requests
    assert request.headers["webhook-id"] == good["event_uid"]
    for secret in (added["secret"], rotated["secret"]):
        event = Webhook(secret).verify(request.body, request.headers)
        assert (event["type"], event["id"]) == ("segin.test", good["event_uid"])
        assert "subject" not in event
    sink.answer = lambda _request: status(401)
    bad = fresh.json("partner", "test", number, code=1)
    assert (bad["outcome"], bad["status_code"]) == ("http_401", 401)
    assert "segin partner rotate" in bad["advice_fr"]
    assert bad["event_uid"] != good["event_uid"]
    assert "Le partenaire a répondu par une erreur (401)." in fresh.text("partner", "test", number, code=1)
    sink.answer = lambda _request: OK
    assert "Reçu par le partenaire." in fresh.text("partner", "test", number)
    assert fresh.json("deliveries", "list") == {"deliveries": []}
    assert fresh.error("partner", "test", 999, code=2)


def test_a_test_of_an_address_that_is_not_allowed_any_more_sends_nothing(fresh: CommandLine, sink: Sink) -> None:
    fresh.settings["allow_loopback_webhooks"] = True
    number = fresh.json("partner", "add", "one", "Un", "--url", sink.url)["subscription"]
    del fresh.settings["allow_loopback_webhooks"]
    assert fresh.json("partner", "test", number, code=1)["outcome"] == "refused_url"
    assert sink.connections == 0


@pytest.mark.parametrize("numbers", ["0x1", "17-", "40-17", "1-2-3", "un"])
def test_a_range_is_two_numbers(fresh: CommandLine, numbers: str) -> None:
    assert fresh.error("deliveries", "replay", numbers, code=2)


def test_a_range_of_nothing_that_is_dead_is_none(fresh: CommandLine) -> None:
    fresh.json("partner", "add", "one", "Un", "--url", URL)
    assert fresh.json("deliveries", "replay", "1-99", "--partner", "one", "--since", "2024-01-01") == {"replayed": 0}
    assert fresh.json("deliveries", "replay", "--withheld", "--partner", "one") == {"replayed": 0}
    assert "nobody" in fresh.error("deliveries", "replay", "--dead", "--partner", "nobody", code=2)
    assert fresh.error("deliveries", "replay", "--dead", "--withheld", code=2)
