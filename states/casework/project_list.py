"""What is known of community projects: the list with its counts, one project with all of it, milestones that are late.

The command line, the API and the console show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from models import Case, Project, ProjectContribution, ProjectHistory, ProjectMember, ProjectMilestone
from states.casework.projects import OPEN, find_project


class ProjectLine(NamedTuple):
    """A project with its counts: members who take part or did to the end, and what was given in all."""

    code: str
    title: str
    place: str
    region_pcode: str
    status: str
    version: int
    starts_on: date
    ends_on: date | None
    returnees: int
    community: int
    given_xof: int
    hours: int


class MemberLine(NamedTuple):
    """A member: a returnee by the code of the case, somebody of the community by a label."""

    code: str
    case: str | None
    label: str | None
    status: str
    joined_at: datetime


class MilestoneLine(NamedTuple):
    """A milestone; `days` are those by which it is late (0: it is not)."""

    project: str
    position: int
    title: str
    due_on: date
    reached_at: datetime | None
    days: int


class ProjectFile(NamedTuple):
    """Everything about one project."""

    line: ProjectLine
    members: Sequence[MemberLine]
    milestones: Sequence[MilestoneLine]
    history: Sequence[ProjectHistory]


def list_projects(session: Session, code: str | None = None) -> list[ProjectLine]:
    """Projects by code; only the one with this code, if it is given."""
    taking_part = col(ProjectMember.status).in_(("joined", "completed"))
    members = (
        select(
            col(ProjectMember.project_id),
            func.sum(case((taking_part & col(ProjectMember.case_id).is_not(None), 1), else_=0)).label("returnees"),
            func.sum(case((taking_part & col(ProjectMember.case_id).is_(None), 1), else_=0)).label("community"),
        )
        .group_by(col(ProjectMember.project_id))
        .subquery()
    )
    given = (
        select(
            col(ProjectContribution.project_id),
            func.sum(col(ProjectContribution.amount_xof)).label("given"),
            func.sum(col(ProjectContribution.hours)).label("hours"),
        )
        .group_by(col(ProjectContribution.project_id))
        .subquery()
    )
    query = (
        select(Project, members.c.returnees, members.c.community, given.c.given, given.c.hours)
        .outerjoin(members, members.c.project_id == col(Project.id))
        .outerjoin(given, given.c.project_id == col(Project.id))
        .order_by(col(Project.code))
        .execution_options(populate_existing=True)
    )
    if code is not None:
        query = query.where(col(Project.code) == code)
    return [
        ProjectLine(
            *(found.code, found.title, found.place, found.region_pcode, found.status, found.version, found.starts_on),
            *(found.ends_on, int(returnees or 0), int(community or 0), int(amount or 0), int(hours or 0)),
        )
        for found, returnees, community, amount, hours in session.execute(query)
    ]


def show_project(session: Session, code: str, today: date | None = None) -> ProjectFile:
    """One project with members, milestones (late ones as of `today`) and history. Raises WrongUse for no project."""
    project = find_project(session, code)
    (line,) = list_projects(session, code)
    members = session.execute(
        select(
            col(ProjectMember.code),
            col(Case.code),
            col(ProjectMember.label),
            col(ProjectMember.status),
            col(ProjectMember.joined_at),
        )
        .outerjoin(Case, col(Case.id) == col(ProjectMember.case_id))
        .where(col(ProjectMember.project_id) == project.id)
        .order_by(col(ProjectMember.id))
    )
    milestones = session.scalars(
        select(ProjectMilestone)
        .where(col(ProjectMilestone.project_id) == project.id)
        .order_by(col(ProjectMilestone.position))
    )
    history = session.scalars(
        select(ProjectHistory).where(col(ProjectHistory.project_id) == project.id).order_by(col(ProjectHistory.seq))
    ).all()
    return ProjectFile(
        line,
        [MemberLine(*row) for row in members],
        [_milestone(code, each, today) for each in milestones],
        history,
    )


def overdue_milestones(session: Session, today: date) -> list[MilestoneLine]:
    """Milestones of projects under way that were due before `today` and are not reached, the latest first."""
    query = (
        select(col(Project.code), ProjectMilestone)
        .join(ProjectMilestone, col(ProjectMilestone.project_id) == col(Project.id))
        .where(
            col(Project.status).in_(OPEN),
            col(ProjectMilestone.reached_at).is_(None),
            col(ProjectMilestone.due_on) < today,
        )
        .order_by(col(ProjectMilestone.due_on), col(ProjectMilestone.id))
    )
    return [_milestone(code, milestone, today) for code, milestone in session.execute(query)]


def _milestone(project: str, milestone: ProjectMilestone, today: date | None) -> MilestoneLine:
    late = today is not None and milestone.reached_at is None and milestone.due_on < today
    days = (today - milestone.due_on).days if late and today is not None else 0
    return MilestoneLine(*(project, milestone.position, milestone.title, milestone.due_on, milestone.reached_at), days)
