"""Who carries out what transitions left behind: claims their journal rows for a dispatch, and records what it did.

The dispatch flow and the nightly run claim, carry out (assign, arm, fan out) and finish, each part with its own commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, or_, select, update
from sqlmodel import Session, col

from models.case import JournalRow
from models.runs import Dispatch
from models.types import BigId
from states import bulk

LEASE = timedelta(minutes=5)
"""A dispatch that has not finished by then was killed: the next claim takes it over, for all of it can be repeated."""

_MARK = bulk.SetStatement(
    "UPDATE journal SET dispatch_id = r.dispatch_id FROM {rows} WHERE journal.id = r.id", id=BigId, dispatch_id=BigId
)


class Claimed(NamedTuple):
    """A dispatch, the number of transitions in it, and the cases that they moved."""

    dispatch_id: int
    case_ids: tuple[int, ...]
    transitions: int


def claim_transitions(session: Session, *, now: datetime, limit: int, flow_run_id: str | None) -> Claimed | None:
    """Take over a dispatch that was killed, or else up to `limit` undispatched transitions. None: there are none.

    Commit at once, so that every transition's journal row leads to the flow run that carries it out. `now` is the
    caller's clock.
    """
    abandoned = session.scalars(
        _abandoned(now).order_by(col(Dispatch.started_at)).limit(1).with_for_update(skip_locked=True)
    ).first()
    if abandoned is not None:
        abandoned.started_at, abandoned.flow_run_id = now, flow_run_id
        session.flush()
        return _claimed(session, abandoned)
    waiting = session.scalars(
        select(col(JournalRow.id))
        .where(col(JournalRow.dispatch_id).is_(None))
        .order_by(col(JournalRow.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()
    if not waiting:
        return None
    dispatch = Dispatch(flow_run_id=flow_run_id, started_at=now, transitions=len(waiting))
    session.add(dispatch)
    session.flush()
    _MARK.execute(session, [(id_, dispatch.id) for id_ in waiting])
    return _claimed(session, dispatch)


def finish_dispatch(
    session: Session,
    dispatch_id: int,
    *,
    now: datetime,
    flow_run_id: str | None,
    tasks_assigned: int,
    reminders_armed: int,
    deliveries_made: int,
) -> None:
    """Record what the dispatch did, unless another run has taken it over meanwhile. `now` is the caller's clock."""
    session.execute(
        update(Dispatch)
        .where(col(Dispatch.id) == dispatch_id, col(Dispatch.flow_run_id).is_not_distinct_from(flow_run_id))
        .values(
            finished_at=now,
            tasks_assigned=tasks_assigned,
            reminders_armed=reminders_armed,
            deliveries_made=deliveries_made,
        )
    )


def dispatch_waits(session: Session, *, now: datetime) -> bool:
    """Whether a claim would find something. Enough for a session that only reads, so asking takes no lock."""
    undispatched = select(col(JournalRow.id)).where(col(JournalRow.dispatch_id).is_(None))
    return bool(session.scalar(select(or_(undispatched.exists(), _abandoned(now).exists()))))


def _abandoned(now: datetime) -> Select[*tuple[Any, ...]]:
    return select(Dispatch).where(col(Dispatch.finished_at).is_(None), col(Dispatch.started_at) <= now - LEASE)


def _claimed(session: Session, dispatch: Dispatch) -> Claimed:
    case_ids = session.scalars(
        select(col(JournalRow.case_id)).where(col(JournalRow.dispatch_id) == dispatch.id).distinct()
    ).all()
    return Claimed(dispatch.id or 0, tuple(sorted(case_ids)), dispatch.transitions)
