"""One interactive `advance_case` with its commit, beside an ORM loop with `transitions`, in turns.

Run from the root: `python tests/benchmarks/bench_interactive.py [--cases N] [--db sqlite|postgres]`. Both make the same
seven moves on the same cases, in databases of their own, and must end with the same rows. The goal: our 95th percentile
is no slower. Exits with 1 when it is missed. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))
from baseline_orm import OrmLoop
from sqlalchemy import Engine
from walk import STEPS, Ground, advance_batch, ground
from written import contents, move_rows, written_by_walk

from models.database import create_engine_for, write_session
from states.advance import advance_case
from states.moves import Move, OutcomeKind

WARM_UP = 10
GOAL = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    print(f"{asked.cases:,} cases, {len(STEPS)} transitions each, one transaction a move; milliseconds")
    print(f"{'database':<10}{'way':<24}{'median':>9}{'p95':>9}")
    missed = False
    for name in asked.db or ("sqlite", "postgres"):
        with ground(name, asked.cases + WARM_UP) as seeded:
            ours, orm = timed(seeded)
        slow = {}
        for way, times in (("Segin", ours), ("ORM with transitions", orm)):
            percentiles = quantiles(times, n=100)
            slow[way] = percentiles[94]
            print(f"{name:<10}{way:<24}{percentiles[49] * 1000:>9.2f}{percentiles[94] * 1000:>9.2f}")
        ratio = slow["Segin"] / slow["ORM with transitions"]
        missed = missed or ratio > GOAL
        print(f"{name:<10}p95 ratio {ratio:.2f}, goal at most {GOAL}: {'PASS' if ratio <= GOAL else 'FAIL'}")
    return int(missed)


def timed(seeded: Ground) -> tuple[list[float], list[float]]:
    """Seconds of each move, ours and the loop's; the first cases only warm up."""
    source = seeded.copy()
    engine = create_engine_for(source)
    for step in STEPS:
        advance_batch(engine, seeded.moves(step, seeded.case_ids), step.now)
    engine.dispose()
    written = written_by_walk(source, seeded.case_ids, 1)
    urls = seeded.copy(), seeded.copy()
    engines = [create_engine_for(url) for url in urls]
    loop = OrmLoop(engines[1])
    ours: list[float] = []
    orm: list[float] = []
    for step, rows in zip(STEPS, written, strict=True):
        moves = seeded.moves(step, seeded.case_ids)
        for number, (move, batch) in enumerate(zip(moves, rows, strict=True)):
            given = move_rows(step, batch)
            turns: list[tuple[list[float], Callable[[], None]]] = [
                (ours, lambda move=move, step=step: advance_one(engines[0], move, step.now)),  # type: ignore[misc]
                (orm, lambda given=given: loop.move(given)),  # type: ignore[misc]
            ]
            for times, make in turns if number % 2 else reversed(turns):
                began = time.perf_counter()
                make()
                if number >= WARM_UP:
                    times.append(time.perf_counter() - began)
    for engine in engines:
        engine.dispose()
    if contents(urls[0], seeded.case_ids) != contents(urls[1], seeded.case_ids):
        raise SystemExit(f"{seeded.name}: the rows of the ORM loop are not ours")
    return ours, orm


def advance_one(engine: Engine, move: Move, now: datetime) -> None:
    with write_session(engine) as session:
        outcome = advance_case(session, move, now=now)
        session.commit()
    if outcome.kind is not OutcomeKind.MOVED:
        raise SystemExit("a move of the walk was not made")


if __name__ == "__main__":
    sys.exit(main())
