"""Replays another policy over 100,000 journal rows, beside the loop that would do it case by case.

Run from the root: `python tests/benchmarks/bench_replay.py [--cases N] [--db sqlite|postgres]`. The past was written by
the real writer and the real sweep: 10,000 cases of the pathway in `tests/past_lives.py` with ten rows each, records and
timers among them. The proposed one has shorter deadlines, a guard that bars one case in two for a while, and one more
task. Beside the replay: a sample of the cases replayed one at a time, and the mere reading of the rows. It needs one
process; the goal is for a machine with two cores. Exits with 1 when it is missed. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from past_lives import NIGHT_HOUR, PAST, Past, at
from postgres_cluster import postgres_cluster
from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from models.database import create_engine_for, read_session, write_session
from states.change.mapping import NO_NAMES
from states.moves import OutcomeKind
from states.pathways.loader import load_pathway
from states.replay.asking import Policy
from states.replay.chunks import Question, replay
from states.replay.history import read_histories
from states.replay.report import ReplayReport
from states.replay.walk import Window, walk_case

GOAL_SECONDS, GOAL_ROWS = 30.0, 100_000
CONVOYS, SAMPLE, DAYS = 10, 150, 60
LIFE = (
    *((2, "help", "worker"), (3, "write", "worker"), (4, "refer", "worker"), (5, "approve", "chief")),
    *((8, "follow", "worker"), (24, "check", "worker"), (30, "end", "chief")),
)
"""What is done to each case, and how many days after it came; timers open the check and end the referral."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    print(f"{'database':<10}{'way':<24}{'rows':>9}{'seconds':>9}{'rows/s':>10}{'ours is':>9}")
    missed = False
    for name in asked.db or ("sqlite", "postgres"):
        with database(name) as engine:
            missed = bench(name, engine, asked.cases) or missed
    return int(missed)


def bench(name: str, engine: Engine, cases: int) -> bool:
    """Prints the lines of one database; whether the goal was missed."""
    past = lives(engine, cases)
    with read_session(engine) as session:
        rows = int(session.scalar(text("SELECT COUNT(*) FROM journal")) or 0)
    question = Question(load_pathway(proposed(), "proposed"), at(0, 0), at(DAYS, 0), NO_NAMES, NIGHT_HOUR)
    began = time.perf_counter()
    found = replay(engine, question)
    seconds = time.perf_counter() - began
    ways = {
        "Segin": (rows, seconds),
        "one case at a time": one_by_one(engine, question, past),
        "reading the rows alone": (rows, reading(engine)),
    }
    for way, (number, taken) in ways.items():
        speed = rows / seconds / (number / taken)
        print(f"{name:<10}{way:<24}{number:>9,}{taken:>9.2f}{number / taken:>10,.0f}{speed:>8.2f}x")
    return not verdict(name, found, rows, seconds)


def verdict(name: str, found: ReplayReport, rows: int, seconds: float) -> bool:
    """Whether the goal is reached; says so, and what was found."""
    whole = seconds * GOAL_ROWS / rows
    reached = whole <= GOAL_SECONDS
    missed = sum(line.breached_new - line.breached_old for line in found.deadlines)
    tasks = sum(line.more for line in found.tasks)
    print(
        f"{name:<10}{found.refused_moves:,} moves refused ({found.later_moves:,} possible later), "
        f"{missed:+,} deadlines missed, {tasks:+,} tasks; "
        f"{GOAL_ROWS:,} rows in {whole:.1f} s, goal {GOAL_SECONDS:g} s: {'PASS' if reached else 'FAIL'}"
    )
    return reached


def proposed() -> str:
    """The pathway of the past with shorter deadlines, one more guard and one more task."""
    text_ = PAST.replace("\nversion: 1\n", "\nversion: 2\n")
    for before, after in (
        ("    due: P10D\n", "    due: P4D\n"),
        (
            "guards: [{guard: assessed, with: {instruments: [k6]}}]",
            "guards: [{guard: assessed, with: {instruments: [k10]}}]",
        ),
        ("on_entry: {set: [check_opens, check]}", "on_entry: {open: [approve], set: [check_opens, check]}"),
    ):
        assert before in text_, before
        text_ = text_.replace(before, after, 1)
    return text_


def lives(engine: Engine, cases: int) -> Past:
    """The lives of the cases, in convoys of ten days; each day and night in a transaction of its own."""
    SQLModel.metadata.create_all(engine)
    with write_session(engine) as session:
        past = Past(session, 1)
        came: dict[int, int] = {}
        for day in range(DAYS):
            past.night(day)
            if day < CONVOYS:
                new = past.register(cases // CONVOYS, day)
                came |= dict.fromkeys(new, day)
                for id_ in new:
                    past.assess(id_, "k6", at(day, 9))
                    past.assess(id_, "k10", at(day + 6 * (id_ % 2), 9))
                    past.plan(id_, at(day + 2, 12), approved_at=at(day + 6, 9))
            for after, trigger, role in LIFE:
                due = [id_ for id_, first in came.items() if first + after == day]
                reason = "done" if trigger == "end" else None
                outcomes = past.advance_all(due, trigger, role, at(day, 10), reason=reason)
                if any(outcome.kind is not OutcomeKind.MOVED for outcome in outcomes):
                    raise SystemExit(f"a move of the past was not made: {trigger}")
            session.commit()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    return past


def one_by_one(engine: Engine, question: Question, past: Past) -> tuple[int, float]:
    """What a loop over the caseload would do: read and walk each case by itself. Gives rows and seconds."""
    window = Window(question.since, question.until)
    policy = Policy(question.pathway, question.names, {past.version_id: past.pathway}, ())
    groups = frozenset().union(*past.pathway.needed.values(), *question.pathway.needed.values())
    began, rows = time.perf_counter(), 0
    for case_id in past.case_ids[:SAMPLE]:
        with read_session(engine) as session:
            (history,) = read_histories(session, [case_id], groups, question.until)
        walk_case(history, policy, window)
        rows += len(history.rows)
    return rows, time.perf_counter() - began


def reading(engine: Engine) -> float:
    """Seconds to read the journal rows and do nothing with them."""
    began = time.perf_counter()
    with read_session(engine) as session:
        session.connection().exec_driver_sql("SELECT * FROM journal ORDER BY case_id, seq").fetchall()
    return time.perf_counter() - began


@contextmanager
def database(name: str) -> Iterator[Engine]:
    """An empty database of that kind, removed at the end."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            engine = create_engine_for(f"sqlite:///{folder}/past.db")
            yield engine
            engine.dispose()
    else:
        with postgres_cluster() as cluster:
            engine = create_engine_for(cluster.fresh_database("template0"))
            yield engine
            engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
