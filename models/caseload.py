"""Queries over the caseload: which cases, how many, a page of them, one in full. Every edge uses these same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from models.case import Case, JournalRow, PathwayVersion
from models.errors import WrongUse
from models.returnee import Returnee
from models.staff import Office, Staff
from models.work import Deadline, DeadlineStatus, Task, TaskStatus


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases: every field that is set narrows the list, the days and instants included.

    `overdue` means at least one open deadline passed, `assignee` somebody (by login) with an open task of the case,
    `hold_reason` the code with which the present hold began, `pathway_version` the number of the version that the case
    runs on. `still_since`: nothing at all has happened to the case after that instant.
    """

    state: str | None = None
    region: str | None = None
    office: str | None = None
    priority: str | None = None
    overdue: bool = False
    assignee: str | None = None
    hold_reason: str | None = None
    pathway_version: int | None = None
    arrived_from: date | None = None
    arrived_to: date | None = None
    registered_until: datetime | None = None
    in_state_since: datetime | None = None
    still_since: datetime | None = None

    def document(self) -> dict[str, str | int | bool]:
        """The fields that are set, as JSON."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in given.items()
            if value is not None and value is not False
        }


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
    """A page of at most `limit` cases in order of registration, beginning after the case with the code `after`.

    Raises WrongUse for an unknown office, person or case.
    """
    query = select(Case).where(*conditions(session, wanted)).order_by(col(Case.id)).limit(limit)
    if after is not None:
        query = query.where(col(Case.id) > find_case(session, after).id)
    cases = session.scalars(query).all()
    ids = [case.id for case in cases]
    tasks = _counts(session, Task, ids, col(Task.status) == TaskStatus.OPEN)
    overdue = _counts(session, Deadline, ids, _overdue())
    return [CaseLine(case, tasks.get(case.id, 0), overdue.get(case.id, 0)) for case in cases]


def count_cases(session: Session, wanted: CaseFilter) -> int:
    """How many cases the whole list has, over all pages. Raises WrongUse for an unknown office or person."""
    query = select(func.count()).select_from(Case).where(*conditions(session, wanted))
    return int(session.execute(query).scalar_one())


def conditions(session: Session, wanted: CaseFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on a query of cases: lists, counts and batch moves use these same ones."""
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(col(Case.state) == wanted.state)
    if wanted.region is not None:
        found.append(col(Case.region_pcode) == wanted.region)
    if wanted.office is not None:
        found.append(col(Case.office_id) == find_office(session, wanted.office).id)
    if wanted.priority is not None:
        found.append(col(Case.priority) == wanted.priority)
    if wanted.overdue:
        found.append(_some(Deadline, _overdue()))
    if wanted.assignee is not None:
        theirs = col(Task.staff_id) == find_staff(session, wanted.assignee).id
        found.append(_some(Task, theirs, col(Task.status) == TaskStatus.OPEN))
    if wanted.hold_reason is not None:
        began = (col(JournalRow.at) == col(Case.held_at), col(JournalRow.reason) == wanted.hold_reason)
        found.append(_some(JournalRow, *began, col(JournalRow.from_state) != col(JournalRow.to_state)))
    if wanted.pathway_version is not None:
        versions = select(col(PathwayVersion.id)).where(col(PathwayVersion.version) == wanted.pathway_version)
        found.append(col(Case.pathway_version_id).in_(versions))
    if wanted.arrived_from is not None:
        found.append(col(Case.arrival_date) >= wanted.arrived_from)
    if wanted.arrived_to is not None:
        found.append(col(Case.arrival_date) <= wanted.arrived_to)
    if wanted.registered_until is not None:
        found.append(col(Case.registered_at) <= wanted.registered_until)
    if wanted.in_state_since is not None:
        found.append(col(Case.entered_state_at) <= wanted.in_state_since)
    if wanted.still_since is not None:
        newest = (col(JournalRow.seq) == col(Case.version), col(JournalRow.at) <= wanted.still_since)
        found.append(_some(JournalRow, *newest))
    return found


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


def _some(table: type[Task] | type[Deadline] | type[JournalRow], *which: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(col(table.id)).where(col(table.case_id) == col(Case.id), *which).exists()


def _counts(
    session: Session, table: type[Task] | type[Deadline], case_ids: Sequence[int | None], which: ColumnElement[bool]
) -> dict[int | None, int]:
    rows = session.execute(
        select(col(table.case_id), func.count())
        .where(col(table.case_id).in_(case_ids), which)
        .group_by(col(table.case_id))
    )
    return dict(rows.all())
