"""Opens a batch, which fixes its cases, and moves them chunk by chunk. The command line commits after each chunk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, func, insert, literal, literal_column, select
from sqlmodel import Session, col

from models.batches import Batch, BatchCase, BatchStatus
from models.case import Case
from models.caseload import CaseFilter, conditions
from models.errors import WrongUse
from models.staff import Staff
from models.types import BigId, Json
from states.advance import advance_cases
from states.batches.order import Order, check_order, move_of, order_of
from states.bulk import SetStatement
from states.moves import Outcome

_SETTLE = SetStatement(
    "UPDATE batch_case SET outcome = r.outcome, reasons = r.reasons FROM {rows} "
    "WHERE batch_case.batch_id = r.batch_id AND batch_case.case_id = r.case_id",
    batch_id=BigId,
    case_id=BigId,
    outcome=String(),
    reasons=Json,
)


def open_batch(
    session: Session,
    wanted: CaseFilter,
    order: Order,
    *,
    uid: str,
    any_version: bool,
    now: datetime,
) -> Batch:
    """Fix the cases of a new batch: all that the filter finds now, with the versions that they have now.

    Nothing moves before `run_batch`. With `any_version` cases that change meanwhile are moved all the same, else they
    are reported as stale. The number of statements depends on the filter, never on how many cases it finds. Raises
    WrongUse for an order that cannot be kept, an unknown office or person.
    """
    check_order(order)
    batch = Batch(
        uid=uid,
        trigger=order.trigger,
        filter=wanted.document(),
        reason=order.reason,
        note=order.note,
        data=order.data,
        any_version=any_version,
        role=order.actor.role,
        staff_id=order.actor.id,
        created_at=now,
    )
    session.add(batch)
    session.flush()
    chosen = select(
        literal(batch.id, BigId), col(Case.id), col(Case.version), literal_column("'[]'", Json).label("reasons")
    ).where(*conditions(session, wanted))
    session.execute(insert(BatchCase).from_select(["batch_id", "case_id", "expected_version", "reasons"], chosen))
    batch.total = session.scalar(select(func.count()).where(col(BatchCase.batch_id) == batch.id)) or 0
    session.flush()
    return batch


def find_batch(session: Session, uid: str) -> Batch:
    """The batch with this code, in any letter case. Raises WrongUse when there is none."""
    found = session.scalars(select(Batch).where(col(Batch.uid) == uid.strip().upper())).one_or_none()
    if found is None:
        raise WrongUse(
            "There is no batch with this code.",
            "Aucun lot ne porte ce code.",
            remedy="`segin case batches` shows the codes.",
            remedy_fr="`segin case batches` affiche les codes.",
        )
    return found


def run_batch(session: Session, batch: Batch, *, now: datetime, limit: int) -> int:
    """Move up to `limit` cases of the batch that have no outcome yet, and return how many got one; 0: it is done.

    Commit after each chunk: the moves and their outcomes are one transaction, so that a batch which was interrupted
    goes on where it stopped, and each case moves once. Two runs at once take turns. Raises WrongUse for a batch that
    was declined, or whose author works here no more.
    """
    session.refresh(batch, with_for_update={"key_share": True})
    order = order_of(session, batch)
    rows = session.execute(
        select(col(BatchCase.case_id), col(BatchCase.expected_version))
        .where(col(BatchCase.batch_id) == batch.id, col(BatchCase.outcome).is_(None))
        .order_by(col(BatchCase.case_id))
        .limit(limit)
    ).all()
    if not rows:
        if batch.status != BatchStatus.DONE:
            _end(session, batch, BatchStatus.DONE, now)
        return 0
    batch.status = BatchStatus.RUNNING
    moves = [
        move_of(order, batch.uid, row.case_id, None if batch.any_version else row.expected_version) for row in rows
    ]
    outcomes = advance_cases(session, moves, now=now)
    _SETTLE.execute(session, [_settled(batch, outcome) for outcome in outcomes])
    return len(outcomes)


def decline_batch(session: Session, batch: Batch, *, now: datetime) -> None:
    """Nobody wants the batch: it will never run. One that was begun meanwhile goes on."""
    session.refresh(batch, with_for_update={"key_share": True})
    if batch.status == BatchStatus.PROPOSED:
        _end(session, batch, BatchStatus.DECLINED, now)


def list_batches(session: Session, *, limit: int) -> list[tuple[Batch, str | None]]:
    """The newest batches, each with the login of who ordered it (none: an operator)."""
    rows = session.execute(
        select(Batch, col(Staff.login))
        .outerjoin(Staff, col(Staff.id) == col(Batch.staff_id))
        .order_by(col(Batch.id).desc())
        .limit(limit)
    )
    return [(batch, login) for batch, login in rows]


def _end(session: Session, batch: Batch, status: BatchStatus, now: datetime) -> None:
    """What was said for the journals is in them, where it is erased when its time has come: it is not kept here too."""
    batch.status, batch.finished_at, batch.note, batch.data = status, now, None, {}
    session.flush()


def _settled(batch: Batch, outcome: Outcome) -> tuple[Any, ...]:
    return (batch.id, outcome.case_id, outcome.kind, [reason._asdict() for reason in outcome.reasons])
