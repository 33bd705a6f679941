"""The one definition of a task list: which tasks are open, overdue or due, of whom, and in what order.

Lists, their counts and the workload (`models.workload`) are made of it, so that no two screens disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlmodel import Session, col

from models.case import Case
from models.caseload import find_office, find_staff
from models.errors import WrongUse
from models.staff import Staff
from models.staffing import TaskAssignment
from models.work import Task, TaskStatus

# Written into the statement: SQLite uses a partial index only where it sees the index's own condition.
IS_OPEN: Final = col(Task.status) == literal(TaskStatus.OPEN.value, literal_execute=True)
IS_HELD: Final = col(Task.status) == literal(TaskStatus.HELD.value, literal_execute=True)
IS_CURRENT: Final = or_(IS_OPEN, IS_HELD)

URGENCY: Final[ColumnElement[int]] = case(
    (col(Task.priority) == "emergency", 0), (col(Task.priority) == "urgent", 1), else_=2
)
PRESSING_FIRST: Final = (URGENCY, col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))
"""The order of every task list: emergencies, then urgent ones, each by when it is due (never: last)."""


class Today(NamedTuple):
    """The present instant, the end of this day and the end of the seventh day from today, as the programme counts."""

    now: datetime
    ends: datetime
    week_ends: datetime

    @classmethod
    def at(cls, now: datetime, tz: ZoneInfo) -> Today:
        today = now.astimezone(tz).date()
        ends, week_ends = (datetime.combine(today + timedelta(days=days), time(), tz) for days in (1, 7))
        return cls(now, ends, week_ends)


class Which(StrEnum):
    """The columns of the workload. All are open tasks but `held`, which stand still with their case.

    `today` and `week` (today and the six days after it) are those not yet overdue.
    """

    OPEN = "open"
    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"
    HELD = "held"
    EMERGENCY = "emergency"

    def condition(self, today: Today) -> ColumnElement[bool]:
        """What such a task fulfils."""
        due_at = col(Task.due_at)
        match self:
            case Which.OPEN:
                return IS_OPEN
            case Which.OVERDUE:
                return and_(IS_OPEN, due_at < today.now)
            case Which.TODAY:
                return and_(IS_OPEN, due_at >= today.now, due_at < today.ends)
            case Which.WEEK:
                return and_(IS_OPEN, due_at >= today.now, due_at < today.week_ends)
            case Which.HELD:
                return IS_HELD
            case Which.EMERGENCY:
                return and_(IS_OPEN, col(Task.priority) == "emergency")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks: every field that is set narrows the list. `state` is the case's, `unassigned` means nobody's."""

    which: Which = Which.OPEN
    login: str | None = None
    role: str | None = None
    office: str | None = None
    unassigned: bool = False
    state: str | None = None
    priority: str | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task with the code of its case and the login of whoever has it."""

    task: Task
    case_code: str
    login: str | None


def list_tasks(
    session: Session, wanted: TaskFilter, *, today: Today, limit: int, after: int | None = None
) -> list[TaskLine]:
    """A page of at most `limit` tasks, the most pressing first, beginning after the task with the number `after`.

    Raises WrongUse for an unknown person, office or task.
    """
    query = (
        select(Task, col(Case.code), col(Staff.login))
        .join(Case, col(Case.id) == col(Task.case_id))
        .outerjoin(Staff, col(Staff.id) == col(Task.staff_id))
        .where(*_conditions(session, wanted, today))
        .order_by(*PRESSING_FIRST)
        .limit(limit)
    )
    if after is not None:
        query = query.where(_comes_after(session, find_task(session, after)))
    return [TaskLine(task, code, who) for task, code, who in session.execute(query)]


def count_tasks(session: Session, wanted: TaskFilter, *, today: Today) -> int:
    """How many tasks the whole list has, over all pages."""
    query = select(func.count()).select_from(Task).where(*_conditions(session, wanted, today))
    return int(session.execute(query).scalar_one())


def find_task(session: Session, task_id: int) -> Task:
    """The task with this number. Raises WrongUse when there is none."""
    task = session.get(Task, task_id)
    if task is None:
        raise WrongUse(
            f"There is no task {task_id}.",
            f"La tâche {task_id} n'existe pas.",
            remedy="`segin tasks` shows the numbers.",
            remedy_fr="`segin tasks` affiche les numéros.",
        )
    return task


@dataclass(frozen=True, slots=True)
class AssignmentLine:
    """One entry of a task's history: from whom to whom, and by whom (none: by Segin)."""

    at: datetime
    giver: str | None
    taker: str | None
    by: str | None
    cause: str


def task_history(session: Session, task_id: int) -> list[AssignmentLine]:
    """Who had the task, the oldest entry first. Raises WrongUse for an unknown task."""
    find_task(session, task_id)
    entries = session.scalars(
        select(TaskAssignment).where(col(TaskAssignment.task_id) == task_id).order_by(col(TaskAssignment.id))
    ).all()
    ids = {id_ for each in entries for id_ in (each.from_staff_id, each.to_staff_id, each.by_staff_id)}
    people = session.execute(select(col(Staff.id), col(Staff.login)).where(col(Staff.id).in_(ids - {None})))
    logins: dict[int | None, str] = {person.id: person.login for person in people}
    return [
        AssignmentLine(
            at=each.at,
            giver=logins.get(each.from_staff_id),
            taker=logins.get(each.to_staff_id),
            by=logins.get(each.by_staff_id),
            cause=each.cause,
        )
        for each in entries
    ]


def _conditions(session: Session, wanted: TaskFilter, today: Today) -> list[ColumnElement[bool]]:
    conditions = [wanted.which.condition(today)]
    if wanted.login is not None:
        conditions.append(col(Task.staff_id) == find_staff(session, wanted.login).id)
    if wanted.unassigned:
        conditions.append(col(Task.staff_id).is_(None))
    if wanted.role is not None:
        conditions.append(col(Task.role) == wanted.role)
    if wanted.office is not None:
        conditions.append(col(Task.office_id) == find_office(session, wanted.office).id)
    if wanted.state is not None:
        conditions.append(col(Task.case_id).in_(select(col(Case.id)).where(col(Case.state) == wanted.state)))
    if wanted.priority is not None:
        conditions.append(col(Task.priority) == wanted.priority)
    if wanted.due_before is not None:
        conditions.append(col(Task.due_at) < wanted.due_before)
    return conditions


def _comes_after(session: Session, task: Task) -> ColumnElement[bool]:
    """What stands behind this task in the order of the lists."""
    rank = session.execute(select(URGENCY).where(col(Task.id) == task.id)).scalar_one()
    never, due_at, id_ = col(Task.due_at).is_(None), col(Task.due_at), col(Task.id)
    if task.due_at is None:
        behind: Any = and_(never, id_ > task.id)
    else:
        behind = or_(never, due_at > task.due_at, and_(due_at == task.due_at, id_ > task.id))
    return or_(rank < URGENCY, and_(rank == URGENCY, behind))
