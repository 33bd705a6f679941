"""Returnees in community projects: they join, leave with a reason, or complete their part. The pathway decides.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import String, select
from sqlmodel import Session, col

from models import Project, ProjectMember
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import Step, move_and_write
from states.casework.projects import OPEN, find_project, lock_projects
from states.moves import Actor, Move, Outcome, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PartWanted(Step):
    """A returnee joins a project. `code` is the new membership's own."""

    code: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnMembership(Step):
    """Something about one membership, by its code."""

    membership: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfMembership(OnMembership):
    """Somebody leaves a project; `reason` is one of the pathway's."""

    reason: str


_INSERT = SetStatement(
    "INSERT INTO project_member (code, project_id, case_id, status, joined_at, recorded_by) "
    "SELECT r.code, p.id, r.case_id, 'joined', r.at, r.by_id FROM {rows} JOIN project AS p ON p.code = r.project "
    "WHERE true",
    code=String(),
    project=String(),
    case_id=BigId,
    at=UtcDateTime(),
    by_id=BigId,
)
_END = SetStatement(
    "UPDATE project_member SET ended_at = r.at, reason = r.reason FROM {rows} WHERE project_member.code = r.code",
    code=String(),
    at=UtcDateTime(),
    reason=String(),
)


def join_projects(session: Session, wanted: Sequence[PartWanted], *, now: datetime) -> list[Outcome]:
    """Returnees join projects that are not over. Raises WrongUse for an unknown project."""
    statuses = lock_projects(session, {each.project for each in wanted})

    def move(each: PartWanted) -> Move:
        over = statuses[each.project] not in OPEN
        fired = each.fires("join_project", record=each.code, project=each.project)
        return replace(fired, objections=(_over(each.project),) if over else ())

    def write(moved: Sequence[PartWanted]) -> None:
        rows = [(each.code, each.project, each.case_id, time_text(now), each.actor.id) for each in moved]
        _INSERT.execute(session, rows)

    return move_and_write(session, wanted, move=move, write=write, now=now)


def leave_projects(session: Session, left: Sequence[EndOfMembership], *, now: datetime) -> list[Outcome]:
    """Returnees leave projects before the end, each with a reason."""

    def move(each: EndOfMembership) -> Move:
        return replace(each.fires("leave_project", record=each.membership), reason=each.reason)

    def write(moved: Sequence[EndOfMembership]) -> None:
        _END.execute(session, [(each.membership, time_text(now), each.reason) for each in moved])

    return move_and_write(session, left, move=move, write=write, now=now)


def complete_memberships(session: Session, ended: Sequence[OnMembership], *, now: datetime) -> list[Outcome]:
    """Returnees have done their part to the end."""

    def write(moved: Sequence[OnMembership]) -> None:
        _END.execute(session, [(each.membership, time_text(now), None) for each in moved])

    return move_and_write(
        session,
        ended,
        move=lambda each: each.fires("complete_membership", record=each.membership),
        write=write,
        now=now,
    )


def end_memberships(
    session: Session, project: str, *, actor: Actor, correlation_id: str, now: datetime
) -> list[Outcome]:
    """The project is over: whoever still takes part has completed it, or left when it was abandoned. One outcome for
    each returnee; nothing happens while the project goes on."""
    found = find_project(session, project)
    if found.status in OPEN:
        return []
    query = (
        select(col(ProjectMember.case_id), col(ProjectMember.code))
        .join(Project, col(Project.id) == col(ProjectMember.project_id))
        .where(
            col(Project.code) == project, col(ProjectMember.status) == "joined", col(ProjectMember.case_id).is_not(None)
        )
        .order_by(col(ProjectMember.case_id), col(ProjectMember.code))
    )
    signed = [
        {
            "case_id": case_id,
            "actor": actor,
            "command_id": f"project:{project}:{found.version}:{code}",
            "correlation_id": correlation_id,
            "membership": code,
        }
        for case_id, code in session.execute(query)
    ]
    if found.status == "completed":
        return complete_memberships(session, [OnMembership(**each) for each in signed], now=now)
    return leave_projects(session, [EndOfMembership(**each, reason="project_ended") for each in signed], now=now)


def _over(project: str) -> Reason:
    return Reason(
        "project_over",
        f"Le projet {project} est terminé ou abandonné.",
        f"The project {project} is over.",
        "project.status",
    )
