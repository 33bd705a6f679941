"""Community projects as staff record them: how far a project is, who takes part, what is given, what was reached.

The console, the API and the command line call it and commit. A returnee's part is a record of the pathway; a project
itself belongs to no case: its version is compared and set, with a row of its history in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import String, select, update
from sqlmodel import Session, col

from models import Project, ProjectContribution, ProjectHistory, ProjectMember, ProjectMilestone
from models.errors import WrongUse
from states.bulk import SetStatement
from states.moves import Actor

ProjectStatus = Literal["planned", "active", "completed", "abandoned"]

OPEN: Final = ("planned", "active")
"""Where a project still changes: it becomes active, then completed; it can be abandoned as long as it is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A project as it is agreed with a community."""

    code: str
    title: str
    region_pcode: str
    place: str
    starts_on: date
    ends_on: date | None = None
    district_pcode: str | None = None
    partner_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityMember:
    """Somebody of the community, under a label; no name is kept. `code` is the membership's own."""

    code: str
    label: str
    sex: Literal["F", "M"] | None = None
    age_group: Literal["under_18", "18_25", "26_35", "36_59", "60_plus"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What somebody gives: a member (by the code of the membership), a partner, or the village as a whole (neither)."""

    kind: Literal["cash", "labour", "materials"]
    given_on: date
    amount_xof: int | None = None
    hours: int | None = None
    member: str | None = None
    partner_id: int | None = None


_LOCK = SetStatement(
    "SELECT code, status FROM project WHERE code IN (SELECT r.code FROM {rows}) ORDER BY id {lock}",
    code=String(),
)


def add_project(session: Session, project: NewProject, *, actor: Actor, now: datetime) -> Project:
    """Write a planned project. Raises WrongUse for a code that is taken, and for an end before the beginning."""
    if project.ends_on is not None and project.ends_on < project.starts_on:
        raise WrongUse("A project ends after it begins.", "Un projet finit après avoir commencé.")
    if session.scalars(select(Project).where(col(Project.code) == project.code)).first() is not None:
        raise WrongUse(
            f"There is a project {project.code} already.",
            f"Le projet {project.code} existe déjà.",
            remedy="Choose another code, or see `segin project list`.",
            remedy_fr="Choisissez un autre code, ou voyez `segin project list`.",
        )
    made = Project(
        code=project.code,
        title=project.title,
        region_pcode=project.region_pcode,
        district_pcode=project.district_pcode,
        place=project.place,
        partner_id=project.partner_id,
        starts_on=project.starts_on,
        ends_on=project.ends_on,
        created_by=actor.id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    _note(session, made, "created", None, made.status, None, actor, now)
    return made


def find_project(session: Session, code: str) -> Project:
    """The project with this code, as it is now. Raises WrongUse when there is none."""
    query = select(Project).where(col(Project.code) == code)
    found = session.scalars(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise _no_project(code)
    return found


def lock_projects(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """The statuses of these projects, by code; none of them ends until the commit. Raises WrongUse for an unknown one.

    Projects are locked before the cases that take part in them, as when one ends."""
    wanted = sorted(set(codes))
    found = {row[0]: row[1] for row in _LOCK.execute(session, [(code,) for code in wanted])}
    for code in wanted:
        if code not in found:
            raise _no_project(code)
    return found


def set_status(
    session: Session,
    code: str,
    to: ProjectStatus,
    *,
    expected_version: int,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> Project:
    """Take a project on: active, then completed; or abandoned, with a reason.

    Raises WrongUse when that is not its next step, and when somebody else changed it since `expected_version`.
    Members keep their part until `states.casework.memberships` ends it.
    """
    project = find_project(session, code)
    steps = {"active": ("planned",), "completed": ("active",), "abandoned": OPEN}
    if project.status not in steps.get(to, ()):
        raise WrongUse(
            f"The project {code} is {project.status}: it cannot become {to}.",
            f"Le projet {code} est à l'étape « {project.status} » : il ne peut pas passer à « {to} ».",
        )
    if to == "abandoned" and not reason:
        raise WrongUse("Say why the project is abandoned.", "Dites pourquoi le projet est abandonné.")
    return _change(session, project, expected_version, "status", to, reason, actor, now)


def add_community_members(
    session: Session, code: str, members: Sequence[CommunityMember], *, actor: Actor, now: datetime
) -> None:
    """People of the community take part. Raises WrongUse for a project that is over and for a label that is taken."""
    project = _open_project(session, code)
    labels = [each.label for each in members]
    query = select(col(ProjectMember.label)).where(
        col(ProjectMember.project_id) == project.id, col(ProjectMember.label).in_(labels)
    )
    if len(set(labels)) != len(labels) or session.scalars(query).first() is not None:
        raise WrongUse("Each member of the community has a label of their own.", "Chaque membre a son étiquette.")
    _change(session, project, project.version, "members_joined", project.status, None, actor, now)
    session.add_all(
        ProjectMember(
            code=each.code,
            project_id=_id(project),
            label=each.label,
            sex=each.sex,
            age_group=each.age_group,
            joined_at=now,
            recorded_by=actor.id,
        )
        for each in members
    )
    session.flush()


def record_contributions(
    session: Session, code: str, given: Sequence[Contribution], *, actor: Actor, now: datetime
) -> None:
    """Write what was given: an amount in whole francs for cash and materials, hours for labour.

    Raises WrongUse for anything else, for a project that is over, and for a member of another project.
    """
    project = _open_project(session, code)
    wanted = {each.member for each in given if each.member is not None}
    query = select(ProjectMember).where(
        col(ProjectMember.project_id) == project.id, col(ProjectMember.code).in_(wanted)
    )
    members = {each.code: each.id for each in session.scalars(query)}
    for each in given:
        number, other = (each.hours, each.amount_xof) if each.kind == "labour" else (each.amount_xof, each.hours)
        if type(number) is not int or number < 1 or other is not None:
            raise WrongUse(
                "Labour is counted in hours, cash and materials in whole francs.",
                "Le travail se compte en heures, l'argent et les matériaux en francs entiers.",
            )
        if each.given_on > now.date() or (each.member is not None and each.member not in members):
            raise WrongUse(
                "A contribution was given already, by a member of this project, a partner or the village.",
                "Une contribution a déjà été donnée, par un membre de ce projet, un partenaire ou le village.",
            )
    _change(session, project, project.version, "contributions", project.status, None, actor, now)
    session.add_all(
        ProjectContribution(
            project_id=_id(project),
            member_id=members.get(each.member or ""),
            partner_id=each.partner_id,
            kind=each.kind,
            amount_xof=each.amount_xof,
            hours=each.hours,
            given_on=each.given_on,
            recorded_by=actor.id,
            recorded_at=now,
        )
        for each in given
    )
    session.flush()


def add_milestone(session: Session, code: str, title: str, due_on: date, *, actor: Actor, now: datetime) -> int:
    """Add a milestone; its number in the project, from 1. Raises WrongUse for a project that is over."""
    project = _open_project(session, code)
    query = select(ProjectMilestone).where(col(ProjectMilestone.project_id) == project.id)
    position = len(session.scalars(query).all()) + 1
    _change(session, project, project.version, "milestone_added", project.status, None, actor, now)
    session.add(ProjectMilestone(project_id=_id(project), position=position, title=title, due_on=due_on))
    session.flush()
    return position


def reach_milestone(session: Session, code: str, position: int, proof: str, *, actor: Actor, now: datetime) -> None:
    """A milestone is reached, with a reference to what proves it. Raises WrongUse when there is none to reach."""
    project = _open_project(session, code)
    query = select(ProjectMilestone).where(
        col(ProjectMilestone.project_id) == project.id,
        col(ProjectMilestone.position) == position,
        col(ProjectMilestone.reached_at).is_(None),
    )
    milestone = session.scalars(query).first()
    if milestone is None or not proof.strip():
        raise WrongUse(
            "There is no such milestone to be reached, or its proof is missing.",
            "Il n'y a pas de tel jalon à atteindre, ou sa preuve manque.",
        )
    _change(session, project, project.version, "milestone_reached", project.status, None, actor, now)
    milestone.reached_at, milestone.proof = now, proof
    session.flush()


def _open_project(session: Session, code: str) -> Project:
    project = find_project(session, code)
    if project.status not in OPEN:
        raise WrongUse(f"The project {code} is {project.status}.", f"Le projet {code} est terminé ou abandonné.")
    return project


def _no_project(code: str) -> WrongUse:
    return WrongUse(
        f"There is no project {code}.",
        f"Le projet {code} n'existe pas.",
        remedy="See `segin project list`.",
        remedy_fr="Voyez `segin project list`.",
    )


def _change(
    session: Session,
    project: Project,
    version: int,
    what: str,
    to: str,
    reason: str | None,
    actor: Actor,
    now: datetime,
) -> Project:
    """Compare and set the version, and note it in the history."""
    before = project.status
    changed = session.execute(
        update(Project)
        .where(col(Project.id) == project.id, col(Project.version) == version)
        .values(status=to, version=version + 1)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongUse(
            f"Somebody else has changed the project {project.code} meanwhile.",
            f"Quelqu'un d'autre a modifié le projet {project.code} entre-temps.",
            remedy="Look at it again, and decide again.",
            remedy_fr="Relisez-le, puis décidez à nouveau.",
        )
    session.refresh(project)
    _note(session, project, what, before, to, reason, actor, now)
    return project


def _note(
    session: Session,
    project: Project,
    what: str,
    before: str | None,
    to: str,
    reason: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    session.add(
        ProjectHistory(
            project_id=_id(project),
            seq=project.version,
            what=what,
            from_status=before,
            to_status=to,
            reason=reason,
            at=now,
            by_id=actor.id,
        )
    )
    session.flush()


def _id(project: Project) -> int:
    if project.id is None:
        raise ValueError("the project is not in the database")
    return project.id
