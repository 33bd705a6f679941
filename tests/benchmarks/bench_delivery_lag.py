"""How long a partner waits for an event: from the commit of a transition to the end of its delivery, by a real worker.

Run from the root: `python tests/benchmarks/bench_delivery_lag.py [--db sqlite|postgres] [--alone N] [--seconds N]`. A
Prefect server and a worker run as they would in an office, with their settings as they are by default. First single
transitions, each after the delivery of the one before; then 200 transitions a second, committed twenty at a time. The
time of a delivery is that of its first attempt, which must have arrived. Exits with 1 when a goal is missed. Everybody
in it is synthetic.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlmodel import col

sys.path.insert(0, str(Path(__file__).parents[1]))
from delivering import databases, now, sink_process
from edges.webhook_outbox import subscribe
from running_processes import environment_with, wait_until
from synthetic_cases import open_caseload

from deployments.server import prefect_server
from models import Attempt, Consent, Delivery, Event
from models.database import create_engine_for, read_session, write_session
from states.advance import advance_cases
from states.moves import Actor, Move, OutcomeKind

GOAL_ALONE, GOAL_MANY = 1.0, 3.0
A_SECOND, AT_ONCE = 200, 20
TRIGGER, ROLE = "confirm_arrival", "intake_officer"

Committed = dict[tuple[int, int], datetime]
"""When the transition was committed, by case and number of the transition."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    parser.add_argument("--alone", type=int, default=40, help="transitions made one at a time")
    parser.add_argument("--seconds", type=int, default=20, help="how long 200 transitions a second are made")
    asked = parser.parse_args()
    print("Seconds from the commit of a transition to the end of its delivery")
    print(f"{'database':<10}{'transitions':<28}{'events':>8}{'a second':>10}{'median':>9}{'p95':>9}{'last':>9}")
    reached = []
    for name in asked.db or ("sqlite", "postgres"):
        with sink_process() as sink, databases(name) as fresh, tempfile.TemporaryDirectory() as folder:
            url = fresh(None)
            case_ids, actor = filled(url, sink, asked.alone + asked.seconds * A_SECOND)
            engine = create_engine_for(url)
            with worker(Path(folder), url):
                wait_until(partial(all_arrived, engine), "the events of the registrations")
                alone = committed_alone(engine, actor, case_ids[: asked.alone])
                began = time.monotonic()
                many = committed_steadily(engine, actor, case_ids[asked.alone :])
                pace = len(many) / (time.monotonic() - began)
                wait_until(partial(all_arrived, engine), "the last event")
            reached.append(shown(name, "one at a time", lags(engine, alone), None, GOAL_ALONE))
            reached.append(shown(name, f"{A_SECOND} a second wanted", lags(engine, many), pace, GOAL_MANY))
            engine.dispose()
    return int(not all(reached))


def shown(name: str, how: str, seconds: Sequence[float], pace: float | None, goal: float) -> bool:
    """Whether the goal is reached, and the pace was the one that was wanted."""
    p95 = statistics.quantiles(seconds, n=100, method="inclusive")[94]
    print(
        f"{name:<10}{how:<28}{len(seconds):>8,}{pace or 0:>10.0f}{statistics.median(seconds):>9.2f}{p95:>9.2f}"
        f"{max(seconds):>9.2f}"
    )
    fast_enough = pace is None or pace > 0.95 * A_SECOND
    if not fast_enough:
        print(f"{name:<10}this machine did not make {A_SECOND} transitions a second")
    passed = p95 <= goal and fast_enough
    print(f"{name:<10}p95 {p95:.2f} s, goal at most {goal}: {'PASS' if passed else 'FAIL'}")
    return passed


def filled(database_url: str, sink: str, cases: int) -> tuple[list[int], Actor]:
    """Registered cases, whoever may confirm their arrival, and a partner that wants everything."""
    engine = create_engine_for(database_url)
    with write_session(engine) as session:
        subscribe(session, "ngo", sink)
        caseload = open_caseload(session, now())
        case_ids = caseload.register_many(cases, now=now())
        session.add_all(
            Consent(code=f"assistance-{id_}", case_id=id_, purpose="assistance", recorded_at=now()) for id_ in case_ids
        )
        session.commit()
    engine.dispose()
    return case_ids, caseload.staff[ROLE]


@contextmanager
def worker(folder: Path, database_url: str) -> Iterator[None]:
    """A Prefect server and a worker on this database."""
    with prefect_server(folder / "data") as server, (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.worker"],
            env=environment_with(
                data_dir=folder / "data",
                database_url=database_url,
                prefect_api_url=server.api_url,
                allow_loopback_webhooks=True,
            ),
            cwd=Path(__file__).parents[2],
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def committed_alone(engine: Engine, actor: Actor, case_ids: Sequence[int]) -> Committed:
    """Each transition once the event of the one before has arrived, at no fixed moment of the worker's rounds."""
    chance = random.Random(1)
    committed: Committed = {}
    for case_id in case_ids:
        time.sleep(chance.uniform(0.2, 1.2))
        committed |= advanced(engine, actor, [case_id])
        wait_until(partial(all_arrived, engine), "the event of a transition")
    return committed


def committed_steadily(engine: Engine, actor: Actor, case_ids: Sequence[int]) -> Committed:
    """So many transitions a second, for as long as there are cases."""
    committed: Committed = {}
    began = time.monotonic()
    for first in range(0, len(case_ids), AT_ONCE):
        time.sleep(max(0.0, began + first / A_SECOND - time.monotonic()))
        committed |= advanced(engine, actor, case_ids[first : first + AT_ONCE])
    return committed


def advanced(engine: Engine, actor: Actor, case_ids: Sequence[int]) -> Committed:
    """The transitions of these cases in one transaction."""
    moves = [Move(id_, TRIGGER, actor, f"{TRIGGER}:{id_}", f"bench-{id_}") for id_ in case_ids]
    with write_session(engine) as session:
        outcomes = advance_cases(session, moves, now=now())
        session.commit()
    if {outcome.kind for outcome in outcomes} != {OutcomeKind.MOVED}:
        raise SystemExit("a transition was not made")
    at = now()
    return {(outcome.case_id, outcome.seq or 0): at for outcome in outcomes}


def all_arrived(engine: Engine) -> bool:
    with read_session(engine) as session:
        events = session.scalar(select(func.count()).select_from(Event))
        delivered = session.scalar(select(func.count()).where(col(Delivery.status) == "delivered"))
    return events == delivered


def lags(engine: Engine, committed: Committed) -> list[float]:
    """Seconds from the commit to the end of the delivery of each event of these transitions."""
    with read_session(engine) as session:
        found = session.execute(
            select(
                *(col(Event.case_id), col(Event.seq), col(Attempt.number)),
                *(col(Attempt.started_at), col(Attempt.duration_ms), col(Attempt.outcome)),
            )
            .join(Delivery, col(Delivery.event_id) == col(Event.id))
            .join(Attempt, col(Attempt.delivery_id) == col(Delivery.id))
        ).all()
    measured = [row for row in found if (row.case_id, row.seq) in committed]
    if {(row.number, row.outcome) for row in measured} != {(1, "ok")} or len(measured) < len(committed):
        raise SystemExit("an event did not arrive at the first attempt")
    return [
        (row.started_at + timedelta(milliseconds=row.duration_ms) - committed[row.case_id, row.seq]).total_seconds()
        for row in measured
    ]


if __name__ == "__main__":
    sys.exit(main())
