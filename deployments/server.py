"""A Prefect server of our own as a child process: on one port of this machine, with its own SQLite file.

`segin up`, the demo and the tests start it with `prefect_server`; `python -m deployments.server` is the child itself.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import ipaddress
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from deployments.children import WITH_PARENT, Child, end_with_parent
from deployments.environment import prefect_home, server_environment
from deployments.ports import free_port, require_port, url_of
from models.errors import SeginError

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 5.0


class ServerFailed(SeginError):
    """The Prefect server did not start. Its last lines are in the message: they are Prefect's, about itself."""


@dataclass(frozen=True, slots=True)
class ServerHandle:
    """A running Prefect server."""

    api_url: str
    ui_url: str
    child: Child

    @property
    def pid(self) -> int:
        return self.child.pid


@contextlib.contextmanager
def prefect_server(data_dir: Path, port: int | None = None, host: str = "127.0.0.1") -> Iterator[ServerHandle]:
    """Start a Prefect server, wait until it answers, stop it at the end. `port` none: any free one.

    Raises PortTaken and ServerFailed.
    """
    handle = start_server(data_dir, port, host)
    try:
        yield handle
    finally:
        handle.child.stop(STOP_SECONDS)


def start_server(data_dir: Path, port: int | None, host: str) -> ServerHandle:
    """Like `prefect_server`, for a caller that stops `handle.child` itself."""
    if port is None:
        port = free_port(host)
    require_port(host, port, "SEGIN_PREFECT_PORT")
    ui_url = url_of(host, port)
    home = prefect_home(data_dir)
    log = home / "server.log"
    child = Child(
        "prefect",
        "deployments.server",
        ["--host", host, "--port", str(port)],
        environment=server_environment(data_dir, host, port, f"{ui_url}/api"),
        # No .env, prefect.toml or pyproject.toml of the folder in which Segin was started.
        folder=home,
        log=log,
    )
    try:
        _wait_until_healthy(child, f"{ui_url}/api", log)
    except BaseException:
        child.stop(STOP_SECONDS)
        raise
    return ServerHandle(f"{ui_url}/api", ui_url, child)


def is_healthy(api_url: str, timeout_seconds: float = 1.0) -> bool:
    """Whether a Prefect server answers at `api_url`. Never through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{api_url}/health", timeout=timeout_seconds) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException, ValueError):
        return False


def _wait_until_healthy(child: Child, api_url: str, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while child.exit_code is None and time.monotonic() < give_up:
        if is_healthy(api_url):
            return
        time.sleep(0.1)
    why = "did not answer in time" if child.exit_code is None else f"ended with exit code {child.exit_code}"
    last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise ServerFailed(
        f"The Prefect server {why}.\n{last_lines}\n",
        f"Le serveur Prefect n'a pas démarré.\n{last_lines}\n",
        remedy=f"Its log is {log}.",
        remedy_fr=f"Son journal est {log}.",
    )


def main(arguments: list[str]) -> None:
    """The child: Prefect's server, which may talk to nobody but this machine."""
    parser = argparse.ArgumentParser(prog="python -m deployments.server")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(WITH_PARENT, action="store_true")
    options = parser.parse_args(arguments)
    end_with_parent(arguments)
    sys.addaudithook(refuse_the_outside)
    # Imported here: its import takes a second that the parent need not spend.
    import uvicorn
    from prefect.server.api.server import create_app

    take_the_write_lock_first()
    uvicorn.run(
        create_app(final=True),
        host=options.host,
        port=options.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


def take_the_write_lock_first() -> None:
    """Let every write transaction of Prefect's own SQLite begin with the write lock, as ours do.

    Prefect begins most of them without it and is told "database is locked" as soon as another one writes in between:
    with the automation of `deployments.automations` that was twice a run, and one run in ten waited two seconds.
    """
    from prefect.server.database.configurations import AioSqliteConfiguration

    begin_transaction = AioSqliteConfiguration.begin_transaction

    def begin_immediate(self: AioSqliteConfiguration, session: AsyncSession, **_asked: bool) -> Any:
        return begin_transaction(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[assignment, method-assign]


def refuse_the_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: no name is looked up and no connection made beyond this machine.

    Settings switch Prefect's known reports off; this holds for the unknown ones too (its pages, for example, make the
    server ask GitHub for a list of block types).
    """
    if event == "socket.getaddrinfo":
        _refuse_unless_local(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        _refuse_unless_local(arguments[1][0])


def _refuse_unless_local(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        raise PermissionError("the Prefect server may not look up a name outside this machine") from None
    if not (address.is_loopback or address.is_unspecified):
        raise PermissionError("the Prefect server may not connect to an address outside this machine")


if __name__ == "__main__":
    main(sys.argv[1:])
