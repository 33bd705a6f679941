"""Community projects that take returnees in: members, contributions, milestones, and what became of each project.

`states.casework.projects` writes them; where a returnee's membership stands is a record of the pathway.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, UtcDateTime, internal, personal, public


class Project(SQLModel, table=True):
    """A project of a community. Status: planned, active, completed or abandoned. `version` counts the rows of its
    history: whoever changes it compares and sets it."""

    __tablename__ = "project"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = public(unique=True)
    title: str = public()
    region_pcode: str = public()
    district_pcode: str | None = public(default=None)
    place: str = public()
    partner_id: int | None = internal(default=None, foreign_key="partner.id", sa_type=BigId)
    starts_on: date = internal()
    ends_on: date | None = internal(default=None)
    status: str = internal(default="planned")
    created_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    created_at: datetime = internal(sa_type=UtcDateTime)
    version: int = internal(default=1)


class ProjectHistory(SQLModel, table=True):
    """One change of a project, never changed itself; `seq` counts within the project from 1."""

    __tablename__ = "project_history"
    __table_args__ = (UniqueConstraint("project_id", "seq", name="uq_project_history_seq"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    project_id: int = internal(foreign_key="project.id", sa_type=BigId)
    seq: int = internal()
    what: str = internal()
    from_status: str | None = internal(default=None)
    to_status: str = internal()
    reason: str | None = internal(default=None)
    at: datetime = internal(sa_type=UtcDateTime)
    by_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class ProjectMember(SQLModel, table=True):
    """Somebody who takes part: a returnee (`case_id`), or somebody of the community, of whom nothing is kept but a
    label such as V-07, the sex and the age group. Status: joined, left (with a reason) or completed."""

    __tablename__ = "project_member"
    __table_args__ = (
        UniqueConstraint("project_id", "label", name="uq_project_member_label"),
        CheckConstraint("(case_id IS NULL) <> (label IS NULL)", name="ck_project_member_kind"),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    project_id: int = internal(foreign_key="project.id", sa_type=BigId)
    case_id: int | None = internal(default=None, foreign_key="case.id", index=True, sa_type=BigId)
    label: str | None = internal(default=None)
    sex: str | None = personal(default=None)
    age_group: str | None = personal(default=None)
    status: str = personal(default="joined")
    reason: str | None = personal(default=None)
    joined_at: datetime = internal(sa_type=UtcDateTime)
    ended_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class ProjectContribution(SQLModel, table=True):
    """What a member, a partner or the village as a whole (neither) gives: cash or materials, by their value, or
    labour, in hours."""

    __tablename__ = "project_contribution"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'labour' AND hours >= 1 AND amount_xof IS NULL) "
            "OR (kind IN ('cash', 'materials') AND amount_xof >= 1 AND hours IS NULL)",
            name="ck_project_contribution_kind",
        ),
    )

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    project_id: int = internal(foreign_key="project.id", index=True, sa_type=BigId)
    member_id: int | None = internal(default=None, foreign_key="project_member.id", sa_type=BigId)
    partner_id: int | None = internal(default=None, foreign_key="partner.id", sa_type=BigId)
    kind: str = internal()
    amount_xof: int | None = internal(default=None, sa_type=BigInteger)
    hours: int | None = internal(default=None)
    given_on: date = internal()
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    recorded_at: datetime = internal(sa_type=UtcDateTime)


class ProjectMilestone(SQLModel, table=True):
    """Something that the project means to reach by a day; `proof` refers to what shows that it did."""

    __tablename__ = "project_milestone"
    __table_args__ = (UniqueConstraint("project_id", "position", name="uq_project_milestone_position"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    project_id: int = internal(foreign_key="project.id", sa_type=BigId)
    position: int = internal()
    title: str = public()
    due_on: date = internal()
    reached_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    proof: str | None = internal(default=None)
