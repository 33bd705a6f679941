"""What a partner may not see is not sent: it ends without an attempt, holds nobody up, and may be asked for anew."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from edges.receivers.sink import OK, Sink, status
from edges.webhook_outbox import (
    NOW,
    PUBLIC_URL,
    Clock,
    announce,
    attempts,
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
from sqlalchemy import Engine, update
from sqlmodel import col, select

from integrations.sharing.projection import show_next
from integrations.webhooks.bodies import with_bodies
from integrations.webhooks.circuit import OPENS_AFTER
from integrations.webhooks.claim import claim, due_endpoints
from integrations.webhooks.dead_letters import replay_one, replay_withheld
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded
from integrations.webhooks.subscriptions import add_subscription
from models import Case, Consent, Delivery, Partner, PartnerEvent, SharingAgreement, Subscription
from models.database import write_session


def answer(engine: Engine, stands: str, *codes: str) -> None:
    """What the people of these cases say of assistance now."""
    with write_session(engine) as session:
        session.execute(
            update(Consent)
            .where(col(Consent.case_id).in_(select(Case.id).where(col(Case.code).in_(codes))))
            .values(status=stands)
        )
        session.commit()


def happen(engine: Engine, code: str, event_type: str = "case.advanced", **given: object) -> None:
    with write_session(engine) as session:
        announce(session, session.exec(select(Case).where(Case.code == code)).one(), event_type, **given)
        fan_out(session, now=NOW)
        session.commit()


def replay(engine: Engine) -> int:
    with write_session(engine) as session:
        count = replay_withheld(session, now=NOW, partner="ngo")
        session.commit()
    return count


def owed(engine: Engine) -> list[PartnerEvent]:
    with write_session(engine) as session:
        return list(session.exec(select(PartnerEvent).order_by(col(PartnerEvent.id))).all())


def test_it_ends_without_an_attempt_and_the_next_of_the_case_goes(engine: Engine) -> None:
    """Of two people one agreed; the agreement leaves out some of what happens."""
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            session.exec(select(SharingAgreement)).one().event_types = ["case.advanced"]
            for case in open_cases(session, 2):
                for type_ in ("case.arrived", "case.advanced", "case.closed", "case.advanced"):
                    announce(session, case, type_)
            fan_out(session, now=NOW)
            session.commit()
        answer(engine, "revoked", "C-R-1")
        assert send(engine, Clock()) == Recorded(delivered=2, withheld=6)
    rows = deliveries(engine)
    assert [row.status for row in rows] == ["withheld", "delivered"] * 2 + ["withheld"] * 4
    assert {(row.status, row.attempts, row.finished_at, row.dead_reason) for row in rows} == {
        ("withheld", 0, NOW, None),
        ("delivered", 1, NOW, None),
    }
    assert len(attempts(engine)) == len(sink.requests) == 2
    assert [(row.reason, row.received_at) for row in owed(engine)] == [
        *(("no_agreement", None), (None, NOW)) * 2,
        *(("no_agreement", None), ("no_consent", None)) * 2,
    ]
    sent = {request.headers["webhook-id"]: request.body.decode() for request in sink.requests}
    assert sent == {row.uid: row.body for row in owed(engine) if row.status == "shown"}


def test_what_may_be_sent_goes_beside_it(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=60, events=1)
        answer(engine, "revoked", *(f"C-R-{number}" for number in range(0, 60, 2)))
        assert send(engine, Clock()) == Recorded(delivered=30, withheld=30)
    assert set(sink.ids) == set(uids[1::2])


def test_a_probe_that_may_not_be_sent_leaves_the_next_to_probe(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=4, events=1)
        answer(engine, "refused", "C-R-0")
        with write_session(engine) as session:
            resting = session.exec(select(Subscription)).one()
            resting.failures, resting.failing_since, resting.not_before = OPENS_AFTER, NOW, NOW
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=3, withheld=1)
    assert sink.ids[0] == uids[1]


def test_once_there_are_grounds_it_comes_after_what_was_shown_meanwhile(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        first, second = fill(engine, cases=1, events=2)
        answer(engine, "refused", "C-R-0")
        assert send(engine, Clock()) == Recorded(withheld=2)
        assert (replay(engine), send(engine, Clock())) == (2, Recorded(withheld=2)), "nothing has changed"
        answer(engine, "given", "C-R-0")
        happen(engine, "C-R-0")
        sink.answer = lambda _request: status(500)
        clock = Clock()
        assert send(engine, clock) == Recorded(retrying=1), "shown, and not yet taken"
        assert replay(engine) == 2
        happen(engine, "C-R-0")
        sink.answer = lambda _request: OK
        clock.forward(seconds=5)
        assert send(engine, clock) == Recorded(delivered=4)
    third, fourth = known_to(engine, "ngo")[2:]
    assert sink.ids[1:] in ([third, first, second, fourth], [third, fourth, first, second])
    position = {row.uid: row.sequence for row in owed(engine)}
    assert [position[uid] for uid in sink.ids[1:]] == [1, 2, 3, 4]


def test_what_was_shown_and_never_arrived_is_not_sent_once_the_consent_is_taken_back(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        assert send(engine, clock) == Recorded(retrying=1)
        answer(engine, "revoked", "C-R-0")
        happen(engine, "C-R-0", "consent.revoked", data={"case": "C-R-0"})
        clock.forward(seconds=5)
        sink.answer = lambda _request: OK
        assert send(engine, clock) == Recorded(withheld=1, delivered=1)
    lost, taken_back = known_to(engine, "ngo")
    assert sink.ids == [lost, taken_back]
    assert [(row.status, row.attempts) for row in deliveries(engine)] == [("withheld", 1), ("delivered", 1)]
    assert [row.received_at for row in owed(engine)] == [None, clock.now]


def test_what_arrived_may_be_sent_again_although_the_consent_was_taken_back(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        send(engine, Clock())
        answer(engine, "revoked", "C-R-0")
        with write_session(engine) as session:
            replay_one(session, session.exec(select(Delivery.id)).one() or 0, now=NOW)
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=1)
    first, again = sink.requests
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)


def test_two_subscriptions_of_a_partner_get_the_same_bytes_and_it_has_them_once(engine: Engine) -> None:
    clock = Clock()
    with Sink() as one, Sink(answer=lambda _request: status(500)) as two:
        with write_session(engine) as session:
            subscribe(session, "ngo", one.url)
            add_subscription(session, partner="ngo", url=two.url, secret=secret_of("two"), now=NOW, allow_loopback=True)
            session.commit()
        fill(engine, cases=3, events=1)
        assert send(engine, clock) == Recorded(delivered=3, retrying=3)
        two.answer = lambda _request: OK
        clock.forward(seconds=5)
        assert send(engine, clock) == Recorded(delivered=3)
    bodies = {(request.headers["webhook-id"], request.body) for request in (*one.requests, *two.requests)}
    assert bodies == {(row.uid, (row.body or "").encode()) for row in owed(engine)}
    assert {row.received_at for row in owed(engine)} == {NOW}


def test_an_agreement_begins_with_the_programmes_day(engine: Engine) -> None:
    clock = Clock(NOW.replace(hour=23, minute=30))
    with Sink() as sink:
        connect(engine, ngo=sink)
        with write_session(engine) as session:
            session.exec(select(SharingAgreement)).one().valid_from = NOW.date() + timedelta(days=1)
            session.commit()
        fill(engine, cases=2, events=1)
        assert send(engine, clock) == Recorded(withheld=2)
        replay(engine)
        assert send(engine, clock, timezone=ZoneInfo("Europe/Paris")) == Recorded(delivered=2)


def test_a_delivery_made_before_partners_had_events_of_their_own_is_sent(engine: Engine) -> None:
    with Sink() as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=3, events=2)
        with write_session(engine) as session:
            session.execute(update(Delivery).values(partner_event_id=None))
            for row in session.exec(select(PartnerEvent)).all():
                session.delete(row)
            session.commit()
        assert send(engine, Clock()) == Recorded(delivered=6)
    assert sorted(sink.ids) == sorted(uids)
    assert None not in {row.partner_event_id for row in deliveries(engine)}


@pytest.mark.parametrize("seen_before", [False, True])
def test_the_statements_do_not_grow_with_what_was_claimed(engine: Engine, seen_before: bool) -> None:
    counts = []
    for size in (1, 6):
        with write_session(engine) as session:
            for number in range(size):
                subscribe(session, f"p{size}-{number}", f"https://partner{number}.example.org/")
            session.commit()
        fill(engine, cases=size, events=1)
        with write_session(engine) as session:
            claimed = [
                each
                for endpoint in due_endpoints(session, now=NOW)
                for each in claim(session, endpoint, room=100, now=NOW, lease=timedelta(minutes=2))
            ]
            for _ in range(1 + seen_before):
                with statements(engine) as executed:
                    filled = with_bodies(session, claimed, public_url=PUBLIC_URL, day=date(2024, 3, 5), now=NOW)
            session.commit()
        assert len(filled) >= size
        assert {each.withheld for each in filled} == {None}
        counts.append(len(executed))
    assert counts[0] == counts[1] <= (1 if seen_before else 16)


def test_senders_and_readers_of_the_stream_at_once_lose_nothing_and_never_wait_for_each_other(engine: Engine) -> None:
    """Three partners with two subscriptions each, four senders, and somebody who has their streams shown."""
    names = ("one", "two", "three")
    failures: list[BaseException] = []

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except Exception as failure:  # noqa: BLE001
            failures.append(failure)

    def read() -> None:
        for _ in range(20):
            for partner_id in reversed(partners):
                with write_session(engine) as session:
                    show_next(session, partner_id, 5, public_url=PUBLIC_URL, day=date(2024, 3, 5), now=NOW)
                    session.commit()

    with Sink() as sink, Sink() as other:
        with write_session(engine) as session:
            for name in names:
                subscribe(session, name, f"{sink.url}{name}")
                add_subscription(
                    session,
                    partner=name,
                    url=f"{other.url}{name}",
                    secret=secret_of(name),
                    now=NOW,
                    allow_loopback=True,
                )
            partners = [id_ or 0 for id_ in session.exec(select(Partner.id).order_by(col(Partner.id))).all()]
            session.commit()
        fill(engine, cases=12, events=3)
        works = [*[lambda: send(engine, Clock(), per_subscription=3)] * 4, read]
        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        send(engine, Clock())
    assert failures == []
    assert Counter(row.status for row in deliveries(engine)) == {"delivered": 12 * 3 * 6}
    assert {row.received_at for row in owed(engine)} == {NOW}
    assert Counter(sink.ids) == Counter(other.ids) == Counter(row.uid for row in owed(engine))
