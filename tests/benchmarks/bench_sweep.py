"""Sweeps 100,000 open cases of which 1% are overdue, beside raw SQL doing the same rows; then 10,000 with as many.

Run from the root: `python tests/benchmarks/bench_sweep.py [--db sqlite|postgres]`. Exits with 1 when a goal is missed.
The contenders take turns on the same database, each turn with its own deadlines that have just run out, and the medians
of their turns are compared; ours must have written the same as theirs. Whoever arrived in one convoy was registered
together and is overdue together, so a night's deadlines lie in the caseload in groups; the growth is also shown for
deadlines scattered one by one, where each lies on a page of its own. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlmodel import SQLModel, col

sys.path.insert(0, str(Path(__file__).parents[1]))
from baseline_sweep import RawPostgres, RawSqlite
from postgres_cluster import postgres_cluster
from synthetic_cases import open_caseload

from flows.night_steps import NightOptions
from models import Deadline, Event, Notice
from models.database import create_engine_for, read_session, write_session
from models.types import utc_text
from states.bulk import insert_into
from states.sweep import sweep_deadlines

OVERDUE = 1_000
BIG, SMALL = 100_000, 10_000
GOALS = {"sqlite": 0.35, "postgres": 0.3}
GROWTH_GOAL = 1.5
TURNS, CONVOY = 9, 100

KEY, ROLE = "kit_delivered", "livelihood_officer"
"""A deadline that is announced when it is overdue, and goes on to a ladder; and whose it is."""
DUE = datetime(2024, 3, 1, 10, tzinfo=UTC)
LADDER = datetime(2024, 3, 9, tzinfo=UTC)
"""The end of the seventh day after it was due, in the time zone of the programme."""
LATER = DUE + timedelta(days=60)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "postgres"], action="append")
    wanted = parser.parse_args().db or ["sqlite", "postgres"]
    print("database      cases  overdue  way                          turns  median ms    rows/s  beside the first")
    verdicts = [verdict for name in wanted for verdict in bench(name)]
    print()
    for passed, text_ in verdicts:
        print(f"{text_}: {'PASS' if passed else 'FAIL'}")
    return int(not all(passed for passed, _ in verdicts))


def bench(name: str) -> Iterator[tuple[bool, str]]:
    """The table's lines are printed, the verdicts given."""
    with databases(name) as fresh:
        big = fresh(BIG, CONVOY)
        raw = RawSqlite(big) if name == "sqlite" else RawPostgres(big)
        engine = create_engine_for(big)
        ways: dict[str, Callable[[datetime], None]] = {
            "Segin": lambda at: ours(engine, at),
            "raw, rows given": lambda at: raw.given_rows(utc_text(at), utc_text(LADDER), ROLE),
            "raw, inside the database": lambda at: raw.inside_the_database(utc_text(at), utc_text(LADDER), ROLE),
        }
        times = take_turns(ways, TURNS)
        raw.close()
        check(engine, len(ways) * TURNS)
        engine.dispose()
        for way, seconds in times.items():
            show(name, BIG, way, seconds, times["Segin"])
        fastest = min(statistics.median(times[way]) for way in ways if way != "Segin")
        ratio = fastest / statistics.median(times["Segin"])
        yield ratio >= GOALS[name], f"{name}: {ratio:.2f} x the faster raw SQL, goal {GOALS[name]}"

        for convoy in (CONVOY, 1):
            small, large = create_engine_for(fresh(SMALL, convoy)), create_engine_for(fresh(BIG, convoy))
            ways = {"small": lambda at: ours(small, at), "large": lambda at: ours(large, at)}  # noqa: B023
            growth = take_turns(ways, TURNS, own=True)
            how = f"Segin, {'in convoys' if convoy > 1 else 'scattered'}"
            for cases, key in ((SMALL, "small"), (BIG, "large")):
                show(name, cases, how, growth[key], growth["small"])
            ratio = statistics.median(growth["large"]) / statistics.median(growth["small"])
            if convoy > 1:
                what = f"{name}: {BIG:,} cases take {ratio:.2f} x the time of {SMALL:,}, goal {GROWTH_GOAL}"
                yield ratio <= GROWTH_GOAL, what
            small.dispose()
            large.dispose()


