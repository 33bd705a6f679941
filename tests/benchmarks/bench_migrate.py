"""Moves 100,000 open cases to another version and back, beside the plain way: one case a transaction.

Run from the root: `python tests/benchmarks/bench_migrate.py [--db sqlite|postgres] [--cases N]`. Exits with 1 when a
goal is missed. The plain way makes the same decisions and writes the same rows for a part of the cases, one after the
other, each with its own commit; compared are cases a second. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sqlalchemy import Engine, text

sys.path.insert(0, str(Path(__file__).parent))
from moving_caseload import ACTOR, NOW, caseloads, change_in

from deployments.wave_run import WaveRun, run_undo, run_waves
from models.database import create_engine_for, read_session
from models.waves import MigrationWave
from states.change.shares import read_share
from states.change.sides import Change
from states.change.waves import WaveOptions

CASES, SAMPLE = 100_000, 300
GOAL, MINUTES = 8, 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--cases", type=int, default=CASES)
    given = parser.parse_args()
    print("database      cases  way                     seconds   cases/s")
    passed = True
    for name in given.db or ["sqlite", "postgres"]:
        with caseloads(name) as fresh:
            url = fresh(given.cases)
            change = change_in(url)
            engine = create_engine_for(url)
            theirs, _ = timed(engine, change, size=str(SAMPLE), every=False, chunk=1)
            ours, waves = timed(engine, change, size="25%", every=True)
            began = time.perf_counter()
            run_undo(run(engine), change, waves[0].number)
            back = time.perf_counter() - began
            check(engine, change, given.cases, waves[0].cases)
            engine.dispose()
        cases = sum(wave.cases for wave in waves)
        rates = cases / ours, SAMPLE / theirs
        print(f"{name:<10}{cases:>9,}  {'Segin':<20}{ours:>11.1f}{rates[0]:>10,.0f}")
        print(f"{name:<10}{waves[0].cases:>9,}  {'Segin, taken back':<20}{back:>11.1f}{waves[0].cases / back:>10,.0f}")
        print(f"{name:<10}{SAMPLE:>9,}  {'one by one':<20}{theirs:>11.1f}{rates[1]:>10,.0f}")
        ratio = rates[0] / rates[1]
        good = ratio >= GOAL and ours <= 60 * MINUTES
        passed = passed and good
        verdict = "PASS" if good else "FAIL"
        print(f"{name}: {ratio:.0f} x the plain way, goal {GOAL}; {ours:.0f} s, at most {60 * MINUTES}: {verdict}")
    return int(not passed)


def run(engine: Engine, chunk: int = 2000) -> WaveRun:
    return WaveRun(engine, ACTOR, "bench", lambda: NOW, lambda _wave: None, chunk)


def timed(
    engine: Engine, change: Change, *, size: str, every: bool, chunk: int = 2000
) -> tuple[float, list[MigrationWave]]:
    """Seconds, and the waves that ran."""
    options = WaveOptions(read_share(size), change.way.names, False, read_share("0"), read_share("100%"))
    began = time.perf_counter()
    waves = run_waves(run(engine, chunk), change, options, every=every)
    return time.perf_counter() - began, waves


def check(engine: Engine, change: Change, cases: int, back: int) -> None:
    """Every case moved once, and those of the wave that was taken back are back."""
    with read_session(engine) as session:
        rows = dict(session.execute(text("SELECT trigger, COUNT(*) FROM journal WHERE seq > 1 GROUP BY trigger")).all())
        on = dict(session.execute(text('SELECT pathway_version_id, COUNT(*) FROM "case" GROUP BY 1')).all())
    if rows != {"migrate": cases, "unmigrate": back} or on != {change.old.id: back, change.new.id: cases - back}:
        raise SystemExit(f"not every case moved once: {rows}, {on}")


if __name__ == "__main__":
    sys.exit(main())
