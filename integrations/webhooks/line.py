"""The line in which the deliveries of one subscription and case wait: only the first unfinished one has a time.

Whatever adds a delivery to a line or takes one out of it (fan-out, resuming, record, replay) locks the subscriptions
first and moves the line up afterwards, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, text, update
from sqlmodel import Session, col, select

from models.partner import Delivery, Subscription
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text

Line = tuple[int | None, int]
"""(subscription id, case id)."""

EARLIER: Final = """EXISTS (
    SELECT 1 FROM delivery AS earlier
    WHERE earlier.subscription_id = delivery.subscription_id AND earlier.case_id = delivery.case_id
      AND earlier.sequence <= delivery.sequence AND earlier.finished_at IS NULL
      AND (earlier.sequence < delivery.sequence OR earlier.id < delivery.id))"""
"""SQL condition: a delivery ahead of this one in its line is not finished."""

# Materialized, so that PostgreSQL looks up the first of each line instead of joining all that waits.
_MOVE_UP = SetStatement(
    """WITH first AS MATERIALIZED (
        SELECT r.at, (
            SELECT id FROM delivery AS waiting
            WHERE waiting.subscription_id = r.subscription_id AND waiting.case_id = r.case_id
              AND waiting.finished_at IS NULL
            ORDER BY waiting.sequence, waiting.id LIMIT 1) AS id
        FROM {rows})
    UPDATE delivery SET next_attempt_at = first.at FROM first
    WHERE delivery.id = first.id AND delivery.next_attempt_at IS NULL""",
    subscription_id=BigId,
    case_id=BigId,
    at=UtcDateTime(),
)

_HOLD_BACK = SetStatement(
    f"""UPDATE delivery SET next_attempt_at = NULL FROM {{rows}}
    WHERE delivery.subscription_id = r.subscription_id AND delivery.case_id = r.case_id
      AND delivery.status = 'pending' AND delivery.next_attempt_at IS NOT NULL AND {EARLIER}""",  # noqa: S608
    subscription_id=BigId,
    case_id=BigId,
)


_TO_THE_END = SetStatement(
    """UPDATE delivery SET sequence = 1 + (
        SELECT MAX(line.sequence) FROM delivery AS line
        WHERE line.subscription_id = delivery.subscription_id AND line.case_id = delivery.case_id
          AND line.finished_at IS NULL)
    FROM {rows} WHERE delivery.id = r.id""",
    id=BigId,
)


def lock_subscriptions(session: Session, ids: Collection[int | None]) -> Sequence[Subscription]:
    """These subscriptions, locked in the order of their ids until the transaction ends.

    Without the lock a delivery could join a line on PostgreSQL in the moment in which the one ahead of it is finished:
    neither transaction would see the other's row, and nobody would ever move the line up.
    """
    statement = select(Subscription).where(col(Subscription.id).in_(ids)).order_by(col(Subscription.id))
    locked = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.exec(locked).all()


def move_up(session: Session, lines: Collection[Line], *, now: datetime) -> None:
    """Give the first of each line, when it waits, its turn."""
    _MOVE_UP.execute(session, [(*line, time_text(now)) for line in lines])


def hold_back(session: Session, lines: Collection[Line]) -> None:
    """Make those that have an unfinished one ahead of them (since a replay) wait, unless they are on their way."""
    _HOLD_BACK.execute(session, list(lines))


def move_to_the_end(session: Session, ids: Collection[int | None]) -> None:
    """Let these unfinished deliveries come after all others of their lines."""
    _TO_THE_END.execute(session, [(id_,) for id_ in ids])


def revive(session: Session, *, now: datetime) -> int:
    """Give its turn to the first of any line that stands still, which no code path should leave behind. How many.

    The nightly run calls it, so that a row changed by hand does not silence a case for ever.
    """
    lock_subscriptions(session, session.exec(select(col(Subscription.id))).all())
    stuck = (
        update(Delivery)
        .where(col(Delivery.finished_at).is_(None), col(Delivery.next_attempt_at).is_(None), text(f"NOT {EARLIER}"))
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", session.execute(stuck)).rowcount
