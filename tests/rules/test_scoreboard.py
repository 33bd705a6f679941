"""The scoreboard: each number by the real acts of staff and partners, against a naive count of random rows, at the same
cost for many partners. All of it is synthetic."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partner_cases import PartnerCases, open_partner_cases
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from synthetic_cases import START

from integrations.webhooks.subscriptions import new_secret
from models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    JournalRow,
    Partner,
    PartnerEvent,
    PartnerToken,
    Referral,
    Subscription,
    WrongUse,
)
from models.scoreboard import PartnerScore, Period, Spread, scoreboard
from states.silence import ASKS

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVER = Period()
TYPES = ("case.advanced", "consent.revoked", "case.corrected")


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def scores(session: Session, *, now: datetime = START, period: Period = EVER) -> dict[str, PartnerScore]:
    return {score.partner: score for score in scoreboard(session, ASKS, now=now, period=period)}


def test_referrals_are_counted_where_they_stand_and_timed_by_what_happened(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    served, slow, refused, full, withdrawn, waiting = (cases.refer(cases.clinic) for _ in range(6))
    urgent = cases.refer(cases.clinic, priority="emergency")
    taken = cases.refer(cases.workshop)
    cases.answer(served, "accepted", now=START + 2 * HOUR)
    cases.answer(served, "done", now=START + 12 * HOUR)
    cases.answer(slow, "accepted", now=START + 5 * HOUR)
    cases.answer(refused, "rejected", reason="no_capacity", now=START + HOUR)
    cases.answer(full, "rejected", reason="no_capacity", now=START + 30 * HOUR)
    cases.answer(withdrawn, "revoked", reason="served_elsewhere", now=START + 3 * HOUR)
    cases.answer(taken, "accepted", now=START + HOUR)
    assert cases.referral(waiting).status == cases.referral(urgent).status == "in_progress"

    seen = scores(cases.session, now=START + 2 * DAY)
    assert list(seen) == ["atelier", "clinique", "refuge"]
    clinic = seen["clinique"].referrals
    assert (clinic.made, clinic.open, clinic.accepted, clinic.rejected) == (7, 2, 1, 2)
    assert (clinic.done, clinic.revoked, clinic.expired, clinic.late) == (1, 1, 0, 1)
    assert clinic.reasons == {"no_capacity": 2}
    assert clinic.answer_hours == Spread(4, 3.5, 30.0)
    assert clinic.service_hours == Spread(1, 10.0, 10.0)
    assert seen["clinique"].silent_since == START + 30 * HOUR
    assert (seen["atelier"].referrals.accepted, seen["atelier"].silent_since) == (1, START + HOUR)
    assert (seen["refuge"].referrals.made, seen["refuge"].silent_since) == (0, None)
    (alone,) = scoreboard(cases.session, ASKS, now=START + 2 * DAY, period=EVER, partner="clinique")
    assert alone == seen["clinique"]
    with pytest.raises(WrongUse):
        scoreboard(cases.session, ASKS, now=START, period=EVER, partner="personne")


def test_a_period_begins_with_its_first_instant_and_ends_before_its_last(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    for hours in (0, 1, 2):
        cases.refer(cases.clinic, now=START + hours * HOUR)

    def made(since: int | None, until: int | None) -> int:
        period = Period(*(None if end is None else START + end * HOUR for end in (since, until)))
        return scores(cases.session, period=period)["clinique"].referrals.made

    assert [made(None, None), made(1, None), made(None, 1), made(1, 2), made(3, None)] == [3, 2, 1, 1, 0]


def test_a_service_that_was_taken_back_and_done_again_is_timed_to_the_last(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    code = cases.refer(cases.clinic)
    cases.answer(code, "accepted", now=START + HOUR)
    cases.answer(code, "done", now=START + 5 * HOUR)
    cases.advance("correct", reason="wrong_entry", note="fictif", now=START + 6 * HOUR)
    assert cases.referral(code).status == "accepted"
    assert scores(cases.session)["clinique"].referrals.service_hours == Spread()
    cases.answer(code, "done", now=START + 9 * HOUR)
    assert scores(cases.session)["clinique"].referrals.service_hours == Spread(1, 8.0, 8.0)


@given(st.lists(st.integers(0, 10**7), max_size=60))
def test_a_spread_is_the_median_and_the_time_within_which_nine_of_ten_were_done(seconds: list[int]) -> None:
    seen = Spread.of(timedelta(seconds=each) for each in seconds)
    if not seconds:
        assert seen == Spread(0, None, None)
        return
    assert seen.number == len(seconds)
    assert seen.median == round(median(each / 3600 for each in seconds), 2)
    enough = min(each for each in seconds if sum(other <= each for other in seconds) * 10 >= 9 * len(seconds))
    assert seen.p90 == round(enough / 3600, 2)


def _chance(random: Random, moment: Callable[[], datetime], share: float = 0.6) -> datetime | None:
    return moment() if random.random() < share else None


def _later(random: Random, since: datetime, hours: int) -> datetime | None:
    return _chance(random, lambda: since + random.randint(1, hours) * HOUR)


def _crowd(cases: PartnerCases, seed: int, partners: int = 4, each: int = 25) -> None:
    """Events, deliveries, attempts, referrals and tokens of some more partners, at random."""
    session, random = cases.session, Random(seed)

    def moment() -> datetime:
        return START + timedelta(minutes=random.randint(0, 10_000))

    row = cases.newest_row()
    for number in range(partners):
        partner = Partner(code=f"p{seed}-{number}", name="Fictif", created_at=START)
        session.add(partner)
        session.flush()
        its = partner.id or 0
        secret = new_secret(random.randbytes)
        line = Subscription(partner_id=its, url="https://partner.example.org", secret=secret, created_at=START)
        session.add(line)
        session.add(
            PartnerToken(
                partner_id=its,
                title="t",
                prefix=f"{seed}-{number}",
                digest="",
                created_at=START,
                expires_at=START,
                last_used_at=_chance(random, moment),
            )
        )
        session.flush()
        for index in range(each):
            name = f"{seed}-{number}-{index}"
            happened = Event(
                uid=name,
                case_id=cases.case_id,
                sequence=10_000 * (seed + 1) + number * each + index,
                seq=row.seq,
                type=random.choice(TYPES),
                occurred_at=moment(),
                correlation_id="test",
            )
            session.add(happened)
            session.flush()
            shown = _chance(random, moment)
            session.add(
                PartnerEvent(
                    partner_id=its,
                    uid=f"evt-{name}",
                    event_id=happened.id or 0,
                    case_id=cases.case_id,
                    status="shown" if shown else random.choice(["waiting", "withheld"]),
                    shown_at=shown,
                    received_at=shown and _chance(random, moment),
                    acknowledged_at=shown and _later(random, shown, 99),
                )
            )
            status = random.choice(list(DeliveryStatus))
            delivery = Delivery(
                event_id=happened.id or 0,
                subscription_id=line.id or 0,
                case_id=cases.case_id,
                sequence=happened.sequence,
                status=status,
                finished_at=moment() if status in ("delivered", "dead", "withheld") else None,
            )
            session.add(delivery)
            session.flush()
            for tried in range(random.randint(0, 3)):
                session.add(
                    Attempt(
                        delivery_id=delivery.id or 0,
                        number=tried + 1,
                        started_at=moment(),
                        duration_ms=5,
                        outcome=random.choice(["ok", "http_500", "timeout"]),
                    )
                )
            made = moment()
            answered = _later(random, made, 300)
            session.add(
                Referral(
                    partner_id=its,
                    code=name,
                    case_id=cases.case_id,
                    status=random.choice(["in_progress", "accepted", "rejected", "revoked", "expired"]),
                    answer=random.choice([None, "no_capacity", "out_of_area"]),
                    made_at=made,
                    answered_at=answered,
                )
            )
    session.flush()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("period", [EVER, Period(START + DAY, START + 4 * DAY), Period(until=START + 2 * DAY)])
def test_each_number_is_that_of_a_naive_count(cases: PartnerCases, seed: int, period: Period) -> None:
    _crowd(cases, seed)
    session = cases.session

    def within(at: datetime | None) -> bool:
        return at is not None and (period.since or START) <= at < (period.until or START + 1000 * DAY)

    events = {each.id: each for each in session.exec(select(Event))}
    lines = {each.id: each.partner_id for each in session.exec(select(Subscription))}
    deliveries = {each.id: each for each in session.exec(select(Delivery))}
    seen = scores(session, period=period)
    for partner in session.exec(select(Partner)).all():
        score, its = seen[partner.code], partner.id
        made = [each for each in session.exec(select(Referral)) if each.partner_id == its and within(each.made_at)]
        assert score.referrals.made == len(made)
        for status, name in (("in_progress", "open"), *((each, each) for each in ("accepted", "rejected", "expired"))):
            assert getattr(score.referrals, name) == sum(each.status == status for each in made)
        whys = [each.answer for each in made if each.status == "rejected" and each.answer]
        assert score.referrals.reasons == {why: whys.count(why) for why in whys}
        assert score.referrals.answer_hours == Spread.of(
            each.answered_at - each.made_at for each in made if each.answered_at
        )
        owed = [each for each in session.exec(select(PartnerEvent)) if each.partner_id == its]
        shown = [each for each in owed if each.status == "shown" and within(each.shown_at)]
        asking = [each for each in shown if events[each.event_id].type in ASKS]
        said = [
            each.acknowledged_at - each.shown_at
            for each in asking
            if each.acknowledged_at and each.shown_at is not None
        ]
        numbers = (len(shown), sum(each.received_at is not None for each in shown), len(asking), len(said))
        assert (score.events.shown, score.events.received, score.events.asking, score.events.acknowledged) == numbers
        assert score.events.acknowledgement_hours == Spread.of(said)
        sent = [each for each in deliveries.values() if lines[each.subscription_id] == its]
        for status in DeliveryStatus:
            assert getattr(score.deliveries, status) == sum(
                each.status == status and within(events[each.event_id].occurred_at) for each in sent
            )
        tried = [
            each
            for each in session.exec(select(Attempt))
            if lines[deliveries[each.delivery_id].subscription_id] == its and within(each.started_at)
        ]
        assert score.deliveries.attempts == len(tried)
        assert score.deliveries.attempts_failed == sum(each.outcome != "ok" for each in tried)
        signs = [each.answered_at for each in session.exec(select(Referral)) if each.partner_id == its]
        signs += [each.acknowledged_at for each in owed]
        signs += [each.finished_at for each in sent if each.status == "delivered"]
        signs += [each.last_used_at for each in session.exec(select(PartnerToken)) if each.partner_id == its]
        assert score.silent_since == max((at for at in signs if at is not None), default=None)


def test_many_partners_cost_the_same_statements(cases: PartnerCases, engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for seed, partners in ((1, 1), (2, 30)):
        _crowd(cases, seed, partners, each=4)
        seen.clear()
        assert len(scores(cases.session)) >= partners
        counts.append(len(seen))
    assert counts == [7, 7]


def test_nobody_is_named(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    code = cases.refer(cases.clinic, reason="Motif fictif", contact="Bureau fictif")
    said = str(scores(cases.session))
    rows = cases.session.exec(select(JournalRow).where(col(JournalRow.case_id) == cases.case_id)).all()
    assert rows
    assert not any(word in said for word in (code, "fictif", cases.caseload.case(cases.case_id).code))
