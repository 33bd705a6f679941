"""One real Prefect server for the whole session with this process as its client, and a caseload for its flows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from synthetic_cases import START, Caseload, open_caseload

from deployments.environment import client_environment
from deployments.server import ServerHandle, prefect_server
from models import Partner, Subscription
from models.database import write_session

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


@pytest.fixture
def caseload(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caseload]:
    """Staff, a partner who wants everything, and no case yet; the flows find the database in their settings."""
    monkeypatch.setenv("SEGIN_DATABASE_URL", database_url)
    with write_session(engine) as session:
        opened = open_caseload(session)
        partner = Partner(code="SYN", name="Synthetic", created_at=START)
        session.add(partner)
        session.flush()
        session.add(Subscription(partner_id=partner.id or 0, url="http://127.0.0.1:9/", secret="", created_at=START))
        session.commit()
        yield opened
