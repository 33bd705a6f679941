"""From the outbox to deliveries: who gets what, once, in order, in a constant number of statements."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from edges.webhook_outbox import NOW, announce, deliveries, open_cases, secret_of, statements, subscribe
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.webhooks.fanout import fan_out
from integrations.webhooks.line import revive
from integrations.webhooks.subscriptions import add_subscription
from models import Channel, Delivery, Event, Partner, PartnerEvent
from models.database import write_session

URL = "https://partner.example.org/"


def wanted_by(session: Session, subscription_id: int | None) -> list[str]:
    statement = (
        select(Event.type)
        .join(Delivery, col(Delivery.event_id) == col(Event.id))
        .where(col(Delivery.subscription_id) == subscription_id)
        .order_by(col(Event.id))
    )
    return list(session.exec(statement).all())


def owed_to(session: Session, partner_id: int) -> list[str]:
    """The types of the events that are in line for a partner."""
    statement = select(Event.type).join(PartnerEvent, col(PartnerEvent.event_id) == col(Event.id))
    return list(session.exec(statement.where(PartnerEvent.partner_id == partner_id).order_by(col(Event.id))).all())


def test_each_subscription_gets_what_it_asked_for(session: Session) -> None:
    everything = subscribe(session, "all", URL)
    closures = subscribe(session, "closures", URL, event_types=["case.closed"])
    kayes = subscribe(session, "kayes", URL, regions=["ML01"])
    (case,) = open_cases(session, 1)
    announce(session, case, "case.arrived", region_pcode="ML01")
    announce(session, case, "case.closed", region_pcode="ML02")
    announce(session, case, "case.reopened", region_pcode=None)
    assert fan_out(session, now=NOW) == 5
    assert wanted_by(session, everything.id) == ["case.arrived", "case.closed", "case.reopened"]
    assert wanted_by(session, closures.id) == ["case.closed"]
    assert wanted_by(session, kayes.id) == ["case.arrived"]


def test_paused_and_disabled_ones_are_owed_theirs_and_inactive_partners_nothing(session: Session) -> None:
    paused, disabled, inactive = (subscribe(session, name, URL) for name in ("paused", "disabled", "inactive"))
    paused.status, disabled.status = "paused", "disabled"
    partner = session.get(Partner, inactive.partner_id)
    assert partner is not None
    partner.active = False
    (case,) = open_cases(session, 1)
    announce(session, case)
    assert fan_out(session, now=NOW) == 1
    assert wanted_by(session, paused.id) == owed_to(session, paused.partner_id) == ["case.advanced"]
    assert (wanted_by(session, disabled.id), owed_to(session, disabled.partner_id)) == ([], ["case.advanced"])
    assert (wanted_by(session, inactive.id), owed_to(session, inactive.partner_id)) == ([], [])


def test_what_is_not_sent_one_by_one_is_owed_by_its_filters_without_a_delivery(session: Session) -> None:
    feed = subscribe(session, "feed", URL, event_types=["case.closed"])
    feed.channel, feed.url = Channel.FEED, ""
    (case,) = open_cases(session, 1)
    for type_ in ("case.arrived", "case.closed", "case.reopened"):
        announce(session, case, type_)
    assert fan_out(session, now=NOW) == 0
    assert (wanted_by(session, feed.id), owed_to(session, feed.partner_id)) == ([], ["case.closed"])


def test_two_subscriptions_of_a_partner_share_its_event(session: Session) -> None:
    first = subscribe(session, "ngo", URL)
    add_subscription(session, partner="ngo", url=f"{URL}more", secret=secret_of("more"), now=NOW)
    (case,) = open_cases(session, 1)
    announce(session, case)
    assert fan_out(session, now=NOW) == 2
    owed = session.exec(select(PartnerEvent)).one()
    assert (owed.partner_id, owed.status, owed.body) == (first.partner_id, "waiting", None)
    assert set(session.exec(select(Delivery.partner_event_id))) == {owed.id}


def test_a_correction_reaches_who_was_owed_the_mistake_while_it_was_disabled(session: Session) -> None:
    closures = subscribe(session, "closures", URL, event_types=["case.closed"])
    disabled = subscribe(session, "disabled", URL)
    disabled.status = "disabled"
    subscribe(session, "arrivals", URL, event_types=["case.arrived"])
    (case,) = open_cases(session, 1)
    mistake = announce(session, case, "case.closed")
    fan_out(session, now=NOW)
    announce(session, case, "case.corrected", corrects=mistake.uid)
    assert fan_out(session, now=NOW) == 1
    assert wanted_by(session, closures.id) == ["case.closed", "case.corrected"]
    assert owed_to(session, disabled.partner_id) == ["case.closed", "case.corrected"]
    assert len(session.exec(select(PartnerEvent)).all()) == 4


def test_an_event_for_certain_partners_reaches_each_of_them_and_nobody_else(session: Session) -> None:
    """Whatever they filter: a partner that received something about a person must learn that it may not keep it."""
    everything = subscribe(session, "all", URL)
    closures = subscribe(session, "closures", URL, event_types=["case.closed"])
    partner, other = (session.get_one(Partner, each.partner_id) for each in (closures, everything))
    referrals = add_subscription(
        session,
        partner=partner.code,
        url=f"{URL}referrals",
        secret=secret_of("second"),
        now=NOW,
        event_types=["referral.made"],
        regions=["ML01"],
        allow_loopback=True,
    )
    elsewhere = subscribe(session, "elsewhere", URL, regions=["ML05"])
    stopped = add_subscription(
        session, partner="elsewhere", url=f"{URL}all", secret=secret_of("all"), now=NOW, allow_loopback=True
    )
    stopped.status = "disabled"
    (case,) = open_cases(session, 1)
    announce(session, case, "referral.made", only_for=[partner.id])
    announce(session, case, "consent.revoked", only_for=[partner.id, elsewhere.partner_id])
    announce(session, case, "referral.made", only_for=[])
    announce(session, case, "consent.revoked", only_for=[other.id])
    announce(session, case, "case.closed")
    while fan_out(session, now=NOW):
        pass
    assert wanted_by(session, referrals.id) == ["referral.made", "consent.revoked"]
    assert wanted_by(session, closures.id) == ["consent.revoked", "case.closed"]
    assert wanted_by(session, elsewhere.id) == ["consent.revoked"]
    assert wanted_by(session, everything.id) == ["consent.revoked", "case.closed"]


def test_only_the_first_of_each_case_has_a_time(session: Session) -> None:
    subscribe(session, "one", URL)
    first, second = open_cases(session, 2)
    for case in (first, first, second, first):
        announce(session, case)
    fan_out(session, now=NOW)
    announce(session, second)
    fan_out(session, now=NOW)
    rows = session.exec(select(Delivery).order_by(col(Delivery.case_id), col(Delivery.sequence))).all()
    assert [(row.case_id, row.sequence, row.next_attempt_at) for row in rows] == [
        (first.id, 1, NOW),
        (first.id, 2, None),
        (first.id, 3, None),
        (second.id, 1, NOW),
        (second.id, 2, None),
    ]


def test_fanning_out_again_makes_nothing_new(session: Session) -> None:
    subscribe(session, "one", URL)
    (case,) = open_cases(session, 1)
    announce(session, case)
    assert (fan_out(session, now=NOW), fan_out(session, now=NOW)) == (1, 0)


def test_nothing_made_means_nothing_left(session: Session) -> None:
    """A caller goes on until 0: events that nobody wants must not look like the end."""
    subscribe(session, "closures", URL, event_types=["case.closed"])
    (case,) = open_cases(session, 1)
    for _ in range(5):
        announce(session, case, "case.advanced")
    announce(session, case, "case.closed")
    assert fan_out(session, now=NOW, limit=2) == 1
    assert fan_out(session, now=NOW, limit=2) == 0
    assert session.exec(select(Event).where(col(Event.fanned_out_at).is_(None))).first() is None


def test_the_number_of_statements_does_not_grow(engine: Engine) -> None:
    counts = []
    for size in (3, 300):
        with write_session(engine) as session:
            for name in (f"a{size}", f"b{size}"):
                subscribe(session, name, URL)
            for case in open_cases(session, size):
                announce(session, case)
                announce(session, case)
            session.commit()
        with write_session(engine) as session, statements(engine) as seen:
            made = fan_out(session, now=NOW)
            session.commit()
        counts.append(len(seen))
        assert made > size
    assert counts[0] == counts[1] <= 10


@pytest.mark.parametrize("workers", [8])
def test_many_at_once_make_each_delivery_once_and_in_order(engine: Engine, workers: int) -> None:
    with write_session(engine) as session:
        for name in ("one", "two", "three"):
            subscribe(session, name, URL)
        cases = open_cases(session, 40)
        for _ in range(5):
            for case in cases:
                announce(session, case)
        session.commit()
    gate = threading.Barrier(workers)
    made: list[int] = []

    def work() -> None:
        gate.wait(timeout=30)
        while True:
            with write_session(engine) as session:
                count = fan_out(session, now=NOW, limit=7)
                session.commit()
            if count == 0:
                return
            made.append(count)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    rows = deliveries(engine)
    assert sum(made) == len(rows) == 40 * 5 * 3
    assert Counter(row.next_attempt_at is not None for row in rows) == {True: 40 * 3, False: 40 * 4 * 3}
    assert all(row.sequence == 1 for row in rows if row.next_attempt_at is not None)
    with write_session(engine) as session:
        owed = session.exec(select(PartnerEvent.id)).all()
    assert sorted(owed) == sorted(row.partner_event_id or 0 for row in rows)


def test_a_line_that_stands_still_is_revived(session: Session) -> None:
    subscribe(session, "one", URL)
    (case,) = open_cases(session, 1)
    announce(session, case)
    announce(session, case)
    fan_out(session, now=NOW)
    first, second = session.exec(select(Delivery).order_by(col(Delivery.sequence))).all()
    assert revive(session, now=NOW) == 0
    first.next_attempt_at = None  # as somebody might do by hand
    session.flush()
    assert revive(session, now=NOW) == 1
    session.refresh(first)
    session.refresh(second)
    assert (first.next_attempt_at, second.next_attempt_at) == (NOW, None)
