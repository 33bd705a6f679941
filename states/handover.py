"""Takes tasks from people: one by hand, what comes due while somebody is away, all when they leave, a whole office's.

The command line calls it and commits. Each is one transaction with a fixed number of statements, and every task that
changes hands is written down in its history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session, col

from models.errors import WrongUse
from models.staff import Office, Staff
from models.staffing import Absence, AssignmentCause
from models.work import Notice, Task, TaskStatus
from models.worklist import IS_HELD, IS_OPEN, PRESSING_FIRST, find_task
from states.absences import Away, absences_of, away_now, falls_into
from states.assignment import Wanted, give_tasks, put_tasks
from states.gather import load_cases


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What became of the tasks: how many each login got, how many nobody could take, and how many stand still with
    their case and will be given when it goes on. `notices`: lines that waited for the person and now go with the tasks.
    """

    given: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    held: int = 0
    notices: int = 0


def reassign_task(session: Session, task_id: int, to: Staff, *, now: datetime, by: int | None) -> None:
    """Put one open task into the hands of a colleague of its role, whatever their office and load.

    The task stays with them until somebody gives it to another. Raises WrongUse for a task that is not open, and for
    somebody of another role, who left, or who is away now.
    """
    task = find_task(session, task_id)
    session.refresh(to, with_for_update={"read": True})  # first the person, then cases: as whoever leaves is locked
    open_, _ = _locked(session, col(Task.id) == task.id)
    if not open_:
        raise WrongUse(
            f"Task {task_id} is not open.",
            f"La tâche {task_id} n'est pas ouverte.",
            remedy="Only an open task can change hands: `segin tasks` lists them.",
            remedy_fr="Seule une tâche ouverte change de mains : `segin tasks` les affiche.",
        )
    if to.role != task.role:
        raise WrongUse(
            f"Task {task_id} is for the role {task.role}, and {to.login} is {to.role}.",
            f"La tâche {task_id} revient au rôle {task.role}, et {to.login} est {to.role}.",
            remedy=f"Choose somebody with the role {task.role}: `segin staff list`.",
            remedy_fr=f"Choisissez une personne du rôle {task.role} : `segin staff list`.",
        )
    if not to.active or away_now(absences_of(session, [to.id or 0], now).get(to.id or 0, ()), now) is not None:
        raise WrongUse(
            f"{to.login} is not at work.",
            f"{to.login} n'est pas au travail.",
            remedy="Choose somebody who is: `segin workload` shows who is away.",
            remedy_fr="Choisissez une personne présente : `segin workload` montre les absences.",
        )
    put_tasks(session, [(open_[0], to.id)], now=now, cause=AssignmentCause.BY_HAND, by=by)
    session.expire(task)


def hand_over_absence(session: Session, absence: Absence, *, now: datetime, by: int | None) -> HandedOver:
    """Give the open tasks that come due during the absence to those who are there then.

    Past due counts as due now; what is never due changes hands only when nobody knows when the person will return.
    The tasks stay with the new people; those that nobody can take wait for somebody without anybody.
    """
    away = Away(absence.from_at, absence.until_at)
    open_, _ = _locked(session, col(Task.staff_id) == absence.staff_id)
    due = [task for task in open_ if falls_into(away, task.due_at, now)]
    return _share(session, due, now=now, cause=AssignmentCause.ABSENCE, by=by)


def leave(session: Session, staff: Staff, *, now: datetime, by: int | None) -> HandedOver:
    """Somebody works here no more: from now on they get no task and no notice and cannot act.

    Their open tasks go to the others; those that stand still are given when their case goes on. Notices that wait for
    them go with the tasks, or to the role. Raises WrongUse for somebody who left before.
    """
    session.refresh(staff, with_for_update={"key_share": True})
    if not staff.active:
        raise WrongUse(
            f"{staff.login} has left already.",
            f"{staff.login} est déjà parti.",
            remedy="`segin staff list` shows who is at work.",
            remedy_fr="`segin staff list` montre qui est en poste.",
        )
    staff.active = False
    session.flush()
    open_, held = _locked(session, col(Task.staff_id) == staff.id)
    done = _share(session, open_, now=now, cause=AssignmentCause.LEFT, by=by)
    put_tasks(session, [(task, None) for task in held], now=now, cause=AssignmentCause.LEFT, by=by)
    new_owner = select(col(Task.staff_id)).where(col(Task.id) == col(Notice.task_id)).scalar_subquery()
    notices = session.execute(
        update(Notice)
        .where(col(Notice.staff_id) == staff.id, col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None))
        .values(staff_id=new_owner)
        .execution_options(synchronize_session=False)
    )
    return HandedOver(done.given, done.left, len(held), notices.rowcount)  # type: ignore[attr-defined]


def move_office(session: Session, source: Office, target: Office, *, now: datetime, by: int | None) -> HandedOver:
    """The open and held tasks of one office become another's, and its people's by the usual rule.

    The cases stay where they are: what their next transition opens is the old office's again. Raises WrongUse when the
    two are one.
    """
    if source.id == target.id:
        raise WrongUse(
            "The tasks are in this office already.",
            "Les tâches sont déjà dans ce bureau.",
            remedy="Name two different offices.",
            remedy_fr="Nommez deux bureaux différents.",
        )
    here = col(Task.office_id) == source.id
    open_, held = _locked(session, here)
    moved = [task._replace(office_id=target.id) for task in open_]
    # Nobody has them for this moment, so that the loads by which they are shared out do not count them.
    session.execute(
        update(Task)
        .where(here, IS_OPEN | IS_HELD)
        .values(office_id=target.id, staff_id=None)
        .execution_options(synchronize_session=False)
    )
    put_tasks(session, [(task, None) for task in held], now=now, cause=AssignmentCause.OFFICE_MOVED, by=by)
    done = _share(session, moved, now=now, cause=AssignmentCause.OFFICE_MOVED, by=by)
    return HandedOver(done.given, done.left, len(held))


def _locked(session: Session, which: ColumnElement[bool]) -> tuple[list[Wanted], list[Wanted]]:
    """The open and the held tasks, the most pressing first, which nobody else changes until the commit.

    Their cases are locked before them, as every writer does, so that no two wait for each other.
    """
    case_ids = session.scalars(select(col(Task.case_id)).where(which, IS_OPEN | IS_HELD).distinct()).all()
    load_cases(session, case_ids, lock=True)
    rows = session.execute(
        select(
            *(col(Task.id), col(Task.case_id), col(Task.role), col(Task.office_id), col(Task.due_at)),
            *(col(Task.priority), col(Task.staff_id), col(Task.status)),
        )
        .where(which, IS_OPEN | IS_HELD)
        .order_by(*PRESSING_FIRST)
        .with_for_update(key_share=True, of=Task)
    ).all()
    return (
        [Wanted(*row[:-1]) for row in rows if row.status == TaskStatus.OPEN],
        [Wanted(*row[:-1]) for row in rows if row.status == TaskStatus.HELD],
    )


def _share(
    session: Session, tasks: Sequence[Wanted], *, now: datetime, cause: AssignmentCause, by: int | None
) -> HandedOver:
    owners = Counter(give_tasks(session, tasks, now=now, cause=cause, by=by))
    left = owners.pop(None, 0)
    people = session.execute(select(col(Staff.id), col(Staff.login)).where(col(Staff.id).in_(owners)))
    logins = {person.id: person.login for person in people}
    return HandedOver({logins[id_]: number for id_, number in owners.most_common()}, left)
