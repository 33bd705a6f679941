"""What was recorded of consents, referrals, visits and households before keeps its meaning. All of it synthetic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from postgres_cluster import PostgresCluster
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session, col, select

from models import Consent, FollowUpVisit, Household, HouseholdMember, Referral
from models.database import create_engine_for
from models.migrate import _config, _tables_may_be_rebuilt, upgrade

AT = "2024-01-08T08:00:00.000000Z"
OLD = (
    f"INSERT INTO household (id, code, size, created_at) VALUES (1, 'H-1', 3, '{AT}')",
    "INSERT INTO returnee (id, code, family_name, given_names, name_key, sex, birth_precision, vulnerabilities, "
    f"household_id, created_at) VALUES (1, 'R-1', 'X', 'Y', 'x y', 'F', 'exact', '[]', 1, '{AT}'), "
    f"(2, 'R-2', 'X', 'Z', 'x z', 'M', 'exact', '[]', NULL, '{AT}')",
    "INSERT INTO pathway_version (id, name, version, content_hash, body, published_at) "
    f"VALUES (1, 'old', 1, 'h', '', '{AT}')",
    'INSERT INTO "case" (id, code, returnee_id, pathway_version_id, state, entered_state_at, version, events, '
    "journal_head, priority, arrival_date, departure_country, registered_at) "
    f"VALUES (1, 'C-1', 1, 1, 'follow_up', '{AT}', 1, 0, 'h', 'normal', '2024-01-07', 'DZA', '{AT}')",
    f"INSERT INTO partner (id, code, name, active, created_at) VALUES (1, 'p', 'P', true, '{AT}')",
    "INSERT INTO consent (id, case_id, purpose, partner_id, given, source, recorded_at, revoked_at) VALUES "
    f"(1, 1, 'sharing', NULL, true, 'manifest', '{AT}', NULL), "
    f"(2, 1, 'sharing', 1, true, 'interview', '{AT}', '{AT}'), "
    f"(3, 1, 'assistance', NULL, false, 'interview', '{AT}', NULL)",
    "INSERT INTO referral (id, case_id, partner_id, consent_id, code, service, priority, status, made_at, due_at) "
    f"VALUES (1, 1, 1, 2, 'F-1', 'health', 'urgent', 'accepted', '{AT}', '{AT}')",
    "INSERT INTO follow_up_visit (id, case_id, months, visited_at, outcome) "
    f"VALUES (1, 1, 3, '{AT}', 'well'), (2, 1, 6, '{AT}', 'well')",
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
        _to(connection, "0010")
        for statement in OLD:
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def _to(connection: Connection, revision: str, *, down: bool = False) -> None:
    config = _config()
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def test_old_rows_are_carried_over(old_engine: Engine) -> None:
    upgrade(old_engine)
    with Session(old_engine) as session:
        consents = session.exec(select(Consent).order_by(col(Consent.id))).all()
        assert [(row.code, row.status, row.information, row.any_partner) for row in consents] == [
            ("consent-1", "given", [], False),
            ("consent-2", "revoked", [], False),
            ("consent-3", "refused", [], False),
        ]
        referral = session.exec(select(Referral)).one()
        assert (referral.services, referral.information, referral.copies) == (["health"], [], [])
        assert (referral.status, referral.priority, referral.interpreter) == ("accepted", "urgent", False)
        visits = session.exec(select(FollowUpVisit).order_by(col(FollowUpVisit.id))).all()
        assert [(row.occasion, row.why, row.could_change) for row in visits] == [
            ("visit-1", [], []),
            ("visit-2", [], []),
        ]
        member = session.exec(select(HouseholdMember)).one()
        assert (member.household_id, member.returnee_id, member.role, member.until) == (1, 1, "unknown", None)
        assert session.exec(select(Household)).one().size == 3


def test_the_way_back_keeps_what_the_old_tables_can_hold(old_engine: Engine) -> None:
    upgrade(old_engine)
    with old_engine.connect() as connection, _tables_may_be_rebuilt(connection), connection.begin():
        _to(connection, "0010", down=True)
        consents = connection.execute(text("SELECT given, revoked_at IS NULL FROM consent ORDER BY id")).all()
        assert [tuple(map(bool, row)) for row in consents] == [(True, True), (True, False), (False, True)]
        assert connection.execute(text("SELECT service FROM referral")).scalar_one() == "health"
        assert connection.execute(text("SELECT household_id FROM returnee ORDER BY id")).scalars().all() == [1, None]
