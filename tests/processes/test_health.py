"""The health page and what it says when something is away. Prefect is; a test of `segin up` shows it when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from deployments.health import Check, check_all, readiness
from deployments.ports import free_port
from deployments.web import create_app
from models import NightlyRun
from models.database import create_engine_for, write_session
from models.settings import Settings

NOW = datetime(2024, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def settings() -> Settings:
    """Prefect is where nobody listens."""
    return Settings(prefect_port=free_port("127.0.0.1"))


@pytest.fixture
def broken_engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "broken.db").write_text("this is no database, and longer than a header of one would be " * 4)
    engine = create_engine_for(f"sqlite:///{tmp_path}/broken.db")
    yield engine
    engine.dispose()


def _get(app: FastAPI, path: str) -> httpx.Response:
    """What the application answers, without a port."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://segin.test") as client:
            return await client.get(path)

    return asyncio.run(ask())


def _found(checks: list[Check]) -> dict[str, tuple[bool, str]]:
    return {check.name: (check.ok, check.found) for check in checks}


def test_without_prefect_people_can_work_and_something_waits(settings: Settings, engine: Engine) -> None:
    checks = check_all(settings, engine, NOW)
    found = _found(checks)
    assert found["database"] == (True, engine.dialect.name)
    assert found["schema"][0]
    assert found["prefect"] == (False, "away")
    assert found["night"] == (True, "none")
    assert readiness(checks) == "degraded"
    answer = _get(create_app(settings, engine), "/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


def test_a_missing_night_shows(settings: Settings, engine: Engine) -> None:
    with write_session(engine) as session:
        session.add(NightlyRun(as_of=NOW.date() - timedelta(days=1), status="done", started_at=NOW))
        session.commit()
    assert _found(check_all(settings, engine, NOW))["night"] == (False, "2024-03-01")
    assert _found(check_all(settings, engine, NOW - timedelta(days=1)))["night"] == (True, "2024-03-01")


def test_an_old_schema_makes_it_unavailable(settings: Settings, tmp_path: Path) -> None:
    engine = create_engine_for(f"sqlite:///{tmp_path}/empty.db")
    checks = check_all(settings, engine, NOW)
    assert _found(checks)["schema"] == (False, "none")
    answer = _get(create_app(settings, engine), "/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    engine.dispose()


def test_a_database_that_is_away_makes_it_unavailable_and_the_page_still_answers(
    settings: Settings, broken_engine: Engine
) -> None:
    app = create_app(settings, broken_engine)
    assert _get(app, "/health/live").json() == {"status": "alive"}
    page = _get(app, "/")
    assert page.status_code == 503
    assert "Indisponible" in page.text
    assert "Unavailable" in page.text
    assert "broken.db" not in page.text


def test_the_page_is_french_first_and_loads_nothing(settings: Settings, engine: Engine) -> None:
    page = _get(create_app(settings, engine), "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.index("Base de données") < page.text.index("Database")
    assert "src=" not in page.text
    assert 'rel="stylesheet"' not in page.text


def test_only_the_health_is_to_be_had(settings: Settings, engine: Engine) -> None:
    app = create_app(settings, engine)
    assert {_get(app, path).status_code for path in ("/docs", "/redoc", "/openapi.json", "/cases")} == {404}


def test_each_check_is_described_for_operators(settings: Settings, engine: Engine) -> None:
    described = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    assert [check.name for check in check_all(settings, engine, NOW) if f"| `{check.name}` |" not in described] == []
