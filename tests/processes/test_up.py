"""`segin up` as a person sees it: everything answers, a transition is carried out, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from running_processes import (
    PATIENCE_SECONDS,
    SEGIN,
    command_of,
    descendants,
    environment_with,
    is_running,
    wait_until,
)
from sqlmodel import col, select
from synthetic_cases import open_caseload

from deployments.ports import free_port
from models import Dispatch, JournalRow
from models.database import create_engine_for, read_session, write_session


class Up:
    """A running `segin up` with a folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.web_url = f"http://127.0.0.1:{(web := free_port('127.0.0.1'))}"
        self.database_url = f"sqlite:///{folder}/data/segin.db"
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *SEGIN, "up"],
                env=environment_with(
                    data_dir=folder / "data", language="en", web_port=web, prefect_port=free_port("127.0.0.1")
                ),
                stdout=output,
                stderr=output,
                cwd=folder,
            )
        self.children: list[int] = []

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.web_url}{path}", timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/health/ready")[1])
        return found

    def end(self, signal_number: int) -> int:
        """Its exit code after this signal; none of its processes is left."""
        self.process.send_signal(signal_number)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        wait_until(lambda: not any(map(is_running, self.children)), "the end of every child")
        return code


@contextmanager
def _up(folder: Path) -> Iterator[Up]:
    running = Up(folder)
    try:
        ended = running.process.poll
        wait_until(lambda: running.get("/health/live")[0] == 200 or ended() is not None, "the web")
        wait_until(lambda: b"serving.started" in running.output.read_bytes() or ended() is not None, "the worker")
        assert ended() is None, running.output.read_text()
        running.children = descendants(running.process.pid)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def test_everything_answers_works_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with _up(tmp_path) as running:
        assert sorted(command_of(pid).split()[2] for pid in running.children) == [
            "deployments.server",
            "deployments.web",
            "deployments.worker",
        ]
        assert running.health()["status"] == "ready"
        engine = create_engine_for(running.database_url)
        with write_session(engine) as session:
            [case_id] = open_caseload(session).register_many(1)
            session.commit()

        def dispatched() -> bool:
            with read_session(engine) as session:
                done = select(Dispatch.id).join(JournalRow).where(JournalRow.case_id == case_id)
                return session.exec(done.where(col(Dispatch.finished_at).is_not(None))).first() is not None

        wait_until(dispatched, "the dispatch of a transition")
        with read_session(engine) as session:
            assert session.exec(select(Dispatch)).one().flow_run_id
        engine.dispose()
        status, page = running.get("/")
        assert status == 200
        assert "Prêt" in page
        assert "<script" not in page
        assert running.get("/docs")[0] == 404
        said = running.output.read_text()
        assert running.web_url in said
        assert f"{tmp_path}/data" in said

        assert running.end(signal.SIGINT) == 0
    assert b"Stopping" in running.output.read_bytes()
    assert b"Traceback" not in running.output.read_bytes()


def test_a_child_that_dies_is_named_and_ends_everything(tmp_path: Path) -> None:
    with _up(tmp_path) as running:
        [worker] = [pid for pid in running.children if "deployments.worker" in command_of(pid)]
        os.kill(worker, signal.SIGKILL)
        assert running.ended() == 1
    assert "worker ended by itself (exit code -9)" in running.output.read_text()


@pytest.mark.slow
def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with _up(tmp_path) as running:
        assert running.end(signal.SIGKILL) == -signal.SIGKILL


@pytest.mark.parametrize("setting", ["web_port", "prefect_port"])
def test_a_taken_port_is_named_and_nothing_is_started(tmp_path: Path, setting: str) -> None:
    ports = {"web_port": free_port("127.0.0.1"), "prefect_port": free_port("127.0.0.1")}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports[setting] = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, *SEGIN, "up"],
            env=environment_with(data_dir=tmp_path / "data", language="en", **ports),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert ended.returncode == 1
    assert f"port {ports[setting]}" in ended.stderr
    assert f"SEGIN_{setting.upper()}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_of_another_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with create_engine_for(f"sqlite:///{tmp_path}/data/segin.db").begin() as connection:
        connection.exec_driver_sql("CREATE TABLE something (id INTEGER)")
    ended = subprocess.run(
        [sys.executable, *SEGIN, "up"],
        env=environment_with(
            data_dir=tmp_path / "data", web_port=free_port("127.0.0.1"), prefect_port=free_port("127.0.0.1")
        ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert "segin db upgrade" in ended.stderr
