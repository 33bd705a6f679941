"""An endpoint that fails again and again is left alone, probed now and then, and disabled when it never comes back."""

from __future__ import annotations

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from edges.receivers.sink import OK, Reply, Request, Sink, status
from edges.webhook_outbox import NOW, Clock, attempts, connect, deliveries, fill, send, statements
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from integrations.webhooks import outcomes
from integrations.webhooks.circuit import FAILS_AT_MOST, FIRST_REST, LONGEST_REST, OPENS_AFTER, count, is_open, rest
from integrations.webhooks.claim import claim_probes, due_endpoints
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.lanes import FIRST_LIMIT
from integrations.webhooks.record import Recorded
from integrations.webhooks.retries import JITTER
from integrations.webhooks.subscriptions import resume
from models import Notice, Subscription
from models.database import write_session
from states.digests import Heading, digest_of
from states.pathway import Text
from states.releases import Recipient, Released, release_notices

JITTERS = st.floats(0, 1)
FAILED = ("http_500", "timeout", "connection_refused", "redirect")
LEASE = timedelta(minutes=2)


def endpoint(engine: Engine) -> Subscription:
    with write_session(engine) as session:
        return session.exec(select(Subscription)).one()


@given(st.integers(OPENS_AFTER, 30), JITTERS)
def test_a_rest_is_half_a_minute_then_twice_as_long_up_to_a_quarter_of_an_hour(failures: int, jitter: float) -> None:
    plain = rest(failures, jitter=0)
    assert plain == min(FIRST_REST * 2 ** (failures - OPENS_AFTER), LONGEST_REST)
    assert plain <= rest(failures, jitter=jitter) <= plain * (1 + JITTER)


@given(st.lists(st.tuples(st.sampled_from((*FAILED, outcomes.OK, outcomes.NOT_IN_CATALOGUE)), st.integers(0, 4))))
def test_what_was_on_its_way_opens_the_circuit_and_makes_no_rest_longer(came: list[tuple[str, int]]) -> None:
    failures = row = 0
    for outcome, claimed_at in came:
        failures = count(failures, outcome, claimed_at=claimed_at)
        if outcome == outcomes.OK:
            row = 0
        elif outcome in FAILED:
            row += 1
        assert failures == min(row, OPENS_AFTER)
        assert is_open(failures) == (row >= OPENS_AFTER)


def test_a_failed_probe_makes_it_longer() -> None:
    assert count(OPENS_AFTER, "http_500", claimed_at=OPENS_AFTER) == OPENS_AFTER + 1
    assert count(OPENS_AFTER + 1, "http_500", claimed_at=OPENS_AFTER) == OPENS_AFTER + 1, "the same probe, late"
    assert count(OPENS_AFTER + 3, outcomes.OK, claimed_at=2) == 0


def test_an_endpoint_that_is_down_is_probed_and_costs_the_others_no_attempts(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        uids = fill(engine, cases=100, events=2)
        assert send(engine, clock) == Recorded(retrying=len(sink.requests))
        tried = len(sink.requests)
        assert OPENS_AFTER <= tried < OPENS_AFTER + 4, "attempts were spent on an endpoint that was down"
        assert endpoint(engine).failures == OPENS_AFTER
        for probe, wait in enumerate((30, 60, 120, 240, 480, 900, 900), start=1):
            assert endpoint(engine).not_before == clock.now + timedelta(seconds=wait)
            clock.forward(seconds=wait - 1)
            assert send(engine, clock) == Recorded()
            clock.forward(seconds=1)
            assert send(engine, clock) == Recorded(retrying=1)
            assert len(sink.requests) == tried + probe, "more than a probe"
        spent = [row for row in deliveries(engine) if row.attempts]
        assert sum(row.attempts for row in spent) == tried + 7
        sink.answer = lambda _request: OK
        clock.forward(seconds=900)
        assert send(engine, clock) == Recorded(delivered=len(uids)), "what had failed waits no longer either"
        closed = endpoint(engine)
        assert (closed.failures, closed.not_before, closed.failing_since) == (0, None, None)
    assert set(sink.ids) == set(uids)


def test_one_success_begins_the_count_anew_and_what_is_not_its_fault_does_not_count(engine: Engine) -> None:
    def answer(_request: Request) -> Reply:
        return OK if len(sink.requests) % OPENS_AFTER == 0 else status(500)

    with Sink(answer=answer) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=50, events=1)
        recorded = send(engine, Clock(), per_subscription=1)
    assert recorded == Recorded(delivered=10, retrying=40)
    assert endpoint(engine).not_before is None


