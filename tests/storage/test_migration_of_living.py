"""Enrolments and grants that were recorded before get codes and keep their meaning. All of it synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from postgres_cluster import PostgresCluster
from sqlalchemy import Connection, Engine, text

from models.database import create_engine_for
from models.migrate import _config, _tables_may_be_rebuilt, upgrade

AT = "2024-01-08T08:00:00.000000Z"
OLD = (
    "INSERT INTO returnee (id, code, family_name, given_names, name_key, sex, birth_precision, vulnerabilities, "
    f"created_at) VALUES (1, 'R-1', 'X', 'Y', 'x y', 'F', 'exact', '[]', '{AT}')",
    "INSERT INTO pathway_version (id, name, version, content_hash, body, published_at) "
    f"VALUES (1, 'old', 1, 'h', '', '{AT}')",
    'INSERT INTO "case" (id, code, returnee_id, pathway_version_id, state, entered_state_at, version, events, '
    "journal_head, priority, arrival_date, departure_country, registered_at) "
    f"VALUES (1, 'C-1', 1, 1, 'livelihood', '{AT}', 1, 0, 'h', 'normal', '2024-01-07', 'DZA', '{AT}')",
    "INSERT INTO training_enrolment (id, case_id, course, status, enrolled_at, days_attended) "
    f"VALUES (7, 1, 'couture', 'attending', '{AT}', 12)",
    "INSERT INTO livelihood_grant (id, code, case_id, activity, amount_xof, status, proposed_at) VALUES "
    f"(3, NULL, 1, 'élevage', 450000, 'planned', '{AT}'), (4, NULL, 1, 'moulin', 300000, 'verified', '{AT}'), "
    f"(5, 'KEPT', 1, 'commerce', 200000, 'approved', '{AT}')",
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database as it was before courses, budgets and projects, with rows in it."""
    url = f"sqlite:///{tmp_path}/old.db"
    if request.param == "postgres":
        cluster: PostgresCluster = request.getfixturevalue("cluster")
        url = cluster.fresh_database(template="template0")
    engine = create_engine_for(url)
    with engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        _to(connection, "0009")
        for statement in OLD:
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def _to(connection: Connection, revision: str, *, down: bool = False) -> None:
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def test_old_enrolments_and_grants_get_codes_and_keep_their_meaning(old_engine: Engine) -> None:
    upgrade(old_engine)
    with old_engine.connect() as connection:
        enrolments = connection.execute(
            text(
                "SELECT code, course_id, course, status, days_attended, asked_at = enrolled_at FROM training_enrolment"
            )
        )
        assert [tuple(row) for row in enrolments] == [("E-7", None, "couture", "attending", 12, True)]
        grants = connection.execute(
            text(
                "SELECT code, kind, amount_xof, own_xof, spent_xof, revision, budget_id FROM livelihood_grant "
                "ORDER BY id"
            )
        )
        assert [tuple(row) for row in grants] == [
            ("G-3", "individual", 450_000, 0, 0, 1, None),
            ("G-4", "individual", 300_000, 0, 300_000, 1, None),
            ("KEPT", "individual", 200_000, 0, 0, 1, None),
        ]


def test_the_revision_can_be_taken_back(old_engine: Engine) -> None:
    with old_engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        _to(connection, "0010")
        _to(connection, "0009", down=True)
        grants = connection.execute(text("SELECT code, amount_xof FROM livelihood_grant ORDER BY id"))
        assert [tuple(row) for row in grants] == [("G-3", 450_000), ("G-4", 300_000), ("KEPT", 200_000)]
