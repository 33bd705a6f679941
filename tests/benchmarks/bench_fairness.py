"""What dead partners cost the others: 10,000 events for 50 endpoints, 5 of them dead, and the same without those 5.

Run from the root: `python tests/benchmarks/bench_fairness.py [--db sqlite|postgres] [--events N] [--endpoints N]
[--dead N] [--turns N]`. The events are due all at once, as after a night. Dead endpoints refuse, or take the connection
and say nothing, in turn. Both ways take turns on copies of one database; the medians of the turns' 95th percentiles of
the healthy endpoints' time to the first attempt are compared. Exits with 1 when the goal is missed, or when a healthy
endpoint did not get all that is its own. Everybody in it is synthetic.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, func, select, update
from sqlmodel import col

sys.path.insert(0, str(Path(__file__).parents[1]))
from delivering import databases, now, sink_process
from edges.webhook_outbox import NOW, PUBLIC_URL, announce, open_cases, subscribe

from integrations.webhooks.fanout import fan_out
from integrations.webhooks.sender import Sender
from models import Attempt, Delivery, Subscription
from models.database import create_engine_for, read_session, write_session

GOAL = 2.0
EVENTS_EACH = 4
"""Events of a case, which go one after the other."""
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Asked:
    """The size of it."""

    events: int
    endpoints: int
    dead: int
    turns: int

    @property
    def healthy(self) -> int:
        return self.endpoints - self.dead

    @property
    def cases_each(self) -> int:
        """Cases of one endpoint."""
        return self.events // (self.endpoints * EVENTS_EACH)

    @property
    def owed(self) -> int:
        """Events for the healthy endpoints together."""
        return self.healthy * self.cases_each * EVENTS_EACH


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", choices=("sqlite", "postgres"), action="append")
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--endpoints", type=int, default=50)
    parser.add_argument("--dead", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    asked = Asked(given.events, given.endpoints, given.dead, given.turns)
    print(f"{asked.owed:,} events for {asked.healthy} healthy endpoints; seconds to the first attempt")
    print(f"{'database':<10}{'way':<28}{'median':>9}{'p95':>9}{'last':>9}{'per second':>12}")
    missed = False
    for name in given.db or ("sqlite", "postgres"):
        p95 = measured(name, asked)
        ratio = statistics.median(p95["with the dead ones"]) / statistics.median(p95["without the dead ones"])
        missed = missed or ratio > GOAL
        verdict = "PASS" if ratio <= GOAL else "FAIL"
        print(f"{name:<10}p95 with {asked.dead} dead is {ratio:.2f} x that without, goal at most {GOAL}: {verdict}")
    return int(missed)


def measured(name: str, asked: Asked) -> dict[str, list[float]]:
    """The 95th percentile of each turn, by way; every turn's line is printed."""
    p95: dict[str, list[float]] = {"without the dead ones": [], "with the dead ones": []}
    with databases(name) as fresh, sink_process() as url, dead_endpoints(asked.dead) as dead:
        source = fresh(None)
        fill(source, asked, [*dead, *(f"{url}/{number}" for number in range(asked.healthy))])
        for turn in range(asked.turns):
            for way in list(p95) if turn % 2 else list(reversed(p95)):
                engine = create_engine_for(fresh(source))
                times = sorted(first_attempts(engine, url, asked, dead_too=way == "with the dead ones"))
                engine.dispose()
                p95[way].append(statistics.quantiles(times, n=100, method="inclusive")[94])
                print(
                    f"{name:<10}{way:<28}{statistics.median(times):>9.2f}{p95[way][-1]:>9.2f}{times[-1]:>9.2f}"
                    f"{asked.owed / times[-1]:>12,.0f}"
                )
    return p95


def fill(database_url: str, asked: Asked, urls: Sequence[str]) -> None:
    """A subscription for each URL to a region of its own, and the events of its cases, interleaved."""
    regions = [f"ML{number:04}" for number in range(len(urls))]
    engine = create_engine_for(database_url)
    with write_session(engine) as session:
        for url, region in zip(urls, regions, strict=True):
            subscribe(session, f"partner-{region.lower()}", url, regions=[region])
        cases = open_cases(session, asked.cases_each * len(urls))
        for _ in range(EVENTS_EACH):
            for number, case in enumerate(cases):
                announce(session, case, region_pcode=regions[number % len(regions)])
        while fan_out(session, now=NOW):
            pass
        session.commit()
    engine.dispose()


def first_attempts(engine: Engine, url: str, asked: Asked, *, dead_too: bool) -> list[float]:
    """Seconds from the start to the first attempt of each event of the healthy endpoints."""
    healthy = col(Subscription.url).startswith(url)
    if not dead_too:
        with write_session(engine) as session:
            session.execute(update(Subscription).where(~healthy).values(status="paused"))
            session.commit()
    began = asyncio.run(sent(engine, asked.owed))
    with read_session(engine) as session:
        of_healthy = (
            select(col(Attempt.number), col(Attempt.started_at), col(Attempt.outcome))
            .join(Delivery, col(Delivery.id) == col(Attempt.delivery_id))
            .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
            .where(healthy)
        )
        found = session.execute(of_healthy).all()
    if len(found) != asked.owed or {(row.number, row.outcome) for row in found} != {(1, "ok")}:
        raise SystemExit("a healthy endpoint did not get each of its events once")
    return [(row.started_at - began).total_seconds() for row in found]


async def sent(engine: Engine, owed: int) -> datetime:
    """Run a sender as the worker does until so many deliveries have arrived. When it started."""
    sender = Sender(engine, clock=now, random=random.random, public_url=PUBLIC_URL, timezone=UTC, allow_loopback=True)
    began = now()
    running = asyncio.create_task(sender.run_forever(stop=asyncio.Event(), wake=asyncio.Event()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asyncio.to_thread(delivered, engine) < owed:
            await asyncio.wait([running], timeout=0.5)
            if running.done():
                running.result()
    running.cancel()  # attempts at dead endpoints are still waiting
    await asyncio.gather(running, return_exceptions=True)
    return began


def delivered(engine: Engine) -> int:
    with read_session(engine) as session:
        return session.scalar(select(func.count()).where(col(Delivery.status) == "delivered")) or 0


@contextlib.contextmanager
def dead_endpoints(number: int) -> Iterator[list[str]]:
    """URLs at which nothing listens, and at which somebody listens and never says a word, in turn."""
    with contextlib.ExitStack() as stack:
        urls = []
        for each in range(number):
            port = stack.enter_context(socket.socket())
            port.bind(("127.0.0.1", 0))
            if each % 2:
                port.listen(128)
            urls.append(f"http://127.0.0.1:{port.getsockname()[1]}/events")
        yield urls


if __name__ == "__main__":
    sys.exit(main())
