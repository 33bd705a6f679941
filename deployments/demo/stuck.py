"""The cases that have been stuck the longest, and why, as `segin why` says it. Part of the demonstration's summary."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Case, Deadline, DeadlineStatus
from states.why.reasoning import why
from states.why.situations import Asked, read_situations

SHOWN: Final = 3


def most_stuck(session: Session, now: datetime) -> list[dict[str, Any]]:
    """The three cases with the oldest overdue deadline, each from another state where there are so many."""
    oldest = func.min(col(Deadline.due_at))
    late = session.execute(
        select(col(Case.id), col(Case.state), oldest)
        .join(Deadline, col(Deadline.case_id) == col(Case.id))
        .where(col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.due_at) <= now)
        .group_by(col(Case.id), col(Case.state))
        .order_by(oldest, col(Case.id))
    ).all()
    first_of_state = {row.state: row for row in reversed(late)}.values()
    chosen = sorted(first_of_state, key=lambda row: (row[2], row.id))[:SHOWN]
    chosen += [row for row in late if row not in chosen][: SHOWN - len(chosen)]
    asked = {each.case.id: each for each in read_situations(session, [row.id for row in chosen])}
    return [_document(asked[row.id], now) for row in chosen]


def _document(asked: Asked, now: datetime) -> dict[str, Any]:
    case, pathway, situation = asked
    cause = why(pathway, situation, now)
    return {
        "case": case.code,
        "state": case.state,
        "state_title": pathway.states[case.state].title._asdict(),
        "in_state_since": case.entered_state_at,
        "cause": cause.kind,
        "sentence": cause.sentence._asdict(),
    }
