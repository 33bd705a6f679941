"""Writing down what became of attempts, many at a time, and what follows: the next try, the next in line, an end.

The sender calls it in each of its turns, never while a request is open in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Integer, String, update
from sqlmodel import Session, col

from integrations.webhooks.circuit import FAILS_AT_MOST, LONGEST_REST, count, is_open, rest
from integrations.webhooks.claim import Claimed
from integrations.webhooks.line import EARLIER, lock_subscriptions, move_up
from integrations.webhooks.outcomes import FAILING_TOO_LONG, FINAL, GONE, NOT_OF_ENDPOINT, OK
from integrations.webhooks.retries import next_attempt
from models.partner import Delivery, DeliveryStatus, Subscription
from models.types import BigId, UtcDateTime
from models.work import Notice
from states.bulk import SetStatement, insert_into, time_text
from states.notices import NoticeKind
from states.silence import TOLD


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt. `jitter` is a random number from 0 to 1, `retry_after` what the partner asked for."""

    claimed: Claimed
    outcome: str
    status_code: int | None
    started_at: datetime
    duration_ms: int
    jitter: float
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many attempts ended how. `late`: the lease had run out and another sender had taken over, so that nothing
    was written."""

    delivered: int = 0
    retrying: int = 0
    dead: int = 0
    late: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.delivered + other.delivered,
            self.retrying + other.retrying,
            self.dead + other.dead,
            self.late + other.late,
        )


class _Row(NamedTuple):
    """A row of `_RECORD`."""

    id: int
    lease_token: int
    status: DeliveryStatus
    number: int
    next_attempt_at: str | None
    finished_at: str | None
    dead_reason: str | None


# The lease token fences: only the sender that holds the delivery changes it, and only once, since it spends the token.
# A retry waits in line when an earlier delivery of its case was replayed meanwhile.
_RECORD = SetStatement(
    f"""UPDATE delivery SET status = r.status, attempts = r.number,
        lease_token = delivery.lease_token + 1, lease_until = NULL,
        next_attempt_at = CASE WHEN {EARLIER} THEN NULL ELSE r.next_attempt_at END,
        finished_at = r.finished_at, dead_reason = r.dead_reason
    FROM {{rows}}
    WHERE delivery.id = r.id AND delivery.lease_token = r.lease_token
    RETURNING delivery.id""",  # noqa: S608
    id=BigId,
    lease_token=Integer(),
    status=String(),
    number=Integer(),
    next_attempt_at=UtcDateTime(),
    finished_at=UtcDateTime(),
    dead_reason=String(),
)

_RELEASE = SetStatement(
    f"""UPDATE delivery SET status = 'pending', lease_token = delivery.lease_token + 1, lease_until = NULL,
        next_attempt_at = CASE WHEN {EARLIER} THEN NULL ELSE r.at END
    FROM {{rows}}
    WHERE delivery.id = r.id AND delivery.lease_token = r.lease_token""",  # noqa: S608
    id=BigId,
    lease_token=Integer(),
    at=UtcDateTime(),
)

_ATTEMPTS = insert_into("attempt", "delivery_id", "number", "started_at", "duration_ms", "status_code", "outcome")


def record(session: Session, results: Sequence[Result], *, now: datetime) -> Recorded:
    """Write the attempts and their consequences, in a number of statements that does not grow with theirs."""
    if not results:
        return Recorded()
    subscriptions = lock_subscriptions(session, {_subscription(result) for result in results})
    rows = {result.claimed.delivery_id: _row(result, now) for result in results}
    held = set(_RECORD.execute(session, [tuple(row) for row in rows.values()]).scalars())
    kept = [result for result in results if result.claimed.delivery_id in held]
    _ATTEMPTS.execute(session, [_attempt(result) for result in kept])
    move_up(session, {(_subscription(result), result.claimed.case_id) for result in kept}, now=now)
    disabled = {subscription.id for subscription in subscriptions if subscription.status == "disabled"}
    well_again = [
        subscription.id
        for subscription in subscriptions
        if _note(subscription, [result for result in kept if _subscription(result) == subscription.id], now)
    ]
    session.add_all(
        Notice(kind=NoticeKind.PARTNER_DISABLED, role=TOLD, subscription_id=subscription.id, send_at=now)
        for subscription in subscriptions
        if subscription.status == "disabled" and subscription.id not in disabled
    )
    session.flush()
    if well_again:
        _hurry(session, well_again, now)
    ended = Counter(rows[result.claimed.delivery_id].status for result in kept)
    return Recorded(
        delivered=ended[DeliveryStatus.DELIVERED],
        retrying=ended[DeliveryStatus.PENDING],
        dead=ended[DeliveryStatus.DEAD],
        late=len(results) - len(kept),
    )


def release(session: Session, unsent: Sequence[Claimed], *, now: datetime) -> None:
    """Give back deliveries that were claimed and not sent, so that another sender takes them at once."""
    if unsent:
        lock_subscriptions(session, {claimed.endpoint.subscription_id for claimed in unsent})
        _RELEASE.execute(session, [(claimed.delivery_id, claimed.lease_token, time_text(now)) for claimed in unsent])


def _row(result: Result, now: datetime) -> _Row:
    again = _again(result, now)
    if result.outcome == OK:
        status = DeliveryStatus.DELIVERED
    else:
        status = DeliveryStatus.DEAD if again is None else DeliveryStatus.PENDING
    return _Row(
        id=result.claimed.delivery_id,
        lease_token=result.claimed.lease_token,
        status=status,
        number=result.claimed.number,
        next_attempt_at=time_text(again),
        finished_at=time_text(now) if again is None else None,
        dead_reason=result.outcome if status == DeliveryStatus.DEAD else None,
    )


def _again(result: Result, now: datetime) -> datetime | None:
    if result.outcome == OK or result.outcome in FINAL:
        return None
    return next_attempt(result.claimed.round_number, now, jitter=result.jitter, retry_after=result.retry_after)


def _attempt(result: Result) -> tuple[Any, ...]:
    return (
        result.claimed.delivery_id,
        result.claimed.number,
        time_text(result.started_at),
        result.duration_ms,
        result.status_code,
        result.outcome,
    )


def _note(subscription: Subscription, results: Sequence[Result], now: datetime) -> bool:
    """What the attempts say about the endpoint itself, in the order in which they came back. Whether a probe found it
    well again after a time that was long enough to be its own fault: else what it refuses, while it takes all the rest,
    would soon have spent its attempts."""
    well_again = False
    for result in results:
        probe = result.claimed.endpoint.on_probation
        before = subscription.failures
        subscription.failures = count(before, result.outcome, claimed_at=result.claimed.endpoint.failures)
        if result.outcome == OK:
            since = subscription.failing_since
            well_again = well_again or (probe and since is not None and now - since >= LONGEST_REST)
            subscription.failing_since = None
        elif result.outcome not in NOT_OF_ENDPOINT:
            subscription.failing_since = subscription.failing_since or now
        if probe:
            subscription.not_before = None  # until now it rested for as long as the probe could take
        if is_open(subscription.failures) and subscription.failures > before:
            _wait(subscription, now, rest(subscription.failures, jitter=result.jitter))
        if result.retry_after:
            _wait(subscription, now, result.retry_after)
    if any(result.outcome == GONE for result in results):
        subscription.status, subscription.status_reason = "disabled", GONE
    elif subscription.failing_since is not None and now - subscription.failing_since > FAILS_AT_MOST:
        subscription.status, subscription.status_reason = "disabled", FAILING_TOO_LONG
    return well_again


def _wait(subscription: Subscription, now: datetime, time: timedelta) -> None:
    subscription.not_before = max(now + time, subscription.not_before or now)


def _hurry(session: Session, ids: Sequence[int | None], now: datetime) -> None:
    """What had failed and waits for its next try goes out at once: whatever kept the endpoint is over."""
    session.execute(
        update(Delivery)
        .where(
            *(col(Delivery.subscription_id).in_(ids), col(Delivery.status) == DeliveryStatus.PENDING),
            col(Delivery.next_attempt_at) > now,
        )
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def _subscription(result: Result) -> int:
    return result.claimed.endpoint.subscription_id
