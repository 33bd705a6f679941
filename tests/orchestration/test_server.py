"""The Prefect server that we start: alone with itself, quiet, and clear about a port that is taken."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client

from deployments.automations import ensure_automation, silent_runs_crash
from deployments.environment import client_environment
from deployments.ports import PortTaken, free_port
from deployments.server import ServerFailed, ServerHandle, is_healthy, prefect_server, refuse_the_outside


@task
async def count(number: int) -> int:
    return number + 1


@flow
async def burst() -> int:
    return sum([await count(number) for number in range(3)])


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


def test_the_pages_ask_the_port_that_the_server_has(prefect_server_handle: ServerHandle) -> None:
    assert _get(f"{prefect_server_handle.ui_url}/ui-settings")["api_url"] == prefect_server_handle.api_url


def test_the_settings_that_the_server_runs_with(prefect_server_url: str, prefect_files: Path) -> None:
    settings = _get(f"{prefect_server_url}/admin/settings")

    assert settings["server"]["analytics_enabled"] is False
    assert settings["server"]["ephemeral"]["enabled"] is False
    assert settings["server"]["ui"]["show_promotional_content"] is False
    assert set(settings["server"]["services"]["db_vacuum"]["enabled"]) == {"events", "flow_runs"}
    assert settings["server"]["services"]["task_run_recorder"]["batch_size"] == 200
    assert settings["server"]["services"]["event_persister"]["batch_size"] == 500
    assert Path(settings["home"]) == prefect_files


def test_flows_at_once_never_find_the_database_locked(prefect_server_handle: ServerHandle, prefect_files: Path) -> None:
    async def at_once() -> list[int]:
        async with get_client() as client:
            await ensure_automation(client, silent_runs_crash())  # it writes at each event of a run
        return await asyncio.gather(*(burst() for _ in range(20)))

    assert asyncio.run(at_once()) == [6] * 20
    assert "locked" not in (prefect_files / "server.log").read_text()


def test_the_server_reaches_nobody_outside_this_machine(prefect_server_url: str) -> None:
    """This view makes the server ask GitHub first; refused at once, it answers from the file that it ships with."""
    assert "process" in _get(f"{prefect_server_url}/collections/views/aggregate-worker-metadata")["prefect"]
    with pytest.raises(urllib.error.HTTPError):
        _get(f"{prefect_server_url}/collections/views/demo-flows")


@pytest.mark.parametrize("host", ["example.org", b"example.org", "192.0.2.1", "2001:db8::1", "169.254.169.254"])
def test_names_and_addresses_outside_are_refused(host: str | bytes) -> None:
    with pytest.raises(PermissionError):
        refuse_the_outside("socket.getaddrinfo", (host, 443, 0, 0, 0))
    with pytest.raises(PermissionError):
        refuse_the_outside("socket.connect", (None, (host, 443)))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0.0.0.0", None, ""])  # noqa: S104
def test_this_machine_is_not_outside(host: str | None) -> None:
    refuse_the_outside("socket.getaddrinfo", (host, 443, 0, 0, 0))
    refuse_the_outside("socket.connect", (None, (host, 443)))
    refuse_the_outside("socket.connect", (None, "/run/some.socket"))
    refuse_the_outside("open", ("example.org", "r", 0))


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port}.*SEGIN_PREFECT_PORT"), prefect_server(tmp_path, port):
            pytest.fail("it started on a port that is taken")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_dies_at_its_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "prefect.db").write_text("this is no database")
    with pytest.raises(ServerFailed, match="file is not a database"), prefect_server(tmp_path):
        pytest.fail("it started on a broken database")


def test_the_users_own_prefect_settings_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_SERVER_ANALYTICS_ENABLED", "true")
    monkeypatch.setenv("PREFECT_API_KEY", "theirs")
    environment = client_environment(tmp_path, "http://127.0.0.1:1/api")
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert "PREFECT_API_KEY" not in environment
    assert (tmp_path / "prefect").stat().st_mode & 0o077 == 0


def test_the_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """The parent gets no chance to clean up; the pipe that it held closes all the same."""
    code = (
        "import sys, time; from pathlib import Path; from deployments.server import start_server\n"
        "handle = start_server(Path(sys.argv[1]), None, '127.0.0.1'); print(handle.pid, handle.api_url, flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, url = parent.stdout.readline().split()
    assert is_healthy(url)
    parent.kill()
    parent.communicate()
    give_up = time.monotonic() + 60
    while is_healthy(url) and time.monotonic() < give_up:
        time.sleep(0.1)
    while _runs(int(pid)) and time.monotonic() < give_up:
        time.sleep(0.1)
    assert not _runs(int(pid))


def _runs(pid: int) -> bool:
    """Whether the process exists and is no zombie that waits to be noticed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return True


def test_a_free_port_is_none_that_a_connection_takes_by_chance() -> None:
    """Linux gives the ports from 32,768 on to connections that go out, also between our look and our use."""
    ports = {free_port("127.0.0.1") for _ in range(20)}
    assert len(ports) > 10
    assert max(ports) < 32_768
