"""What is forgotten when its time is over: technical traces, never the journal and never a case.

The nightly run calls it with the limits that the installation chose.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlmodel import Session, col

from models.calendars import Digest
from models.partner import Attempt, Delivery, DeliveryStatus
from models.sharing import PartnerEvent
from models.work import Deadline, DeadlineStatus, Notice


def forget_attempts(session: Session, *, before: datetime, limit: int) -> int:
    """Remove up to `limit` attempts, made before that instant, of deliveries that arrived; return how many."""
    arrived = select(col(Delivery.id)).where(
        col(Delivery.id) == col(Attempt.delivery_id), col(Delivery.status) == DeliveryStatus.DELIVERED
    )
    return _forget(session, Attempt, limit, col(Attempt.started_at) < before, arrived.exists())


def forget_notices(session: Session, *, before: datetime, limit: int) -> int:
    """Remove up to `limit` lines sent or cancelled before that instant; return how many.

    Those of a deadline that is still open stay, and those of an event that its partner has still not acknowledged:
    they are what keeps a line from being sent twice.
    """
    running = select(col(Deadline.id)).where(
        col(Deadline.id) == col(Notice.deadline_id),
        col(Deadline.status).in_([DeadlineStatus.OPEN, DeadlineStatus.HELD]),
    )
    silent = select(col(PartnerEvent.id)).where(
        col(PartnerEvent.id) == col(Notice.partner_event_id), col(PartnerEvent.acknowledged_at).is_(None)
    )
    over = or_(col(Notice.sent_at) < before, col(Notice.cancelled_at) < before)
    return _forget(session, Notice, limit, over, ~running.exists(), ~silent.exists())


def forget_digests(session: Session, *, before: datetime, limit: int) -> int:
    """Remove up to `limit` messages sent before that instant none of whose lines is kept; return how many."""
    kept = select(col(Notice.id)).where(col(Notice.digest_id) == col(Digest.id))
    return _forget(session, Digest, limit, col(Digest.sent_at) < before, ~kept.exists())


def _forget(
    session: Session, table: type[Attempt | Notice | Digest], limit: int, *conditions: ColumnElement[bool]
) -> int:
    old = select(col(table.id)).where(*conditions).order_by(col(table.id)).limit(limit)
    removed = session.execute(
        delete(table)
        .where(col(table.id).in_(old))
        .returning(col(table.id))
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
