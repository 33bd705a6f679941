"""A test event: signed like any other, of the published shape, and remembered nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from edges.catalogue_files import PUBLIC_URL
from edges.receivers.sink import Reply, Sink, status
from edges.webhook_outbox import NOW, attempts, connect, deliveries, secret_of
from jsonschema import Draft202012Validator
from sqlalchemy import Engine
from sqlmodel import select
from standardwebhooks.webhooks import Webhook

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import served_schema
from integrations.webhooks.claim import Endpoint, endpoint_of
from integrations.webhooks.post import Answer
from integrations.webhooks.rotation import rotate_secret
from integrations.webhooks.trial import TYPE, Trial, try_endpoint
from models import Subscription
from models.database import write_session
from models.events import CATALOGUE


def bytes_of(size: int) -> bytes:
    return hashlib.sha512(b"one").digest()[:size]


def tried(endpoint: Endpoint, *, allow_loopback: bool = True) -> Trial:
    return asyncio.run(
        try_endpoint(
            endpoint,
            public_url=PUBLIC_URL,
            random_bytes=bytes_of,
            now=datetime.now(UTC),
            allow_loopback=allow_loopback,
        )
    )


def test_it_is_signed_with_all_secrets_in_force_and_is_of_no_case(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            subscription = session.exec(select(Subscription)).one()
            number = subscription.id or 0
            new = rotate_secret(session, number, random_bytes=bytes_of, overlap=timedelta(days=1), now=NOW)
            subscription.status, subscription.not_before = "paused", NOW + timedelta(days=1)
            session.commit()
        with write_session(engine) as session:
            endpoint = endpoint_of(session, number, now=NOW)
            assert endpoint_of(session, 999, now=NOW) is None
        assert endpoint is not None
        trial = tried(endpoint)
    (request,) = sink.requests
    for secret in (secret_of("ngo"), new):
        Webhook(secret).verify(request.body, request.headers)
    event = from_http(HTTPMessage(request.headers, request.body), JSONFormat())
    assert (event.get_type(), event.get_id(), event.get_subject()) == (TYPE, trial.event_uid, None)
    CATALOGUE[TYPE].shown[-1].model_validate(event.get_data())
    assert (trial.outcome, trial.status_code) == ("ok", 200)
    body, schema = json.loads(request.body), served_schema(PUBLIC_URL, TYPE, CATALOGUE[TYPE].version)
    assert schema is not None
    Draft202012Validator(schema).validate(body)
    assert list(body) == list(example(PUBLIC_URL, TYPE))
    assert (deliveries(engine), attempts(engine)) == ([], [])


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (status(410), Answer("gone", 410)),
        (status(302, "Location: http://127.0.0.1:9/"), Answer("redirect", 302)),
        (status(429, "Retry-After: 60"), Answer("http_429", 429)),
        (Reply([(0, b"")], reset=True), Answer("connection_lost")),
    ],
)
def test_what_the_answer_is_called(reply: Reply, answer: Answer) -> None:
    with Sink(answer=lambda _request: reply) as sink:
        trial = tried(Endpoint(1, sink.url, secret_of("ngo")))
    assert (trial.outcome, trial.status_code) == (answer.outcome, answer.status_code)
    assert len(sink.requests) == 1


def test_it_goes_nowhere_that_a_delivery_may_not_go() -> None:
    with Sink() as sink:
        assert tried(Endpoint(1, sink.url, secret_of("ngo")), allow_loopback=False).outcome == "refused_url"
    assert sink.connections == 0
