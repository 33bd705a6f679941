"""Checks a pathway of 1,000 states (3,000 transitions, 1,000 tasks and deadlines), beside reading its YAML alone.

Run from the root: `python tests/benchmarks/bench_check.py [--states N]`. The baseline is the fastest loader that PyYAML
has and the same content written as JSON; it notices nothing. Both take turns. Two files are checked: one without a
fault, and one in which no state leads to closure. The goal: a check takes no longer than the baseline. Exits with 1
when it is missed; the seconds are for information.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))
import yaml
from large_pathway import large_pathway

from states.pathways.checker import check_pathway

T = TypeVar("T")
TURNS = 7
GOAL = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=1_000)
    asked = parser.parse_args()
    sound = large_pathway(asked.states)
    endless = sound.replace("    to: closed\n", "")
    print(f"{asked.states:,} states, {sound.count('- trigger:'):,} transitions, {len(sound.encode()):,} bytes")
    print(f"{'file':<24}{'problems':>10}{'check, s':>10}{'YAML and JSON, s':>18}{'ratio':>8}{'goal':>7}")
    missed = False
    for name, text in (("without a fault", sound), ("without closure", endless)):
        problems, check, baseline = timed(text)
        ratio = check / baseline
        missed = missed or ratio > GOAL
        figures = f"{problems:>10,}{check:>10.2f}{baseline:>18.2f}{ratio:>8.2f}{GOAL:>7g}"
        print(f"{name:<24}{figures}  {'PASS' if ratio <= GOAL else 'FAIL'}")
    return int(missed)


def timed(text: str) -> tuple[int, float, float]:
    """The number of problems, and the median seconds of a check and of the baseline."""
    checks: list[float] = []
    baselines: list[float] = []
    problems = 0
    for _ in range(TURNS):
        problems = len(measured(lambda: check_pathway(text, "large.yaml"), checks))
        measured(lambda: json.dumps(yaml.load(text, Loader=yaml.CSafeLoader)), baselines)
    return problems, median(checks), median(baselines)


def measured(work: Callable[[], T], seconds: list[float]) -> T:
    began = time.perf_counter()
    result = work()
    seconds.append(time.perf_counter() - began)
    return result


if __name__ == "__main__":
    sys.exit(main())
