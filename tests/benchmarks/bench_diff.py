"""Asks what a change means for 100,000 open cases, beside the plain way: case after case, every move previewed.

Run from the root: `python tests/benchmarks/bench_diff.py [--db sqlite|postgres] [--cases N]`. Exits with 1 when a goal
is missed. The plain way is timed on a part of the same cases, for which both must come to the same counts; compared are
cases a second. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, select
from sqlmodel import col

sys.path.insert(0, str(Path(__file__).parent))
from moving_caseload import NOW, caseloads, change_in

from models import Deadline, JournalRow
from models.database import create_engine_for, read_session
from states.change.caseload import chunks_of_open
from states.change.consequences import consequences
from states.change.sides import Change
from states.decide import clock_from, preview
from states.facts import FACT_GROUPS
from states.gather import gather_facts
from states.moves import Actor
from states.pathway import Pathway

CASES, SAMPLE, CHUNK = 100_000, 300, 2000
GOAL, MINUTES = 20, 3


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
            began = time.perf_counter()
            with read_session(engine) as session:
                chunks = chunks_of_open(session, change.old.id or 0, change.old.pathway, CHUNK)
                found = consequences(session, change.way, change.ways, chunks, NOW)
            ours = time.perf_counter() - began
            began = time.perf_counter()
            plain = one_by_one(engine, change)
            theirs = time.perf_counter() - began
            check(engine, change, plain)
            engine.dispose()
        rates = found.cases / ours, SAMPLE / theirs
        print(f"{name:<10}{found.cases:>9,}  {'Segin':<20}{ours:>11.1f}{rates[0]:>10,.0f}")
        print(f"{name:<10}{SAMPLE:>9,}  {'one by one':<20}{theirs:>11.1f}{rates[1]:>10,.0f}")
        ratio = rates[0] / rates[1]
        good = ratio >= GOAL and ours <= 60 * MINUTES
        passed = passed and good
        verdict = "PASS" if good else "FAIL"
        print(f"{name}: {ratio:.0f} x the plain way, goal {GOAL}; {ours:.0f} s, at most {60 * MINUTES}: {verdict}")
    return int(not passed)


def one_by_one(engine: Engine, change: Change) -> Counter[tuple[str, str]]:
    """Freed and refused triggers and moved clocks of the first cases, each case read, previewed and reckoned alone."""
    counts: Counter[tuple[str, str]] = Counter()
    old, new = change.old.pathway, change.new.pathway
    with read_session(engine) as session:
        for id_ in sample(engine, change):
            facts = gather_facts(session, [id_], FACT_GROUPS)[id_]
            names = change.way.names
            moved = facts.__class__(
                **{field: getattr(facts, field) for field in facts.__dataclass_fields__}
                | {
                    "state": names.state(facts.state),
                    "previous_state": facts.previous_state and names.state(facts.previous_state),
                }
            )
            before = {trigger for role in old.roles for trigger in allowed(old, facts, role)}
            after = {trigger for role in new.roles for trigger in allowed(new, moved, role)}
            counts.update(("freed", trigger) for trigger in after - before)
            counts.update(("refused", trigger) for trigger in before - after)
            clocks = session.execute(
                select(col(Deadline.key), col(Deadline.due_at), col(Deadline.first_due_at), col(JournalRow.at))
                .join(
                    JournalRow,
                    (col(JournalRow.case_id) == col(Deadline.case_id)) & (col(JournalRow.seq) == col(Deadline.seq)),
                )
                .where(col(Deadline.case_id) == id_, col(Deadline.status).in_(("open", "held")))
            )
            for key, due_at, first_due_at, at in clocks:
                template, was = new.deadlines[key], old.deadlines[key]
                if (template.due, template.base) != (was.due, was.base):
                    due = clock_from(new, template, facts, at).due_at + (due_at - first_due_at)
                    counts["moved", key] += due != due_at
    return counts


def allowed(pathway: Pathway, facts: object, role: str) -> Iterator[str]:
    return (each.trigger for each in preview(pathway, facts, Actor(role), NOW) if each.allowed)  # type: ignore[arg-type]


def sample(engine: Engine, change: Change) -> list[int]:
    with read_session(engine) as session:
        return next(chunks_of_open(session, change.old.id or 0, change.old.pathway, SAMPLE))


def check(engine: Engine, change: Change, plain: Counter[tuple[str, str]]) -> None:
    """Both ways come to the same for the same cases."""
    with read_session(engine) as session:
        found = consequences(session, change.way, change.ways, [sample(engine, change)], NOW)
    ours: Counter[tuple[str, str]] = Counter()
    for each in found.moves:
        ours[str(each.way), each.trigger] += each.cases
    for shift in found.shifts:
        ours["moved", shift.key] += shift.moved
    if +ours != +plain:
        raise SystemExit(f"the two ways came to different counts: {ours} and {plain}")


if __name__ == "__main__":
    sys.exit(main())
