"""No name reaches Prefect: every flow runs over marked people, well and badly, and nothing of them is in its files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import structlog
from prefect_runs import PATIENCE_SECONDS
from sqlalchemy import Engine, text
from sqlmodel import select
from structlog.processors import JSONRenderer
from synthetic_cases import START, Caseload

from deployments.logging import keep_only_what_is_allowed
from deployments.server import ServerHandle
from flows.deadlines import deadlines
from flows.dispatch import dispatch
from flows.intake import intake
from flows.nightly import nightly
from flows.steps import StepFailed
from models import Case, ManifestRow, Returnee
from models.database import read_session
from states.moves import OutcomeKind

MARKS = ("ZORBLAX", "Quivinta", "76543211", "ML24-ZQ7788", "vrombulette", "Zanzolito")
HEADER = "NOM;PRENOM;SEXE;DATE NAISS.;PROVENANCE;DATE ARRIVEE;DESTINATION;CONTACT;REF;OBSERVATIONS;CONSENTEMENT\n"
GOOD = "ZORBLAX;Quivinta;F;25/10/1990;NIGER;05/01/2024;Bamako (Bamako);+223 76 54 32 11;ML24-ZQ7788;vrombulette;OUI\n"
BAD = "ZORBLAX;Zanzolito;vrombulette;vrombulette;NIGER;05/01/2024;Bamako (Bamako);76543211;ML24-ZQ7789;;OUI\n"
REFUSE_ON_SQLITE = ("CREATE TRIGGER refuse BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'ZORBLAX Quivinta'); END",)
REFUSE_ON_POSTGRES = (
    "CREATE FUNCTION refuse() RETURNS trigger AS $$BEGIN RAISE EXCEPTION 'ZORBLAX Quivinta'; END$$ LANGUAGE plpgsql",
    "CREATE TRIGGER refuse BEFORE INSERT ON notice FOR EACH ROW EXECUTE FUNCTION refuse()",
)


@pytest.fixture(autouse=True)
def logged_by_allow_list() -> Iterator[None]:
    """As in every process of ours; without it the log of the step that fails would hold the driver's words."""
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep_only_what_is_allowed, JSONRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list with a good row and a bad one, and one whose first row, taken for its header, is a person."""
    made = tmp_path / "arrivals"
    made.mkdir()
    (made / "1.csv").write_text(HEADER + GOOD + BAD)
    (made / "2.csv").write_text(GOOD + GOOD.replace("ML24-ZQ7788", "ML24-ZQ7790"))
    return made


def test_no_flow_tells_prefect_or_a_log_about_a_person(
    folder: Path,
    caseload: Caseload,
    engine: Engine,
    prefect_server_handle: ServerHandle,
    prefect_files: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEGIN_BACKUP_DIR", str(folder.parent / "backups"))

    counts = asyncio.run(intake(folder, now=START))
    assert (counts["registered"], counts["rejected"], counts["refused"]) == (1, 1, 1)
    _move_with_a_note(caseload)
    asyncio.run(dispatch(now=START))
    asyncio.run(deadlines(now=START + timedelta(days=2)))
    assert asyncio.run(nightly(date(2024, 3, 1)))["changed"] > 0
    _fail_with_a_row_in_the_error(caseload)

    with read_session(engine) as session:
        assert session.exec(select(Returnee.family_name)).one() == "ZORBLAX"
        assert session.exec(select(ManifestRow.found).where(ManifestRow.outcome == "rejected")).one() == "vrombulette"
    _wait_until_written(prefect_files, b"The step arm failed")
    for file in prefect_files.rglob("*"):
        found = [mark for mark in MARKS if file.is_file() and mark.encode() in file.read_bytes()]
        assert not found, f"{file.name} has {len(found)} of the marks"
    written = "".join(capfd.readouterr())
    assert "dispatch.carried_out" in written
    assert "step.failed" in written
    assert not [mark for mark in MARKS if mark in written]


def _move_with_a_note(caseload: Caseload) -> None:
    [case_id] = caseload.session.exec(select(Case.id)).all()
    assert case_id is not None
    for trigger, role in (("confirm_arrival", "intake_officer"), ("raise_emergency", "coordinator")):
        moved = caseload.advance(case_id, trigger, role=role, note="Zanzolito et ZORBLAX, vrombulette")
        assert moved.kind == OutcomeKind.MOVED
    caseload.session.commit()


def _fail_with_a_row_in_the_error(caseload: Caseload) -> None:
    """The database refuses a reminder, in words that quote a name, while the dispatch of everything is repeated."""
    on_sqlite = caseload.session.connection().dialect.name == "sqlite"
    for statement in REFUSE_ON_SQLITE if on_sqlite else REFUSE_ON_POSTGRES:
        caseload.session.execute(text(statement))
    caseload.session.execute(text("UPDATE journal SET dispatch_id = NULL"))
    caseload.session.execute(text("DELETE FROM notice"))
    caseload.session.commit()
    with pytest.raises(StepFailed):
        asyncio.run(dispatch(now=START))


def _wait_until_written(files: Path, expected: bytes) -> None:
    """The server keeps what it hears for up to a second; then the words must be found, or the search proves nothing."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        if any(expected in file.read_bytes() for file in files.glob("prefect.db*")):
            time.sleep(2)
            return
        time.sleep(0.2)
    pytest.fail("Prefect never wrote down what it was told")
