"""The environment variables under which Prefect's server and its clients run, each with the reason for it.

Prefect reads them when it is imported. `deployments.server`, `deployments.up` and every command that runs a flow pass
them on; a variable `PREFECT_...` of whoever starts Segin has no say, nor has a profile in that person's home.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import certifi

KEPT_RUNS_DAYS: Final = 30
HEARTBEAT_SECONDS: Final = 30  # the shortest that Prefect allows

_PRIVACY: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    # Prefect keeps log lines in clear for as long as the run. Ours go through the allow-list of `deployments.logging`.
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}

_SERVER: Final = {
    # With the defaults of one row a transaction the server stalls for up to 35 s after a burst.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    # Whole seconds: the recorder rounds down, and with 0 it never sleeps and takes most of a processor.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    # Each run takes 17-19 kB for ever unless the vacuum takes runs too.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(KEPT_RUNS_DAYS * 24 * 3600),
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    # No run of ours uses a block; registering Prefect's own costs a second at each start.
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
}


def client_environment(data_dir: Path, api_url: str) -> dict[str, str]:
    """This process's environment for a process that runs flows against the server at `api_url`."""
    home = prefect_home(data_dir)
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    # Without TLS there is nothing to check; yet Prefect makes two clients a run, and each reads a bundle: 15 to 35 ms.
    certificates = {"PREFECT_API_SSL_CERT_FILE": _one_certificate(home)} if api_url.startswith("http://") else {}
    return {
        **theirs,
        **certificates,
        **_PRIVACY,
        "PREFECT_HOME": str(home),
        # Named, or a pyproject.toml of the folder in which Segin is started could name another.
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_API_URL": api_url,
        # A server of its own for a single run would take seconds and forget the run.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    }


def server_environment(data_dir: Path, host: str, port: int, api_url: str) -> dict[str, str]:
    """This process's environment for the server: its own SQLite file below `data_dir`, its address said in full."""
    return {
        **client_environment(data_dir, api_url),
        **_SERVER,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{prefect_home(data_dir)}/prefect.db",
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        # The port alone leaves the pages asking port 4200.
        "PREFECT_SERVER_UI_API_URL": api_url,
        "PREFECT_UI_URL": api_url.removesuffix("/api"),
    }


def prefect_home(data_dir: Path) -> Path:
    """Folder of Prefect's own files, absolute, made with mode 0700."""
    home = data_dir.absolute() / "prefect"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    return home


def _one_certificate(home: Path) -> str:
    """Path of the shortest bundle that can be read: the first certificate of the one that Prefect would read."""
    path = home / "one-certificate.pem"
    if not path.exists():
        end = "-----END CERTIFICATE-----\n"
        mine = path.with_suffix(f".{os.getpid()}")
        mine.write_text(certifi.contents().partition(end)[0] + end, encoding="utf-8")
        mine.replace(path)
    return str(path)
