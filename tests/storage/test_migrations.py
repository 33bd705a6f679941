"""The migrations make the very schema that the models declare, on both databases, from nothing and safely."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from postgres_cluster import PostgresCluster
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlmodel import SQLModel

from models.database import create_engine_for
from models.migrate import current, head, upgrade


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def new_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes engines of databases with nothing in them; the SQLite path has a character that Alembic's files quote."""
    opened: list[Engine] = []

    def make() -> Engine:
        if request.param == "postgres":
            cluster: PostgresCluster = request.getfixturevalue("cluster")
            url = cluster.fresh_database(template="template0")
        else:
            url = f"sqlite:///{tmp_path}/100%/{len(opened)}.db"
        opened.append(create_engine_for(url))
        return opened[-1]

    yield make
    for engine in opened:
        engine.dispose()


@pytest.fixture
def empty_engine(new_engine: Callable[[], Engine]) -> Engine:
    return new_engine()


def test_a_new_database_is_brought_to_the_newest_revision(empty_engine: Engine) -> None:
    assert current(empty_engine) is None
    upgrade(empty_engine)
    assert current(empty_engine) == head()
    upgrade(empty_engine)
    assert current(empty_engine) == head()


def test_models_and_migrations_agree(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    with empty_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_each_name_type_key_index_and_condition_agrees(new_engine: Callable[[], Engine]) -> None:
    """What Alembic does not compare: names, nullability, the conditions of partial indexes, foreign keys' actions."""
    by_migration, by_model = new_engine(), new_engine()
    upgrade(by_migration)
    SQLModel.metadata.create_all(by_model)
    migrated, declared = _schema(by_migration), _schema(by_model)
    del migrated["alembic_version"]
    assert migrated.keys() == declared.keys()
    for table, parts in declared.items():
        assert migrated[table] == parts


def test_two_upgrades_at_once_both_succeed(empty_engine: Engine) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            upgrade(empty_engine)
        except Exception as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert current(empty_engine) == head()


def test_foreign_keys_are_on_again_after_an_upgrade(tmp_path: Path) -> None:
    engine = create_engine_for(f"sqlite:///{tmp_path}/segin.db")
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    engine.dispose()


def _schema(engine: Engine) -> dict[str, list[str]]:
    """Everything that the database says of its tables, one sorted line for each part."""
    seen = inspect(engine)
    schema = {}
    for table in seen.get_table_names():
        lines = [f"column {c['name']} {c['type']!r} {c['nullable']} {c['default']}" for c in seen.get_columns(table)]
        lines += [f"key {seen.get_pk_constraint(table)}"]
        lines += [f"foreign key {key}" for key in seen.get_foreign_keys(table)]
        lines += [f"unique {sorted(u.items(), key=str)}" for u in seen.get_unique_constraints(table)]
        lines += [
            f"index {i['name']} {i['column_names']} {i['unique']} {_condition(i)}" for i in seen.get_indexes(table)
        ]
        lines += [f"check {check}" for check in seen.get_check_constraints(table)]
        schema[table] = sorted(str(line) for line in lines)
    return schema


def _condition(index: ReflectedIndex) -> dict[str, str]:
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}
