"""A subscription whose format is a mapping: what it gets is what the mapping makes of the very bytes that are kept."""

from __future__ import annotations

import json

import pytest
from bridge_referrals import SAMPLE, changed
from edges.receivers.sink import Sink, status
from edges.webhook_outbox import NOW, Clock, announce, attempts, deliveries, open_cases, secret_of, send, subscribe
from sqlalchemy import Engine, update
from sqlmodel import select
from standardwebhooks.webhooks import Webhook

from integrations.bridges.bridge import bridge
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded
from integrations.webhooks.subscriptions import add_subscription
from models import PartnerEvent, Subscription
from models.database import write_session


def refer(engine: Engine, sink: Sink, body: bytes, *later: str) -> None:
    """A partner with a subscription by mapping, to whom a referral was shown as `body`; and more that happened."""
    with write_session(engine) as session:
        subscribe(session, "clinic", sink.url, event_types=["referral.made"]).format = "primero"
        add_subscription(
            session,
            partner="clinic",
            url=f"{sink.url}/all",
            secret=secret_of("clinic"),
            now=NOW,
            event_types=["referral.made", "consent.revoked"],
            allow_loopback=True,
        )
        (case,) = open_cases(session, 1)
        made = announce(session, case, "referral.made", data={"case": case.code, "referral": "x"})
        for event_type in later:
            data = {"case": case.code, "corrects": made.uid} if event_type == "case.corrected" else {"case": case.code}
            announce(
                session, case, event_type, data=data, corrects=made.uid if event_type == "case.corrected" else None
            )
        fan_out(session, now=NOW)
        session.execute(
            update(PartnerEvent)
            .where(PartnerEvent.event_id == made.id)  # type: ignore[arg-type]
            .values(status="shown", body=body.decode(), shown_at=NOW)
        )
        session.commit()


def by_path(sink: Sink) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for request in sink.requests:
        found.setdefault(request.path, []).append(request.body)
    return found


def test_the_mapping_makes_the_body_and_the_rest_is_as_for_any_other(engine: Engine) -> None:
    with Sink() as sink:
        refer(engine, sink, SAMPLE)
        assert send(engine, Clock()) == Recorded(delivered=2)
    bodies = by_path(sink)
    assert bodies == {"/events": [bridge("primero").body(SAMPLE)], "/events/all": [SAMPLE]}
    for request in sink.requests:
        Webhook(secret_of("clinic")).verify(request.body, request.headers)
        kind = "json" if request.path == "/events" else "cloudevents+json"
        assert request.headers["content-type"] == f"application/{kind}"
    assert len({request.headers["webhook-id"] for request in sink.requests}) == 1


def test_an_answer_that_says_it_is_there_already_is_a_success(engine: Engine) -> None:
    with Sink(answer=lambda _request: status(409)) as sink:
        refer(engine, sink, SAMPLE)
        assert send(engine, Clock()) == Recorded(delivered=1, retrying=1)
    assert [(row.outcome, row.status_code) for row in attempts(engine)] == [("ok", 409), ("http_409", 409)]


def test_what_a_mapping_cannot_make_is_dead_and_was_not_sent(engine: Engine) -> None:
    with Sink() as sink:
        refer(engine, sink, changed(sex=None))
        assert send(engine, Clock()) == Recorded(delivered=1, dead=1)
        assert list(by_path(sink)) == ["/events/all"]
        with write_session(engine) as session:
            assert session.exec(select(Subscription.failures).distinct()).all() == [0]
    assert [row.dead_reason for row in deliveries(engine)] == ["not_over_the_bridge", None]


@pytest.mark.parametrize("name", ["unknown", "../primero"])
def test_a_mapping_that_is_not_there_is_dead_too(engine: Engine, name: str) -> None:
    with Sink() as sink:
        refer(engine, sink, SAMPLE)
        with write_session(engine) as session:
            session.execute(update(Subscription).where(Subscription.format == "primero").values(format=name))  # type: ignore[arg-type]
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=1, dead=1)


def test_what_takes_something_back_does_not_go_over_it(engine: Engine) -> None:
    with Sink() as sink:
        refer(engine, sink, SAMPLE, "case.corrected", "consent.revoked")
        send(engine, Clock())
    bodies = by_path(sink)
    assert len(bodies["/events"]) == 1
    types = [json.loads(body)["type"] for body in bodies["/events/all"]]
    assert types == ["referral.made", "case.corrected", "consent.revoked"]
