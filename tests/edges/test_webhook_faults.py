"""Endpoints that fail in every way there is: each attempt ends, and what went wrong has a name."""

from __future__ import annotations

import pytest
from edges.receivers.sink import Reply, Sink, status
from edges.webhook_outbox import Clock, attempts, connect, fill, send
from sqlalchemy import Engine

from integrations.webhooks.record import Recorded

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
