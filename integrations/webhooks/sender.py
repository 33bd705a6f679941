"""Sending what is due: claim, sign, POST, record, again. The dispatch flow drains the queue; the worker never stops.

The event loop only talks HTTP. All database work happens in turns, on one thread of its own: a turn records what came
back and claims what goes out next in one short transaction, so that none is open during a request and many deliveries
share a commit. A crash between POST and record leaves a lease that runs out: sent again under the same id, never lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Final, Self

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import Session

from integrations.bridges.formats import payload
from integrations.webhooks import outcomes
from integrations.webhooks.bodies import with_bodies
from integrations.webhooks.circuit import is_open
from integrations.webhooks.claim import (
    Claimed,
    Endpoint,
    active_endpoints,
    claim,
    claim_probes,
    due_endpoints,
    give_probe_back,
)
from integrations.webhooks.lanes import Lanes
from integrations.webhooks.line import lock_subscriptions
from integrations.webhooks.post import ATTEMPT_SECONDS, Answer, Poster
from integrations.webhooks.record import Recorded, Result, note_received, record, release
from integrations.webhooks.retries import wanted_wait
from integrations.webhooks.signatures import signed_headers
from models.database import read_session, write_session
from models.errors import SeginError

POLL_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.01
"""How long results are gathered, so that they share a transaction."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Sender:
    """How deliveries are sent.

    `clock` is the time that decides what is due and that is recorded. A receiver compares the signature's time with its
    own clock: give `signature_clock` when `clock` is a simulated one. `random` gives numbers from 0 to 1. Agreements
    begin and end on the days of `timezone`; events name their schemas under `public_url`; `mappings` is the folder with
    the programme's own bridges. `allow_loopback` lets deliveries reach this machine, for development and the
    demonstration. At most `concurrency` attempts are on their way, at most `per_subscription` of them to one
    subscription; each ends within `timeout` seconds. `lease` must exceed an attempt and the wait for a busy database
    together.
    """

    engine: Engine
    _: KW_ONLY
    clock: Callable[[], datetime]
    random: Callable[[], float]
    public_url: str
    timezone: tzinfo
    mappings: Path | None = None
    signature_clock: Callable[[], datetime] | None = None
    allow_loopback: bool = False
    concurrency: int = 64
    per_subscription: int = 16
    timeout: float = ATTEMPT_SECONDS
    lease: timedelta = timedelta(minutes=2)

    async def deliver_due(self) -> Recorded:
        """Send until nothing is due any more; what became of the attempts.

        A database that fails ends it with the driver's error: what was sent and not recorded is sent again later.
        """
        async with _Run(self, asyncio.Event()) as run:
            while True:
                worked = await run.turn()
                if run.unfinished:
                    await run.wait()
                elif not worked:
                    return run.recorded

    async def run_forever(self, *, stop: asyncio.Event, wake: asyncio.Event) -> Recorded:
        """Send what becomes due until `stop` is set, looking each second and whenever `wake` is set.

        A database that cannot be reached is waited for. On stop, attempts on their way are finished and recorded, and
        what was claimed and not sent is given back.
        """
        async with _Run(self, wake) as run:
            while True:
                if stop.is_set():
                    run.give_back()
                try:
                    await run.turn()
                except (OperationalError, InterfaceError, NoConnectionFree) as error:
                    log.warning("delivery.database_unavailable", error_type=type(error).__name__)
                    if stop.is_set():
                        return run.recorded
                if stop.is_set() and not run.unfinished:
                    return run.recorded
                await run.wait()


