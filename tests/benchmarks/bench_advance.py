"""Walks cases through seven transitions in batches of 1,000, beside what else could write the very same rows.

Run from the root: `python tests/benchmarks/bench_advance.py [--cases N] [--db sqlite|postgres]`. All contenders take
turns, so that each sees the same machine: the raw driver batch by batch, the two loops of one transaction a move step
by step on a sample of the cases. Their rows must equal ours in the end. Exits with 1 when a goal is missed. Everybody
in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from baseline_django import DjangoLoop
from baseline_orm import OrmLoop
from baseline_raw import open_raw
from walk import STEPS, Ground, advance_batch, ground
from written import contents, move_rows, written_by_walk

from models.database import create_engine_for

BATCH, SAMPLE = 1_000, 60
OURS, RAW, ORM, DJANGO = (
    "Segin",
    "raw driver, same batches",
    "ORM with transitions, each move",
    "django-fsm-2, each move",
)
GOALS = {RAW: 0.35, ORM: 20.0, DJANGO: 20.0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    print(f"{asked.cases:,} cases, {len(STEPS)} transitions each, in batches of {BATCH:,}")
    print(f"{'database':<10}{'way':<34}{'moves':>8}{'seconds':>9}{'per second':>12}{'ours is':>9}{'goal':>7}")
    missed = False
    for name in asked.db or ("sqlite", "postgres"):
        with ground(name, asked.cases) as seeded:
            seconds, moves = timed(seeded)
        rates = {way: moves[way] / seconds[way] for way in seconds}
        for way, rate in rates.items():
            line = f"{name:<10}{way:<34}{moves[way]:>8,}{seconds[way]:>9.2f}{rate:>12,.0f}"
            if way in GOALS:
                ratio = rates[OURS] / rate
                missed = missed or ratio < GOALS[way]
                line += f"{ratio:>8.2f}x{GOALS[way]:>6g}x  {'PASS' if ratio >= GOALS[way] else 'FAIL'}"
            print(line)
    return int(missed)


def timed(seeded: Ground) -> tuple[dict[str, float], Counter[str]]:
    """Seconds and moves of each way."""
    cases, sample = seeded.case_ids, seeded.case_ids[:SAMPLE]
    batches = [cases[start : start + BATCH] for start in range(0, len(cases), BATCH)]
    first = walked_once(seeded, batches)
    written = written_by_walk(first, cases, BATCH)
    sampled = written_by_walk(first, sample, 1)
    urls = {way: seeded.copy() for way in (OURS, RAW, ORM, DJANGO)}
    ours, raw = create_engine_for(urls[OURS]), open_raw(urls[RAW])
    orm_engine, django = create_engine_for(urls[ORM]), DjangoLoop(urls[DJANGO])
    orm = OrmLoop(orm_engine)
    seconds, moves = dict.fromkeys((OURS, RAW, ORM, DJANGO), 0.0), Counter[str]()

    @contextmanager
    def clock(way: str, number: int) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[way] += time.perf_counter() - began
        moves[way] += number

    for index, step in enumerate(STEPS):
        for batch, rows in zip(batches, written[index], strict=True):
            asked = seeded.moves(step, batch)
            with clock(OURS, len(batch)):
                advance_batch(ours, asked, step.now)
            with clock(RAW, len(batch)):
                raw.write(rows)
        for each in (move_rows(step, rows) for rows in sampled[index]):
            with clock(ORM, 1):
                orm.move(each)
            with clock(DJANGO, 1):
                django.move(each)
    raw.close()
    django.close()
    ours.dispose()
    orm_engine.dispose()
    for way, own in ((RAW, cases), (ORM, sample), (DJANGO, sample)):
        if contents(urls[way], own) != contents(urls[OURS], own):
            raise SystemExit(f"{seeded.name}: the rows of '{way}' are not ours")
    return seconds, moves


def walked_once(seeded: Ground, batches: list[list[int]]) -> str:
    """URL of a copy on which the walk was made, untimed: the source of the rows that the baselines write."""
    url = seeded.copy()
    engine = create_engine_for(url)
    for step in STEPS:
        for batch in batches:
            advance_batch(engine, seeded.moves(step, batch), step.now)
    engine.dispose()
    return url


if __name__ == "__main__":
    sys.exit(main())
