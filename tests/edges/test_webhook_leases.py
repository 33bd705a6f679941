"""At most one sender holds a delivery; one that dies loses nothing; one that wakes up late changes nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from edges.receivers.sink import OK, Reply, Request, Sink, status
from edges.webhook_outbox import NOW, PUBLIC_URL, Clock, announce, attempts, deliveries, fill, send, subscribe
from sqlalchemy import Engine
from sqlmodel import Session, select

from integrations.webhooks.claim import Claimed, claim, due_endpoints
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded, Result, record, release
from integrations.webhooks.sender import Sender
from models import Case
from models.database import write_session

PROCESS = Path(__file__).with_name("webhook_sender_process.py")
LEASE = timedelta(minutes=2)


def owed(engine: Engine, url: str, *, cases: int, events: int) -> list[str]:
    with write_session(engine) as session:
        subscribe(session, "ngo", url)
        session.commit()
    return fill(engine, cases=cases, events=events)


def claim_all(engine: Engine, now: datetime, *, room: int = 1000) -> list[Claimed]:
    with write_session(engine) as session:
        claimed = [
            each
            for endpoint in due_endpoints(session, now=now)
            for each in claim(session, endpoint, room=room, now=now, lease=LEASE)
        ]
        session.commit()
    return claimed


def record_all(engine: Engine, claimed: list[Claimed], outcome: str, now: datetime) -> Recorded:
    results = [Result(each, outcome, 200, now, 5, 0.0, timedelta(0)) for each in claimed]
    with write_session(engine) as session:
        recorded = record(session, results, now=now)
        session.commit()
    return recorded


def test_one_of_each_case_is_claimed_and_nobody_else_can(engine: Engine) -> None:
    owed(engine, "https://partner.example.org/", cases=5, events=3)
    assert [each.number for each in claim_all(engine, NOW, room=3)] == [1, 1, 1]
    assert len(claim_all(engine, NOW)) == 2
    assert claim_all(engine, NOW + LEASE - timedelta(seconds=1)) == []
    assert len(claim_all(engine, NOW + LEASE)) == 5


def test_a_sender_that_wakes_up_late_records_nothing(engine: Engine) -> None:
    owed(engine, "https://partner.example.org/", cases=2, events=2)
    late = claim_all(engine, NOW)
    later = NOW + LEASE
    holder = claim_all(engine, later)
    assert [each.lease_token for each in holder] == [2, 2]
    assert record_all(engine, late, "ok", later) == Recorded(late=2)
    assert attempts(engine) == []
    assert record_all(engine, holder, "http_500", later) == Recorded(retrying=2)
    assert record_all(engine, late, "ok", later) == Recorded(late=2)
    assert {(row.status, row.attempts) for row in deliveries(engine)} == {("pending", 1), ("pending", 0)}
    assert {(row.number, row.outcome) for row in attempts(engine)} == {(1, "http_500")}


def test_recording_the_same_twice_records_once(engine: Engine) -> None:
    """As after a commit of which nobody knows whether it went through."""
    owed(engine, "https://partner.example.org/", cases=3, events=2)
    claimed = claim_all(engine, NOW)
    assert record_all(engine, claimed, "ok", NOW) == Recorded(delivered=3)
    assert record_all(engine, claimed, "ok", NOW) == Recorded(late=3)
    assert len(attempts(engine)) == 3


def test_an_answer_after_the_lease_counts_while_nobody_took_over(engine: Engine) -> None:
    owed(engine, "https://partner.example.org/", cases=1, events=1)
    claimed = claim_all(engine, NOW)
    assert record_all(engine, claimed, "ok", NOW + 3 * LEASE) == Recorded(delivered=1)


def test_what_is_given_back_is_due_at_once_unless_it_was_taken_over(engine: Engine) -> None:
    owed(engine, "https://partner.example.org/", cases=2, events=1)
    first = claim_all(engine, NOW)
    second = claim_all(engine, NOW + LEASE)
    with write_session(engine) as session:
        release(session, first, now=NOW)
        session.commit()
    assert claim_all(engine, NOW) == []
    with write_session(engine) as session:
        release(session, second, now=NOW)
        session.commit()
    assert len(claim_all(engine, NOW)) == 2


def test_what_waited_longer_than_its_lease_is_claimed_anew_before_it_is_sent(engine: Engine) -> None:
    clock = Clock()

    def answer(_request: Request) -> Reply:
        clock.forward(minutes=3)
        return OK

    with Sink(answer=answer) as sink:
        uids = owed(engine, sink.url, cases=4, events=1)
        send(engine, clock, per_subscription=1)
    assert sorted(sink.ids) == sorted(uids)
    assert max(row.lease_token for row in deliveries(engine)) > 2
    assert Counter(row.number for row in attempts(engine)) == {1: 4}


def test_eight_senders_at_once_send_exactly_what_is_due(engine: Engine) -> None:
    clock = Clock()
    recorded: list[Recorded] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait(timeout=30)
        sender = Sender(
            engine,
            clock=clock,
            random=lambda: 0.0,
            signature_clock=lambda: datetime.now(UTC),
            public_url=PUBLIC_URL,
            timezone=UTC,
            allow_loopback=True,
            per_subscription=3,
        )
        recorded.append(asyncio.run(sender.deliver_due()))

    with Sink() as sink:
        uids = owed(engine, sink.url, cases=60, events=4)
        with write_session(engine) as session:
            subscribe(session, "paused", sink.url).status = "paused"
            session.commit()
        unlucky = set(uids[::30])
        sink.answer = lambda request: status(500) if request.headers["webhook-id"] in unlucky else OK
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        # One sender may end while another still holds the first of a case: the rest is then due.
        recorded.append(send(engine, clock))
    assert max(Counter(sink.ids).values()) == 1
    arrived = [uid for uid in sink.ids if uid not in unlucky]
    waiting = [row for row in deliveries(engine) if row.status == "pending"]
    assert len(arrived) == sum(each.delivered for each in recorded)
    assert len(arrived) + len(waiting) == len(uids)
    assert sum(each.retrying for each in recorded) == len(set(sink.ids) & unlucky) > 0
    assert sum(each.late for each in recorded) == 0
    assert len(attempts(engine)) == len(sink.ids)
    assert _in_order(sink.requests)


def test_a_sender_killed_while_it_sends_loses_nothing(engine: Engine, database_url: str) -> None:
    """kill -9 between POST and record: those events come again, under the same id and with the same bytes."""
    hold = threading.Event()
    enough = threading.Event()

    def answer(_request: Request) -> Reply:
        if len(sink.requests) <= 40:
            return OK
        if len(sink.requests) >= 44:
            enough.set()
        # Received, as far as the partner is concerned, but the answer never gets back.
        return OK if hold.is_set() else Reply([(60, b"")])

    with Sink(answer=answer) as sink:
        uids = owed(engine, sink.url, cases=30, events=5)
        sender = subprocess.Popen([sys.executable, str(PROCESS), database_url], cwd=PROCESS.parents[2])
        try:
            assert enough.wait(60)
        finally:
            sender.kill()
            sender.wait(30)
        unrecorded = [row for row in deliveries(engine) if row.status == "sending"]
        assert unrecorded
        hold.set()
        before = datetime.now(UTC)
        assert send(engine, Clock(before)).late == 0  # what is leased waits, what is not goes out
        assert send(engine, Clock(before + timedelta(minutes=5))).late == 0
    assert set(sink.ids) == set(uids)
    assert len(sink.ids) > len(uids), "the kill came too late to matter"
    bodies = {(request.headers["webhook-id"], request.body) for request in sink.requests}
    assert len(bodies) == len(uids), "the same id with other bytes"
    assert {row.status for row in deliveries(engine)} == {"delivered"}
    assert len(attempts(engine)) == len(uids)
    assert _in_order(sink.requests)


@pytest.mark.parametrize("first", ["record", "fan-out"])
def test_a_delivery_that_joins_while_the_one_ahead_is_recorded_gets_its_turn(engine: Engine, first: str) -> None:
    """Neither transaction sees the other's row; without the lock on the subscription the case would fall silent."""
    owed(engine, "https://partner.example.org/", cases=1, events=1)
    claimed = claim_all(engine, NOW)
    with write_session(engine) as session:
        announce(session, session.exec(select(Case)).one())
        session.commit()

    def step(name: str, session: Session) -> None:
        if name == "record":
            record(session, [Result(each, "ok", 200, NOW, 5, 0.0, timedelta(0)) for each in claimed], now=NOW)
        else:
            fan_out(session, now=NOW)

    def other() -> None:
        with write_session(engine) as session:
            step("fan-out" if first == "record" else "record", session)
            session.commit()

    thread = threading.Thread(target=other)
    with write_session(engine) as session:
        step(first, session)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive(), "did not wait"
        session.commit()
    thread.join(timeout=30)
    assert [(row.status, row.next_attempt_at) for row in deliveries(engine)] == [("delivered", None), ("pending", NOW)]


def _in_order(requests: list[Request]) -> bool:
    """Whether each case's events first came in the order in which they happened."""
    last: dict[str, int] = {}
    seen: set[str] = set()
    for request in requests:
        event = JSONFormat().read(None, request.body)
        case, sequence = str(event.get_subject()), int(event.get_extension("sequence"))
        if event.get_id() not in seen and sequence < last.get(case, 0):
            return False
        seen.add(event.get_id())
        last[case] = max(sequence, last.get(case, 0))
    return True
