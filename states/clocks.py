"""Finds the clocks that have run out. `states.sweep` and `states.timers` move them on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlmodel import Session, col

from models.case import Case, PathwayVersion
from models.types import utc_text
from models.work import Deadline, DeadlineStatus
from states.pathways.shelf import pathways_of


class RunOut(NamedTuple):
    """A clock with something to do, and what is needed of its case. The fields are columns."""

    id: int
    case_id: int
    key: str
    kind: str
    seq: int
    due_at: datetime
    level: int
    overdue_at: datetime | None
    pathway_version_id: int
    code: str
    version: int
    events: int
    office_id: int | None
    region_pcode: str | None
    record: str | None


_COLUMNS = (
    *(Deadline.id, Deadline.case_id, Deadline.key, Deadline.kind, Deadline.seq, Deadline.due_at, Deadline.level),
    *(Deadline.overdue_at, Case.pathway_version_id, Case.code, Case.version, Case.events, Case.office_id),
    *(Case.region_pcode, Deadline.record),
)


def run_out(session: Session, as_of: datetime, limit: int, *, urgent_only: bool, wait: bool) -> list[RunOut]:
    """Up to `limit` open clocks with something to do at `as_of`, the longest waiting first.

    On PostgreSQL they and their cases stay locked until the commit. Those that somebody else has locked are left out,
    or waited for with `wait`: then in the order of the cases, in which every writer locks them.
    """
    query = (
        select(*map(col, _COLUMNS))
        .join(Case, col(Case.id) == col(Deadline.case_id))
        .where(_due(as_of), of_urgent_clocks(session) if urgent_only else true())
        .order_by(*([col(Case.id)] if wait else []), col(Deadline.next_at), col(Deadline.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=not wait, of=[Case, Deadline])
    )
    return [RunOut._make(row) for row in session.execute(query)]


def urgent_waits(session: Session, *, now: datetime) -> bool:
    """Whether an urgent clock has run out. Enough for a session that only reads, so asking takes no lock."""
    query = select(col(Deadline.id)).join(Case, col(Case.id) == col(Deadline.case_id))
    return bool(session.scalar(select(query.where(_due(now), of_urgent_clocks(session)).exists())))


def of_urgent_clocks(session: Session) -> ColumnElement[bool]:
    """The condition on a case and its clock that the case's pathway calls the clock urgent."""
    versions = pathways_of(session, [id_ for id_ in session.scalars(select(col(PathwayVersion.id))) if id_ is not None])
    return or_(
        false(),
        *(
            and_(col(Case.pathway_version_id) == id_, col(Deadline.key).in_(sorted(pathway.urgent_deadlines)))
            for id_, pathway in versions.items()
            if pathway.urgent_deadlines
        ),
    )


def sweep_correlation(as_of: datetime) -> str:
    """What ties together everything that the sweep of one instant did."""
    return f"sweep:{utc_text(as_of)}"


def _due(as_of: datetime) -> ColumnElement[bool]:
    return and_(col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.next_at) <= as_of)
