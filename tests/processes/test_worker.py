"""The resident worker as a process, beside a real Prefect server that comes and goes."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from edges.webhook_outbox import agree_on_assistance
from running_processes import PATIENCE_SECONDS, descendants, environment_with, is_running, wait_until
from sqlalchemy import Engine
from sqlmodel import col, func, select
from synthetic_cases import Caseload, open_caseload

from deployments.ports import free_port
from deployments.server import is_healthy, prefect_server
from flows.night_watch import newest_night
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.subscriptions import add_partner, add_subscription, new_secret
from models import Consent, Dispatch, JournalRow, NightlyRun
from models.database import create_engine_for, read_session, write_session


class Worker:
    """A worker process and what it has written."""

    def __init__(self, folder: Path, api_url: str) -> None:
        self.output = folder / "worker.log"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deployments.worker"],
                env=environment_with(
                    data_dir=folder / "data",
                    database_url=f"sqlite:///{folder}/segin.db",
                    prefect_api_url=api_url,
                    allow_loopback_webhooks=True,
                ),
                stdout=output,
                stderr=output,
            )

    def said(self, event: str) -> int:
        """How often it logged this."""
        return self.output.read_text().count(event)

    def end(self) -> int:
        """Its exit code after SIGTERM; nothing that it started is left."""
        started = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_SECONDS)
        wait_until(lambda: not any(map(is_running, started)), "the end of what the worker started")
        return code


@contextmanager
def _worker(folder: Path, api_url: str) -> Iterator[Worker]:
    running = Worker(folder, api_url)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


class Sink(ThreadingHTTPServer):
    """A partner that takes every event and counts them."""

    def __init__(self) -> None:
        self.received = 0
        super().__init__(("127.0.0.1", 0), Taking)


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Sink)
        self.server.received += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:  # the library prints otherwise
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def caseload(sqlite_url: str) -> Iterator[Caseload]:
    engine = create_engine_for(sqlite_url)
    with write_session(engine) as session:
        opened = open_caseload(session)
        session.commit()
        yield opened
    engine.dispose()


def _waiting(engine: Engine) -> int:
    """Transitions whose dispatch has not finished."""
    with read_session(engine) as session:
        query = select(func.count()).select_from(JournalRow).outerjoin(Dispatch)
        return session.exec(query.where(col(Dispatch.finished_at).is_(None))).one()


def _register(caseload: Caseload, number: int, now: datetime) -> None:
    """So many cases of people who consent to assistance."""
    for case_id in caseload.register_many(number, now=now):
        caseload.session.add(
            Consent(code=f"assistance-{case_id}", case_id=case_id, purpose="assistance", recorded_at=now)
        )
    caseload.session.flush()


@pytest.mark.slow
def test_an_absence_of_prefect_loses_time_and_nothing_else(tmp_path: Path, caseload: Caseload, sink: Sink) -> None:
    engine = caseload.session.get_bind()
    assert isinstance(engine, Engine)
    now = datetime.now(UTC)
    agree_on_assistance(caseload.session, add_partner(caseload.session, code="syn", name="Synthetic", now=now))
    add_subscription(
        caseload.session,
        partner="syn",
        url=f"http://127.0.0.1:{sink.server_port}/",
        secret=new_secret(secrets.token_bytes),
        now=now,
        allow_loopback=True,
    )
    _register(caseload, 1, now)
    caseload.session.commit()
    port = free_port("127.0.0.1")
    with prefect_server(tmp_path / "data", port) as server, _worker(tmp_path, server.api_url) as worker:
        wait_until(lambda: _waiting(engine) == 0, "the dispatch of the first transition")
        wait_until(lambda: sink.received == 1, "the first event at the partner")
        wait_until(lambda: worker.said("serving.started") == 1, "the serving of deployments")

        server.child.stop(10)
        assert not is_healthy(server.api_url)
        _register(caseload, 5, now)
        assert fan_out(caseload.session, now=now) == 5  # as the night would do it
        caseload.session.commit()
        wait_until(lambda: sink.received == 6, "events sent without Prefect")
        _register(caseload, 7, now)
        caseload.session.commit()
        wait_until(lambda: worker.said("worker.waits"), "the worker noticing")
        wait_until(lambda: worker.said("serving.interrupted"), "the runner noticing")
        assert _waiting(engine) == 12
        assert worker.process.poll() is None

        with prefect_server(tmp_path / "data", port):
            wait_until(lambda: _waiting(engine) == 0, "the backlog carried out")
            wait_until(lambda: sink.received == 13, "the last events at the partner")
            wait_until(lambda: worker.said("serving.started") == 2, "the deployments served again")
            with read_session(engine) as session:
                runs = session.exec(select(Dispatch.transitions).order_by(col(Dispatch.id))).all()
            assert runs == [1, 12]
            assert worker.end() == 0
    assert worker.said("Traceback") == 0


def test_a_missed_night_is_made_up_for_in_a_process_of_its_own(tmp_path: Path, caseload: Caseload) -> None:
    engine = caseload.session.get_bind()
    assert isinstance(engine, Engine)
    newest = newest_night(datetime.now(UTC), ZoneInfo("Africa/Bamako"), 2)
    last = NightlyRun(as_of=newest - timedelta(days=2), status="done", started_at=datetime.now(UTC))
    caseload.session.add(last)
    caseload.session.commit()

    def nights() -> dict[date, str]:
        with read_session(engine) as session:
            return dict(session.exec(select(NightlyRun.as_of, NightlyRun.status)).all())

    with prefect_server(tmp_path / "data") as server, _worker(tmp_path, server.api_url) as worker:
        wait_until(lambda: nights().get(newest) == "done", "the night that was missing")
        assert nights() == {newest - timedelta(days=days): "done" for days in range(3)}
        assert worker.said("serving.night_requested") == 1
        assert worker.end() == 0
