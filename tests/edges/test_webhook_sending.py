"""Real events over real HTTP to endpoints that behave, and to endpoints that do not."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
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
    deliveries,
    fill,
    open_cases,
    secret_of,
    send,
    statements,
    subscribe,
)
from sqlalchemy import Engine, create_engine, text
from sqlmodel import select
from standardwebhooks.webhooks import Webhook

from integrations.webhooks.fanout import fan_out
from integrations.webhooks.lanes import FIRST_LIMIT
from integrations.webhooks.record import Recorded
from integrations.webhooks.retries import SCHEDULE
from integrations.webhooks.sender import Sender, deliver_due
from integrations.webhooks.subscriptions import resume
from models import Delivery, Subscription
from models.database import write_session


def connect(engine: Engine, **endpoints: Sink | str) -> None:
    """A partner of that name for each endpoint."""
    with write_session(engine) as session:
        for name, endpoint in endpoints.items():
            subscribe(session, name, endpoint if isinstance(endpoint, str) else endpoint.url)
        session.commit()


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


def test_the_module_function_sends_with_the_defaults(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=2)
        recorded = asyncio.run(deliver_due(engine, clock=Clock(), random=random.random, allow_loopback=True))
    assert recorded == Recorded(delivered=2)


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
            clock.now = min(due)
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
            assert recorded == (Recorded(retrying=1) if number < len(SCHEDULE) else Recorded(delivered=1, dead=1))
    assert sink.ids == [first] * len(SCHEDULE) + [second]
    dead, delivered = deliveries(engine)
    assert (dead.status, dead.attempts, dead.dead_reason, dead.finished_at) == ("dead", 10, "http_500", clock.now)
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
            resume(session, subscription(engine).id or 0)
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


DRIP = [(0.0, b"HTTP/1.1 200 OK\r\n\r\n"), *((0.05, b"x"),) * 1000]
FAULTS = {
    "moved": (status(302, "Location: http://127.0.0.1:9/"), "redirect", 302),
    "bad request": (status(400), "http_400", 400),
    "error": (status(500), "http_500", 500),
    "no answer": (Reply([(30, b"")]), "timeout", None),
    "slow headers": (Reply([(0, b"HTTP/1.1 200 OK\r\n"), *((0.05, b"X-A: b\r\n"),) * 100]), "timeout", None),
    "endless body": (Reply(DRIP), "ok", 200),
    "huge body": (status(200, body=b"x" * 20_000_000), "ok", 200),
    "not really gzip": (status(200, "Content-Encoding: gzip", body=b"x" * 100), "ok", 200),
    "broken off before the answer": (Reply([(0, b"")], reset=True), "connection_lost", None),
    "broken off in the headers": (Reply([(0, b"HTTP/1.1 200 OK\r\nA")], close=True), "connection_lost", None),
    "broken off in the body": (
        Reply([(0, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), (0.05, b"")], reset=True),
        "ok",
        200,
    ),
    "not HTTP": (Reply([(0, b"SSH-2.0-OpenSSH_9.2\r\n\r\n")], close=True), "bad_answer", None),
    "huge header": (Reply([(0, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n")]), "bad_answer", None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_fault_is_called_and_that_it_ends(sqlite_engine: Engine, fault: str) -> None:
    reply, outcome, code = FAULTS[fault]
    with Sink(answer=lambda _request: reply) as sink:
        connect(sqlite_engine, ngo=sink)
        fill(sqlite_engine, cases=1, events=1)
        recorded = send(sqlite_engine, Clock(), timeout=2.0)
    assert recorded == (Recorded(delivered=1) if outcome == "ok" else Recorded(retrying=1))
    (attempt,) = attempts(sqlite_engine)
    assert (attempt.outcome, attempt.status_code) == (outcome, code)
    assert attempt.duration_ms < 10_000
    assert len(sink.requests) == 1


def test_nothing_listens(sqlite_engine: Engine) -> None:
    with Sink() as sink:
        connect(sqlite_engine, closed=sink)
    fill(sqlite_engine, cases=1, events=1)
    send(sqlite_engine, Clock())
    assert [row.outcome for row in attempts(sqlite_engine)] == ["connection_refused"]


def test_what_listens_does_not_speak_tls(sqlite_engine: Engine) -> None:
    with Sink(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as sink:
        connect(sqlite_engine, plain=f"https://127.0.0.1:{sink.port}/")
        fill(sqlite_engine, cases=1, events=1)
        send(sqlite_engine, Clock(), timeout=5.0)
    assert [row.outcome for row in attempts(sqlite_engine)] == ["tls_failed"]
    assert sink.requests == []


def test_redirects_are_not_followed_and_cookies_not_kept(sqlite_engine: Engine) -> None:
    with Sink() as elsewhere, Sink() as sink:
        sink.answer = lambda _request: status(307, f"Location: {elsewhere.url}", "Set-Cookie: a=b; Path=/")
        connect(sqlite_engine, ngo=sink)
        fill(sqlite_engine, cases=5, events=1)
        assert send(sqlite_engine, Clock()) == Recorded(retrying=5)
    assert elsewhere.requests == []
    assert not [request for request in sink.requests if "cookie" in request.headers]


def test_an_event_that_is_not_in_the_catalogue_is_dead_and_holds_nobody_up(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            (case,) = open_cases(session, 1)
            announce(session, case, data={"case": case.code, "family_name": "KEITA"})
            good = announce(session, case).uid
            fan_out(session, now=NOW)
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=1, dead=1)
    assert sink.ids == [good]
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


def test_partners_that_hang_hold_up_nobody_else(engine: Engine) -> None:
    """More of them than there would be places, if each took as many as it may."""
    hanging = [Sink(answer=lambda _request: Reply([(60, b"")])) for _ in range(6)]
    with Sink() as well:
        for sink in hanging:
            sink.__enter__()
        try:
            connect(engine, well=well, **{f"dead-{number}": sink for number, sink in enumerate(hanging)})
            fill(engine, cases=100, events=3)

            async def run() -> None:
                sender = Sender(
                    engine,
                    clock=Clock(),
                    random=lambda: 0.0,
                    signature_clock=lambda: datetime.now(UTC),
                    allow_loopback=True,
                    concurrency=32,
                    timeout=60,
                )
                sending = asyncio.create_task(sender.deliver_due())
                while len(well.requests) < 300 and not sending.done():
                    await asyncio.sleep(0.05)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

            asyncio.run(asyncio.wait_for(run(), timeout=45))
        finally:
            for sink in hanging:
                sink.__exit__()
    assert len(well.requests) == 300
    assert all(0 < len(sink.requests) <= 4 for sink in hanging)


def test_a_cancelled_sender_starts_nothing_more(engine: Engine) -> None:
    came = threading.Event()

    def answer(_request: Request) -> Reply:
        came.set()
        return Reply([(30, b"")])

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=20, events=1)

        async def run() -> None:
            sender = Sender(engine, clock=Clock(), random=lambda: 0.0, allow_loopback=True, concurrency=1)
            sending = asyncio.create_task(sender.deliver_due())
            assert await asyncio.to_thread(came.wait, 30)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(run())
    assert len(sink.requests) == 1
    assert attempts(engine) == []


def test_the_resident_sender_is_woken_and_stops_cleanly(engine: Engine) -> None:
    first_came = threading.Event()

    def answer(request: Request) -> Reply:
        first_came.set()
        return Reply([(0.3, b"HTTP/1.1 204 No Content\r\n\r\n")])

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)

        async def run() -> Recorded:
            stop, wake = asyncio.Event(), asyncio.Event()
            sender = Sender(engine, clock=Clock(), random=lambda: 0.0, allow_loopback=True, per_subscription=2)
            running = asyncio.create_task(sender.run_forever(stop=stop, wake=wake))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(fill, engine, cases=30, events=1)
            wake.set()
            assert await asyncio.to_thread(first_came.wait, 30)
            stop.set()
            return await asyncio.wait_for(running, timeout=30)

        recorded = asyncio.run(run())
    rows = deliveries(engine)
    assert recorded.delivered == len(sink.requests) == len([row for row in rows if row.status == "delivered"])
    assert 0 < recorded.delivered < 30
    left = [row for row in rows if row.status != "delivered"]
    assert {(row.status, row.next_attempt_at, row.lease_until, row.attempts) for row in left} == {
        ("pending", NOW, None, 0)
    }


def test_the_resident_sender_outlives_a_database_that_goes_away(postgres_engine: Engine) -> None:
    name = postgres_engine.url.database
    admin = create_engine(
        postgres_engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT", hide_parameters=True
    )

    def switch(allowed: bool) -> None:
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'))
            if not allowed:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
                )

    with Sink() as sink:
        connect(postgres_engine, ngo=sink)
        uids = fill(postgres_engine, cases=10, events=2)

        async def run() -> Recorded:
            stop, wake = asyncio.Event(), asyncio.Event()
            sender = Sender(postgres_engine, clock=Clock(), random=lambda: 0.0, allow_loopback=True)
            switch(False)
            running = asyncio.create_task(sender.run_forever(stop=stop, wake=wake))
            await asyncio.sleep(1.5)
            assert not running.done()
            switch(True)
            while len(sink.requests) < len(uids):
                wake.set()
                await asyncio.sleep(0.05)
            stop.set()
            return await running

        recorded = asyncio.run(asyncio.wait_for(run(), timeout=45))
    admin.dispose()
    assert recorded == Recorded(delivered=20)


def test_delivery_rows_are_whole(engine: Engine) -> None:
    """`finished_at` and the status say the same, and what is finished has no time."""
    with Sink(answer=lambda request: status(410) if request.headers["webhook-id"].endswith("0") else OK) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=40, events=2)
        send(engine, Clock())
    for row in deliveries(engine):
        finished = row.status in ("delivered", "dead")
        assert (row.finished_at is not None) == finished
        assert not (finished and row.next_attempt_at)
        assert isinstance(row, Delivery)
