"""The samples that partners start from, the very files of docs/partners, with the real sender and the real API."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from api_client import ApiClient, open_api
from edges.api_server import serve
from edges.receivers.sink import Sink, status
from edges.stream_rows import agree_with, owe_events
from edges.webhook_outbox import NOW, Clock, attempts, connect, deliveries, fill, known_to, secret_of, send
from sqlalchemy import Engine
from sqlmodel import select
from standardwebhooks.webhooks import Webhook

from integrations.webhooks.dead_letters import replay_one
from integrations.webhooks.record import Recorded
from models import PartnerEvent
from models.database import read_session, write_session

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


@dataclass(frozen=True)
class Feed:
    """feed.sh, with a folder and a token file of its own. `curl` notes how it was called and stands in for nothing."""

    folder: Path
    address: str

    @property
    def token(self) -> Path:
        return self.folder / "token"

    @property
    def ids(self) -> list[str]:
        return [json.loads(line)["id"] for line in (self.folder / "kept" / "events.jsonl").read_text().splitlines()]

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def run(self, *options: str, then: str = "") -> subprocess.CompletedProcess[str]:
        """A run with two events a page, that does `then` in the shell whenever curl has an answer."""
        curl = self.folder / "bin" / "curl"
        curl.parent.mkdir(exist_ok=True)
        curl.write_text(f'#!/bin/sh\necho "$@" >>{self.folder}/calls\n{shutil.which("curl")} "$@"\n{then}\n')
        curl.chmod(0o755)
        return subprocess.run(
            [SAMPLES.parent / "feed.sh", *options, self.address, self.token, self.folder / "kept"],
            env={**os.environ, "PATH": f"{curl.parent}:{os.environ['PATH']}", "SEGIN_FEED_LIMIT": "2"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def feed(folder: Path, address: str, token: str) -> Feed:
    made = Feed(folder, address)
    made.token.write_text(f"{token}\n")
    made.token.chmod(0o600)
    return made


@pytest.fixture
def client(sqlite_engine: Engine) -> ApiClient:
    """The API for feed.sh. A partner's machine has curl; one on which only the tests run may have none."""
    if shutil.which("curl") is None:
        pytest.skip("feed.sh needs curl")
    with write_session(sqlite_engine) as session:
        opened, _ = open_api(session, sqlite_engine)
        agree_with(session, "clinique")
    return opened


def test_the_feed_is_fetched_whole_and_once_whenever_it_is_stopped(client: ApiClient, tmp_path: Path) -> None:
    owe_events(client, 6, "clinique")
    ids = known_to(client.engine, "clinique")
    with serve(client.engine, lambda: client.now) as serving:
        ours = feed(tmp_path, serving.url, client.tokens["clinique"])
        killed = ours.run(then=f'[ $(wc -l <{tmp_path}/calls) -lt 2 ] || kill -KILL "$PPID"')
        assert (killed.returncode, ours.ids) == (-signal.SIGKILL, ids[:2]), "the second page came and was not kept"
        assert (ours.folder / "kept" / "lock").is_dir()

        assert ours.run(then=f"[ $(wc -l <{tmp_path}/calls) -lt 4 ] || exit 7").returncode == 1
        assert ours.ids == ids[:4], "the connection broke during the third page"

        cursor, events = ours.folder / "kept" / "cursor", ours.folder / "kept" / "events.jsonl"
        cursor.unlink()
        events.write_bytes(events.read_bytes()[:-9])
        assert ours.run().returncode == 0
        assert ours.ids == ids, "it was stopped while it wrote, and had no cursor yet"

        owe_events(client, 1, "clinique")
        assert ours.run().returncode == 0
        (ours.folder / "kept" / "lock").mkdir()
        owe_events(client, 1, "clinique")
        assert (ours.run().returncode, len(ours.ids)) == (0, 7), "another one is at work"
        os.utime(ours.folder / "kept" / "lock", (0, 0))
        assert (ours.run().returncode, len(ours.ids), len(set(ours.ids))) == (0, 8, 8)

        owe_events(client, 3, "clinique")
        waiting = ours.run("--wait", then=f'[ $(tail -n 2 {tmp_path}/calls | grep -c wait=25) -lt 2 ] || kill "$PPID"')
        assert (waiting.returncode, len(ours.ids)) == (1, 10), "it was asked to end while it fetched the second page"
        assert not (ours.folder / "kept" / "lock").exists()
        assert (ours.run().returncode, len(set(ours.ids))) == (0, 11)
    with read_session(client.engine) as session:
        assert {row.received_by for row in session.exec(select(PartnerEvent))} == {"feed"}
    assert not [call for call in ours.calls if client.tokens["clinique"].split(".")[1] in call]
    assert [path.name for path in (ours.folder / "kept").iterdir() if path.stat().st_mode & 0o077] == []


def test_the_feed_says_why_it_ends(client: ApiClient, tmp_path: Path) -> None:
    token = client.tokens["clinique"]
    with serve(client.engine, lambda: client.now) as serving:
        ours = feed(tmp_path, serving.url, "not.ours")
        assert "(401)" in ours.run().stderr
        feed(tmp_path, serving.url, token)
        (tmp_path / "kept" / "cursor").write_text("nothing")
        assert "(400)" in ours.run().stderr
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as asking:
            while asking.get(f"{serving.url}/me").status_code == 200:
                pass
        refused = ours.run()
        assert re.search(r"in \d+ seconds \(429\)", refused.stderr)
    assert "no answer" in ours.run().stderr
    with Sink(answer=lambda _request: status(503)) as sink:
        assert "(503)" in feed(tmp_path, sink.url, token).run().stderr
    ours.token.chmod(0o640)
    refused = ours.run()
    assert (refused.returncode, refused.stdout, "chmod 600" in refused.stderr) == (1, "", True)
    assert not (tmp_path / "kept" / "events.jsonl").exists()
    assert not (tmp_path / "kept" / "lock").exists()
