"""A receiver in another language, with npm's own libraries, verifies and reads what we send."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edges.node_packages import installed
from edges.webhook_outbox import NOW, Clock, attempts, connect, deliveries, fill, secret_of, send
from sqlalchemy import Engine
from sqlmodel import select

from integrations.sharing.pseudonyms import case_code
from integrations.webhooks.dead_letters import replay_one
from integrations.webhooks.record import Recorded
from models import Case, Partner
from models.database import write_session

SOURCES = Path(__file__).parents[2] / "docs" / "partners" / "receivers" / "node"


class Receiver(NamedTuple):
    """The receiver that partners in Node start from, as a process of its own, and the file where it keeps events."""

    process: subprocess.Popen[str]
    file: Path
    url: str

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def kept(self) -> list[dict[str, Any]]:
        """What it reads out: the events of each case in order."""
        command = ["node", "receiver.mjs", str(self.file), "read"]
        read = subprocess.run(command, cwd=self.file.parent, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in read.stdout.splitlines()]


@pytest.fixture(scope="module")
def receiver_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(SOURCES, tmp_path_factory.mktemp("node") / "receiver")


@pytest.fixture
def receiver(receiver_folder: Path) -> Iterator[Receiver]:
    file = receiver_folder / "events.jsonl"
    file.write_text('{"id": "evt-cut-sh')
    process = subprocess.Popen(
        ["node", "receiver.mjs", file, "0"],
        cwd=receiver_folder,
        env={**os.environ, "SEGIN_WEBHOOK_SECRET": secret_of("node")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield Receiver(process, file, f"http://{process.stdout.readline().split()[-1]}/")
    process.terminate()
    process.communicate(timeout=30)


def test_npm_libraries_verify_and_read_every_event(sqlite_engine: Engine, receiver: Receiver) -> None:
    connect(sqlite_engine, node=receiver.url)
    uids = fill(sqlite_engine, cases=5, events=2)
    clock = Clock()
    assert send(sqlite_engine, clock) == Recorded(delivered=10)
    assert sorted(receiver.line() for _ in uids) == sorted(f"case.advanced {uid}" for uid in uids)
    again = deliveries(sqlite_engine)[0].id or 0
    with write_session(sqlite_engine) as session:
        assert replay_one(session, again, now=NOW) == 1
        session.commit()
    assert send(sqlite_engine, clock) == Recorded(delivered=1)
    assert receiver.line() == f"case.advanced {uids[0]} again"
    got = receiver.kept()
    assert sorted(event["id"] for event in got) == sorted(uids)
    assert [event["sequence"] for event in got] == ["0000000001", "0000000002"] * 5
    assert all(first["subject"] == second["subject"] for first, second in zip(got[::2], got[1::2], strict=True))
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


def test_npm_libraries_refuse_another_secret(sqlite_engine: Engine, receiver: Receiver) -> None:
    connect(sqlite_engine, stranger=receiver.url)
    fill(sqlite_engine, cases=1, events=1)
    assert send(sqlite_engine, Clock()) == Recorded(retrying=1)
    assert receiver.line() == "refused WebhookVerificationError"
    assert [row.outcome for row in attempts(sqlite_engine)] == ["http_400"]
    assert receiver.kept() == []
