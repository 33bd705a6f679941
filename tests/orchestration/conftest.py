"""One real Prefect server for the whole session, with this process as its client. Logic is tested through `.fn`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.environment import client_environment
from deployments.server import ServerHandle, prefect_server

# Prefect reads its environment when it is imported, as the test modules do, long before the server has a port.
_folder = tempfile.TemporaryDirectory(prefix="segin-prefect-")
os.environ.update(client_environment(Path(_folder.name), "http://127.0.0.1:9/api"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "prefect_server_handle" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.prefect)


@pytest.fixture(scope="session")
def prefect_server_handle() -> Iterator[ServerHandle]:
    """The session's Prefect server; flows called in this process, and processes that it starts, report to it."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with prefect_server(Path(_folder.name)) as handle, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", handle.api_url)
        with temporary_settings({PREFECT_API_URL: handle.api_url}):
            yield handle


@pytest.fixture(scope="session")
def prefect_server_url(prefect_server_handle: ServerHandle) -> str:
    """Address of the API of the session's Prefect server."""
    return prefect_server_handle.api_url


@pytest.fixture(scope="session")
def prefect_files(prefect_server_handle: ServerHandle) -> Path:
    """Folder of everything that the session's Prefect server writes."""
    return Path(_folder.name) / "prefect"
