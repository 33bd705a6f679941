"""Plans and sessions of before keep what they said: items become rows, everything gets a code. All of it synthetic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from postgres_cluster import PostgresCluster
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session, col, select

from models import CasePlan, PlanItem, PsychosocialSession
from models.database import create_engine_for
from models.migrate import _config, _tables_may_be_rebuilt, upgrade
from models.plan_history import plan_history
from models.seal import Seal
from states.casework.sessions import seal_old_notes

AT = "2024-01-08T08:00:00.000000Z"
ITEMS = [
    {"section": "psychosocial", "referral": True, "what": "Parler à quelqu'un"},
    {"section": "social", "what": "Retrouver sa famille"},
    {"section": "training"},
    {},
]
OLD = (
    "INSERT INTO returnee (id, code, family_name, given_names, name_key, sex, birth_precision, vulnerabilities, "
    f"created_at) VALUES (1, 'R-1', 'X', 'Y', 'x y', 'F', 'exact', '[]', '{AT}')",
    "INSERT INTO pathway_version (id, name, version, content_hash, body, published_at) "
    f"VALUES (1, 'old', 1, 'h', '', '{AT}')",
    'INSERT INTO "case" (id, code, returnee_id, pathway_version_id, state, entered_state_at, version, events, '
    "journal_head, priority, arrival_date, departure_country, registered_at) "
    f"VALUES (1, 'C-1', 1, 1, 'planning', '{AT}', 1, 0, 'h', 'normal', '2024-01-07', 'DZA', '{AT}')",
    "INSERT INTO case_plan (id, code, case_id, revision, status, needs, items, drafted_at, approved_at) VALUES "
    f"(1, NULL, 1, 1, 'approved', '[\"training\"]', :items, '{AT}', '{AT}'), "
    f"(2, 'P-2', 1, 2, 'draft', '[]', '[]', '{AT}', NULL)",
    "INSERT INTO psychosocial_session (id, case_id, kind, held_at, attended, note) VALUES "
    f"(1, 1, 'individual', '{AT}', true, 'Elle dort mal'), (2, 1, 'family', '{AT}', false, NULL)",
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database as it was before, with rows in it."""
    url = f"sqlite:///{tmp_path}/old.db"
    if request.param == "postgres":
        cluster: PostgresCluster = request.getfixturevalue("cluster")
        url = cluster.fresh_database(template="template0")
    engine = create_engine_for(url)
    with engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        _to(connection, "0008")
        for statement in OLD:
            connection.execute(text(statement), {"items": json.dumps(ITEMS)} if ":items" in statement else {})
    yield engine
    engine.dispose()


def _to(connection: Connection, revision: str, *, down: bool = False) -> None:
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def test_the_items_of_a_plan_become_rows(old_engine: Engine) -> None:
    upgrade(old_engine)
    with Session(old_engine) as session:
        first, second = session.exec(select(CasePlan).order_by(col(CasePlan.id))).all()
        assert (first.code != "", second.code) == (True, "P-2")
        assert (first.status, first.needs, first.submitted_at) == ("approved", ["training"], None)
        items = session.exec(select(PlanItem).order_by(col(PlanItem.id))).all()
        assert [(each.dimension, each.service, each.mode) for each in items] == [
            ("psychosocial", "psychosocial", "referral"),
            ("social", "social", "direct"),
            ("economic", "training", "direct"),
            ("economic", "economic", "direct"),
        ]
        assert {(each.plan_id, each.case_id, each.level, each.status) for each in items} == {
            (first.id, 1, "individual", "planned")
        }
        assert [json.loads(each.goal) for each in items] == ITEMS
        assert len({each.code for each in items}) == len(items)
        shown = plan_history(session, 1)
        assert [(each.in_force, len(each.items)) for each in shown] == [(True, 4), (False, 0)]


def test_each_session_is_an_occasion_and_its_note_is_sealed_once(old_engine: Engine) -> None:
    upgrade(old_engine)
    seal = Seal([b"m" * 32])
    with Session(old_engine) as session:
        rows = session.exec(select(PsychosocialSession).order_by(col(PsychosocialSession.id))).all()
        assert [each.occasion == each.code for each in rows] == [True, True]
        assert len({each.code for each in rows}) == 2
        assert (rows[0].note_sealed, rows[1].note_sealed, rows[1].attended) == ("Elle dort mal", None, False)
        assert [seal_old_notes(session, lambda: seal), seal_old_notes(session, lambda: seal)] == [1, 0]
        session.expire_all()
        sealed = rows[0].note_sealed
        assert sealed is not None
        assert "dort" not in sealed
        assert seal.open(sealed, f"C-1/{rows[0].code}") == "Elle dort mal"


def test_the_way_back_keeps_plans_and_sessions(old_engine: Engine) -> None:
    upgrade(old_engine)
    with old_engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        _to(connection, "0008", down=True)
        assert connection.execute(text("SELECT revision FROM case_plan ORDER BY id")).scalars().all() == [1, 2]
        assert connection.execute(text("SELECT note FROM psychosocial_session ORDER BY id")).scalars().all() == [
            "Elle dort mal",
            None,
        ]
