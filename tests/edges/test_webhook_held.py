"""Endpoints that refuse some events, are paused or get a new secret while a sender holds much for them."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from edges.receivers.sink import OK, Reply, Request, Sink, status
from edges.webhook_outbox import NOW, Clock, attempts, connect, deliveries, fill, secret_of, send, subscribe
from sqlalchemy import Engine
from sqlmodel import Session, select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.webhooks.circuit import OPENS_AFTER
from integrations.webhooks.claim import Claimed, claim, claim_probes, due_endpoints
from integrations.webhooks.lanes import Lanes
from integrations.webhooks.line import lock_subscriptions
from integrations.webhooks.record import release
from integrations.webhooks.retries import SCHEDULE
from integrations.webhooks.rotation import forget_secrets, rotate_key, rotate_secret
from integrations.webhooks.subscriptions import pause, resume
from models import Delivery, Subscription
from models.database import write_session
from models.partner_access import SigningSecret

LEASE = timedelta(minutes=2)
HELD = 30
LITTLE = 8
"""So many may still go out of what a sender holds before it hears of a change."""


def only(session: Session) -> Subscription:
    return session.exec(select(Subscription)).one()


def slowly(seconds: float = 0.05) -> Reply:
    return Reply([(seconds, OK.pieces[0][1])])


def test_what_is_always_refused_keeps_its_schedule_while_one_good_event_comes_each_hour(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        refused = set(fill(engine, cases=OPENS_AFTER, events=1))
        sink.answer = lambda request: status(500) if request.headers["webhook-id"] in refused else OK
        for quarter in range(14 * 4):
            if quarter % 4 == 3:
                fill(engine, cases=1, events=1)
            send(engine, clock)
            clock.forward(minutes=17)
        rows = [row for row in deliveries(engine) if row.status == "pending"]
    assert len(rows) == OPENS_AFTER, "given up long before the three days are over"
    planned = sum(1 for number in range(len(SCHEDULE)) if sum(SCHEDULE[: number + 1], timedelta()) < clock.now - NOW)
    assert max(row.attempts - row.replayed_after for row in rows) <= planned + 1, "hurried more than once"


@pytest.mark.parametrize("change", ["pause", "rotate"])
def test_a_change_reaches_what_a_sender_already_holds(engine: Engine, change: str) -> None:
    new: list[str] = []

    def answer(_request: Request) -> Reply:
        if len(sink.requests) == 1:
            with write_session(engine) as session:
                id_ = only(session).id or 0
                if change == "pause":
                    pause(session, id_)
                else:
                    new.append(rotate_secret(session, id_, random_bytes=bytes, overlap=timedelta(0), now=NOW))
                session.commit()
        return slowly()

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=HELD, events=1)
        send(engine, Clock(), per_subscription=HELD, concurrency=1)
        if change == "pause":
            assert len(sink.requests) <= LITTLE
            waiting = [row for row in deliveries(engine) if row.status != "delivered"]
            assert {(row.status, row.lease_until) for row in waiting} == {("pending", None)}
            with write_session(engine) as session:
                resume(session, only(session).id or 0, now=NOW)
                session.commit()
            send(engine, Clock())
        else:
            by_new = [verifies(new[0], request) for request in sink.requests]
            by_old = [verifies(secret_of("ngo"), request) for request in sink.requests]
            assert all(by_new[LITTLE:])
            assert not any(by_old[LITTLE:])
    assert sorted(sink.ids) == sorted(uids)


def verifies(secret: str, request: Request) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("change", ["pause", "resume"])
def test_pausing_and_resuming_wait_for_a_sender_that_disables(postgres_engine: Engine, change: str) -> None:
    """Else the sender's word is overwritten, or a resumption is lost."""
    with write_session(postgres_engine) as session:
        id_ = subscribe(session, "ngo", "https://partner.example.org/").id or 0
        session.commit()

    def by_hand() -> None:
        with write_session(postgres_engine) as session:
            if change == "pause":
                pause(session, id_)
            else:
                resume(session, id_, now=NOW)
            session.commit()

    with write_session(postgres_engine) as session:
        (locked,) = lock_subscriptions(session, [id_])
        locked.status, locked.status_reason = "disabled", "gone"
        session.flush()
        other = threading.Thread(target=by_hand)
        other.start()
        other.join(0.5)
        assert other.is_alive(), "it did not wait"
        session.commit()
    other.join(30)
    with write_session(postgres_engine) as session:
        found = only(session)
        assert (found.status, found.status_reason) == (("disabled", "gone") if change == "pause" else ("active", None))


def test_a_probe_that_is_given_back_leaves_no_rest_and_keeps_its_time(engine: Engine) -> None:
    connect(engine, ngo="https://partner.example.org/")
    fill(engine, cases=2, events=1)
    later = NOW + timedelta(hours=5)

    def probed(session: Session) -> list[Claimed]:
        endpoints = due_endpoints(session, now=NOW)
        assert claim_probes(session, endpoints, now=NOW, lease=LEASE)
        return claim(session, endpoints[0], room=1, now=NOW, lease=LEASE)

    with write_session(engine) as session:
        only(session).failures = OPENS_AFTER
        session.commit()
        for row in session.exec(select(Delivery)):
            row.next_attempt_at = later
        session.commit()
        (held,) = probed(session)
        assert held.planned_at == later
        session.commit()
        session.expire_all()
        assert only(session).not_before == NOW + LEASE
        release(session, [held], now=NOW)
        session.commit()
        session.expire_all()
        assert only(session).not_before is None
        rows = session.exec(select(Delivery.status, Delivery.next_attempt_at, Delivery.attempts))
        assert set(rows) == {("pending", later, 0)}
        assert len(probed(session)) == 1, "the next sender may probe at once"
    assert attempts(engine) == []


def test_failures_that_came_back_meanwhile_are_not_forgotten_by_what_is_claimed(engine: Engine) -> None:
    connect(engine, ngo="https://partner.example.org/")
    fill(engine, cases=8, events=1)
    with write_session(engine) as session:
        (endpoint,) = due_endpoints(session, now=NOW)
        claimed = claim(session, endpoint, room=8, now=NOW, lease=LEASE)
    lanes = Lanes(16)
    lanes.fill(claimed[:4])
    lanes.told()  # a turn begins
    for each in iter(lanes.take, None):
        lanes.count(each, "http_500")
        lanes.came_back(each, well=False)
    lanes.fill(claimed[4:])  # and ends: the database had heard of none of them
    last = lanes.take()
    assert last is not None
    assert lanes.count(last, "http_500") == OPENS_AFTER


def test_secrets_whose_overlap_is_over_are_forgotten(engine: Engine) -> None:
    connect(engine, ngo="https://partner.example.org/")
    with write_session(engine) as session:
        id_ = only(session).id or 0
        for days in (1, 2, 30):
            rotate_secret(session, id_, random_bytes=bytes, overlap=timedelta(days=days), now=NOW)
        rotate_key(session, id_, random_bytes=bytes, overlap=timedelta(0), now=NOW)
        now = NOW + timedelta(days=2)
        assert [forget_secrets(session, now=now, limit=1) for _ in range(3)] == [1, 1, 0]
        left = session.exec(select(SigningSecret.scheme, SigningSecret.expires_at)).all()
        assert sorted(left) == [("v1", NOW + timedelta(days=30)), ("v1a", None)]
