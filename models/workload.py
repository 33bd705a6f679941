"""Who has how much to do: one count of the tasks for each person, office and role, and of those that nobody has.

The command line shows it, and the console will. Every number is that of a list of `models.worklist`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from models.caseload import find_office
from models.staff import Office, Staff
from models.staffing import Absence, away_at
from models.work import Task
from models.worklist import IS_CURRENT, IS_OPEN, Today, Which


class Load(NamedTuple):
    """Tasks by the columns of `Which`, and when the oldest open one was opened (none: there is none)."""

    open: int = 0
    overdue: int = 0
    today: int = 0
    week: int = 0
    held: int = 0
    emergency: int = 0
    oldest: datetime | None = None

    def plus(self, other: Load) -> Load:
        """Both together."""
        times = [each.oldest for each in (self, other) if each.oldest is not None]
        counts = [mine + theirs for mine, theirs in zip(self[:-1], other[:-1], strict=True)]
        return Load._make([*counts, min(times, default=None)])


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """What one member of staff has to do. `away` while an absence lasts; somebody who left is shown while they have
    anything."""

    login: str
    role: str
    office: str | None
    active: bool
    away: bool
    load: Load


@dataclass(frozen=True, slots=True)
class GroupLoad:
    """What an office, or a role, has to do, and how much of it nobody has. `name` none: the tasks of no office."""

    name: str | None
    load: Load
    unassigned: Load


@dataclass(frozen=True, slots=True)
class Workload:
    """People by role and login, offices and roles by name, and the whole."""

    people: tuple[PersonLoad, ...]
    offices: tuple[GroupLoad, ...]
    roles: tuple[GroupLoad, ...]
    total: Load
    unassigned: Load


def workload(session: Session, *, today: Today, office: str | None = None, role: str | None = None) -> Workload:
    """The workload, of one office or role or of all. An office or a role means the tasks that are its own; its people
    are shown with these tasks only. Four statements at most. Raises WrongUse for an unknown office."""
    office_id = None if office is None else find_office(session, office).id
    people = session.execute(
        select(
            col(Staff.id), col(Staff.login), col(Staff.role), col(Staff.office_id), col(Staff.active), _away(today)
        ).order_by(col(Staff.role), col(Staff.login))
    ).all()
    offices = {row.id: row.code for row in session.execute(select(col(Office.id), col(Office.code)))}
    loads = _loads(session, today, office_id, role)

    by_person = _sum((staff_id, load) for (staff_id, _, _), load in loads.items())
    shown = [
        person
        for person in people
        if person.id in by_person
        or (person.active and office_id in (None, person.office_id) and role in (None, person.role))
    ]
    return Workload(
        people=tuple(
            PersonLoad(
                *(person.login, person.role, offices.get(person.office_id), person.active, bool(person.away)),
                by_person.get(person.id, Load()),
            )
            for person in shown
        ),
        offices=_groups((offices.get(place), staff_id, load) for (staff_id, place, _), load in loads.items()),
        roles=_groups((of_role, staff_id, load) for (staff_id, _, of_role), load in loads.items()),
        total=_sum(("all", load) for load in loads.values()).get("all", Load()),
        unassigned=by_person.get(None, Load()),
    )


_Key = tuple[int | None, int | None, str]


def _loads(session: Session, today: Today, office_id: int | None, role: str | None) -> dict[_Key, Load]:
    """By member of staff, office and role of the tasks."""
    place = (col(Task.office_id), col(Task.role), col(Task.staff_id))
    counts = (func.count(case((which.condition(today), 1))) for which in Which)
    oldest = func.min(case((IS_OPEN, col(Task.opened_at))))
    query = select(*place, *counts, oldest).where(IS_CURRENT).group_by(*place)
    if office_id is not None:
        query = query.where(col(Task.office_id) == office_id)
    if role is not None:
        query = query.where(col(Task.role) == role)
    return {(row[2], row[0], row[1]): Load(*row[3:]) for row in session.execute(query)}


def _away(today: Today) -> Any:
    return (
        select(col(Absence.id)).where(col(Absence.staff_id) == col(Staff.id), away_at(today.now)).exists().label("away")
    )


def _sum(loads: Iterable[tuple[Any, Load]]) -> dict[Any, Load]:
    found: dict[Any, Load] = defaultdict(Load)
    for key, load in loads:
        found[key] = found[key].plus(load)
    return dict(found)


def _groups(rows: Iterable[tuple[str | None, int | None, Load]]) -> tuple[GroupLoad, ...]:
    kept = list(rows)
    whole = _sum((name, load) for name, _, load in kept)
    nobodys = _sum((name, load) for name, staff_id, load in kept if staff_id is None)
    names = sorted(whole, key=lambda name: (name is None, name or ""))
    return tuple(GroupLoad(name, whole[name], nobodys.get(name, Load())) for name in names)
