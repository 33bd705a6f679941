"""What is owed, what is dead, and sending it again: under the same id, in order, counted exactly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from edges.receivers.sink import OK, Reply, Request, Sink, status
from edges.webhook_outbox import (
    NOW,
    Clock,
    announce,
    attempts,
    connect,
    deliveries,
    fill,
    known_to,
    open_cases,
    send,
    subscribe,
)
from sqlalchemy import Engine, update
from sqlmodel import Session

from integrations.webhooks import outcomes
from integrations.webhooks.advice import what_to_do
from integrations.webhooks.dead_letters import (
    UnknownDelivery,
    count_deliveries,
    list_deliveries,
    replay_dead,
    replay_one,
)
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.record import Recorded
from integrations.webhooks.retries import SCHEDULE
from integrations.webhooks.subscriptions import list_subscriptions, resume
from models import Delivery, DeliveryStatus
from models.database import write_session


def until_dead(engine: Engine, clock: Clock) -> None:
    """Send whatever is due at its time until all is dead; somebody sees to it that no endpoint rests or is disabled."""
    while due := [row.next_attempt_at for row in deliveries(engine) if row.next_attempt_at is not None]:
        clock.now = max(clock.now, min(due))
        send(engine, clock)
        with write_session(engine) as session:
            for line in list_subscriptions(session):
                resume(session, line.id, now=clock.now)
            session.commit()


def replay(engine: Engine, clock: Clock, **chosen: object) -> int:
    with write_session(engine) as session:
        count = replay_dead(session, now=clock.now, **chosen)  # type: ignore[arg-type]
        session.commit()
    return count


def test_all_dead_of_a_partner_go_again_in_order_under_the_same_ids(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as down, Sink(answer=lambda _request: status(500)) as other:
        with write_session(engine) as session:
            subscribe(session, "down", down.url)
            subscribe(session, "other", other.url)
            session.commit()
        uids = fill(engine, cases=4, events=3)
        until_dead(engine, clock)
        assert {row.status for row in deliveries(engine)} == {"dead"}
        down.requests.clear()
        down.answer = lambda _request: OK
        assert replay(engine, clock, partner="down") == 12
        assert send(engine, clock) == Recorded(delivered=12)
        assert replay(engine, clock, partner="down") == 0
    assert sorted(down.ids) == sorted(uids)
    order = {uid: number for number, uid in enumerate(uids)}
    for case in range(4):
        mine = [order[uid] for uid in down.ids if order[uid] % 4 == case]
        assert mine == sorted(mine)
    with write_session(engine) as session:
        assert count_deliveries(session) == {
            "down": {"pending": 0, "sending": 0, "delivered": 12, "dead": 0, "withheld": 0},
            "other": {"pending": 0, "sending": 0, "delivered": 0, "dead": 12, "withheld": 0},
        }
    numbers = [row.number for row in attempts(engine) if row.outcome == "ok"]
    assert numbers == [len(SCHEDULE) + 1] * 12, "attempts are counted on, not anew"


def test_a_replayed_delivery_has_its_whole_schedule_again(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        with write_session(engine) as session:
            subscribe(session, "ngo", sink.url)
            session.commit()
        fill(engine, cases=1, events=1)
        until_dead(engine, clock)
        assert replay(engine, clock) == 1
        until_dead(engine, clock)
    (row,) = deliveries(engine)
    assert (row.status, row.attempts) == ("dead", 2 * len(SCHEDULE))


def test_since_a_time(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(410)) as sink:
        with write_session(engine) as session:
            subscribe(session, "ngo", sink.url)
            for number, case in enumerate(open_cases(session, 3)):
                announce(session, case, occurred_at=NOW + timedelta(days=number))
            fan_out(session, now=NOW)
            session.commit()
        send(engine, clock)
    assert {row.status for row in deliveries(engine)} == {"dead"}
    assert replay(engine, clock, since=NOW + timedelta(days=3)) == 0
    assert replay(engine, clock, since=NOW + timedelta(days=1)) == 2
    assert replay(engine, clock, partner="nobody") == 0
    assert replay(engine, clock) == 1


def test_one_that_arrived_goes_again_and_one_that_is_owed_does_not(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        with write_session(engine) as session:
            subscribe(session, "ngo", sink.url)
            session.commit()
        uids = fill(engine, cases=1, events=2)
        send(engine, clock)
        first = deliveries(engine)[0].id or 0
        with write_session(engine) as session:
            assert (replay_one(session, first, now=NOW), replay_one(session, first, now=NOW)) == (1, 0)
            with pytest.raises(UnknownDelivery):
                replay_one(session, 999, now=NOW)
            session.commit()
        send(engine, clock)
    assert sink.ids == [*uids, uids[0]]
    assert sink.requests[0].body == sink.requests[2].body


@pytest.mark.parametrize("while_on_its_way", [True, False])
def test_what_is_replayed_goes_before_what_failed_later(engine: Engine, while_on_its_way: bool) -> None:
    """The first event of a case is put back when the second has failed, or while it is failing, and then fails twice
    itself: the second waits all the while, although its own time comes."""
    clock = Clock()

    def replay_the_first() -> None:
        with write_session(engine) as session:
            replayed.append(replay_one(session, deliveries(engine)[0].id or 0, now=NOW))
            session.commit()

    def answer(request: Request) -> Reply:
        uid = request.headers["webhook-id"]
        if uid == uids[1] and not replayed:
            if while_on_its_way:
                replay_the_first()
            return status(500)
        return status(500) if uid == uids[0] and 1 < sink.ids.count(uid) < 4 else OK

    replayed: list[int] = []
    with Sink(answer=answer) as sink:
        with write_session(engine) as session:
            subscribe(session, "ngo", sink.url)
            session.commit()
        uids = fill(engine, cases=1, events=3)
        send(engine, clock)
        if not while_on_its_way:
            replay_the_first()
        for _ in range(4):
            send(engine, clock)
            clock.forward(minutes=6)
    assert replayed == [1]
    assert sink.ids == [uids[each] for each in (0, 1, 0, 0, 0, 1, 2)]


def test_lists_show_what_is_asked_for(engine: Engine) -> None:
    with Sink(answer=lambda _request: status(410)) as gone, Sink() as well:
        with write_session(engine) as session:
            subscribe(session, "gone", gone.url)
            subscribe(session, "well", well.url)
            session.commit()
        fill(engine, cases=2, events=1)
        send(engine, Clock(), per_subscription=1)
    first = known_to(engine, "well")[0]

    def listed(session: Session, **chosen: object) -> list[tuple[str, str, str | None]]:
        return [(row.partner, row.status, row.outcome) for row in list_deliveries(session, **chosen)]  # type: ignore[arg-type]

    with write_session(engine) as session:
        assert listed(session, status=DeliveryStatus.DEAD) == [("gone", "dead", "gone")]
        assert listed(session, partner="well") == [("well", "delivered", "ok")] * 2
        assert listed(session, partner="gone", status=DeliveryStatus.PENDING) == [("gone", "pending", None)]
        assert listed(session, partner="nobody") == []
        assert len(listed(session, limit=3)) == 3
        (one,) = list_deliveries(session, case_code="C-R-0", partner="well")
        assert (one.event_uid, one.event_type, one.case_code, one.sequence) == (first, "case.advanced", "C-R-0", 1)
        assert one.finished_at == NOW


@pytest.mark.parametrize("say", [outcomes.in_words, what_to_do])
@pytest.mark.parametrize("code", [*sorted(outcomes.CODES), outcomes.FAILING_TOO_LONG, "http_500", "http_404"])
def test_every_outcome_has_words_and_advice_in_both_languages(code: str, say: Callable[[str], outcomes.Words]) -> None:
    words = say(code)
    assert words.fr
    assert words.en
    assert words.fr != words.en
    assert "_" not in words.fr + words.en


def test_3418_dead_deliveries_are_3418(engine: Engine) -> None:
    """The number that is reported is the number that goes, whether by range, by partner or since a time."""
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink, other=sink.url + "/other")
        uids = fill(engine, cases=1709, events=2)
        rows = {row.id or 0: row.subscription_id for row in deliveries(engine)}
        ngo = min(rows.values())
        with write_session(engine) as session:  # as the sender leaves what it has given up
            session.execute(
                update(Delivery).values(
                    status="dead", dead_reason="http_500", attempts=10, next_attempt_at=None, finished_at=NOW
                )
            )
            session.commit()
        mine = [id_ for id_, subscription_id in sorted(rows.items()) if subscription_id == ngo]
        assert len(mine) == len(uids) == 3418
        assert replay(engine, clock, partner="ngo", numbers=(mine[99], mine[0])) == 0
        assert replay(engine, clock, partner="ngo", numbers=(mine[0], mine[99])) == 100
        assert replay(engine, clock, partner="ngo", numbers=(mine[0], mine[99])) == 0, "they are dead no longer"
        assert replay(engine, clock, partner="ngo", since=NOW + timedelta(seconds=1)) == 0
        assert replay(engine, clock, partner="ngo", since=NOW) == 3318
        assert send(engine, clock) == Recorded(delivered=3418)
        assert sorted(sink.ids) == sorted(uids)
        assert replay(engine, clock) == 3418
    with write_session(engine) as session:
        counted = count_deliveries(session)
    assert (counted["ngo"]["delivered"], counted["other"]["pending"]) == (3418, 3418)
