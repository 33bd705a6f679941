"""What is owed to partners and what was not delivered: lists, counts, and sending again under the same id.

The command line and the demonstration's summary call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlmodel import Session, col

from integrations.webhooks.line import hold_back, lock_subscriptions, move_to_the_end, move_up
from models.case import Case
from models.errors import WrongUse
from models.partner import Attempt, Delivery, DeliveryStatus, Event, Partner, Subscription
from models.sharing import PartnerEvent


class UnknownDelivery(WrongUse):
    """No delivery has this number."""


@dataclass(frozen=True)
class DeliveryLine:
    """A delivery as lists show it. `outcome` is that of its last attempt; `outcomes.in_words` says it in words.
    `event_uid` is the partner's own id of the event; none while it was never put in line for it."""

    id: int
    partner: str
    subscription_id: int
    event_uid: str | None
    event_type: str
    case_code: str
    sequence: int
    occurred_at: datetime
    status: str
    attempts: int
    next_attempt_at: datetime | None
    finished_at: datetime | None
    dead_reason: str | None
    outcome: str | None


def list_deliveries(
    session: Session,
    *,
    status: DeliveryStatus | None = None,
    partner: str | None = None,
    case_code: str | None = None,
    limit: int = 100,
) -> list[DeliveryLine]:
    """The newest deliveries that match all that is given; `partner` is the code of one."""
    last_outcome = (
        select(col(Attempt.outcome))
        .where(col(Attempt.delivery_id) == col(Delivery.id))
        .order_by(col(Attempt.number).desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            *(
                col(Delivery.id),
                col(Partner.code),
                col(Delivery.subscription_id),
                col(PartnerEvent.uid),
                col(Event.type),
            ),
            *(col(Case.code), col(Event.sequence), col(Event.occurred_at), col(Delivery.status)),
            *(col(Delivery.attempts), col(Delivery.next_attempt_at), col(Delivery.finished_at)),
            *(col(Delivery.dead_reason), last_outcome),
        )
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .outerjoin(PartnerEvent, col(PartnerEvent.id) == col(Delivery.partner_event_id))
        .join(Case, col(Case.id) == col(Delivery.case_id))
        .join(Subscription, col(Subscription.id) == col(Delivery.subscription_id))
        .join(Partner, col(Partner.id) == col(Subscription.partner_id))
        .order_by(col(Delivery.id).desc())
        .limit(limit)
    )
    given = ((col(Delivery.status), status), (col(Partner.code), partner), (col(Case.code), case_code))
    return [
        DeliveryLine(*row)
        for row in session.execute(statement.where(*(column == value for column, value in given if value is not None)))
    ]


def count_deliveries(session: Session) -> dict[str, dict[str, int]]:
    """How many deliveries each partner (its code) has in each status; every status is there."""
    statement = (
        select(col(Partner.code), col(Delivery.status), func.count(col(Delivery.id)))
        .outerjoin(Subscription, col(Subscription.partner_id) == col(Partner.id))
        .outerjoin(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .group_by(col(Partner.code), col(Delivery.status))
        .order_by(col(Partner.code))
    )
    counts: dict[str, dict[str, int]] = {}
    for partner, status, count in session.execute(statement):
        by_status = counts.setdefault(partner, {each.value: 0 for each in DeliveryStatus})
        if status is not None:
            by_status[status] = count
    return counts


def replay_one(session: Session, delivery_id: int, *, now: datetime) -> int:
    """Send a finished delivery again, whether it arrived or not. 1, or 0 when it is still to be sent anyway."""
    if session.get(Delivery, delivery_id) is None:
        raise UnknownDelivery(
            f"There is no delivery {delivery_id}.",
            f"Il n'y a pas d'envoi {delivery_id}.",
            remedy="`segin deliveries list` shows the numbers.",
            remedy_fr="`segin deliveries list` affiche les numéros.",
        )
    return _replay(session, now, col(Delivery.id) == delivery_id, col(Delivery.finished_at).is_not(None))


def replay_dead(
    session: Session,
    *,
    now: datetime,
    partner: str | None = None,
    since: datetime | None = None,
    numbers: tuple[int, int] | None = None,
) -> int:
    """Send dead deliveries again: all that match what is given, a partner's code, the time since which their events
    happened, the first and the last number. How many, exactly."""
    wanted = _matching(DeliveryStatus.DEAD, partner, since)
    if numbers is not None:
        wanted.append(col(Delivery.id).between(*numbers))
    return _replay(session, now, *wanted)


def replay_withheld(
    session: Session, *, now: datetime, partner: str | None = None, since: datetime | None = None
) -> int:
    """The same for what was withheld: whether the partner may see it is asked anew."""
    return _replay(session, now, *_matching(DeliveryStatus.WITHHELD, partner, since))


def _matching(status: DeliveryStatus, partner: str | None, since: datetime | None) -> list[ColumnElement[bool]]:
    wanted = [col(Delivery.status) == status]
    if partner is not None:
        subscriptions = (
            select(col(Subscription.id))
            .join(Partner, col(Partner.id) == col(Subscription.partner_id))
            .where(col(Partner.code) == partner)
        )
        wanted.append(col(Delivery.subscription_id).in_(subscriptions))
    if since is not None:
        events = select(col(Event.id)).where(col(Event.occurred_at) >= since)
        wanted.append(col(Delivery.event_id).in_(events))
    return wanted


def _replay(session: Session, now: datetime, *wanted: ColumnElement[bool]) -> int:
    """Put finished deliveries back into their lines, where they go in the order of their events again; those that were
    withheld at the end, since to the partner they are newer than all that it was shown meanwhile."""
    lock_subscriptions(session, session.scalars(select(col(Subscription.id))).all())
    withheld = session.scalars(
        select(col(Delivery.id)).where(*wanted, col(Delivery.status) == DeliveryStatus.WITHHELD)
    ).all()
    again: Sequence[Row[Any]] = session.execute(
        update(Delivery)
        .where(*wanted)
        .values(
            status=DeliveryStatus.PENDING,
            replayed_after=col(Delivery.attempts),
            next_attempt_at=None,
            finished_at=None,
            dead_reason=None,
        )
        .returning(col(Delivery.subscription_id), col(Delivery.case_id))
        .execution_options(synchronize_session=False)
    ).all()
    if again:
        lines = {(row.subscription_id, row.case_id) for row in again}
        move_to_the_end(session, withheld)
        hold_back(session, lines)
        move_up(session, lines, now=now)
    return len(again)
