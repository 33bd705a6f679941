"""Partners out of order for hours, in every way there is: afterwards each has all that it was owed, in order.

The hours are simulated, the connections are real: TLS, on this machine, under names that only these tests know.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

import aiohttp.connector
import pytest
from cloudevents.core.formats.json import JSONFormat
from edges.partner_simulator import FAULTS, Authority, SimulatedPartner, names
from edges.receivers.sink import Request
from edges.webhook_outbox import NOW, Clock, announce, connect, deliveries, open_cases, send
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.webhooks.circuit import LONGEST_REST
from integrations.webhooks.dead_letters import replay_dead
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.retries import JITTER
from integrations.webhooks.subscriptions import resume
from models import Attempt, Case, Delivery, Subscription
from models.database import write_session

CASES, EVENTS = 4, 5
FAULT_LASTS = timedelta(hours=3)
DRAINED_WITHIN = timedelta(seconds=60)
QUICK = ("refused", "self-signed", "error", "acknowledgement lost", "gone")
"""Those that are part of every run of the tests."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def partners(
    engine: Engine, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[SimulatedPartner, SimulatedPartner]]:
    """One that will be out of order and one that is always well, both subscribed to everything."""
    with ExitStack() as stack:
        ill, well = (stack.enter_context(SimulatedPartner(name=name, authority=authority)) for name in ("ill", "well"))
        monkeypatch.setattr("socket.getaddrinfo", names([ill, well]))
        monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", authority.trusting())
        connect(engine, ill=ill, well=well)
        yield ill, well


class Caseload:
    """Cases whose events are announced and sent while a simulated clock goes from one due moment to the next."""

    def __init__(self, engine: Engine, *, cases: int = CASES, timeout: float = 10) -> None:
        self.engine = engine
        self.clock = Clock()
        self.timeout = timeout
        self._random = random.Random(1).random
        with write_session(engine) as session:
            self._cases = [case.id for case in open_cases(session, cases)]
            session.commit()

    def announce(self) -> None:
        """One more event of each case."""
        with write_session(self.engine) as session:
            for case_id in self._cases:
                announce(session, session.get_one(Case, case_id), occurred_at=self.clock.now)
            while fan_out(session, now=self.clock.now):
                pass
            session.commit()

    def send_until(self, end: datetime) -> None:
        """Send whatever becomes due before `end`, each time at its moment."""
        while True:
            send(self.engine, self.clock, random=self._random, timeout=self.timeout)
            due = self._next()
            if due is None or due >= end:
                self.clock.now = max(self.clock.now, end)
                return
            self.clock.now = max(due, self.clock.now + timedelta(milliseconds=1))

    def send_all(self) -> datetime:
        """Send until nothing waits; when that was."""
        while True:
            send(self.engine, self.clock, random=self._random, timeout=10)
            due = self._next()
            if due is None:
                return self.clock.now
            self.clock.now = max(due, self.clock.now + timedelta(milliseconds=1))

    def _next(self) -> datetime | None:
        """When something may go out next."""
        with write_session(self.engine) as session:
            waiting = session.execute(
                select(col(Delivery.next_attempt_at), col(Subscription.not_before))
                .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
                .where(col(Delivery.next_attempt_at).is_not(None), col(Subscription.status) == "active")
            ).all()
        return min((max(at, rest or at) for at, rest in waiting), default=None)


def owed_by(partner: SimulatedPartner, *, cases: int = CASES, events: int = EVENTS) -> None:
    """The partner has kept every event, each case's in order, and has never seen other bytes under the same id."""
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for request in partner.requests:
        bodies[request.headers["webhook-id"]].add(request.body)
    assert {len(each) for each in bodies.values()} == {1}, "the same id with other bytes"
    assert first_taken(partner.taken) == [list(range(1, events + 1))] * cases


def first_taken(requests: Sequence[Request]) -> list[list[int]]:
    """The sequence numbers of each case in the order in which they first came."""
    came: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for request in requests:
        event = JSONFormat().read(None, request.body)
        if event.get_id() not in seen:
            came[str(event.get_subject())].append(int(event.get_extension("sequence")))
        seen.add(event.get_id())
    return list(came.values())


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in FAULTS]
)
def test_after_a_fault_the_partner_has_all_it_was_owed(
    engine: Engine, partners: tuple[SimulatedPartner, SimulatedPartner], name: str
) -> None:
    ill, well = partners
    fault = FAULTS[name]
    load = Caseload(engine, timeout=0.5 if fault.outcome == "timeout" else 10)
    load.announce()
    load.send_until(NOW + timedelta(minutes=1))
    assert len(ill.taken) == len(well.taken) == CASES

    ill.begin(fault)
    began = load.clock.now
    for number in range(2, EVENTS):
        load.announce()
        load.send_until(began + FAULT_LASTS * (number - 1) / (EVENTS - 2))
        assert len(well.requests) == CASES * number, "the other partner had to wait"
    assert outcomes_of(engine, "ill") == {"ok", fault.outcome}

    ill.end()
    ended = load.clock.now
    if fault.outcome == "gone":
        resumed_by_hand(engine, load.clock.now)
    load.announce()
    drained = load.send_all()
    owed_by(ill)
    owed_by(well)
    assert len(well.requests) == CASES * EVENTS
    assert {row.status for row in deliveries(engine)} == {"delivered"}
    rest = fault.asks_for or LONGEST_REST * (1 + JITTER)
    assert drained <= ended + rest + DRAINED_WITHIN


@pytest.mark.slow
def test_a_quiet_partner_does_not_wait_for_the_next_try_of_its_one_event(
    engine: Engine, partners: tuple[SimulatedPartner, SimulatedPartner]
) -> None:
    """One case, one event, ten hours: by then the event itself would be tried again after ten more."""
    ill, _ = partners
    load = Caseload(engine, cases=1)
    ill.begin(FAULTS["error"])
    load.announce()
    load.send_until(NOW + timedelta(hours=10))
    ill.end()
    drained = load.send_all()
    owed_by(ill, cases=1, events=1)
    assert drained <= NOW + timedelta(hours=10) + LONGEST_REST * (1 + JITTER) + DRAINED_WITHIN


def resumed_by_hand(engine: Engine, now: datetime) -> None:
    """What a coordinator does once the partner has answered 410 and then says that all is well."""
    with write_session(engine) as session:
        ill = subscription_of(session, "ill")
        assert (ill.status, ill.status_reason) == ("disabled", "gone")
        replay_dead(session, now=now, partner="ill")
        resume(session, ill.id or 0, now=now)
        session.commit()


def outcomes_of(engine: Engine, partner: str) -> set[str]:
    """What its attempts were called."""
    return {row.outcome for row in attempts_of(engine, partner)}


def attempts_of(engine: Engine, partner: str) -> Sequence[Attempt]:
    with write_session(engine) as session:
        of_it = col(Delivery.subscription_id) == subscription_of(session, partner).id
        return session.exec(select(Attempt).join(Delivery, col(Delivery.id) == Attempt.delivery_id).where(of_it)).all()


def subscription_of(session: Session, partner: str) -> Subscription:
    return session.exec(select(Subscription).where(col(Subscription.url).contains(f"//{partner}."))).one()
