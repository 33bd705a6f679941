"""The intake flow on a real Prefect server: a folder of manifests, one that is refused, and all of them again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_runs import artifacts_of, run_of, steps_of
from sqlalchemy import Engine
from sqlmodel import col, func, select
from synthetic_cases import START

from deployments.server import ServerHandle
from flows.intake import intake
from flows.steps import StepFailed
from models import Case, JournalRow, Manifest, WrongUse
from models.database import read_session

MANIFESTS = Path(__file__).parents[2] / "deployments" / "demo" / "manifests"
SOME = ("002-2024-01-05-NER.csv", "005-2024-01-07-DZA.xlsx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two manifests that can be read, a workbook that is none, and a file that is no manifest."""
    made = tmp_path / "arrivals"
    made.mkdir()
    for name in SOME:
        shutil.copy(MANIFESTS / name, made / name)
    (made / "003-broken.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
    (made / "NOTICE.md").write_text("Synthetic.")
    return made


@pytest.fixture
def counted(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, int, int]]:
    """How many cases, journal rows and manifests the database of the flows has."""
    monkeypatch.setenv("SEGIN_DATABASE_URL", database_url)

    def count() -> tuple[int, int, int]:
        with read_session(engine) as session:
            cases, rows, files = (
                session.exec(select(func.count()).select_from(table)).one() for table in (Case, JournalRow, Manifest)
            )
            return cases, rows, files

    return count


def test_a_refused_file_fails_alone_and_the_run_says_so(
    folder: Path, counted: Callable[[], tuple[int, int, int]], engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    counts = asyncio.run(intake(folder, now=START))

    assert (counts["files"], counts["refused"]) == (3, 1)
    assert counts["rows"] == sum(counts[name] for name in ("registered", "rejected", "already_known", "waiting"))
    assert counts["registered"] > 0
    cases, rows, files = counted()
    assert (cases, files) == (counts["registered"], 2)
    with read_session(engine) as session:
        begun = session.exec(select(func.count()).where(JournalRow.trigger == "register")).one()
        said = session.exec(select(func.count()).where(JournalRow.trigger == "identify_vulnerability")).one()
        raised = session.exec(select(func.count()).where(col(JournalRow.trigger).startswith("raise_"))).one()
        assert (begun, rows) == (cases, begun + said + raised)
        assert said > raised > 0
        run_id = session.exec(select(JournalRow.correlation_id).distinct()).one()
    run = run_of(run_id)
    assert run.state is not None
    assert (run.state.name, run.state.type.value) == ("CompletedInPart", "COMPLETED")
    assert run.parameters == {"path": str(folder), "now": START.isoformat()}
    states = {step.name: step.state_name for step in steps_of(run_id, 3)}
    assert states == {"file 1": "Completed", "file 2": "Failed", "file 3": "Completed"}
    artifacts = artifacts_of(run_id)
    assert artifacts["intake"].data == 100.0
    assert "File 2 is refused: damaged." in str(artifacts["intake-counts"].data)


def test_the_same_folder_again_changes_nothing(
    folder: Path, counted: Callable[[], tuple[int, int, int]], prefect_server_handle: ServerHandle
) -> None:
    first = asyncio.run(intake(folder, now=START))
    before = counted()

    again = asyncio.run(intake(folder, now=START))

    assert counted() == before
    assert again["registered"] == again["waiting"] == 0
    assert again["already_known"] == first["rows"] - first["rejected"]


def test_when_every_file_is_refused_the_run_fails(
    folder: Path, counted: Callable[[], tuple[int, int, int]], prefect_server_handle: ServerHandle
) -> None:
    with pytest.raises(StepFailed, match="None of the 1 manifests could be taken in"):
        asyncio.run(intake(folder / "003-broken.xlsx", now=START))
    assert counted() == (0, 0, 0)


def test_a_path_without_manifests_is_wrong_use(
    tmp_path: Path, counted: Callable[[], tuple[int, int, int]], prefect_server_handle: ServerHandle
) -> None:
    with pytest.raises(WrongUse):
        asyncio.run(intake(tmp_path / "nowhere", now=START))
