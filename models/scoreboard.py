"""What each partner makes of what it is asked and told: its referrals, its events and their deliveries, as numbers.

`segin partner scoreboard` shows it, and whoever speaks with a partner reads it. Counts and hours only; nobody is named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, case, func, select, union_all
from sqlmodel import Session, col

from models.case import JournalRow
from models.partner import Attempt, Delivery, DeliveryStatus, Event, Partner, Subscription
from models.partner_access import PartnerToken
from models.referral_list import find_partner
from models.referrals import Referral, ReferralStatus
from models.sharing import PartnerEvent, Showing
from models.work import Deadline, DeadlineStatus

_FETCHED: Final = 5_000
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in hours of the clock: nights and days off count too.

    `number` times were measured (0: the rest is none). `p90` is the nearest rank: the shortest of these times within
    which nine of ten were done.
    """

    number: int = 0
    median: float | None = None
    p90: float | None = None

    @classmethod
    def of(cls, times: Iterable[timedelta]) -> Spread:
        """The spread of these times, to the hundredth of an hour."""
        hours = sorted(time / _HOUR for time in times)
        if not hours:
            return cls()
        return cls(len(hours), round(median(hours), 2), round(hours[-(-9 * len(hours) // 10) - 1], 2))


@dataclass(frozen=True, slots=True)
class ReferralScore:
    """The referrals that were made in the period, each counted once, where it stands now: `open` ones wait for an
    answer, `accepted` ones for the service. `reasons` counts the `rejected` ones by the code of why; of the `late` ones
    an open deadline has passed. An answer is timed from the making, a service from the answer."""

    made: int
    open: int
    accepted: int
    rejected: int
    done: int
    revoked: int
    expired: int
    late: int
    reasons: Mapping[str, int]
    answer_hours: Spread
    service_hours: Spread


@dataclass(frozen=True, slots=True)
class EventScore:
    """The events that were shown in the period, those of them that surely arrived (`received`), that ask for an
    acknowledgement, and that have it, which is timed from the showing."""

    shown: int
    received: int
    asking: int
    acknowledged: int
    acknowledgement_hours: Spread


@dataclass(frozen=True, slots=True)
class DeliveryScore:
    """The deliveries of the period's events by their status now, and the attempts made in the period."""

    pending: int
    sending: int
    delivered: int
    dead: int
    withheld: int
    attempts: int
    attempts_failed: int


@dataclass(frozen=True, slots=True)
class PartnerScore:
    """One partner. `silent_since` is its last sign of life, in the period or not: an answer, an acknowledgement, a
    delivery that arrived, or a use of a token (none: there never was one)."""

    partner: str
    active: bool
    referrals: ReferralScore
    events: EventScore
    deliveries: DeliveryScore
    silent_since: datetime | None


class Period(NamedTuple):
    """From an instant to another, which is not in it any more; none: without end on that side."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: Any) -> list[ColumnElement[bool]]:
        """The conditions that a column lies in it."""
        starts = [] if self.since is None else [col(moment) >= self.since]
        return starts + ([] if self.until is None else [col(moment) < self.until])


def scoreboard(
    session: Session, asks: Collection[str], *, now: datetime, period: Period, partner: str | None = None
) -> list[PartnerScore]:
    """Every partner, or the one with this code, by code. `asks` are the types of event that ask for an acknowledgement.

    Eight statements at most, however many partners there are; referrals and acknowledgements are read as a stream.
    Raises WrongUse for an unknown partner.
    """
    query = select(col(Partner.id), col(Partner.code), col(Partner.active)).order_by(col(Partner.code))
    if partner is not None:
        query = query.where(col(Partner.id) == find_partner(session, partner).id)
    partners = session.execute(query).all()
    ids = [row.id for row in partners]
    referrals = _referrals(session, ids, period, now)
    events = _events(session, ids, period, asks)
    deliveries = _deliveries(session, ids, period)
    signs = _signs(session, ids)
    return [
        PartnerScore(row.code, row.active, referrals[row.id], events[row.id], deliveries[row.id], signs.get(row.id))
        for row in partners
    ]


# When the referral was done, by the journal: the newest step, for one that was taken back may have been done again.
_RECORD: Final[Any] = col(JournalRow.data)
_DONE_AT: Final = (
    select(func.max(col(JournalRow.at)))
    .where(
        col(JournalRow.case_id) == col(Referral.case_id),
        _RECORD[("record", "kind")].as_string() == "referral",
        _RECORD[("record", "code")].as_string() == col(Referral.code),
        _RECORD[("record", "to")].as_string() == ReferralStatus.DONE,
    )
    .correlate(Referral)
    .scalar_subquery()
)


def _referrals(session: Session, ids: list[int], period: Period, now: datetime) -> dict[int, ReferralScore]:
    late = select(col(Deadline.id)).where(
        *(col(Deadline.case_id) == col(Referral.case_id), col(Deadline.record) == col(Referral.code)),
        *(col(Deadline.kind) == "deadline", col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.due_at) <= now),
    )
    query = select(
        *(col(Referral.partner_id), col(Referral.status), col(Referral.answer), col(Referral.made_at)),
        *(col(Referral.answered_at), late.correlate(Referral).exists().label("late")),
        case((col(Referral.status) == ReferralStatus.DONE, _DONE_AT)).label("done_at"),
    ).where(col(Referral.partner_id).in_(ids), *period.holds(Referral.made_at))
    statuses: dict[int, Counter[str]] = defaultdict(Counter)
    reasons: dict[int, Counter[str]] = defaultdict(Counter)
    lates: Counter[int] = Counter()
    answers: dict[int, list[timedelta]] = defaultdict(list)
    services: dict[int, list[timedelta]] = defaultdict(list)
    for row in session.execute(query, execution_options={"yield_per": _FETCHED}):
        statuses[row.partner_id][row.status] += 1
        lates[row.partner_id] += bool(row.late)
        if row.status == ReferralStatus.REJECTED and row.answer is not None:
            reasons[row.partner_id][row.answer] += 1
        if row.answered_at is not None:
            answers[row.partner_id].append(row.answered_at - row.made_at)
            if row.done_at is not None:
                services[row.partner_id].append(row.done_at - row.answered_at)
    return {
        id_: ReferralScore(
            made=statuses[id_].total(),
            open=statuses[id_][ReferralStatus.IN_PROGRESS],
            accepted=statuses[id_][ReferralStatus.ACCEPTED],
            rejected=statuses[id_][ReferralStatus.REJECTED],
            done=statuses[id_][ReferralStatus.DONE],
            revoked=statuses[id_][ReferralStatus.REVOKED],
            expired=statuses[id_][ReferralStatus.EXPIRED],
            late=lates[id_],
            reasons=dict(sorted(reasons[id_].items())),
            answer_hours=Spread.of(answers[id_]),
            service_hours=Spread.of(services[id_]),
        )
        for id_ in ids
    }


def _events(session: Session, ids: list[int], period: Period, asks: Collection[str]) -> dict[int, EventScore]:
    owner, acknowledged_at = col(PartnerEvent.partner_id), col(PartnerEvent.acknowledged_at)
    asking, acknowledged = col(Event.type).in_(asks), acknowledged_at.is_not(None)
    shown = (owner.in_(ids), col(PartnerEvent.status) == Showing.SHOWN, *period.holds(PartnerEvent.shown_at))
    joined = col(Event.id) == col(PartnerEvent.event_id)
    received = func.count(col(PartnerEvent.received_at))
    counts = select(owner, func.count(), received, func.count(case((asking, 1)))).join(Event, joined)
    times = select(owner, col(PartnerEvent.shown_at), acknowledged_at).join(Event, joined)
    numbers = {row[0]: row for row in session.execute(counts.where(*shown).group_by(owner))}
    taken: dict[int, list[timedelta]] = defaultdict(list)
    stream = session.execute(times.where(*shown, asking, acknowledged), execution_options={"yield_per": _FETCHED})
    for id_, shown_at, said_at in stream:
        taken[id_].append(said_at - shown_at)
    scores = {}
    for id_ in ids:
        _, every, arrived, asked = numbers.get(id_, (id_, 0, 0, 0))
        scores[id_] = EventScore(every, arrived, asked, len(taken[id_]), Spread.of(taken[id_]))
    return scores


def _deliveries(session: Session, ids: list[int], period: Period) -> dict[int, DeliveryScore]:
    owner = col(Subscription.partner_id)
    deliveries = (
        select(owner, col(Delivery.status), func.count())
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .where(owner.in_(ids), *period.holds(Event.occurred_at))
        .group_by(owner, col(Delivery.status))
    )
    attempts = (
        select(owner, func.count(), func.count(case((col(Attempt.outcome) != "ok", 1))))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(Attempt, col(Attempt.delivery_id) == col(Delivery.id))
        .where(owner.in_(ids), *period.holds(Attempt.started_at))
        .group_by(owner)
    )
    statuses = {(id_, status): number for id_, status, number in session.execute(deliveries)}
    tried = {row[0]: row[1:] for row in session.execute(attempts)}
    return {
        id_: DeliveryScore(*(statuses.get((id_, status), 0) for status in DeliveryStatus), *tried.get(id_, (0, 0)))
        for id_ in ids
    }


def _signs(session: Session, ids: list[int]) -> dict[int, datetime]:
    """When each partner that ever gave a sign of life gave its last. Attempts are forgotten one day, so a delivery that
    arrived tells of its own."""
    given = union_all(
        select(col(Referral.partner_id).label("partner_id"), col(Referral.answered_at).label("at")),
        select(col(PartnerEvent.partner_id), col(PartnerEvent.acknowledged_at)),
        select(col(PartnerToken.partner_id), col(PartnerToken.last_used_at)),
        select(col(Subscription.partner_id), col(Delivery.finished_at))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .where(col(Delivery.status) == DeliveryStatus.DELIVERED),
    ).subquery()
    last = select(given.c.partner_id, func.max(given.c.at)).where(given.c.partner_id.in_(ids), given.c.at.is_not(None))
    return dict(session.execute(last.group_by(given.c.partner_id)).all())
