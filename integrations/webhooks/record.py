"""Writing down what became of attempts, many at a time, and what follows: the next try, the next in line, an end.

The sender calls it in each of its turns, never while a request is open in the same transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, String, and_, exists, or_, select, update
from sqlmodel import Session, col

from integrations.webhooks.circuit import FAILS_AT_MOST, LONGEST_REST, count, is_open, rest
from integrations.webhooks.claim import Claimed, give_probe_back
from integrations.webhooks.line import EARLIER, lock_subscriptions, move_up
from integrations.webhooks.outcomes import FAILING_TOO_LONG, FINAL, GONE, NOT_OF_ENDPOINT, OK, WITHHELD
from integrations.webhooks.retries import next_attempt
from models.partner import Attempt, Delivery, DeliveryStatus, Subscription
from models.types import BigId, UtcDateTime
from models.work import Notice
from states.bulk import SetStatement, insert_into, time_text
from states.notices import NoticeKind
from states.silence import TOLD


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt, or that it was withheld and none was made. `jitter` is a random number from 0 to
    1, `retry_after` what the partner asked for."""

    claimed: Claimed
    outcome: str
    status_code: int | None
    started_at: datetime
    duration_ms: int
    jitter: float
    retry_after: timedelta


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many deliveries ended how. `late`: the lease had run out and another sender had taken over, so that nothing
    was written."""

    delivered: int = 0
    retrying: int = 0
    dead: int = 0
    withheld: int = 0
    late: int = 0

    def __add__(self, other: Recorded) -> Recorded:
        return Recorded(
            self.delivered + other.delivered,
            self.retrying + other.retrying,
            self.dead + other.dead,
            self.withheld + other.withheld,
            self.late + other.late,
        )


class _Row(NamedTuple):
    """A row of `_RECORD`."""

    id: int
    lease_token: int
    status: DeliveryStatus
    number: int
    ahead: int
    next_attempt_at: str | None
    finished_at: str | None
    dead_reason: str | None


# The lease token fences: only the sender that holds the delivery changes it, and only once, since it spends the token.
# A retry waits in line when an earlier delivery of its case was replayed meanwhile. A probe ahead of the schedule does
# not count in it.
_RECORD = SetStatement(
    f"""UPDATE delivery SET status = r.status, attempts = r.number,
        lease_token = delivery.lease_token + 1, lease_until = NULL,
        replayed_after = delivery.replayed_after + r.ahead,
        next_attempt_at = CASE WHEN {EARLIER} THEN NULL ELSE r.next_attempt_at END,
        finished_at = r.finished_at, dead_reason = r.dead_reason
    FROM {{rows}}
    WHERE delivery.id = r.id AND delivery.lease_token = r.lease_token
    RETURNING delivery.id""",  # noqa: S608
    id=BigId,
    lease_token=Integer(),
    status=String(),
    number=Integer(),
    ahead=Integer(),
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

_RECEIVED = SetStatement(
    """WITH taken AS MATERIALIZED (SELECT r.id, r.at FROM {rows}),
    locked AS MATERIALIZED (
        SELECT id FROM partner_event WHERE id IN (SELECT id FROM taken) AND received_at IS NULL ORDER BY id {lock})
    UPDATE partner_event SET received_at = taken.at, received_by = 'push'
    FROM locked JOIN taken ON taken.id = locked.id
    WHERE partner_event.id = locked.id AND partner_event.received_at IS NULL""",
    id=BigId,
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
    _ATTEMPTS.execute(session, [_attempt(result) for result in kept if result.outcome != WITHHELD])
    move_up(session, {(_subscription(result), result.claimed.case_id) for result in kept}, now=now)
    disabled = {subscription.id for subscription in subscriptions if subscription.status == "disabled"}
    over: dict[int | None, datetime] = {}
    for subscription in subscriptions:
        came = [result for result in kept if _subscription(result) == subscription.id]
        if (since := _note(session, subscription, came, now)) is not None:
            over[subscription.id] = since
    session.add_all(
        Notice(kind=NoticeKind.PARTNER_DISABLED, role=TOLD, subscription_id=subscription.id, send_at=now)
        for subscription in subscriptions
        if subscription.status == "disabled" and subscription.id not in disabled
    )
    session.flush()
    if over:
        _hurry(session, over, now)
    ended = Counter(rows[result.claimed.delivery_id].status for result in kept)
    return Recorded(
        delivered=ended[DeliveryStatus.DELIVERED],
        retrying=ended[DeliveryStatus.PENDING],
        dead=ended[DeliveryStatus.DEAD],
        withheld=ended[DeliveryStatus.WITHHELD],
        late=len(results) - len(kept),
    )


def note_received(session: Session, results: Sequence[Result], *, now: datetime) -> None:
    """Their partners surely have the events that they took with a 2xx, late or not.

    Call it last: other ways of sending lock a partner first and then its events, and two subscriptions of one partner
    are recorded by senders that share no lock. So these are locked in the order of their ids, and nothing after them.
    """
    ids = {result.claimed.partner_event_id for result in results if result.outcome == OK}
    if rows := sorted(id_ for id_ in ids if id_ is not None):
        _RECEIVED.execute(session, [(id_, time_text(now)) for id_ in rows])


def release(session: Session, unsent: Sequence[Claimed], *, now: datetime) -> None:
    """Give back deliveries that were claimed and not sent, so that another sender takes them at once."""
    if unsent:
        lock_subscriptions(session, {claimed.endpoint.subscription_id for claimed in unsent})
        rows = [(each.delivery_id, each.lease_token, time_text(each.planned_at or now)) for each in unsent]
        _RELEASE.execute(session, rows)
        for each in unsent:
            if each.endpoint.on_probation:
                give_probe_back(session, each.endpoint.subscription_id, each.lease_until)


def _row(result: Result, now: datetime) -> _Row:
    again = _again(result, now)
    tried = result.outcome != WITHHELD
    if result.outcome == OK:
        status = DeliveryStatus.DELIVERED
    elif not tried:
        status = DeliveryStatus.WITHHELD
    else:
        status = DeliveryStatus.DEAD if again is None else DeliveryStatus.PENDING
    return _Row(
        id=result.claimed.delivery_id,
        lease_token=result.claimed.lease_token,
        status=status,
        number=result.claimed.number - (not tried),
        ahead=int(tried and result.claimed.planned_at is not None),
        next_attempt_at=time_text(again),
        finished_at=time_text(now) if again is None else None,
        dead_reason=result.outcome if status == DeliveryStatus.DEAD else None,
    )


def _again(result: Result, now: datetime) -> datetime | None:
    if result.outcome == OK or result.outcome in FINAL:
        return None
    if result.claimed.planned_at is not None:
        return max(result.claimed.planned_at, now + result.retry_after)
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


def _note(session: Session, subscription: Subscription, results: Sequence[Result], now: datetime) -> datetime | None:
    """What the attempts say about the endpoint itself, in the order in which they came back. Since when it had been
    failing, if a probe found it well again after a time that was long enough to be its own fault."""
    over: datetime | None = None
    for result in results:
        probe = result.claimed.endpoint.on_probation
        before = subscription.failures
        subscription.failures = count(before, result.outcome, claimed_at=result.claimed.endpoint.failures)
        if result.outcome == OK:
            since = subscription.failing_since
            if probe and since is not None and now - since >= LONGEST_REST:
                over = since
            subscription.failing_since = None
        elif result.outcome not in NOT_OF_ENDPOINT:
            subscription.failing_since = min(subscription.failing_since or now, result.started_at)
        if probe:
            subscription.not_before = None  # until now it rested for as long as the probe could take
        if is_open(subscription.failures) and subscription.failures > before:
            _wait(subscription, now, rest(subscription.failures, jitter=result.jitter))
        if result.retry_after:
            _wait(subscription, now, result.retry_after)
    if any(result.outcome == GONE for result in results):
        subscription.status, subscription.status_reason = "disabled", GONE
    elif subscription.failing_since is not None and now - subscription.failing_since > FAILS_AT_MOST:
        began = min(result.started_at for result in results)
        if _asked_before(session, subscription, began):
            subscription.status, subscription.status_reason = "disabled", FAILING_TOO_LONG
        else:
            subscription.failing_since = began
    return over


def _asked_before(session: Session, subscription: Subscription, began: datetime) -> bool:
    """Whether the endpoint was asked in the days before these attempts. When nobody did, it has not failed all along:
    what failed then was given up, and nothing happened since."""
    before = and_(col(Attempt.started_at) < began, col(Attempt.started_at) >= began - FAILS_AT_MOST)
    to_it = and_(col(Delivery.id) == col(Attempt.delivery_id), col(Delivery.subscription_id) == subscription.id)
    return bool(session.scalar(select(exists().where(before, to_it))))


def _wait(subscription: Subscription, now: datetime, time: timedelta) -> None:
    subscription.not_before = max(now + time, subscription.not_before or now)


def _hurry(session: Session, over: Mapping[int | None, datetime], now: datetime) -> None:
    """What has failed only since then, by subscription, and waits for its next try goes out at once: whatever kept the
    endpoint is over. What failed before that as well it refuses while it takes the rest: hurried at each turn, that
    would soon have spent its attempts."""

    def of_it(subscription_id: int | None, since: datetime) -> ColumnElement[bool]:
        earlier = exists().where(col(Attempt.delivery_id) == col(Delivery.id), col(Attempt.started_at) < since)
        return and_(col(Delivery.subscription_id) == subscription_id, ~earlier)

    session.execute(
        update(Delivery)
        .where(
            *(col(Delivery.status) == DeliveryStatus.PENDING, col(Delivery.next_attempt_at) > now),
            or_(*(of_it(*each) for each in over.items())),
        )
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def _subscription(result: Result) -> int:
    return result.claimed.endpoint.subscription_id
