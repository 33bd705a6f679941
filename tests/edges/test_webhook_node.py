"""A receiver in another language, with npm's own libraries, verifies and reads what we send."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edges.node_packages import installed
from edges.webhook_outbox import NOW, Clock, attempts, fill, secret_of, send, subscribe
from sqlalchemy import Engine
from sqlmodel import select

from integrations.sharing.pseudonyms import case_code
from integrations.webhooks.record import Recorded
from models import Case, Partner
from models.database import write_session

SOURCES = Path(__file__).parent / "receivers" / "node"


@pytest.fixture(scope="module")
def receiver_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(SOURCES, tmp_path_factory.mktemp("node") / "receiver")


@pytest.fixture
def receiver(receiver_folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        ["node", "receiver.mjs"],
        cwd=receiver_folder,
        env={**os.environ, "WEBHOOK_SECRET": secret_of("node")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    assert process.stdin is not None
    process.stdin.close()
    process.wait(30)


def _line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_npm_libraries_verify_and_read_every_event(sqlite_engine: Engine, receiver: subprocess.Popen[str]) -> None:
    url = f"http://127.0.0.1:{_line(receiver)}/"
    with write_session(sqlite_engine) as session:
        subscribe(session, "node", url)
        session.commit()
    uids = fill(sqlite_engine, cases=5, events=2)
    assert send(sqlite_engine, Clock()) == Recorded(delivered=10)
    got = [_line(receiver) for _ in uids]
    assert sorted(event["id"] for event in got) == sorted(uids)
    with write_session(sqlite_engine) as session:
        key = session.exec(select(Partner.pseudonym_key)).one()
        case_id = session.exec(select(Case.id).where(Case.code == "C-R-0")).one() or 0
    first = next(event for event in got if event["id"] == uids[0])
    assert first == {
        "id": uids[0],
        "type": "case.advanced",
        "source": "urn:segin:cases",
        "subject": case_code(key, case_id),
        "time": NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sequence": "0000000001",
        "data": {"case": case_code(key, case_id)},
    }


def test_npm_libraries_refuse_another_secret(sqlite_engine: Engine, receiver: subprocess.Popen[str]) -> None:
    url = f"http://127.0.0.1:{_line(receiver)}/"
    with write_session(sqlite_engine) as session:
        subscribe(session, "stranger", url)
        session.commit()
    fill(sqlite_engine, cases=1, events=1)
    assert send(sqlite_engine, Clock()) == Recorded(retrying=1)
    assert _line(receiver)["refused"] == "WebhookVerificationError"
    assert [row.outcome for row in attempts(sqlite_engine)] == ["http_400"]
