"""What is to be handed over to a subscription by e-mail or into its folder, and writing down what became of it.

`hand_over` calls it, in short transactions before and after each message or file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from integrations.notices import outcomes
from integrations.notices.tables import Line
from integrations.sharing.still_covered import still_covered
from integrations.sharing.wanted import RECEIVING, wants
from models.partner import Channel, Event, Partner, Subscription
from models.sharing import PartnerEvent, Showing

CHANNELS: Final = (Channel.EMAIL, Channel.DROP)

_OLD: Any = aliased(Event, name="old")
_STREAM: Final[Select[*tuple[Any, ...]]] = (
    select(
        *(col(PartnerEvent.id), col(PartnerEvent.position), col(PartnerEvent.body), still_covered().label("covered")),
        *(col(Event.type), col(Event.region_pcode), col(Event.only_for), col(Event.corrects)),
        *(_OLD.type.label("old_type"), _OLD.region_pcode.label("old_region"), _OLD.only_for.label("old_only_for")),
    )
    .join(Event, col(Event.id) == col(PartnerEvent.event_id))
    .outerjoin(_OLD, _OLD.uid == col(Event.corrects))
    .order_by(col(PartnerEvent.position))
)
"""Events of a stream in order, each with the one that it takes back."""


class Due(NamedTuple):
    """An active subscription of an active partner that is served once a night."""

    id: int
    partner_id: int
    partner: str
    channel: str


@dataclass(frozen=True)
class Parcel:
    """What goes out at once: the events of the subscription from position `first` to `last`, those left out that it did
    not ask for or that may not be sent any more."""

    subscription_id: int
    target: str
    language: str
    first: int
    last: int
    lines: Sequence[Line] = field(repr=False)


def due_subscriptions(session: Session) -> list[Due]:
    """All of them, in the order of their numbers."""
    query = (
        select(*(col(each) for each in (Subscription.id, Subscription.partner_id, Partner.code, Subscription.channel)))
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .where(col(Subscription.channel).in_(CHANNELS), col(Subscription.status) == "active", col(Partner.active))
        .order_by(col(Subscription.id))
    )
    return [Due(*row) for row in session.execute(query)]


def make_parcel(session: Session, subscription_id: int, *, limit: int) -> Parcel | None:
    """The next parcel, of at most `limit` events; none when everything that was shown has been handed over.

    It is noted as offered. One of which nobody knows whether it arrived is made again with the same positions.
    """
    subscription = _locked(session, subscription_id)
    query = _STREAM.where(
        *(col(PartnerEvent.partner_id) == subscription.partner_id, col(PartnerEvent.status) == Showing.SHOWN),
        col(PartnerEvent.position) > subscription.cursor,
    )
    again = subscription.offered is not None
    query = query.where(col(PartnerEvent.position) <= subscription.offered) if again else query.limit(limit)
    rows = session.execute(query).all()
    if not rows:
        return None
    others = _others(session, subscription)
    last = subscription.offered = subscription.offered or rows[-1].position
    session.flush()
    return Parcel(
        subscription_id=subscription_id,
        target=subscription.url,
        language=subscription.language,
        first=subscription.cursor + 1,
        last=last,
        lines=[
            Line(row.id, row.position, row.body) for row in rows if row.covered and _is_for(subscription, others, row)
        ],
    )


def settle(session: Session, parcel: Parcel, outcome: str, *, now: datetime) -> None:
    """Move on when it arrived; when it surely did not, let the next one begin where it began."""
    subscription = _locked(session, parcel.subscription_id)
    if outcome == outcomes.OK:
        subscription.cursor = parcel.last
        subscription.failing_since = None if parcel.lines else subscription.failing_since
        _received(session, [line.id for line in parcel.lines], subscription.channel, now)
    else:
        subscription.failing_since = subscription.failing_since or now
    if outcome not in outcomes.NOT_KNOWN:
        subscription.offered = None
    session.flush()


def _received(session: Session, ids: Sequence[int], way: str, now: datetime) -> None:
    """Note that the partner has these, the first time only, and by which way, which is called like its channel. Locked
    in order, for a sender may be noting the same."""
    new = select(col(PartnerEvent.id)).where(col(PartnerEvent.id).in_(ids), col(PartnerEvent.received_at).is_(None))
    locked = session.scalars(new.order_by(col(PartnerEvent.id)).with_for_update(key_share=True)).all()
    session.execute(
        update(PartnerEvent)
        .where(col(PartnerEvent.id).in_(locked))
        .values(received_at=now, received_by=way)
        .execution_options(synchronize_session=False)
    )


def _locked(session: Session, subscription_id: int) -> Subscription:
    query = select(Subscription).where(col(Subscription.id) == subscription_id)
    return session.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def _others(session: Session, subscription: Subscription) -> Sequence[Subscription]:
    """The partner's other subscriptions that receive something."""
    return session.scalars(
        select(Subscription).where(
            *(col(Subscription.partner_id) == subscription.partner_id, col(Subscription.id) != subscription.id),
            col(Subscription.status).in_(RECEIVING),
        )
    ).all()


def _is_for(subscription: Subscription, others: Sequence[Subscription], row: Row[Any]) -> bool:
    """Whether the subscription gets the event: as fan-out has it, what concerns a certain partner reaches it whatever
    it leaves out, and what takes an event back goes where that event went."""
    event_type, region, only_for = row.type, row.region_pcode, row.only_for
    if row.corrects is not None and row.old_type is not None:
        event_type, region, only_for = row.old_type, row.old_region, row.old_only_for
    if wants(subscription, event_type, region):
        return True
    return only_for is not None and not any(wants(each, event_type, region) for each in others)
