"""A partner's own stream, as it reads it by itself: what comes after a place, what it surely has, what it acknowledged.

The partner API calls it. Nothing is shown here: `projection` does that, and gives each event its position.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, update
from sqlmodel import Session, col

from integrations.sharing.still_covered import still_covered
from models.consents import Consent, ConsentStatus
from models.sharing import PartnerEvent, Showing, Way
from models.types import UtcDateTime


class StreamEvent(NamedTuple):
    """An event that was shown to the partner. `body` is what is sent on every way, unchanged."""

    uid: str
    position: int
    body: str


class Acknowledged(NamedTuple):
    """When the partner surely had an event, and when it said so."""

    received_at: datetime
    acknowledged_at: datetime


class Read(NamedTuple):
    """A page that the partner has read: the events after position `start` up to `end`, made at `at`."""

    start: int
    end: int
    at: datetime


def events_after(session: Session, partner_id: int, position: int, limit: int) -> list[StreamEvent]:
    """The next events of the partner's stream, without those that are not covered any more."""
    rows = session.execute(
        select(col(PartnerEvent.uid), col(PartnerEvent.position), col(PartnerEvent.body))
        .where(_shown(partner_id), col(PartnerEvent.position) > position, still_covered())
        .order_by(col(PartnerEvent.position))
        .limit(limit)
    )
    return [StreamEvent(*row) for row in rows]


def is_waiting(session: Session, partner_id: int) -> bool:
    """Whether something waits to be shown to the partner or withheld from it."""
    waiting = exists().where(
        col(PartnerEvent.partner_id) == partner_id, col(PartnerEvent.status) == Showing.WAITING.value
    )
    return bool(session.scalar(select(waiting)))


def event_of(session: Session, partner_id: int, uid: str) -> StreamEvent | None:
    """The event that the partner knows by this id; none when it was not shown to it, or is not covered any more."""
    row = session.execute(
        select(col(PartnerEvent.uid), col(PartnerEvent.position), col(PartnerEvent.body)).where(
            _shown(partner_id), col(PartnerEvent.uid) == uid, still_covered()
        )
    ).first()
    return None if row is None else StreamEvent(*row)


def position_of(session: Session, partner_id: int, uid: str) -> int | None:
    """The place in the partner's stream of the event that it knows by this id."""
    return session.scalar(select(col(PartnerEvent.position)).where(_shown(partner_id), col(PartnerEvent.uid) == uid))


def is_news(session: Session, partner_id: int, read: Read) -> bool:
    """Whether it is not noted yet of some event of the page that the partner has it."""
    return bool(session.scalar(select(exists().where(_unnoted(partner_id, read)))))


def note_read(session: Session, partner_id: int, read: Read, *, now: datetime) -> int:
    """The partner has received every event that was on that page; of how many that was not known.

    What somebody else is writing at this moment, such as a sender, is left to it.
    """
    ids = (
        select(col(PartnerEvent.id))
        .where(_unnoted(partner_id, read))
        .order_by(col(PartnerEvent.id))
        .with_for_update(skip_locked=True, key_share=True)
    )
    noted = session.execute(
        update(PartnerEvent)
        .where(col(PartnerEvent.id).in_(session.scalars(ids).all()))
        .values(received_at=now, received_by=Way.FEED.value)
        .execution_options(synchronize_session=False)
    )
    return int(noted.rowcount)  # type: ignore[attr-defined]


def acknowledge(session: Session, partner_id: int, uid: str, *, now: datetime) -> Acknowledged | None:
    """The partner says that it has the event; again changes nothing. None when it was never shown to it."""
    moment = literal(now, UtcDateTime())
    row = session.execute(
        update(PartnerEvent)
        .where(_shown(partner_id), col(PartnerEvent.uid) == uid)
        .values(
            received_at=func.coalesce(col(PartnerEvent.received_at), moment),
            received_by=func.coalesce(col(PartnerEvent.received_by), Way.ACKNOWLEDGEMENT.value),
            acknowledged_at=func.coalesce(col(PartnerEvent.acknowledged_at), moment),
        )
        .returning(col(PartnerEvent.received_at), col(PartnerEvent.acknowledged_at))
        .execution_options(synchronize_session=False)
    ).first()
    return None if row is None else Acknowledged(*row)


def _shown(partner_id: int) -> ColumnElement[bool]:
    return and_(col(PartnerEvent.partner_id) == partner_id, col(PartnerEvent.status) == Showing.SHOWN.value)


def _unnoted(partner_id: int, read: Read) -> ColumnElement[bool]:
    """Of the page, what has no `received_at` yet. What was left out of it, because the person had said no by then, was
    not received; what was on it was, although the person has said no since."""
    said_no_since = exists().where(
        col(Consent.case_id) == col(PartnerEvent.case_id),
        col(Consent.status) != ConsentStatus.GIVEN.value,
        or_(col(Consent.id) == col(PartnerEvent.consent_id), col(Consent.partner_id) == col(PartnerEvent.partner_id)),
        func.coalesce(col(Consent.revoked_at), col(Consent.recorded_at)) > read.at,
    )
    return and_(
        _shown(partner_id),
        col(PartnerEvent.position) > read.start,
        col(PartnerEvent.position) <= read.end,
        col(PartnerEvent.received_at).is_(None),
        or_(still_covered(), said_no_since),
    )
