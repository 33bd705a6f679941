"""Gives open tasks to the people who do such work: by role, then office, then who has least to do.

The dispatch of a transition calls it for the cases that moved, the nightly run for whatever nobody could take before.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, case, func, or_, select
from sqlmodel import Session, col

from models.staff import Staff
from models.types import BigId
from models.work import Task, TaskStatus
from states import bulk
from states.notices import NewNotice, NoticeKind, write_task_notices

EMERGENCY = "emergency"

_GIVE = bulk.SetStatement(
    "UPDATE task SET staff_id = r.staff_id FROM {rows} WHERE task.id = r.id", id=BigId, staff_id=BigId
)


class Colleague(NamedTuple):
    """Somebody who can take tasks: `office_id` none is everywhere, `load` counts the open tasks."""

    id: int
    role: str
    office_id: int | None
    load: int


def assign_tasks(session: Session, *, case_ids: Sequence[int] | None, now: datetime, limit: int) -> int:
    """Assign up to `limit` open tasks that nobody has, of these cases or (none) of all, and return how many.

    A task goes to an active member of staff of its role in the case's office; if the office has none, to one of the
    role who belongs to no office; else it stays without anybody until there is somebody. Whoever has the fewest open
    tasks gets it (at equal load the lowest id), the emergencies and what is due first coming first.

    Only an emergency is announced, at once: an office that takes in a convoy would drown in notices of the rest,
    which its people find in the digest of their tasks. Four statements, however many tasks.
    """
    tasks = session.execute(_takeable(case_ids, limit)).all()
    if not tasks:
        return 0
    owners = share_out(
        [(task.role, task.office_id) for task in tasks], _colleagues(session, {task.role for task in tasks})
    )
    _GIVE.execute(session, [(task.id, staff_id) for task, staff_id in zip(tasks, owners, strict=True)])
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
                staff_id=staff_id,
                sent_at=now,
            )
            for task, staff_id in zip(tasks, owners, strict=True)
            if task.priority == EMERGENCY
        ],
    )
    return len(tasks)


def share_out(wanted: Sequence[tuple[str, int | None]], colleagues: Sequence[Colleague]) -> list[int]:
    """Who takes each task, as ids of colleagues in the order of `wanted`: (role, office or none).

    Every task must have somebody who can take it. Deterministic, and fair within the batch too.
    """
    pools: dict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
    for colleague in colleagues:
        pools[colleague.role, colleague.office_id].append((colleague.load, colleague.id))
    for pool in pools.values():
        heapq.heapify(pool)
    owners = []
    for role, office_id in wanted:
        pool = pools.get((role, office_id)) or pools[role, None]
        load, owner = pool[0]
        heapq.heapreplace(pool, (load + 1, owner))
        owners.append(owner)
    return owners


def _takeable(case_ids: Sequence[int] | None, limit: int) -> Select[*tuple[Any, ...]]:
    someone = select(col(Staff.id)).where(
        col(Staff.active),
        col(Staff.role) == col(Task.role),
        or_(col(Staff.office_id) == col(Task.office_id), col(Staff.office_id).is_(None)),
    )
    urgency = case((col(Task.priority) == EMERGENCY, 0), (col(Task.priority) == "urgent", 1), else_=2)
    query = (
        select(col(Task.id), col(Task.case_id), col(Task.role), col(Task.office_id), col(Task.priority))
        .where(col(Task.status) == TaskStatus.OPEN, col(Task.staff_id).is_(None), someone.exists())
        .order_by(urgency, col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Task)
    )
    return query if case_ids is None else query.where(col(Task.case_id).in_(case_ids))


def _colleagues(session: Session, roles: set[str]) -> list[Colleague]:
    rows = session.execute(
        select(col(Staff.id), col(Staff.role), col(Staff.office_id), func.count(col(Task.id)))
        .outerjoin(Task, and_(col(Task.staff_id) == col(Staff.id), col(Task.status) == TaskStatus.OPEN))
        .where(col(Staff.active), col(Staff.role).in_(sorted(roles)))
        .group_by(col(Staff.id), col(Staff.role), col(Staff.office_id))
    )
    return [Colleague(*row) for row in rows]
