"""A caseload made once by the real command line, and a copy of it for each test that asks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import MANIFESTS, TAKEN_IN, CommandLine, TakenIn
from sqlmodel import col, select

from models import Returnee
from models.database import create_engine_for, read_session


@pytest.fixture(scope="session")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> TakenIn:
    """Three bundled manifests and two files that nobody can read."""
    folder = tmp_path_factory.mktemp("cli")
    manifests = folder / "manifests"
    manifests.mkdir()
    for name in TAKEN_IN:
        shutil.copy(MANIFESTS / name, manifests)
    (manifests / "000-empty.csv").touch()
    (manifests / "099-broken.xlsx").write_bytes(b"PK\x03\x04 and no workbook")
    segin = CommandLine(folder / "data", started=True)
    done = segin.run("intake", manifests, "--errors", folder / "errors.csv", "--json", code=3)
    names = _names(folder / "data")
    assert len(names) > 20
    assert not any(name in done.stderr.casefold() for name in names)
    checking = CommandLine(folder / "data", private=names)
    return TakenIn(folder / "data", manifests, checking.checked(("intake",), done.stdout, 3), names)


@pytest.fixture
def segin(taken_in: TakenIn, tmp_path: Path) -> CommandLine:
    """The command line over a copy of the caseload."""
    return CommandLine(shutil.copytree(taken_in.data_dir, tmp_path / "data"), private=taken_in.names)


@pytest.fixture
def fresh(tmp_path: Path, taken_in: TakenIn) -> CommandLine:
    """The command line over a folder that does not exist yet."""
    return CommandLine(tmp_path / "new", private=taken_in.names)


def _names(data_dir: Path) -> frozenset[str]:
    """Every family name of the caseload that is one word of more than three letters."""
    engine = create_engine_for(f"sqlite:///{data_dir}/segin.db")
    with read_session(engine) as session:
        names = session.exec(select(col(Returnee.family_name))).all()
    engine.dispose()
    return frozenset(name.casefold() for name in names if name.isalpha() and len(name) > 3)