def take_turns(ways: dict[str, Callable[[datetime], None]], turns: int, *, own: bool = False) -> dict[str, list[float]]:
    """Seconds of each turn. Each turn has deadlines of its own; with `own` databases, the same number in each."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    number = 0
    for turn in range(turns):
        for way, sweep in ways.items():
            at = instant(turn if own else number)
            number += 1
            began = time.perf_counter()
            sweep(at)
            times[way].append(time.perf_counter() - began)
    return times


def instant(turn: int) -> datetime:
    """When the deadlines of that turn run out."""
    return DUE + timedelta(minutes=turn)


def ours(engine: Engine, at: datetime) -> None:
    """As the nightly run does it, in chunks, each committed, until nothing is left."""
    chunk = NightOptions().chunk
    with write_session(engine) as session:
        while sweep_deadlines(session, as_of=at, limit=chunk).seen:
            session.commit()
        while sweep_deadlines(session, as_of=at, limit=chunk, wait=True).seen:
            session.commit()
        session.commit()


def check(engine: Engine, turns: int) -> None:
    """Every turn of every contender wrote the same rows, except for what names the contender."""
    with read_session(engine) as session:
        wrote: list[list[Any]] = []
        for turn in range(turns):
            at = instant(turn)
            deadlines = session.execute(
                select(
                    col(Deadline.status), col(Deadline.level), col(Deadline.next_at), col(Deadline.escalated_at)
                ).where(col(Deadline.overdue_at) == at)
            ).all()
            events = session.execute(
                select(col(Event.type), col(Event.sequence), col(Event.seq), col(Event.data)).where(
                    col(Event.occurred_at) == at
                )
            ).all()
            notices = session.execute(
                select(col(Notice.kind), col(Notice.role), col(Notice.step)).where(col(Notice.send_at) == at)
            ).all()
            told = [(*row[:3], row.data["deadline"]) for row in events]
            wrote.append([sorted(map(str, rows)) for rows in (deadlines, told, notices)])
        if any(len(rows) != OVERDUE for turn in wrote for rows in turn) or any(turn != wrote[0] for turn in wrote):
            raise SystemExit("the contenders did not write the same rows")


def show(name: str, cases: int, way: str, seconds: list[float], beside: list[float]) -> None:
    median = statistics.median(seconds)
    print(
        f"{name:<10}{cases:>9,}{OVERDUE:>9,}  {way:<28}{len(seconds):>6}{median * 1000:>11.1f}"
        f"{4 * OVERDUE / median:>10,.0f}{median / statistics.median(beside):>8.2f}x"
    )


@contextmanager
def databases(name: str) -> Iterator[Callable[[int, int], str]]:
    """Makes databases with so many open cases in such convoys, gives their URLs, and removes them at the end."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            numbers = count()
            yield lambda cases, convoy: filled(f"sqlite:///{folder}/{next(numbers)}.db", cases, convoy)
    else:
        with postgres_cluster() as cluster:
            yield lambda cases, convoy: filled(cluster.fresh_database("template0"), cases, convoy)


def filled(url: str, cases: int, convoy: int) -> str:
    """Cases with three clocks each, one of which runs out in one of the turns for `OVERDUE` cases a turn."""
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    begun = utc_text(DUE - timedelta(days=60))
    returnees = insert_into(
        "returnee",
        "code",
        "family_name",
        "given_names",
        "name_key",
        "sex",
        "birth_precision",
        "vulnerabilities",
        "created_at",
    )
    columns = ("code", "returnee_id", "pathway_version_id", "state", "entered_state_at", "version", "events")
    more = ("journal_head", "priority", "arrival_date", "departure_country", "region_pcode", "registered_at")
    insert_cases = insert_into("case", *columns, *more)
    clocks = insert_into(
        "deadline", "case_id", "seq", "key", "kind", "due_at", "first_due_at", "next_at", "status", "level"
    )
    with write_session(engine) as session:
        version = open_caseload(session).version_id
        for first in range(1, cases + 1, 10_000):
            ids = range(first, min(first + 10_000, cases + 1))
            returnees.execute(
                session, [(f"R{id_}", "Fictif", f"N{id_}", f"n{id_}", "M", "exact", [], begun) for id_ in ids]
            )
            insert_cases.execute(
                session,
                [
                    (
                        *(
                            f"C{id_:08}",
                            id_,
                            version,
                            "livelihood",
                            begun,
                            1,
                            1,
                            "0" * 64,
                            "normal",
                            "2024-01-05",
                            "Niger",
                        ),
                        *(f"ML0{1 + id_ % 8}", begun),
                    )
                    for id_ in ids
                ],
            )
            clocks.execute(session, [row for id_ in ids for row in clock_rows(id_, cases // OVERDUE, convoy)])
            session.commit()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return url


def clock_rows(id_: int, groups: int, convoy: int) -> Iterator[tuple[Any, ...]]:
    """The convoys of a turn are spread over the whole caseload."""
    turn = (id_ - 1) // convoy % groups
    far = utc_text(LATER)
    runs_out = utc_text(instant(turn)) if turn < 3 * TURNS else far
    yield (id_, 1, KEY, "deadline", runs_out, runs_out, runs_out, "open", 0)
    for key in ("business_plan", "plan_review"):
        yield (id_, 1, key, "deadline", far, far, far, "open", 0)


if __name__ == "__main__":
    sys.exit(main())