class _Run:
    """A sender at work: its lanes, the attempts on their way, and the results that wait to be recorded."""

    def __init__(self, sender: Sender, news: asyncio.Event) -> None:
        self._sender = sender
        self._news = news
        self._lanes = Lanes(sender.per_subscription)
        self._on_the_way: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._unsent: list[Claimed] = []
        self._stopping = False
        self.recorded = Recorded()

    async def __aenter__(self) -> Self:
        self._database = ThreadPoolExecutor(1, thread_name_prefix="segin-deliveries")
        sender = self._sender
        self._poster = Poster(
            allow_loopback=sender.allow_loopback, connections=sender.concurrency, timeout=sender.timeout
        )
        await self._poster.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._stopping = True
        for task in self._on_the_way:
            task.cancel()
        await asyncio.gather(*self._on_the_way, return_exceptions=True)
        await self._poster.__aexit__(*error)
        self._database.shutdown()

    @property
    def unfinished(self) -> bool:
        """Whether anything that was claimed is neither recorded nor given back."""
        return bool(self._on_the_way or self._results or self._unsent)

    async def turn(self) -> bool:
        """Record what came back, claim, and start what may go out. Whether there was anything to do."""
        results, self._results = self._results, []
        unsent, self._unsent = self._unsent, []
        waiting = self._lanes.waiting()
        self._lanes.told()
        work = partial(self._in_one_transaction, results, unsent, self._lanes.room(), waiting)
        try:
            recorded, claimed, active = await asyncio.get_running_loop().run_in_executor(self._database, work)
        except SQLAlchemyError:
            # Perhaps recorded, perhaps not: the lease token makes it harmless to try again.
            self._results[:0], self._unsent[:0] = results, unsent
            raise
        self.recorded += recorded
        if recorded.dead:
            log.warning("delivery.dead", dead=recorded.dead)
        # Somebody may have paused one meanwhile, or changed its secret.
        self._unsent += self._lanes.renew(waiting, active)
        self._lanes.fill(each for each in claimed if each.withheld is None)
        self._end([each for each in claimed if each.withheld is not None])
        self._start()
        return bool(results or claimed)

    async def wait(self) -> None:
        """Until an attempt came back (and a little longer, for others to join it), somebody woke us, or a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._news.wait()
        self._news.clear()
        if self._on_the_way:
            await asyncio.sleep(GATHER_SECONDS)

    def give_back(self) -> None:
        """Claim and start nothing more; what is not on its way goes back at the next turn."""
        self._stopping = True
        self._unsent += self._lanes.empty()

    def _in_one_transaction(
        self, results: list[Result], unsent: list[Claimed], room: dict[int, int], waiting: set[int]
    ) -> tuple[Recorded, list[Claimed], dict[int, Endpoint]]:
        now = self._sender.clock()
        if not results and not unsent:
            # A look takes no write lock; with nothing due, that is all.
            with read_session(self._sender.engine) as session:
                if not due_endpoints(session, now=now):
                    return Recorded(), [], active_endpoints(session, waiting, now=now)
        with write_session(self._sender.engine) as session:
            # Once for both that follow: two senders that took them one after the other could wait for each other.
            held = (*(result.claimed for result in results), *unsent)
            lock_subscriptions(session, {each.endpoint.subscription_id for each in held})
            recorded = record(session, results, now=now)
            release(session, unsent, now=now)
            claimed = [] if self._stopping else self._claim(session, room, now)
            active = active_endpoints(session, waiting, now=now)
            note_received(session, results, now=now)
            session.commit()
        return recorded, claimed, active

    def _claim(self, session: Session, room: dict[int, int], now: datetime) -> list[Claimed]:
        sender = self._sender
        endpoints = due_endpoints(session, now=now)
        probed = claim_probes(session, endpoints, now=now, lease=sender.lease)
        claimed: list[Claimed] = []
        for endpoint in endpoints:
            wanted = room.get(endpoint.subscription_id, sender.per_subscription)
            if endpoint.on_probation:
                wanted = 1 if endpoint.subscription_id in probed else 0
            if wanted:
                taken = claim(session, endpoint, room=wanted, now=now, lease=sender.lease)
                if endpoint.on_probation and not taken:
                    give_probe_back(session, endpoint.subscription_id, now + sender.lease)
                claimed += taken
        day = now.astimezone(sender.timezone).date()
        return with_bodies(session, claimed, public_url=sender.public_url, day=day, now=now)

    def _end(self, withheld: Sequence[Claimed]) -> None:
        """What is not to be sent goes back at the next turn, at once, without a place in a lane."""
        now, none = self._sender.clock(), timedelta(0)
        self._results += [
            Result(each, each.withheld or outcomes.WITHHELD, None, now, 0, 0.0, none) for each in withheld
        ]
        if withheld:
            self._news.set()

    def _start(self) -> None:
        while len(self._on_the_way) < self._sender.concurrency and (claimed := self._lanes.take()):
            task = asyncio.create_task(self._send(claimed))
            self._on_the_way.add(task)
            task.add_done_callback(self._came_back)

    def _came_back(self, task: asyncio.Task[None]) -> None:
        self._on_the_way.discard(task)
        if not self._stopping:
            self._start()
        self._news.set()

    async def _send(self, claimed: Claimed) -> None:
        sender = self._sender
        started_at, began = sender.clock(), time.perf_counter()
        if started_at + timedelta(seconds=sender.timeout) > claimed.lease_until:
            # It waited too long (a stopped process, a slow partner): somebody else may hold it by the end.
            self._lanes.came_back(claimed, well=False)
            return
        signed_at = (sender.signature_clock or sender.clock)()
        answer = await self._post(claimed, signed_at)
        retry_after = wanted_wait(answer.retry_after, signed_at)
        failures = self._lanes.count(claimed, answer.outcome)
        if retry_after or answer.outcome == outcomes.GONE or is_open(failures):
            # The endpoint wants no more for a while, or for ever, or rests: that goes for what is claimed for it.
            self._unsent += self._lanes.empty_one(claimed.endpoint.subscription_id)
        self._lanes.came_back(claimed, well=answer.outcome == outcomes.OK)
        self._results.append(
            Result(
                claimed=claimed,
                outcome=answer.outcome,
                status_code=answer.status_code,
                started_at=started_at,
                duration_ms=round((time.perf_counter() - began) * 1000),
                jitter=sender.random(),
                retry_after=retry_after,
            )
        )

    async def _post(self, claimed: Claimed, signed_at: datetime) -> Answer:
        try:
            endpoint = self._lanes.endpoint(claimed)
            formed = payload(endpoint.format, claimed.body, self._sender.mappings)
            if formed is None:
                return Answer(outcomes.NOT_OVER_THE_BRIDGE)
            signed = signed_headers(endpoint.secret, claimed.event_uid, formed.body, signed_at, others=endpoint.others)
            answer = await self._poster.post(endpoint.url, {"Content-Type": formed.content_type, **signed}, formed.body)
            return Answer(outcomes.OK, answer.status_code) if answer.status_code in formed.already_there else answer
        except SeginError:  # the mapping or what the event lacks; `segin bridge preview` says which
            return Answer(outcomes.NOT_OVER_THE_BRIDGE)
        except Exception:  # one delivery must not end the others
            log.exception("delivery.internal_error", delivery_id=claimed.delivery_id)
            return Answer(outcomes.INTERNAL_ERROR)