def test_what_an_endpoint_refuses_while_it_takes_the_rest_keeps_its_schedule(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        refused = set(fill(engine, cases=OPENS_AFTER, events=1))
        sink.answer = lambda request: status(500) if request.headers["webhook-id"] in refused else OK
        assert send(engine, clock) == Recorded(retrying=OPENS_AFTER)
        fill(engine, cases=1, events=1)
        clock.forward(seconds=30)
        assert send(engine, clock) == Recorded(delivered=1, retrying=OPENS_AFTER), "due again after five seconds"
        fill(engine, cases=1, events=1)
        clock.forward(seconds=30)
        assert send(engine, clock) == Recorded(delivered=1), "due again after five minutes, not before"
        assert endpoint(engine).not_before is None


def test_an_endpoint_may_ask_for_more_than_its_rest(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(429, "Retry-After: 3600")) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=20, events=1)
        while endpoint(engine).failures < OPENS_AFTER:
            send(engine, clock)
            clock.forward(seconds=3601)
        before = len(sink.requests)
        assert endpoint(engine).not_before == clock.now - timedelta(seconds=1)
        assert send(engine, clock) == Recorded(retrying=1)
        assert len(sink.requests) == before + 1
        assert endpoint(engine).not_before == clock.now + timedelta(hours=1)


def test_two_senders_never_probe_at_once(engine: Engine) -> None:
    connect(engine, ngo="https://partner.example.org/", other="https://other.example.org/")
    fill(engine, cases=3, events=1)
    with write_session(engine) as session:
        for each in session.exec(select(Subscription)):
            each.failures, each.not_before = OPENS_AFTER, NOW
        session.commit()

    def allowed(session: Session, seconds: float) -> set[int]:
        now = NOW + timedelta(seconds=seconds)
        return claim_probes(session, seen, now=now, lease=LEASE)

    with write_session(engine) as session:
        seen = due_endpoints(session, now=NOW)
        with statements(engine) as executed:
            first = allowed(session, 0)
        assert len(first) == len(seen) == 2
        assert len(executed) == 1
        assert allowed(session, 0) == set()
        assert allowed(session, LEASE.total_seconds()) == first, "a sender that died holds nobody up for ever"
        session.commit()


def test_of_four_senders_one_probes_with_one_delivery(engine: Engine) -> None:
    clock = Clock()

    def all_send() -> int:
        before = len(sink.requests)
        threads = [threading.Thread(target=send, args=(engine, clock)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        return len(sink.requests) - before

    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=400, events=1)
        assert OPENS_AFTER <= all_send() <= 4 * (OPENS_AFTER + FIRST_LIMIT), "each stops by itself"
        for wait in (30, 60, 120):
            clock.forward(seconds=wait)
            assert all_send() == 1


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("code", [500, 410])
def test_the_coordinators_are_told_once_that_nothing_more_is_sent(engine: Engine, code: int, resumed: bool) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(code)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=3, events=1)
        for _ in range(3):
            send(engine, clock)
            clock.forward(days=3)
    stopped = endpoint(engine)
    assert stopped.status == "disabled"
    with write_session(engine) as session:
        notice = session.exec(select(Notice)).one()
        assert (notice.kind, notice.role, notice.case_id) == ("partner_disabled", "coordinator", None)
        assert notice.subscription_id == stopped.id
        if resumed:
            resume(session, stopped.id or 0, now=clock.now)
        released = release_notices(session, now=clock.now, day=clock.now.date(), limit=100)
        assert released == (Released(cancelled=1) if resumed else Released(sent=1, digests=1))
        view = digest_of(session, Recipient(None, "coordinator"), clock.now.date(), ZoneInfo("UTC"))
        said = [(group.heading, line.case_code, line.title) for group in view.groups for line in group.lines]
        text = Text("plus rien n'est envoyé à ngo (abonnement 1)", "nothing more is sent to ngo (subscription 1)")
        assert said == ([] if resumed else [(Heading.PARTNERS, None, text)])
        session.commit()


@pytest.mark.parametrize("days", [1, 6])
def test_five_days_without_a_success_disable_it(engine: Engine, days: int) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        send(engine, clock)
        for _ in range(days):
            clock.forward(days=1)
            send(engine, clock)
        found = endpoint(engine)
        if clock.now < NOW + FAILS_AT_MOST:
            assert found.status == "active"
            return
        assert (found.status, found.status_reason) == ("disabled", outcomes.FAILING_TOO_LONG)
        assert outcomes.in_words(outcomes.FAILING_TOO_LONG).fr.startswith("aucun envoi")
        owed = len(deliveries(engine))
        fill(engine, cases=1, events=1)
        with write_session(engine) as session:
            assert fan_out(session, now=clock.now) == 0
        assert len(deliveries(engine)) == owed, "a delivery was made for a disabled subscription"
    assert [row.outcome for row in attempts(engine)] == ["http_500"] * (1 + days)


def test_an_endpoint_that_nobody_asked_for_days_has_not_failed_all_along(engine: Engine) -> None:
    clock = Clock()
    with Sink(answer=lambda _request: status(500)) as sink:
        connect(engine, ngo=sink)
        fill(engine, cases=1, events=1)
        send(engine, clock)
        clock.forward(days=6)  # nothing ran meanwhile
        send(engine, clock)
        found = endpoint(engine)
    assert (found.status, found.failing_since) == ("active", clock.now)
