"""Senders that run beside trouble: partners that hang, a cancelled task, a stop, a database that goes away."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

from edges.receivers.sink import Reply, Request, Sink
from edges.webhook_outbox import NOW, PUBLIC_URL, Clock, attempts, connect, deliveries, fill
from sqlalchemy import Engine, create_engine, text

from integrations.webhooks.record import Recorded
from integrations.webhooks.sender import Sender

OPTIONS: Any = {"random": lambda: 0.0, "public_url": PUBLIC_URL, "timezone": UTC, "allow_loopback": True}


def test_partners_that_hang_hold_up_nobody_else(engine: Engine) -> None:
    """More of them than there would be places, if each took as many as it may."""
    hanging = [Sink(answer=lambda _request: Reply([(60, b"")])) for _ in range(6)]
    with Sink() as well:
        for sink in hanging:
            sink.__enter__()
        try:
            connect(engine, well=well, **{f"dead-{number}": sink for number, sink in enumerate(hanging)})
            fill(engine, cases=100, events=3)

            async def run() -> None:
                sender = Sender(
                    engine,
                    clock=Clock(),
                    **OPTIONS,
                    signature_clock=lambda: datetime.now(UTC),
                    concurrency=32,
                    timeout=60,
                )
                sending = asyncio.create_task(sender.deliver_due())
                while len(well.requests) < 300 and not sending.done():
                    await asyncio.sleep(0.05)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

            asyncio.run(asyncio.wait_for(run(), timeout=45))
        finally:
            for sink in hanging:
                sink.__exit__()
    assert len(well.requests) == 300
    assert all(0 < len(sink.requests) <= 4 for sink in hanging)


def test_a_cancelled_sender_starts_nothing_more(engine: Engine) -> None:
    came = threading.Event()

    def answer(_request: Request) -> Reply:
        came.set()
        return Reply([(30, b"")])

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=20, events=1)

        async def run() -> None:
            sender = Sender(
                engine,
                clock=Clock(),
                random=lambda: 0.0,
                public_url=PUBLIC_URL,
                timezone=UTC,
                allow_loopback=True,
                concurrency=1,
            )
            sending = asyncio.create_task(sender.deliver_due())
            assert await asyncio.to_thread(came.wait, 30)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(run())
    assert len(sink.requests) == 1
    assert attempts(engine) == []


def test_the_resident_sender_is_woken_and_stops_cleanly(engine: Engine) -> None:
    first_came = threading.Event()

    def answer(request: Request) -> Reply:
        first_came.set()
        return Reply([(0.3, b"HTTP/1.1 204 No Content\r\n\r\n")])

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)

        async def run() -> Recorded:
            stop, wake = asyncio.Event(), asyncio.Event()
            sender = Sender(
                engine,
                clock=Clock(),
                random=lambda: 0.0,
                public_url=PUBLIC_URL,
                timezone=UTC,
                allow_loopback=True,
                per_subscription=2,
            )
            running = asyncio.create_task(sender.run_forever(stop=stop, wake=wake))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(fill, engine, cases=30, events=1)
            wake.set()
            assert await asyncio.to_thread(first_came.wait, 30)
            stop.set()
            return await asyncio.wait_for(running, timeout=30)

        recorded = asyncio.run(run())
    rows = deliveries(engine)
    assert recorded.delivered == len(sink.requests) == len([row for row in rows if row.status == "delivered"])
    assert 0 < recorded.delivered < 30
    left = [row for row in rows if row.status != "delivered"]
    assert {(row.status, row.next_attempt_at, row.lease_until, row.attempts) for row in left} == {
        ("pending", NOW, None, 0)
    }


def test_the_resident_sender_outlives_a_database_that_goes_away(postgres_engine: Engine) -> None:
    name = postgres_engine.url.database
    admin = create_engine(
        postgres_engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT", hide_parameters=True
    )

    def switch(allowed: bool) -> None:
        with admin.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'))
            if not allowed:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
                )

    with Sink() as sink:
        connect(postgres_engine, ngo=sink)
        uids = fill(postgres_engine, cases=10, events=2)

        async def run() -> Recorded:
            stop, wake = asyncio.Event(), asyncio.Event()
            sender = Sender(
                postgres_engine,
                clock=Clock(),
                random=lambda: 0.0,
                public_url=PUBLIC_URL,
                timezone=UTC,
                allow_loopback=True,
            )
            switch(False)
            running = asyncio.create_task(sender.run_forever(stop=stop, wake=wake))
            await asyncio.sleep(1.5)
            assert not running.done()
            switch(True)
            while len(sink.requests) < len(uids):
                wake.set()
                await asyncio.sleep(0.05)
            stop.set()
            return await running

        recorded = asyncio.run(asyncio.wait_for(run(), timeout=45))
    admin.dispose()
    assert recorded == Recorded(delivered=20)
