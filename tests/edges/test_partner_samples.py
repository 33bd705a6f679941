"""The samples that partners start from, the very files of docs/partners, with the real sender and the real API."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import httpx
from edges.webhook_outbox import NOW, Clock, attempts, connect, deliveries, fill, known_to, secret_of, send
from sqlalchemy import Engine
from standardwebhooks.webhooks import Webhook

from integrations.webhooks.dead_letters import replay_one
from integrations.webhooks.record import Recorded
from models.database import write_session

SAMPLES = Path(__file__).parents[2] / "docs" / "partners" / "receivers"


@contextmanager
def receiving(database: Path, secret: str) -> Iterator[tuple[str, list[str]]]:
    """The receiver in Python, as a process of its own: where it listens, and its lines once it has ended."""
    process = subprocess.Popen(
        [sys.executable, SAMPLES / "receiver.py", database, "0"],
        env={**os.environ, "SEGIN_WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        yield f"http://{process.stdout.readline().split()[-1]}/", lines
    finally:
        process.terminate()
        lines += process.communicate(timeout=30)[0].splitlines()


def unread(url: str, header: str, value: str) -> int:
    """The answer to the head of a request with this header, before any of its body is sent."""
    with closing(HTTPConnection(url.split("/")[2], timeout=30)) as connection:
        connection.putrequest("POST", "/")
        connection.putheader(header, value)
        connection.endheaders()
        return connection.getresponse().status


def kept(database: Path, what: str = "id") -> list[str]:
    """What the receiver kept of each event, in the order of each case."""
    with closing(sqlite3.connect(database)) as opened:
        return [row[0] for row in opened.execute(f"SELECT {what} FROM events_in_order")]


def test_the_receiver_in_python_keeps_each_event_once_and_in_order(sqlite_engine: Engine, tmp_path: Path) -> None:
    database = tmp_path / "events.sqlite"
    with receiving(database, secret_of("ours")) as (url, lines):
        connect(sqlite_engine, ours=url, stranger=url)
        ids = fill(sqlite_engine, cases=3, events=4)
        clock = Clock()
        assert send(sqlite_engine, clock) == Recorded(delivered=12, retrying=3), "the stranger has another secret"
        arrived = next(row.id for row in deliveries(sqlite_engine) if row.status == "delivered") or 0
        with write_session(sqlite_engine) as session:
            assert replay_one(session, arrived, now=NOW) == 1
            session.commit()
        assert send(sqlite_engine, clock) == Recorded(delivered=1)
    assert known_to(sqlite_engine, "ours") == ids
    cases = {uid: number % 3 for number, uid in enumerate(ids)}
    assert sorted(kept(database)) == sorted(ids)
    in_order = [uid for case in range(3) for uid in kept(database) if cases[uid] == case]
    assert in_order == [uid for case in range(3) for uid in ids if cases[uid] == case]
    assert kept(database, "sequence") == [f"{number:010}" for number in (1, 2, 3, 4)] * 3
    assert sorted(lines) == sorted(
        [*(f"case.advanced {uid}" for uid in ids), f"case.advanced {ids[0]} again", *["refused"] * 3]
    )
    assert {row.outcome for row in attempts(sqlite_engine)} == {"ok", "http_400"}
    assert database.stat().st_mode & 0o077 == 0


def test_the_receiver_in_python_refuses_what_segin_would_not_send(tmp_path: Path) -> None:
    database, secret = tmp_path / "events.sqlite", secret_of("ours")

    def signed(at: datetime, body: str) -> dict[str, str]:
        signature = Webhook(secret).sign("evt-1", at, body)
        return {"webhook-id": "evt-1", "webhook-timestamp": f"{at.timestamp():.0f}", "webhook-signature": signature}

    now, body = datetime.now(UTC).replace(microsecond=0), '{"id": "evt-1", "type": "segin.test"}'
    with receiving(database, secret) as (url, _lines), httpx.Client(base_url=url) as client:

        def answer(**request: object) -> int:
            return client.post("/", **request).status_code  # type: ignore[arg-type]

        assert answer(content=body) == 400
        assert answer(content=body.replace("test", "rest"), headers=signed(now, body)) == 400
        assert answer(content=body, headers=signed(NOW, body)) == 400
        assert answer(content=body, headers={**signed(now, body), "webhook-signature": "v1"}) == 400
        assert answer(content=b"\xff", headers=signed(now, body)) == 400
        assert unread(url, "Content-Length", "1000001") == 413
        assert unread(url, "Transfer-Encoding", "chunked") == 413
        assert kept(database) == []
        assert [answer(content=body, headers=signed(now, body)) for _ in range(2)] == [204, 204]
    assert kept(database) == ["evt-1"]
