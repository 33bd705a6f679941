"""Timers fire: each becomes a move of the system, decided and written like everybody else's.

`states.sweep` calls it for the timers that have run out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Integer
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states import bulk
from states.advance import advance_cases
from states.clocks import RunOut, sweep_correlation
from states.moves import SYSTEM, Move, OutcomeKind
from states.notices import NewNotice, NoticeKind, write_deadline_notices
from states.pathway import DeadlineTemplate, Pathway

LONGEST_WAIT_DAYS = 32
"""A refused timer is tried again after 1, 2, 4, ... days, at last once in so many: what it waits for may still come."""

_FIRE = bulk.SetStatement(
    "UPDATE deadline SET status = 'fired', closed_at = r.at FROM {rows} WHERE deadline.id = r.id",
    id=BigId,
    at=UtcDateTime(),
)
_CLOSE = bulk.SetStatement(
    "UPDATE deadline SET closed_seq = r.seq FROM {rows} WHERE deadline.id = r.id", id=BigId, seq=Integer()
)
_TRY_AGAIN = bulk.SetStatement(
    "UPDATE deadline SET status = 'open', closed_at = NULL, level = r.level, next_at = r.next_at, "
    "overdue_at = COALESCE(deadline.overdue_at, r.at) FROM {rows} WHERE deadline.id = r.id",
    id=BigId,
    level=Integer(),
    next_at=UtcDateTime(),
    at=UtcDateTime(),
)


class TimersFired(NamedTuple):
    """What became of them: moves made, moves refused, and notices of first refusals."""

    fired: int = 0
    refused: int = 0
    notices: int = 0


def fire_timers(
    session: Session, timers: Iterable[RunOut], pathways: Mapping[int, Pathway], as_of: datetime
) -> TimersFired:
    """Fire the first timer of each case; another one of the same case keeps its turn for the next chunk.

    A timer is over when it fires, before the move is decided: the transition may set it anew. A refused one goes on:
    it counts the attempts in `level`, shows as overdue since the first of them, its owner is told once, and it is
    tried again later and later. The command id makes each timer move its case at most once.
    """
    first: dict[int, RunOut] = {}
    for timer in timers:
        first.setdefault(timer.case_id, timer)
    if not first:
        return TimersFired()
    at = bulk.time_text(as_of)
    _FIRE.execute(session, [(timer.id, at) for timer in first.values()])
    templates = {timer.id: pathways[timer.pathway_version_id].deadlines[timer.key] for timer in first.values()}
    outcomes = advance_cases(session, [_move(timer, templates[timer.id], as_of) for timer in first.values()], now=as_of)
    closed, again, told = [], [], []
    for timer, outcome in zip(first.values(), outcomes, strict=True):
        if outcome.kind in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE):
            closed.append((timer.id, outcome.seq))
            continue
        next_at = as_of + timedelta(days=min(2**timer.level, LONGEST_WAIT_DAYS))
        again.append((timer.id, timer.level + 1, bulk.time_text(next_at), at))
        if timer.overdue_at is None:
            told.append(
                NewNotice(
                    *(timer.case_id, NoticeKind.TIMER_REFUSED, templates[timer.id].owner, timer.office_id, as_of),
                    deadline_id=timer.id,
                )
            )
    if closed:
        _CLOSE.execute(session, closed)
    if again:
        _TRY_AGAIN.execute(session, again)
    return TimersFired(len(closed), len(again), write_deadline_notices(session, told))


def _move(timer: RunOut, template: DeadlineTemplate, as_of: datetime) -> Move:
    return Move(
        case_id=timer.case_id,
        trigger=template.trigger or "",
        actor=SYSTEM,
        command_id=f"timer:{timer.code}:{timer.seq}:{bulk.time_text(timer.due_at)}:{timer.key}",
        correlation_id=sweep_correlation(as_of),
        reason=template.reason,
        data=template.data,
        record=timer.record,
        details=True,
    )
