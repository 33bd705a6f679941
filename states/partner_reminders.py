"""Asks partners again that have not answered: an event of its own, for that partner alone, once for each that waits.

The nightly run calls it before `states.silence` tells the coordinators. What asks for an acknowledgement is reminded of
when its time is over; a referral without an answer, at half of the time that its pathway gives the partner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from models.partner import Event
from models.referrals import Referral, ReferralStatus
from models.sharing import PartnerEvent, Showing
from models.types import BigId, UtcDateTime, utc_text
from models.work import Deadline, DeadlineStatus
from states.announcements import Announcement, announce
from states.bulk import SetStatement
from states.gather import load_cases
from states.silence import unacknowledged

REMINDER: Final = "acknowledgement.due"
ASKS_OF_REFERRALS: Final = "referral.made"


class Waiting(NamedTuple):
    """An event that a partner has not answered, and until when it may once it is reminded."""

    partner_event_id: int
    case_id: int
    due_at: datetime


_LOCK = SetStatement("SELECT id FROM partner_event WHERE id IN (SELECT r.id FROM {rows}) ORDER BY id {lock}", id=BigId)
_MARK = SetStatement(
    "UPDATE partner_event SET reminded_at = r.at FROM {rows} WHERE partner_event.id = r.id "
    "AND partner_event.reminded_at IS NULL AND partner_event.acknowledged_at IS NULL RETURNING partner_event.id",
    id=BigId,
    at=UtcDateTime(),
)
_AWAITED = SetStatement(
    "SELECT o.id, o.uid, o.partner_id, e.uid FROM {rows} JOIN partner_event AS o ON o.id = r.id "
    "JOIN event AS e ON e.id = o.event_id ORDER BY o.id",
    id=BigId,
)


def remind_partners(session: Session, asks: Collection[str], *, now: datetime, limit: int) -> int:
    """Announce a reminder of up to `limit` events that wait for an answer and of which there was none; how many. 0:
    nothing is left. `asks` are the types that ask for an acknowledgement. Nobody is reminded twice, even if two runs do
    it at once. Ten statements at most."""
    never = col(PartnerEvent.reminded_at).is_(None)
    acknowledgements = (
        Waiting(each.partner_event_id, each.case_id, each.then_due_at)
        for each in unacknowledged(session, asks, now, never)
    )
    waiting = {each.partner_event_id: each for each in islice(chain(acknowledgements, _referrals(session, now)), limit)}
    if not waiting:
        return 0
    cases = load_cases(session, {each.case_id for each in waiting.values()}, lock=True)
    ids = [(id_,) for id_ in sorted(waiting)]
    _LOCK.execute(session, ids)
    at = utc_text(now)
    marked = [(id_,) for (id_,) in _MARK.execute(session, [(*id_, at) for id_ in ids])]
    events = []
    for id_, partner_uid, partner_id, uid in _AWAITED.execute(session, marked):
        case = cases[waiting[id_].case_id]
        events.append(
            Announcement(
                named=f"{partner_uid}/{REMINDER}",
                case_id=case.id,
                events=case.events,
                seq=case.version,
                type=REMINDER,
                region_pcode=case.region_pcode,
                data={"case": case.code, "event": uid, "due_at": _second(waiting[id_].due_at)},
                correlation_id=f"reminder:{at}",
                only_for=[partner_id],
            )
        )
    announce(session, events, at=now)
    return len(events)


def _referrals(session: Session, now: datetime) -> Iterator[Waiting]:
    """Referrals that were shown and have no answer at half of the time until their first deadline. One statement."""
    first: Any = func.min(col(Deadline.due_at)).label("due_at")
    query: Select[*tuple[Any, ...]] = (
        select(col(PartnerEvent.id), col(PartnerEvent.case_id), col(PartnerEvent.shown_at), first)
        .join(Event, col(Event.id) == col(PartnerEvent.event_id))
        .join(
            Referral,
            (col(Referral.code) == col(Event.data)["referral"].as_string())
            & (col(Referral.partner_id) == col(PartnerEvent.partner_id)),
        )
        .join(Deadline, (col(Deadline.case_id) == col(Referral.case_id)) & (col(Deadline.record) == col(Referral.code)))
        .where(
            *(col(Event.type) == ASKS_OF_REFERRALS, col(Referral.status) == ReferralStatus.IN_PROGRESS),
            *(col(PartnerEvent.status) == Showing.SHOWN, col(PartnerEvent.reminded_at).is_(None)),
            *(col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.kind) == "deadline"),
        )
        .group_by(col(PartnerEvent.id), col(PartnerEvent.case_id), col(PartnerEvent.shown_at))
        .order_by(col(PartnerEvent.id))
    )
    for id_, case_id, shown_at, due_at in session.execute(query):
        if now >= shown_at + (due_at - shown_at) / 2:
            yield Waiting(id_, case_id, due_at)


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
