"""A subscription that was disabled for a while: once it is resumed, it gets all that its partner is owed, in order."""

from __future__ import annotations

import pytest
from edges.receivers.sink import OK, Sink, status
from edges.webhook_outbox import (
    NOW,
    Clock,
    announce,
    connect,
    deliveries,
    fill,
    known_to,
    open_cases,
    secret_of,
    send,
    statements,
    subscribe,
)
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.webhooks import missed
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded
from integrations.webhooks.subscriptions import add_subscription, resume
from models import Case, Delivery, Event, Subscription
from models.database import write_session

URL = "https://partner.example.org/"


def wake(engine: Engine, clock: Clock) -> None:
    with write_session(engine) as session:
        resume(session, session.exec(select(Subscription.id)).one() or 0, now=clock.now)
        session.commit()


def happen(engine: Engine, clock: Clock) -> None:
    """One more event of each case."""
    with write_session(engine) as session:
        for case in session.exec(select(Case).order_by(col(Case.id))).all():
            announce(session, case, occurred_at=clock.now)
        fan_out(session, now=clock.now)
        session.commit()


def test_after_a_week_the_ids_received_are_the_ids_owed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed, "CHUNK", 7)
    clock = Clock()
    with Sink(answer=lambda _request: status(410)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=4, events=2)
        gone = send(engine, clock).dead
        sink.requests.clear()
        for _ in range(7):
            clock.forward(days=1)
            happen(engine, clock)
            assert send(engine, clock) == Recorded()
        assert len(deliveries(engine)) == 4 * 2, "made for a disabled subscription"
        sink.answer = lambda _request: OK
        wake(engine, clock)
        assert send(engine, clock) == Recorded(delivered=4 * 9 - gone)
        wake(engine, clock)
        assert send(engine, clock) == Recorded(), "made twice"
    owed = known_to(engine, "ngo")
    assert len(set(sink.ids)) == len(sink.ids)
    assert set(sink.ids) <= set(owed)
    place = {uid: number for number, uid in enumerate(owed)}
    for case in range(4):
        mine = [place[uid] for uid in sink.ids if place[uid] % 4 == case]
        assert mine == sorted(mine)


def test_what_happens_afterwards_waits_behind_it(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            session.exec(select(Subscription)).one().status = "disabled"
            open_cases(session, 1)
            session.commit()
        happen(engine, clock)
        happen(engine, clock)
        wake(engine, clock)
        happen(engine, clock)
        first, second, third = deliveries(engine)
        assert (first.next_attempt_at, second.next_attempt_at, third.next_attempt_at) == (NOW, None, None)
        send(engine, clock)
    assert sink.ids == known_to(engine, "ngo")


def types_of(session: Session, subscription: Subscription) -> list[str]:
    statement = select(Event.type).join(Delivery, col(Delivery.event_id) == col(Event.id))
    return list(session.exec(statement.where(Delivery.subscription_id == subscription.id).order_by(col(Event.id))))


def test_only_what_the_subscription_itself_would_have_got(session: Session) -> None:
    """By its filters, from its own beginning on, corrections of what it has, and what is for its partner alone."""
    other = subscribe(session, "ngo", URL, event_types=["case.registered"])
    later = Clock()
    later.forward(hours=1)
    (case,) = open_cases(session, 1)
    other.status = "disabled"
    announce(session, case, "case.closed")
    fan_out(session, now=NOW)
    closures = add_subscription(
        session, partner="ngo", url=f"{URL}2", secret=secret_of("2"), now=later.now, event_types=["case.closed"]
    )
    closures.status = "disabled"
    mistake = announce(session, case, "case.closed")
    announce(session, case, "case.arrived")
    announce(session, case, "case.corrected", corrects=mistake.uid)
    announce(session, case, "consent.revoked", only_for=[closures.partner_id])
    announce(session, case, "case.closed", only_for=[0])
    fan_out(session, now=later.now)
    assert session.exec(select(Delivery)).all() == []
    resume(session, closures.id or 0, now=later.now)
    assert types_of(session, closures) == ["case.closed", "case.corrected", "consent.revoked"]
    assert types_of(session, other) == []


@pytest.mark.parametrize("stands", ["active", "paused"])
def test_one_that_was_not_disabled_missed_nothing(session: Session, stands: str) -> None:
    subscription = subscribe(session, "ngo", URL)
    (case,) = open_cases(session, 1)
    subscription.status = stands
    announce(session, case)
    fan_out(session, now=NOW)
    resume(session, subscription.id or 0, now=NOW)
    assert types_of(session, subscription) == ["case.advanced"]


def test_the_number_of_statements_does_not_grow(engine: Engine) -> None:
    counts = []
    clock = Clock()
    connect(engine, ngo=URL)
    for size in (3, 300):
        with write_session(engine) as session:
            session.exec(select(Subscription)).one().status = "disabled"
            open_cases(session, size)
            session.commit()
        happen(engine, clock)
        with statements(engine) as seen:
            wake(engine, clock)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 15
    assert len(deliveries(engine)) == 3 + 303
