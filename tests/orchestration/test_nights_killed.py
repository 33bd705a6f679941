"""Nights that are killed, started eight times at once, or wake up late: in the end everything was done once.

The nights run in real processes over two thousand cases; an undisturbed run over a twin database says what is right.
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
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import night_process
import pytest
from database_content import content, leave_gaps, twin_of
from night_cases import ARRIVAL, open_nights
from sqlalchemy import Engine
from sqlmodel import select

from models.database import read_session, write_session
from models.runs import NightlyRun
from states.anchors import broken_anchors
from states.journal import verify_journal

pytestmark = pytest.mark.slow

FIRST, LAST = ARRIVAL.date(), date(2024, 2, 6)
"""The first night finds nothing due; the last one catches up 31 others, and timers fire in it."""
CASES, CHUNK, KILLS = 2_000, 150, 5
OVERDUE, ESCALATED = 2 * 1_600 + 200, (3 + 1) * 1_600 + 200
ANNOUNCED, REMINDED, TIMERS, DIGESTS = 2 * 1_600, 2 * 1_600, 200, 10
NOTICES = OVERDUE + ESCALATED
SENT = NOTICES + REMINDED
CHANGES = OVERDUE + ESCALATED + NOTICES + ANNOUNCED + SENT + DIGESTS + TIMERS + ANNOUNCED + 2 * TIMERS
"""At the end: one delivery for each event; each timer's move is dispatched and its task assigned."""
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _cases(engine: Engine) -> None:
    _fill(engine)


def _fill(engine: Engine) -> None:
    with write_session(engine) as session:
        open_nights(session, CASES)
    night_process.run(engine, FIRST, 10_000)


@contextmanager
def _undisturbed(engine: Engine, folder: Path) -> Iterator[Engine]:
    with twin_of(engine, folder) as twin:
        _fill(twin)
        leave_gaps(twin)
        report = night_process.run(twin, LAST, CHUNK)
        assert len(report.nights) == 32
        assert report.changed == CHANGES
        yield twin


def _start(url: str, stall: int = 0, later: int = 0) -> subprocess.Popen[str]:
    script = str(Path(night_process.__file__))
    return subprocess.Popen(
        [sys.executable, script, url, str(LAST), str(CHUNK), str(stall), str(later)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The last line of a process that ends by itself."""
    out, _ = process.communicate(timeout=120)
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


def _check(engine: Engine, twin: Engine, without: tuple[str, ...] = ()) -> None:
    assert content(engine, without) == content(twin, without)
    with read_session(engine) as session:
        assert verify_journal(session).broken == []
        assert broken_anchors(session) == []
        assert set(session.exec(select(NightlyRun.status)).all()) == {"done"}


def test_a_run_killed_again_and_again_is_completed_and_does_nothing_twice(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(17)
    for _ in range(KILLS):
        process = _start(database_url)
        assert process.stdout is not None
        for _ in range(chance.randint(1, 25)):
            assert process.stdout.readline().startswith("2024-0")
        time.sleep(chance.uniform(0, 0.02))  # somewhere within the next chunk
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    process = _start(database_url)
    assert not _ended(process)["already_done"]
    assert process.returncode == 0
    with _undisturbed(engine, tmp_path) as twin:
        _check(engine, twin)


def test_eight_at_once_run_once(engine: Engine, database_url: str, tmp_path: Path) -> None:
    processes = [_start(database_url) for _ in range(8)]
    answers = [(_ended(process), process.returncode) for process in processes]
    ran = [answer for answer, _ in answers if answer.get("nights")]
    assert [len(answer["nights"]) for answer in ran] == [32]
    for answer, code in answers:
        assert answer in ran or (answer == {"error": "LockedByAnotherRun"} and code == 4) or answer["already_done"]
    with _undisturbed(engine, tmp_path) as twin:
        _check(engine, twin)


def test_an_orphan_that_wakes_up_late_changes_nothing_twice(engine: Engine, database_url: str, tmp_path: Path) -> None:
    orphan = _start(database_url, stall=9)
    assert os.WIFSTOPPED(os.waitpid(orphan.pid, os.WUNTRACED)[1])
    try:
        locked = _start(database_url)
        assert (_ended(locked), locked.returncode) == ({"error": "LockedByAnotherRun"}, 4)
        successor = _start(database_url, later=10)
        assert not _ended(successor)["already_done"]
    finally:
        orphan.send_signal(signal.SIGCONT)
    assert _ended(orphan) == {"error": "LeaseLost"}
    assert orphan.returncode == 4
    with _undisturbed(engine, tmp_path) as twin:
        _check(engine, twin, without=("started_at", "finished_at"))
