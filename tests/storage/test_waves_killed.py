"""Waves that are killed again and again, or started several times at once: in the end every case moved exactly once.

They run in real processes; an undisturbed run over a twin database says what is right. Nobody in here exists.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wave_process
from changing_pathways import changing
from database_content import content, leave_gaps, twin_of
from sqlalchemy import Engine, text

from models.database import read_session, write_session
from states.journal import verify_journal

pytestmark = pytest.mark.slow

CASES, CHUNK, SIZE, KILLS = 200, 8, "30%", 5
ROOT = Path(__file__).parents[2]


def _fill(engine: Engine) -> None:
    with write_session(engine) as session:
        changing(session).spread_out(CASES)
        session.commit()


@pytest.fixture(autouse=True)
def _cases(engine: Engine) -> None:
    _fill(engine)


@pytest.fixture
def right(engine: Engine, tmp_path: Path) -> Iterator[Engine]:
    """A twin over which the waves ran undisturbed."""
    with twin_of(engine, tmp_path) as twin:
        _fill(twin)
        leave_gaps(twin)
        assert [(wave.number, wave.moved) for wave in wave_process.run(twin, CHUNK, SIZE)] == [
            *((number, 60) for number in (1, 2, 3)),
            (4, 20),
        ]
        yield twin


def _start(url: str) -> subprocess.Popen[str]:
    script = str(Path(wave_process.__file__))
    return subprocess.Popen(
        [sys.executable, script, url, str(CHUNK), SIZE],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The last line of a process that ends by itself."""
    out, _ = process.communicate(timeout=120)
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


def _check(engine: Engine, right: Engine) -> None:
    # What a case was before names its tasks and clocks by the numbers that the database gave them.
    assert content(engine, ("before",)) == content(right, ("before",))
    with read_session(engine) as session:
        assert verify_journal(session).broken == []
        moved = session.execute(text("SELECT case_id FROM journal WHERE trigger = 'migrate'")).all()
    assert len(moved) == len(set(moved)) == CASES


def test_waves_that_are_killed_again_and_again_move_every_case_once(
    engine: Engine, database_url: str, right: Engine
) -> None:
    chance = random.Random(5)
    for _ in range(KILLS):
        process = _start(database_url)
        assert process.stdout is not None
        for _ in range(chance.randint(1, 5)):
            assert process.stdout.readline().startswith("wave ")
        time.sleep(chance.uniform(0, 0.03))  # somewhere within the next chunk, or between two waves
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    process = _start(database_url)
    # Whatever the killed ones had left; on a fast machine nothing.
    assert _ended(process)["waves"][-1:] in ([], [[4, "done", 20]])
    assert process.returncode == 0
    _check(engine, right)


def test_of_several_at_once_one_moves_the_cases(engine: Engine, database_url: str, right: Engine) -> None:
    processes = [_start(database_url) for _ in range(3)]
    answers = [(_ended(process), process.returncode) for process in processes]
    for answer, code in answers:
        assert (answer == {"error": "LockedByAnotherRun"} and code == 4) or (code == 0 and "waves" in answer)
    assert sorted(wave for answer, _ in answers for wave in answer.get("waves", [])) == [
        [1, "done", 60],
        [2, "done", 60],
        [3, "done", 60],
        [4, "done", 20],
    ]
    _check(engine, right)
