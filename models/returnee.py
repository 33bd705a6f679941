"""The person who returned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import Index
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive

OF_AGE: Final = 18
"""Years, as in the Convention on the Rights of the Child, article 1."""


class Returnee(SQLModel, table=True):
    """A person. `name_key` is the folded name by which the same person is found again; `reference` the case
    reference that an arrival manifest gave. `birth_precision` is exact, year or approximate."""

    __tablename__ = "returnee"
    __table_args__ = (Index("ix_returnee_same", "birth_date", "sex", "name_key"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    reference: str | None = personal(default=None, index=True)
    family_name: str = personal()
    given_names: str = personal()
    name_key: str = personal()
    sex: str = personal()
    birth_date: date | None = personal(default=None)
    birth_precision: str = personal(default="exact")
    nationality: str | None = personal(default=None)
    phone: str | None = personal(default=None, index=True)
    vulnerabilities: list[str] = sensitive(default_factory=list, sa_type=Json)
    remarks: str | None = sensitive(default=None)
    created_at: datetime = internal(sa_type=UtcDateTime)


def is_of_age(birth_date: date | None, birth_precision: str, day: date) -> bool | None:
    """Whether somebody is of age on that day; none where that is not certain: of a year its first and its last day
    must agree (a year is kept as its 1 January), about a date nothing is."""
    if birth_date is None or birth_precision == "approximate":
        return None
    by_year = birth_precision == "year"
    born = {birth_date.replace(month=1, day=1), birth_date.replace(month=12, day=31)} if by_year else {birth_date}
    answers = {(day.year - OF_AGE, day.month, day.day) >= (each.year, each.month, each.day) for each in born}
    return answers.pop() if len(answers) == 1 else None
