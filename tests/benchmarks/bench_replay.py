"""Replays another policy over 100,000 journal rows, beside the loop that would do it case by case.

Run from the root: `python tests/benchmarks/bench_replay.py [--cases N] [--db sqlite|postgres]`. The past was written by
the real writer: 12,500 cases with eight rows each. The proposed pathway has a shorter deadline, one more guard and one
more task. Beside the replay: a sample of the cases replayed one at a time, and the mere reading of the rows. It needs
one process; the goal is for a machine with two cores. Exits with 1 when it is missed. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from sqlalchemy import Engine, text
from sqlmodel import select
from synthetic_cases import START
from walk import STEPS, Ground, advance_batch, ground

from models import PathwayVersion
from models.database import create_engine_for, read_session, write_session
from models.types import utc_text
from states.bulk import insert_into
from states.change.mapping import NO_NAMES
from states.pathways.loader import bundled_pathway, load_pathway
from states.pathways.shelf import pathways_of
from states.replay.asking import Policy
from states.replay.chunks import Question, replay
from states.replay.history import read_histories
from states.replay.walk import Window, walk_case

GOAL_SECONDS, GOAL_ROWS = 30.0, 100_000
BATCH, SAMPLE = 1_000, 150
UNTIL = START + timedelta(days=200)
CHANGES = (
    ("    owner: vulnerability_focal_point\n    state: screening\n    due: P2W\n", "due: P2W", "due: P6D"),
    (
        "  - trigger: start_training\n",
        "      - plan_approved\n",
        "      - plan_approved\n      - {guard: sessions_attended, with: {minimum: 2}}\n",
    ),
    ("  training:\n    title:", "[{task: enrol, when: {without: enrolment}}]", "[enrol, post_arrival_assistance]"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=12_500)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    print(f"{asked.cases:,} cases, {len(STEPS) + 1} journal rows each")
    print(f"{'database':<10}{'way':<28}{'rows':>9}{'seconds':>9}{'rows/s':>10}{'ours is':>9}")
    missed = False
    for name in asked.db or ("sqlite", "postgres"):
        with ground(name, asked.cases) as seeded:
            missed = bench(seeded) or missed
    return int(missed)


def bench(seeded: Ground) -> bool:
    """Prints the lines of one database; whether the goal was missed."""
    url = seeded.copy()
    rows = spend(url, seeded)
    engine = create_engine_for(url)
    question = Question(load_pathway(proposed(), "proposed"), START - timedelta(days=1), UNTIL, NO_NAMES, 2)
    began = time.perf_counter()
    found = replay(engine, question)
    seconds = time.perf_counter() - began
    ways = {
        "Segin": (rows, seconds),
        "one case at a time": one_by_one(engine, question, seeded.case_ids[:SAMPLE]),
        "reading the rows alone": (rows, reading(engine)),
    }
    engine.dispose()
    for way, (number, taken) in ways.items():
        speed = rows / seconds / (number / taken)
        print(f"{seeded.name:<10}{way:<28}{number:>9,}{taken:>9.2f}{number / taken:>10,.0f}{speed:>8.2f}x")
    whole = seconds * GOAL_ROWS / rows
    passed = whole <= GOAL_SECONDS
    breaches = sum(line.breached_new for line in found.deadlines)
    print(
        f"{seeded.name:<10}{found.refused_moves:,} moves refused, {breaches:,} breaches; "
        f"{GOAL_ROWS:,} rows in {whole:.1f} s, goal {GOAL_SECONDS:g} s: {'PASS' if passed else 'FAIL'}"
    )
    return not passed


def proposed() -> str:
    """The bundled pathway with shorter deadlines, one more guard and one more task."""
    policy = (
        bundled_pathway("mali")
        .replace("\nversion: 1\n", "\nversion: 99\n")
        .replace("\nversion: 2\n", "\nversion: 99\n")
    )
    for near, before, after in CHANGES:
        place = policy.index(near)
        policy = policy[:place] + policy[place:].replace(before, after, 1)
    return policy


def spend(url: str, seeded: Ground) -> int:
    """The walk of every case, and a second session for one case in two; the number of journal rows."""
    engine = create_engine_for(url)
    for step in STEPS:
        for start in range(0, len(seeded.case_ids), BATCH):
            advance_batch(engine, seeded.moves(step, seeded.case_ids[start : start + BATCH]), step.now)
    with write_session(engine) as session:
        held = utc_text(START + timedelta(days=30))
        sessions = insert_into("psychosocial_session", "case_id", "kind", "held_at", "attended")
        sessions.execute(session, [(id_, "individual", held, True) for id_ in seeded.case_ids[::2]])
        session.commit()
        session.execute(text("ANALYZE"))
        session.commit()
    with read_session(engine) as session:
        rows = session.scalar(text("SELECT COUNT(*) FROM journal"))
    engine.dispose()
    return int(rows or 0)


def one_by_one(engine: Engine, question: Question, case_ids: list[int]) -> tuple[int, float]:
    """What a loop over the caseload would do: read and walk each case by itself. Gives rows and seconds."""
    pathway, window = question.pathway, Window(question.since, question.until)
    with read_session(engine) as session:
        ids = [id_ for id_ in session.exec(select(PathwayVersion.id)) if id_ is not None]
        policy = Policy(pathway, question.names, pathways_of(session, ids), ())
    groups = frozenset().union(*pathway.needed.values())
    began, rows = time.perf_counter(), 0
    for case_id in case_ids:
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


if __name__ == "__main__":
    sys.exit(main())
