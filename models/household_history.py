"""Who lived with whom, when: a household's members of now and of before, and a person's households. Read only.

The command line shows it, and whoever visits a family asks it for the cases of its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Row, Select, func, select
from sqlmodel import Session, col

from models.case import Case
from models.errors import WrongUse
from models.households import Household, HouseholdMember
from models.returnee import Returnee, is_of_age


class Stay(NamedTuple):
    """A person's time in a household. `case` is the code of their newest case, `minor` none where it is not certain."""

    household: str
    case: str
    role: str
    since: datetime
    until: datetime | None
    minor: bool | None


class HouseholdFile(NamedTuple):
    """A household: who is there now, and who was before. `size` is what the manifest said.

    `minors_alone`: there are minors, and nobody whom we know to be grown up. Perhaps a child came by itself, perhaps
    its people are not in the file: somebody should look."""

    code: str
    size: int | None
    present: tuple[Stay, ...]
    past: tuple[Stay, ...]
    minors_alone: bool


def household_file(session: Session, code: str, *, on: date) -> HouseholdFile:
    """The household with this code, with ages on that day. Raises WrongUse when there is none."""
    household = session.scalars(select(Household).where(col(Household.code) == code)).first()
    if household is None:
        raise WrongUse(
            "There is no such household.",
            "Ce ménage n'existe pas.",
            remedy="Take its code from `segin household show CASE`.",
            remedy_fr="Prenez son code dans `segin household show DOSSIER`.",
        )
    stays = _stays(session.execute(_query().where(col(Household.code) == code)).all(), on)
    present = tuple(stay for stay in stays if stay.until is None)
    return HouseholdFile(
        household.code,
        household.size,
        present,
        tuple(stay for stay in stays if stay.until is not None),
        any(stay.minor for stay in present) and not any(stay.minor is False for stay in present),
    )


def stays_of(session: Session, case_id: int, *, on: date) -> tuple[Stay, ...]:
    """The households that the person of this case has lived in, the first one first."""
    person = select(col(Case.returnee_id)).where(col(Case.id) == case_id).scalar_subquery()
    return _stays(session.execute(_query().where(col(HouseholdMember.returnee_id) == person)).all(), on)


def open_cases_of(session: Session, code: str) -> list[int]:
    """The ids of the cases, not closed, of those who live in the household now: whom a visit to it meets."""
    query = (
        select(col(Case.id))
        .join(HouseholdMember, col(HouseholdMember.returnee_id) == col(Case.returnee_id))
        .join(Household, col(Household.id) == col(HouseholdMember.household_id))
        .where(col(Household.code) == code, col(HouseholdMember.until).is_(None), col(Case.closed_at).is_(None))
    )
    return [id_ for id_ in session.scalars(query.order_by(col(Case.id))) if id_ is not None]


def _query() -> Select[str, str, str, datetime, datetime | None, date | None, str]:
    newest = select(func.max(col(Case.id))).where(col(Case.returnee_id) == col(HouseholdMember.returnee_id))
    return (
        select(
            col(Household.code),
            col(Case.code),
            col(HouseholdMember.role),
            col(HouseholdMember.since),
            col(HouseholdMember.until),
            col(Returnee.birth_date),
            col(Returnee.birth_precision),
        )
        .join(HouseholdMember, col(HouseholdMember.household_id) == col(Household.id))
        .join(Returnee, col(Returnee.id) == col(HouseholdMember.returnee_id))
        .join(Case, col(Case.id) == newest.correlate(HouseholdMember).scalar_subquery())
        .order_by(col(HouseholdMember.since), col(Returnee.id))
    )


def _stays(
    rows: Sequence[Row[str, str, str, datetime, datetime | None, date | None, str]], on: date
) -> tuple[Stay, ...]:
    return tuple(
        Stay(household, case, role, since, until, _is_minor(is_of_age(birth_date, precision, on)))
        for household, case, role, since, until, birth_date, precision in rows
    )


def _is_minor(of_age: bool | None) -> bool | None:
    return None if of_age is None else not of_age
