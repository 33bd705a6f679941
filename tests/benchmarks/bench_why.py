"""Ranks what holds 100,000 open cases, beside the loop that asks about one case after the other.

Run from the root: `python tests/benchmarks/bench_why.py [--cases N] [--db sqlite|postgres]`. The cases stand in all
states of the bundled pathway, with the tasks and clocks that entering each begins, two in three of them overdue. The
loop asks about a sample, in the same run; both must give the same causes. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres_cluster import postgres_cluster
from sqlalchemy import Engine, text
from sqlmodel import SQLModel
from synthetic_cases import open_caseload

from models.caseload import CaseFilter
from models.database import create_engine_for, read_session, write_session
from models.types import utc_text
from states.bulk import insert_into
from states.pathway import Pathway, StateKind
from states.why.ranking import Ranking, why_all, why_case

SAMPLE, CHUNK = 300, 10_000
NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)
RETURNEE = ("code", "family_name", "given_names", "name_key", "sex", "birth_precision", "vulnerabilities", "created_at")
CASE = (
    *("code", "returnee_id", "pathway_version_id", "state", "entered_state_at", "previous_state", "held_at", "version"),
    *("events", "journal_head", "priority", "arrival_date", "departure_country", "region_pcode", "registered_at"),
)
TASK = ("case_id", "seq", "key", "state", "role", "staff_id", "priority", "status", "opened_at", "due_at")
CLOCK = ("case_id", "seq", "key", "kind", "state", "due_at", "first_due_at", "next_at", "status", "level")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    print(f"{'database':<10}{'way':<24}{'cases':>9}{'seconds':>9}{'cases/s':>10}{'ours is':>9}")
    for name in asked.db or ("sqlite", "postgres"):
        with database(name) as engine:
            fill(engine, asked.cases)
            bench(name, engine)
    return 0


def bench(name: str, engine: Engine) -> None:
    """Prints the lines of one database."""
    began = time.perf_counter()
    ranking = why_all(engine, CaseFilter(), NOW)
    ours = time.perf_counter() - began
    with read_session(engine) as session:
        codes = list(session.scalars(text(f'SELECT code FROM "case" ORDER BY id LIMIT {SAMPLE}')))
    began, found = time.perf_counter(), Counter[str]()
    for code in codes:
        with read_session(engine) as session:
            found[why_case(session, code, NOW)[1].kind] += 1
    loop = time.perf_counter() - began
    check(ranking, found)
    for way, cases, seconds in (("Segin", ranking.cases, ours), ("one case at a time", SAMPLE, loop)):
        ratio = (ranking.cases / ours) / (cases / seconds)
        print(f"{name:<10}{way:<24}{cases:>9,}{seconds:>9.2f}{cases / seconds:>10,.0f}{ratio:>8.1f}x")
    first = ranking.causes[0]
    print(
        f"{name:<10}{ranking.stuck:,} stuck by {len(ranking.causes)} causes; most ({first.cases:,}): {first.label.en}"
    )


def check(ranking: Ranking, found: Counter[str]) -> None:
    """The sample has the same causes as the whole, whose cases repeat it."""
    whole: Counter[str] = Counter({"waiting": ranking.waiting, "on_time": ranking.on_time})
    for cause in ranking.causes:
        whole[cause.kind] += cause.cases
    if {kind for kind, number in whole.items() if number} != set(found):
        raise SystemExit("the loop finds other causes")


def fill(engine: Engine, cases: int) -> None:
    """Open cases in every state but the final ones, each with what entering the state begins."""
    SQLModel.metadata.create_all(engine)
    with write_session(engine) as session:
        caseload = open_caseload(session)
        states = [key for key, state in caseload.pathway.states.items() if state.kind is not StateKind.FINAL]
        staff = {role: actor.id for role, actor in caseload.staff.items()}
        for first in range(1, cases + 1, CHUNK):
            ids = range(first, min(first + CHUNK, cases + 1))
            at = utc_text(NOW - timedelta(days=40))
            people = [(f"R{id_}", "Fictif", f"N{id_}", f"n{id_}", "M", "exact", [], at) for id_ in ids]
            insert_into("returnee", *RETURNEE).execute(session, people)
            version, pathway = caseload.version_id, caseload.pathway
            where = [(id_, states[id_ % len(states)]) for id_ in ids]
            insert_into("case", *CASE).execute(
                session, [case_row(id_, state, version, pathway) for id_, state in where]
            )
            work = [row for id_, state in where for row in task_rows(id_, state, pathway, staff)]
            insert_into("task", *TASK).execute(session, work)
            clocks = [row for id_, state in where for row in clock_rows(id_, state, pathway)]
            insert_into("deadline", *CLOCK).execute(session, clocks)
            session.commit()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))


def case_row(id_: int, state: str, version_id: int, pathway: Pathway) -> tuple[Any, ...]:
    at = utc_text(NOW - timedelta(days=10 + id_ % 60))
    held = at if pathway.states[state].kind is StateKind.HOLD else None
    back = pathway.initial if held else None
    return (
        *(f"C{id_:08}", id_, version_id, state, at, back, held, 1, 1, "0" * 64, "normal", "2024-01-05", "Niger"),
        *(f"ML0{1 + id_ % 8}", at),
    )


def task_rows(id_: int, state: str, pathway: Pathway, staff: dict[str, int | None]) -> Iterator[tuple[Any, ...]]:
    for rule in pathway.entries[state].opens:
        task = rule.template
        due, opened = utc_text(due_of(id_)), utc_text(NOW - timedelta(days=40))
        whose = staff[task.role] if id_ % 5 else None
        yield id_, 1, task.key, task.state, task.role, whose, task.priority, "open", opened, due


def clock_rows(id_: int, state: str, pathway: Pathway) -> Iterator[tuple[Any, ...]]:
    for rule in pathway.entries[state].sets:
        clock, due = rule.template, utc_text(due_of(id_))
        if clock.kind != "timer" or due > utc_text(NOW):
            yield id_, 1, clock.key, clock.kind, clock.state, due, due, due, "open", 0


def due_of(id_: int) -> datetime:
    """Two in three are overdue."""
    return NOW + timedelta(days=20 if id_ % 3 == 0 else -(1 + id_ % 30))


@contextmanager
def database(name: str) -> Iterator[Engine]:
    """An empty database of that kind, removed at the end."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            engine = create_engine_for(f"sqlite:///{folder}/why.db")
            yield engine
            engine.dispose()
    else:
        with postgres_cluster() as cluster:
            engine = create_engine_for(cluster.fresh_database("template0"))
            yield engine
            engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
