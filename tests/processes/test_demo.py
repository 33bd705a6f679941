"""The demonstration, played for real up to the end of January: what it says adds up, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Case, Dispatch, JournalRow, NightlyRun, Staff, Task
from models.database import create_engine_for, read_session
from states.why.cause import STUCK

PLAY = """
import json, sys
from datetime import date
from pathlib import Path
from rich.console import Console
from deployments.demo.run import DemoOptions, run_demo
from models.settings import load_settings
summary = run_demo(load_settings(), DemoOptions(until=date.fromisoformat(sys.argv[1])), Console(stderr=True))
print(json.dumps(summary, default=str))
"""
MARK = "DEMO_UNDER_TEST"
UNTIL = date(2024, 1, 31)


@dataclass
class Stage:
    """A folder for demonstrations, and a mark by which every process that they start is known."""

    data_dir: Path
    mark: str

    def play(self, until: date) -> subprocess.Popen[str]:
        environment = os.environ | {"SEGIN_DATA_DIR": str(self.data_dir), MARK: self.mark}
        return subprocess.Popen(
            [sys.executable, "-c", PLAY, str(until)],
            env=environment,
            cwd=self.data_dir,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left_behind(self) -> list[str]:
        """The command lines of what still runs."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found


@dataclass
class Played:
    """A finished demonstration: its summary and its database."""

    stage: Stage
    summary: dict[str, Any]

    def ask(self, question: Callable[[Session], Any]) -> Any:
        engine = create_engine_for(f"sqlite:///{self.summary['folder']}/segin.db")
        with read_session(engine) as session:
            answer = question(session)
        engine.dispose()
        return answer


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    stage = Stage(tmp_path_factory.mktemp("data"), uuid.uuid4().hex)
    (stage.data_dir / "segin.db").write_bytes(b"somebody's real cases")
    process = stage.play(UNTIL)
    output, errors = process.communicate()
    assert process.returncode == 0, errors[-3000:]
    return Played(stage, json.loads(output))


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    """What a correct intake makes of the manifests of the days that were played."""
    text = (resources.files("deployments.demo") / "manifests" / "EXPECTED.json").read_text(encoding="utf-8")
    files = {each["file"]: each for each in json.loads(text)["files"]}
    return {name: each for name, each in files.items() if date.fromisoformat(name[4:14]) <= UNTIL}


def test_every_row_and_every_case_is_accounted_for(played: Played) -> None:
    summary = played.summary
    rows = summary["manifests"]
    assert summary["reconciled"] == {"rows": True, "waiting": True, "cases": True, "journal": True}
    assert rows["registered"] + rows["rejected"] + rows["already_known"] + rows["waiting"] == rows["rows"] > 1_000
    assert sum(rows["reasons"].values()) == rows["rejected"]
    assert sum(summary["returnees"]["by_state"].values()) == summary["returnees"]["total"] == rows["registered"]
    by_month = summary["returnees"]["by_month_and_country"]
    assert sum(sum(countries.values()) for countries in by_month.values()) == rows["registered"]
    assert played.ask(lambda session: session.scalar(select(func.count()).select_from(Case))) == rows["registered"]


def test_the_manifests_of_these_days_came_in_each_by_a_flow_run(played: Played, expected: dict[str, Any]) -> None:
    assert played.summary["manifests"]["files"] == len(expected)
    assert played.summary["manifests"]["rejected"] == sum(len(each["rejected"]) for each in expected.values())
    runs = played.summary["flow_runs"]
    assert runs["intake"] == {"Completed": len(expected)}
    assert set(runs) == {"intake", "dispatch", "nightly"}
    assert all(set(states) == {"Completed"} for states in runs.values())


def test_every_night_has_its_receipt(played: Played) -> None:
    nights = played.ask(lambda session: session.execute(select(NightlyRun.as_of, NightlyRun.status)).all())
    assert sorted(nights) == [(date(2024, 1, day), "done") for day in range(1, 32)]
    assert played.summary["nights"] == {"done": 31, "first": "2024-01-01", "last": "2024-01-31"}


def test_every_transition_was_carried_out_by_a_flow_run(played: Played) -> None:
    def without_a_run(session: Session) -> int | None:
        return session.scalar(
            select(func.count())
            .select_from(JournalRow)
            .outerjoin(Dispatch, col(Dispatch.id) == col(JournalRow.dispatch_id))
            .where(col(Dispatch.flow_run_id).is_(None))
        )

    assert played.ask(without_a_run) == 0
    assert played.summary["journal"]["transitions"] > 5_000


def test_staff_of_every_role_have_acted_and_were_refused_at_times(played: Played) -> None:
    def roles(session: Session) -> set[str]:
        return set(session.scalars(select(JournalRow.role).distinct()))

    def done_by(session: Session) -> set[str]:
        return set(session.scalars(select(Staff.role).join(Task, col(Task.done_by) == col(Staff.id)).distinct()))

    assert played.ask(roles) >= {"system", "intake_officer", "case_worker", "coordinator", "vulnerability_focal_point"}
    assert played.ask(done_by) >= {"intake_officer", "case_worker", "coordinator"}
    assert played.summary["refusals"]["assessed"] > 0
    assert {"arrived", "screening", "planning", "on_hold", "closed"} <= set(played.summary["returnees"]["by_state"])


def test_the_partners_counted_what_segin_says_it_delivered(played: Played) -> None:
    deliveries = played.summary["events"]["deliveries"]
    assert sum(deliveries["reseau-accueil"].values()) == played.summary["events"]["announced"] > 3_000
    for code, received in played.summary["partners"].items():
        assert received["events"] == deliveries[code]["delivered"] > 0
        assert received["not_verified"] == received["out_of_order"] == 0


def test_the_three_most_stuck_cases_say_why(played: Played) -> None:
    stuck = played.summary["stuck"]
    assert len(stuck) == 3
    for case in stuck:
        assert case["cause"] in STUCK
        assert all(text.endswith(".") for text in case["sentence"].values())


def test_it_keeps_to_its_own_folder_and_leaves_no_process(played: Played) -> None:
    assert (played.stage.data_dir / "segin.db").read_bytes() == b"somebody's real cases"
    assert sorted(path.name for path in played.stage.data_dir.iterdir()) == ["demo", "segin.db"]
    assert played.stage.left_behind() == []


def test_ctrl_c_ends_everything_and_the_next_run_starts_afresh(played: Played, expected: dict[str, Any]) -> None:
    process = played.stage.play(UNTIL)
    assert process.stderr is not None
    while "2024-01" not in (line := process.stderr.readline()):
        assert line, "it ended before it began to play"
    assert len(played.stage.left_behind()) > 1
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    assert played.stage.left_behind() == []

    again = played.stage.play(date(2024, 1, 5))
    output, errors = again.communicate()
    assert again.returncode == 0, errors[-3000:]
    summary = json.loads(output)
    first_days = [name for name in expected if date.fromisoformat(name[4:14]) <= date(2024, 1, 5)]
    assert summary["manifests"]["files"] == len(first_days) == 3
    assert summary["returnees"]["total"] == summary["manifests"]["registered"]
    assert played.stage.left_behind() == []
