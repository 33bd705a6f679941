"""Real events over real HTTP to endpoints that behave, and to endpoints that do not."""

from __future__ import annotations

import itertools
import random
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from edges.receivers.sink import OK, Reply, Request, Sink, status
from edges.webhook_outbox import (
    NOW,
    Clock,
    announce,
    attempts,
    connect,
    deliveries,
    fill,
    known_to,
    open_cases,
    secret_of,
    send,
    statements,
)
from sqlalchemy import Engine
from sqlmodel import select
from standardwebhooks.webhooks import Webhook

from integrations.webhooks.fanout import fan_out
from integrations.webhooks.lanes import FIRST_LIMIT
from integrations.webhooks.record import Recorded
from integrations.webhooks.retries import SCHEDULE
from integrations.webhooks.subscriptions import resume
from models import Delivery, Subscription
from models.database import write_session


def subscription(engine: Engine) -> Subscription:
    with write_session(engine) as session:
        return session.exec(select(Subscription)).one()


def sequences_by_case(requests: list[Request]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for request in requests:
        event = JSONFormat().read(None, request.body)
        found[str(event.get_subject())].append(int(event.get_extension("sequence")))
    return found


def test_each_event_arrives_once_in_order_signed_and_readable(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=20, events=3)
        assert send(engine, Clock()) == Recorded(delivered=60)
    assert sorted(sink.ids) == sorted(uids)
    assert set(map(tuple, sequences_by_case(sink.requests).values())) == {(1, 2, 3)}
    for request in sink.requests:
        Webhook(secret_of("ngo")).verify(request.body, request.headers)
        event = from_http(HTTPMessage(request.headers, request.body), JSONFormat())
        assert event.get_id() == request.headers["webhook-id"]
        assert request.headers["accept-encoding"] == "identity"
    assert {(row.status, row.attempts, row.finished_at) for row in deliveries(engine)} == {("delivered", 1, NOW)}
    assert {(row.number, row.outcome, row.status_code, row.started_at) for row in attempts(engine)} == {
        (1, "ok", 200, NOW)
    }
    assert len(attempts(engine)) == 60


def test_nothing_personal_leaves(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=3, events=1)
        send(engine, Clock())
    for request in sink.requests:
        everything = f"{request.path}{request.headers}{request.body.decode()}".lower()
        assert not [word for word in ("keita", "awa", "2024-03-01") if word in everything]


def test_loopback_is_refused_unless_it_was_allowed(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        assert send(engine, Clock(), allow_loopback=False) == Recorded(retrying=1)
    assert sink.connections == 0
    assert [row.outcome for row in attempts(engine)] == ["refused_url"]


def test_a_case_whose_delivery_fails_waits_and_the_others_go_on(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        bad = fill(engine, cases=10, events=4)[0]
        sink.answer = lambda request: status(500) if request.headers["webhook-id"] == bad else OK
        assert send(engine, clock) == Recorded(delivered=36, retrying=1)
        assert sink.ids.count(bad) == 1
        sink.answer = lambda _request: OK
        clock.forward(seconds=5)
        assert send(engine, clock) == Recorded(delivered=4)
    assert set(map(tuple, sequences_by_case(sink.requests).values())) == {(1, 2, 3, 4), (1, 1, 2, 3, 4)}


@pytest.mark.parametrize("seed", range(3))
def test_the_order_holds_however_often_an_endpoint_fails(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=6, events=5)
        sink.answer = lambda _request: OK if chance.random() < 0.5 else status(503)
        for _ in range(80):
            send(engine, clock)
            due = [row.next_attempt_at for row in deliveries(engine) if row.next_attempt_at is not None]
            if not due:
                break
            clock.now = max(min(due), subscription(engine).not_before or NOW)
    assert {row.status for row in deliveries(engine)} == {"delivered"}
    for sequences in sequences_by_case(sink.requests).values():
        assert sequences == sorted(sequences), "an event came before an earlier one of its case was done"
        assert set(sequences) == {1, 2, 3, 4, 5}


def test_the_schedule_then_dead_then_the_next_of_the_case(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        first, second = fill(engine, cases=1, events=2)
        sink.answer = lambda request: status(500) if request.headers["webhook-id"] == first else OK
        for number, wait in enumerate(SCHEDULE, start=1):
            clock.now += wait - timedelta(microseconds=1)
            if number > 1:
                assert send(engine, clock) == Recorded(), "tried too early"
            clock.now += timedelta(microseconds=1)
            recorded = send(engine, clock)
            assert recorded == (Recorded(retrying=1) if number < len(SCHEDULE) else Recorded(dead=1, delivered=1))
            with write_session(engine) as session:  # it is this event that it refuses, no other
                resume(session, subscription(engine).id or 0, now=clock.now)
                session.commit()
        died = clock.now
    assert sink.ids == [first] * len(SCHEDULE) + [second]
    dead, delivered = deliveries(engine)
    assert (dead.status, dead.attempts, dead.dead_reason, dead.finished_at) == ("dead", 10, "http_500", died)
    assert delivered.status == "delivered"
    times = [row.started_at for row in attempts(engine) if row.delivery_id == dead.id]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == list(SCHEDULE[1:])


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_holds_the_whole_subscription_and_no_other(engine: Engine, code: int, form: str) -> None:
    clock = Clock()
    with Sink() as busy, Sink() as free:
        connect(engine, busy=busy, free=free)
        fill(engine, cases=100, events=1)
        wanted = (
            "600" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
        )
        busy.answer = lambda _request: status(code, f"Retry-After: {wanted}")
        send(engine, clock)
        assert 0 < len(busy.requests) <= FIRST_LIMIT, "went on asking after the endpoint had asked for time"
        assert len(free.requests) == 100
        busy.answer = lambda _request: OK
        clock.forward(seconds=590)
        assert send(engine, clock) == Recorded()
        clock.forward(seconds=11)
        assert send(engine, clock) == Recorded(delivered=100)


def test_other_answers_are_not_asked_for_their_retry_after(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500, "Retry-After: 600")) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        send(engine, clock)
        clock.forward(seconds=5)
        assert send(engine, clock) == Recorded(retrying=1)


def test_gone_disables_the_subscription_until_it_is_resumed(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(410)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=50, events=2)
        dead = send(engine, clock).dead
        assert 0 < dead == len(sink.requests) <= FIRST_LIMIT, "went on after the endpoint had said no"
        assert (subscription(engine).status, subscription(engine).status_reason) == ("disabled", "gone")
        sink.answer = lambda _request: OK
        clock.forward(days=1)
        assert send(engine, clock) == Recorded()
        with write_session(engine) as session:
            resume(session, subscription(engine).id or 0, now=clock.now)
            session.commit()
        assert send(engine, clock) == Recorded(delivered=100 - dead)
    assert [row.dead_reason for row in deliveries(engine) if row.status == "dead"] == ["gone"] * dead


def test_how_long_an_endpoint_has_been_failing_is_known(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        send(engine, clock)
        clock.forward(hours=1)
        send(engine, clock)
        assert subscription(engine).failing_since == NOW
        sink.answer = lambda _request: OK
        clock.forward(hours=1)
        send(engine, clock)
    assert subscription(engine).failing_since is None


def test_an_event_that_is_not_in_the_catalogue_is_dead_and_holds_nobody_up(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            (case,) = open_cases(session, 1)
            announce(session, case, data={"case": case.code, "family_name": "KEITA"})
            announce(session, case)
            fan_out(session, now=NOW)
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=1, dead=1)
    assert sink.ids == known_to(engine, "ngo")[1:]
    assert [row.dead_reason for row in deliveries(engine)] == ["not_in_catalogue", None]


def test_no_transaction_is_open_while_a_partner_thinks(engine: Engine) -> None:
    held: list[int] = []

    def answer(_request: Request) -> Reply:
        give_up = time.monotonic() + 10
        while (in_use := engine.pool.checkedout()) and time.monotonic() < give_up:  # type: ignore[attr-defined]
            time.sleep(0.01)
        held.append(in_use)
        return OK

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=3, events=2)
        send(engine, Clock())
    assert held == [0] * 6


def test_the_statements_of_a_turn_do_not_grow(engine: Engine) -> None:
    counts = []
    with Sink() as sink:
        connect(engine, ngo=sink)
        for size in (4, 16):
            fill(engine, cases=size, events=1)
            with statements(engine) as seen:
                send(engine, Clock(), concurrency=16)
            writes = [sql for sql in seen if sql.lstrip().startswith(("UPDATE", "INSERT", "WITH"))]
            counts.append(len(writes) / len([sql for sql in writes if "attempt (" in sql or '"attempt"' in sql]))
    assert counts[1] <= counts[0]


def test_delivery_rows_are_whole(engine: Engine) -> None:
    """`finished_at` and the status say the same, and what is finished has no time."""
    with Sink(answer=lambda request: status(410) if request.headers["webhook-id"].endswith("a") else OK) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=40, events=2)
        send(engine, Clock())
    for row in deliveries(engine):
        finished = row.status in ("delivered", "dead", "withheld")
        assert (row.finished_at is not None) == finished
        assert not (finished and row.next_attempt_at)
        assert isinstance(row, Delivery)
