"""Queries over the caseload: pages of cases, one case in full, open tasks. Every edge uses these same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from models.case import Case, JournalRow
from models.errors import WrongUse
from models.returnee import Returnee
from models.staff import Office, Staff
from models.work import Deadline, DeadlineStatus, Task, TaskStatus


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases: every field that is set narrows the list. `overdue` means at least one open deadline passed."""

    state: str | None = None
    region: str | None = None
    office: str | None = None
    priority: str | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list, with its open tasks and its open deadlines that have passed."""

    case: Case
    open_tasks: int
    overdue: int


def find_case(session: Session, code: str) -> Case:
    """The case with this code, in any letter case. Raises WrongUse when there is none."""
    found = session.scalars(select(Case).where(col(Case.code) == code.strip().upper())).one_or_none()
    if found is None:
        raise WrongUse(
            "There is no case with this code.",
            "Aucun dossier ne porte ce code.",
            remedy="`segin case list` shows the codes.",
            remedy_fr="`segin case list` affiche les codes.",
        )
    return found


def list_cases(session: Session, wanted: CaseFilter, *, limit: int, after: str | None = None) -> list[CaseLine]:
    """A page of at most `limit` cases in order of registration, beginning after the case with the code `after`."""
    query = select(Case).order_by(col(Case.id)).limit(limit)
    if after is not None:
        query = query.where(col(Case.id) > find_case(session, after).id)
    if wanted.state is not None:
        query = query.where(col(Case.state) == wanted.state)
    if wanted.region is not None:
        query = query.where(col(Case.region_pcode) == wanted.region)
    if wanted.office is not None:
        query = query.where(col(Case.office_id) == find_office(session, wanted.office).id)
    if wanted.priority is not None:
        query = query.where(col(Case.priority) == wanted.priority)
    if wanted.overdue:
        late = select(col(Deadline.id)).where(col(Deadline.case_id) == col(Case.id), _overdue())
        query = query.where(late.exists())
    cases = session.scalars(query).all()
    ids = [case.id for case in cases]
    tasks = _counts(session, Task, ids, col(Task.status) == TaskStatus.OPEN)
    overdue = _counts(session, Deadline, ids, _overdue())
    return [CaseLine(case, tasks.get(case.id, 0), overdue.get(case.id, 0)) for case in cases]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case in full: the person, its journal in order, all tasks and deadlines, the newest first."""

    case: Case
    returnee: Returnee
    office: Office | None
    journal: Sequence[JournalRow]
    tasks: Sequence[Task]
    deadlines: Sequence[Deadline]


def case_file(session: Session, code: str) -> CaseFile:
    """Everything about one case. Raises WrongUse for an unknown code."""
    case = find_case(session, code)
    return CaseFile(
        case=case,
        returnee=session.get_one(Returnee, case.returnee_id),
        office=None if case.office_id is None else session.get_one(Office, case.office_id),
        journal=session.scalars(
            select(JournalRow).where(col(JournalRow.case_id) == case.id).order_by(col(JournalRow.seq))
        ).all(),
        tasks=session.scalars(select(Task).where(col(Task.case_id) == case.id).order_by(col(Task.id).desc())).all(),
        deadlines=session.scalars(
            select(Deadline).where(col(Deadline.case_id) == case.id).order_by(col(Deadline.id).desc())
        ).all(),
    )


@dataclass(frozen=True, slots=True)
class TaskLine:
    """An open task with the code of its case and the login of whoever has it."""

    task: Task
    case_code: str
    login: str | None


def list_tasks(
    session: Session,
    *,
    limit: int,
    login: str | None = None,
    role: str | None = None,
    office: str | None = None,
    overdue_at: datetime | None = None,
) -> list[TaskLine]:
    """Open tasks, the most pressing first (without a due time last). `overdue_at`: only those due before it."""
    query = (
        select(Task, col(Case.code), col(Staff.login))
        .join(Case, col(Case.id) == col(Task.case_id))
        .outerjoin(Staff, col(Staff.id) == col(Task.staff_id))
        .where(col(Task.status) == TaskStatus.OPEN)
        .order_by(col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))
        .limit(limit)
    )
    if login is not None:
        query = query.where(col(Task.staff_id) == find_staff(session, login).id)
    if role is not None:
        query = query.where(col(Task.role) == role)
    if office is not None:
        query = query.where(col(Task.office_id) == find_office(session, office).id)
    if overdue_at is not None:
        query = query.where(col(Task.due_at) < overdue_at)
    return [TaskLine(task, code, who) for task, code, who in session.execute(query)]


def find_staff(session: Session, login: str) -> Staff:
    """The member of staff with this login. Raises WrongUse when there is none."""
    found = session.scalars(select(Staff).where(col(Staff.login) == login)).one_or_none()
    if found is None:
        raise WrongUse(
            f"There is no member of staff with the login {login}.",
            f"Aucun membre du personnel n'a l'identifiant {login}.",
            remedy="`segin staff list` shows the logins.",
            remedy_fr="`segin staff list` affiche les identifiants.",
        )
    return found


def find_office(session: Session, code: str) -> Office:
    """The office with this code. Raises WrongUse when there is none."""
    found = session.scalars(select(Office).where(col(Office.code) == code)).one_or_none()
    if found is None:
        raise WrongUse(
            f"There is no office with the code {code}.",
            f"Aucun bureau n'a le code {code}.",
            remedy="`segin staff list` shows the offices.",
            remedy_fr="`segin staff list` affiche les bureaux.",
        )
    return found


def _overdue() -> ColumnElement[bool]:
    return (col(Deadline.status) == DeadlineStatus.OPEN) & col(Deadline.overdue_at).is_not(None)


def _counts(
    session: Session, table: type[Task] | type[Deadline], case_ids: Sequence[int | None], which: ColumnElement[bool]
) -> dict[int | None, int]:
    rows = session.execute(
        select(col(table.case_id), func.count())
        .where(col(table.case_id).in_(case_ids), which)
        .group_by(col(table.case_id))
    )
    return dict(rows.tuples().all())
