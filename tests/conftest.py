"""Databases for every test: a fresh SQLite file or PostgreSQL database, copied from a template made once a session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from postgres_cluster import PostgresCluster, PostgresMissing, postgres_cluster
from sqlalchemy import Engine
from sqlmodel import Session

from models.database import create_engine_for, write_session
from models.migrate import upgrade

REQUIRE_POSTGRES = "SEGIN_TEST_REQUIRE_POSTGRES"

# No test fails because the machine was busy.
settings.register_profile("segin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("segin")


def pytest_configure() -> None:
    """Tests see the defaults, not the settings of whoever runs them."""
    for name in list(os.environ):
        if name.startswith("SEGIN_") and not name.startswith("SEGIN_TEST_"):
            del os.environ[name]


SERVERS = ("orchestration", "test_demo", "test_up", "test_worker", "test_health")


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in SERVERS or item.path.stem in SERVERS:
            item.add_marker(pytest.mark.servers)
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)


def _migrate(url: str) -> None:
    engine = create_engine_for(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    """The session's PostgreSQL. Without one the tests that need it are skipped, or fail if the suite requires it."""
    try:
        with postgres_cluster() as running:
            running.make_template(_migrate)
            yield running
    except PostgresMissing as missing:
        if os.environ.get(REQUIRE_POSTGRES) == "1":
            pytest.fail(f"PostgreSQL is required: {missing}", pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "segin.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a fresh SQLite file with all tables."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'segin.db')}"


@pytest.fixture
def postgres_url(cluster: PostgresCluster, record_property: pytest.RecordProperty) -> Iterator[str]:
    """URL of a fresh PostgreSQL database with all tables; the test report says that the test had it."""
    record_property("database", "postgres")
    url = cluster.fresh_database()
    yield url
    cluster.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    yield from _engine(database_url)


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    yield from _engine(sqlite_url)


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    yield from _engine(postgres_url)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session that may write, on each database in turn."""
    with write_session(engine) as opened:
        yield opened


def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine_for(url)
    yield engine
    engine.dispose()
