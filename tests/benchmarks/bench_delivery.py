"""Delivers 10,000 signed events with every attempt recorded, beside one-by-one loops over one reused httpx client.

Run from the root: `python tests/benchmarks/bench_delivery.py`. The sink is a process of its own. The loops sign and
record the same for fewer events, so rates are compared: one commits each attempt as it comes, the other records in
batches with our own statements, which leaves HTTP as the only difference. The goal is held against the faster of the
two. Exits with 1 when it is missed. Everybody in it is synthetic.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import Engine, func, select, update
from sqlmodel import Session, SQLModel, col

sys.path.insert(0, str(Path(__file__).parents[1]))
from edges.receivers import sink
from edges.webhook_outbox import fill, subscribe
from postgres_cluster import postgres_cluster

from integrations.webhooks.claim import Claimed, claim, due_endpoints
from integrations.webhooks.envelope import CONTENT_TYPE, envelope, signed_headers
from integrations.webhooks.record import Result, record
from integrations.webhooks.sender import deliver_due
from models import Attempt, Delivery, Event, Subscription
from models.database import create_engine_for, write_session

CASES, EVENTS_EACH = 2_500, 4
SAMPLE_EACH_COMMITTED, SAMPLE_IN_BATCHES = 300, 1_500
BATCH = 500
GOAL = 1.5
LEASE = timedelta(minutes=10)


def main() -> int:
    missed = False
    print(f"{'database':<12}{'way':<44}{'events':>8}{'seconds':>9}{'per second':>12}{'ours is':>9}")
    with tempfile.TemporaryDirectory() as folder, postgres_cluster() as cluster, sink_process() as url:
        cluster.make_template(make_tables)
        for database in ("SQLite", "PostgreSQL"):
            engines = []
            for number in range(3):
                target = f"sqlite:///{folder}/{number}.db" if database == "SQLite" else cluster.fresh_database()
                if database == "SQLite":
                    make_tables(target)
                engines.append(filled(target, url))
            loop_each = measured(engines[0], SAMPLE_EACH_COMMITTED, one_by_one_each_committed)
            ours = measured(engines[1], CASES * EVENTS_EACH, ours_all)
            loop_batched = measured(engines[2], SAMPLE_IN_BATCHES, one_by_one_recorded_in_batches)
            show(database, "httpx, one by one, each committed", SAMPLE_EACH_COMMITTED, loop_each, ours)
            show(database, "httpx, one by one, recorded in batches", SAMPLE_IN_BATCHES, loop_batched, ours)
            show(database, "Segin", CASES * EVENTS_EACH, ours, ours)
            ratio = ours / max(loop_each, loop_batched)
            missed = missed or ratio < GOAL
            print(f"{database:<12}ratio {ratio:.2f}, goal {GOAL}: {'PASS' if ratio >= GOAL else 'FAIL'}")
            for engine in engines:
                engine.dispose()
    return int(missed)


def show(database: str, way: str, events: int, rate: float, ours: float) -> None:
    print(f"{database:<12}{way:<44}{events:>8,}{events / rate:>9.2f}{rate:>12,.0f}{ours / rate:>8.2f}x")


def measured(engine: Engine, events: int, way: Callable[[Engine, int], None]) -> float:
    """Events a second; all of them must be delivered and recorded at the end."""
    began = time.perf_counter()
    way(engine, events)
    seconds = time.perf_counter() - began
    with write_session(engine) as session:
        delivered = session.scalar(select(func.count()).where(col(Delivery.status) == "delivered"))
        recorded = session.scalar(select(func.count()).select_from(Attempt))
    if not delivered == recorded == events:
        raise SystemExit(f"{way.__name__}: {delivered} delivered, {recorded} recorded, {events} expected")
    return events / seconds


def ours_all(engine: Engine, _events: int) -> None:
    asyncio.run(deliver_due(engine, clock=now, random=random.random, allow_loopback=True))


def one_by_one_each_committed(engine: Engine, events: int) -> None:
    with httpx.Client(trust_env=False) as client, write_session(engine) as session:
        for _ in range(events):
            delivery, event, subscription = next_due(session)
            session.commit()
            began, started_at = time.perf_counter(), now()
            status = posted(client, subscription.url, subscription.secret, event.uid, envelope(event), started_at)
            session.add(
                Attempt(
                    delivery_id=delivery.id or 0,
                    number=delivery.attempts + 1,
                    started_at=started_at,
                    duration_ms=round((time.perf_counter() - began) * 1000),
                    status_code=status,
                    outcome="ok",
                )
            )
            delivery.status, delivery.finished_at, delivery.next_attempt_at = "delivered", started_at, None
            delivery.attempts += 1
            session.execute(
                update(Delivery)
                .where(
                    col(Delivery.subscription_id) == delivery.subscription_id,
                    col(Delivery.case_id) == delivery.case_id,
                    col(Delivery.sequence) == delivery.sequence + 1,
                )
                .values(next_attempt_at=started_at)
            )
            session.commit()


def next_due(session: Session) -> tuple[Delivery, Event, Subscription]:
    found = session.execute(
        select(Delivery, Event, Subscription)
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .where(col(Delivery.next_attempt_at) <= now())
        .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
        .limit(1)
    ).one()
    return found[0], found[1], found[2]


def one_by_one_recorded_in_batches(engine: Engine, events: int) -> None:
    with httpx.Client(trust_env=False) as client:
        for _ in range(events // BATCH):
            claimed = claimed_batch(engine)
            results = []
            for each in claimed:
                began, started_at = time.perf_counter(), now()
                status = posted(
                    client, each.endpoint.url, each.endpoint.secret, each.event_uid, each.body or b"", started_at
                )
                duration = round((time.perf_counter() - began) * 1000)
                results.append(Result(each, "ok", status, started_at, duration, 0.0, timedelta(0)))
            with write_session(engine) as session:
                record(session, results, now=now())
                session.commit()


def claimed_batch(engine: Engine) -> list[Claimed]:
    with write_session(engine) as session:
        (endpoint,) = due_endpoints(session, now=now())
        claimed = claim(session, endpoint, room=BATCH, now=now(), lease=LEASE)
        session.commit()
    return claimed


def posted(client: httpx.Client, url: str, secret: str, uid: str, body: bytes, at: datetime) -> int:
    headers = {"content-type": CONTENT_TYPE, **signed_headers(secret, uid, body, at)}
    return client.post(url, content=body, headers=headers).raise_for_status().status_code


def filled(database_url: str, sink_url: str) -> Engine:
    engine = create_engine_for(database_url)
    with write_session(engine) as session:
        subscribe(session, "ngo", sink_url)
        session.commit()
    fill(engine, cases=CASES, events=EVENTS_EACH)
    return engine


def make_tables(url: str) -> None:
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    engine.dispose()


@contextlib.contextmanager
def sink_process() -> Iterator[str]:
    """URL of an endpoint in a process of its own that answers 204 to everything."""
    process = subprocess.Popen(
        [sys.executable, str(sink.__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/events"  # type: ignore[union-attr]
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(10)


def now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
