"""Gives open tasks to the people who do such work: by role, then office, then who has least to do and is there.

The dispatch of a transition calls it for the cases that moved, the nightly run for whatever nobody could take before;
`states.handover` gives what it takes from somebody to the others in the same way.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session, col

from models.staff import Staff
from models.staffing import Absence, AssignmentCause
from models.types import BigId
from models.work import Task
from models.worklist import IS_OPEN, PRESSING_FIRST
from states import bulk
from states.absences import Away, absence_keeps_away, absences_of, keeps_away
from states.notices import NewNotice, NoticeKind, write_task_notices

EMERGENCY = "emergency"

_GIVE = bulk.SetStatement(
    "UPDATE task SET staff_id = r.staff_id FROM {rows} WHERE task.id = r.id", id=BigId, staff_id=BigId
)
_WRITE_DOWN = bulk.insert_into(
    "task_assignment", "task_id", "from_staff_id", "to_staff_id", "at", "by_staff_id", "cause"
)


class Colleague(NamedTuple):
    """Somebody who can take tasks: `office_id` none is everywhere, `load` counts the open tasks."""

    id: int
    role: str
    office_id: int | None
    load: int
    away: tuple[Away, ...] = ()


class Wanted(NamedTuple):
    """A task that somebody is to have, now with `from_staff_id` (none: with nobody)."""

    id: int
    case_id: int
    role: str
    office_id: int | None
    due_at: datetime | None
    priority: str
    from_staff_id: int | None = None


def assign_tasks(session: Session, *, case_ids: Sequence[int] | None, now: datetime, limit: int) -> int:
    """Assign up to `limit` open tasks that nobody has, of these cases or (none) of all, and return how many.

    A task goes to an active member of staff of its role in the case's office whom no absence keeps from it; if the
    office has none, to one of the role who belongs to no office; else it stays without anybody until there is
    somebody. Whoever has the fewest open tasks gets it (at equal load the lowest id), the emergencies and what is due
    first coming first.

    Only an emergency is announced, at once: an office that takes in a convoy would drown in notices of the rest,
    which its people find in the digest of their tasks. Seven statements, however many tasks.
    """
    tasks = [Wanted(*task) for task in session.execute(_takeable(case_ids, now, limit))]
    return sum(owner is not None for owner in give_tasks(session, tasks, now=now, cause=AssignmentCause.TURN, by=None))


def give_tasks(
    session: Session, tasks: Sequence[Wanted], *, now: datetime, cause: AssignmentCause, by: int | None
) -> list[int | None]:
    """Share locked tasks out, in their order, write it down and say who has each now (none: nobody could take it).

    Whoever is leaving or being sent away at this moment is passed over.
    """
    if not tasks:
        return []
    owners = share_out(tasks, _colleagues(session, tasks, now), now)
    put_tasks(session, list(zip(tasks, owners, strict=True)), now=now, cause=cause, by=by)
    return owners


def put_tasks(
    session: Session,
    owners: Sequence[tuple[Wanted, int | None]],
    *,
    now: datetime,
    cause: AssignmentCause,
    by: int | None,
) -> None:
    """Put each locked task with its new owner (none: with nobody), write it down and announce the emergencies."""
    if not owners:
        return
    moved = [(task, owner) for task, owner in owners if owner != task.from_staff_id]
    at = bulk.time_text(now)
    _GIVE.execute(session, [(task.id, owner) for task, owner in owners])
    _WRITE_DOWN.execute(session, [(task.id, task.from_staff_id, owner, at, by, cause) for task, owner in moved])
    write_task_notices(
        session,
        [
            NewNotice(
                task.case_id,
                NoticeKind.ASSIGNED,
                task.role,
                task.office_id,
                now,
                task_id=task.id,
                staff_id=owner,
                sent_at=now,
            )
            for task, owner in moved
            if task.priority == EMERGENCY and owner is not None
        ],
    )


def share_out(tasks: Sequence[Wanted], colleagues: Sequence[Colleague], now: datetime) -> list[int | None]:
    """Who takes each task, as ids of colleagues in the order of `tasks`; none where nobody can.

    Deterministic, and fair within the batch too.
    """
    pools: dict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
    for colleague in colleagues:
        pools[colleague.role, colleague.office_id].append((colleague.load, colleague.id))
    for pool in pools.values():
        heapq.heapify(pool)
    away = {colleague.id: colleague.away for colleague in colleagues}
    owners: list[int | None] = []
    for task in tasks:
        owner = None
        for place in dict.fromkeys(((task.role, task.office_id), (task.role, None))):
            owner = owner or _least_busy(pools[place], away, task.due_at, now)
        owners.append(owner)
    return owners


def _least_busy(
    pool: list[tuple[int, int]], away: dict[int, tuple[Away, ...]], due_at: datetime | None, now: datetime
) -> int | None:
    """Whoever of the pool has least to do and can take the task; the pool counts it."""
    passed: list[tuple[int, int]] = []
    owner = None
    while pool and owner is None:
        load, id_ = heapq.heappop(pool)
        if any(keeps_away(absence, due_at, now) for absence in away[id_]):
            passed.append((load, id_))
        else:
            owner = id_
            passed.append((load + 1, id_))
    for each in passed:
        heapq.heappush(pool, each)
    return owner


def _takeable(case_ids: Sequence[int] | None, now: datetime, limit: int) -> Select[*tuple[Any, ...]]:
    kept_away = (
        select(col(Absence.id))
        .where(col(Absence.staff_id) == col(Staff.id), absence_keeps_away(now))
        .correlate(Staff, Task)
    )
    someone = (
        select(col(Staff.id))
        .where(
            col(Staff.active),
            col(Staff.role) == col(Task.role),
            or_(col(Staff.office_id) == col(Task.office_id), col(Staff.office_id).is_(None)),
            ~kept_away.exists(),
        )
        .correlate(Task)
    )
    query = (
        select(
            *(col(Task.id), col(Task.case_id), col(Task.role), col(Task.office_id), col(Task.due_at)),
            col(Task.priority),
        )
        .where(IS_OPEN, col(Task.staff_id).is_(None), someone.exists())
        .order_by(*PRESSING_FIRST)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Task)
    )
    return query if case_ids is None else query.where(col(Task.case_id).in_(case_ids))


def _colleagues(session: Session, tasks: Sequence[Wanted], now: datetime) -> list[Colleague]:
    """Who can take such tasks. Nobody of them can leave before the tasks are theirs; who leaves at this very moment is
    passed over."""
    people = session.execute(
        select(col(Staff.id), col(Staff.role), col(Staff.office_id))
        .where(
            col(Staff.active),
            col(Staff.role).in_(sorted({task.role for task in tasks})),
            or_(col(Staff.office_id).in_({task.office_id for task in tasks} - {None}), col(Staff.office_id).is_(None)),
        )
        .order_by(col(Staff.id))
        .with_for_update(read=True, skip_locked=True, of=Staff)
    ).all()
    ids = [person.id for person in people]
    counted = session.execute(
        select(col(Task.staff_id), func.count().label("load"))
        .where(col(Task.staff_id).in_(ids), IS_OPEN)
        .group_by(col(Task.staff_id))
    )
    loads = {row.staff_id: row.load for row in counted}
    away = absences_of(session, ids, now)
    return [Colleague(id_, role, office_id, loads.get(id_, 0), away.get(id_, ())) for id_, role, office_id in people]
