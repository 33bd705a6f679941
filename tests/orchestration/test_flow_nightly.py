"""The nightly flow on a real Prefect server: what it shows there, and how a run ends that has nothing to do."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from prefect_runs import artifacts_of, run_of
from sqlalchemy import Engine
from sqlmodel import col, select
from synthetic_cases import START, Caseload

from deployments.server import ServerHandle
from flows import nightly as nightly_module
from flows.liveness import name_holder
from flows.night_watch import last_done_night, newest_night, night_is_missing
from flows.nightly import nightly
from flows.nights import LEASE
from models import Deadline, NightlyRun
from models.database import read_session, write_session
from states import leases

NIGHT = date(2024, 3, 1)


@pytest.fixture(autouse=True)
def backups(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGIN_BACKUP_DIR", str(tmp_path_factory.mktemp("backups")))


def _arrived(caseload: Caseload) -> None:
    """Three people whose first deadlines are long past in the NIGHT."""
    for case_id in caseload.register_many(3):
        caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    caseload.session.commit()


def test_a_night_leaves_its_receipt_below_the_run(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    _arrived(caseload)

    counts = asyncio.run(nightly(NIGHT))

    assert counts["nights"] == 1
    assert counts["changed"] > 0
    with read_session(engine) as session:
        night = session.exec(select(NightlyRun)).one()
        overdue = session.exec(select(Deadline.id).where(col(Deadline.overdue_at).is_not(None))).all()
    assert (night.as_of, night.status) == (NIGHT, "done")
    assert counts["changed"] == sum(night.changes.values())
    assert night.changes["deadlines_overdue"] == len(overdue) > 0
    assert run_of(night.flow_run_id).state_name == "Completed"
    artifacts = artifacts_of(night.flow_run_id)
    assert '"night": "2024-03-01"' in str(artifacts["night-changes"].data)
    assert f'"deadlines_overdue": {len(overdue)}' in str(artifacts["night-changes"].data)
    assert f'"count": "deadlines_overdue", "before": 0, "after": {len(overdue)}' in str(artifacts["night-counts"].data)
    assert artifacts["night-progress"].type == "progress"


def test_missed_nights_share_one_run(caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle) -> None:
    _arrived(caseload)
    asyncio.run(nightly(NIGHT))
    assert asyncio.run(nightly(NIGHT + timedelta(days=5)))["nights"] == 5
    with read_session(engine) as session:
        runs = Counter(session.exec(select(NightlyRun.flow_run_id)).all())
        assert session.exec(select(NightlyRun.as_of).order_by(col(NightlyRun.as_of))).all() == [
            NIGHT + timedelta(days=number) for number in range(6)
        ]
    assert sorted(runs.values()) == [1, 5]


def test_the_same_night_again_says_that_it_is_done(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    _arrived(caseload)
    asyncio.run(nightly(NIGHT))

    state = asyncio.run(nightly(NIGHT, return_state=True))

    assert (state.name, state.message, state.is_completed()) == ("AlreadyDone", "already_done", True)
    assert asyncio.run(nightly(NIGHT)) == {"nights": 0, "changed": 0, "already_done": 1, "locked": 0}


def test_a_run_beside_another_one_ends_as_locked(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    with write_session(engine) as session:
        assert leases.take(session, LEASE, name_holder(), now=datetime.now(UTC), ttl=timedelta(minutes=5))
        session.commit()

    state = asyncio.run(nightly(NIGHT, return_state=True))

    assert (state.name, state.is_completed()) == ("Locked", True)
    with read_session(engine) as session:
        assert session.exec(select(NightlyRun)).all() == []


def test_started_eight_times_at_once_it_runs_once(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    _arrived(caseload)

    async def eight() -> list[dict[str, int]]:
        return await asyncio.gather(*(nightly(NIGHT) for _ in range(8)))

    outcomes = asyncio.run(eight())

    assert sum(outcome["nights"] for outcome in outcomes) == 1
    assert all(outcome["nights"] + outcome["already_done"] + outcome["locked"] == 1 for outcome in outcomes)
    with read_session(engine) as session:
        assert session.exec(select(NightlyRun.as_of)).all() == [NIGHT]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2024-03-01T01:59:59+00:00", date(2024, 2, 29)),
        ("2024-03-01T02:00:00+00:00", date(2024, 3, 1)),
        ("2024-03-01T23:00:00+00:00", date(2024, 3, 1)),
    ],
)
def test_the_newest_night_is_the_last_whose_hour_has_come(now: str, newest: date) -> None:
    assert newest_night(datetime.fromisoformat(now), ZoneInfo("Africa/Bamako"), 2) == newest


def test_the_hour_is_that_of_the_programmes_time_zone() -> None:
    assert newest_night(datetime(2024, 3, 1, 1, tzinfo=UTC), ZoneInfo("Europe/Paris"), 2) == date(2024, 3, 1)
    assert newest_night(datetime(2024, 3, 1, 0, 59, tzinfo=UTC), ZoneInfo("Europe/Paris"), 2) == date(2024, 2, 29)


def test_a_night_is_missing_once_nights_have_begun(caseload: Caseload, engine: Engine) -> None:
    assert not nightly_module.is_missing(START)
    with write_session(engine) as session:
        night = NightlyRun(as_of=NIGHT, started_at=START)
        session.add(night)
        session.commit()
        assert night_is_missing(session, NIGHT)
        night.status = "done"
        session.commit()
        assert last_done_night(session) == NIGHT
        assert not night_is_missing(session, NIGHT)
        assert night_is_missing(session, NIGHT + timedelta(days=1))
        session.commit()
    assert nightly_module.is_missing(datetime(2024, 3, 2, 3, tzinfo=UTC))
    assert not nightly_module.is_missing(datetime(2024, 3, 2, 1, tzinfo=UTC))
