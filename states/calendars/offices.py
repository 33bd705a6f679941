"""What offices and the programme have recorded beside the calendars of pathways, read in one statement.

`states.gather` gives each case what counts in its office; the sweep and the reminders ask for it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Date, String, cast, null, select, union_all
from sqlmodel import Session, col

from models.calendars import CalendarDay, OfficeCalendar
from states.calendar import WEEKDAYS, LocalDays

OFF: Final = "off"
WORKING: Final = "working"
ORDINARY: Final = "ordinary"


class Recorded(NamedTuple):
    """One thing that is recorded: how an office keeps a day (`day`, `kind`), or where it differs as a whole (`weekend`,
    `country`). `office_id` none: the whole programme."""

    office_id: int | None
    weekend: str | None = None
    country: str | None = None
    day: date | None = None
    kind: str | None = None


class OfficeDays:
    """What is recorded, laid out by office. Where an office and the programme differ, the office's word counts."""

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        rows = list(recorded)
        programme = _days_of(rows, None)
        self._programme = _local(programme)
        self._offices = {
            office_id: _local(
                programme | _days_of(rows, office_id),
                next((row for row in rows if row.office_id == office_id and row.day is None), None),
            )
            for office_id in {row.office_id for row in rows if row.office_id is not None}
        }

    def of(self, office_id: int | None) -> LocalDays:
        """What counts for the cases of an office (none: of no office)."""
        return self._offices.get(office_id, self._programme) if office_id is not None else self._programme

    @property
    def offices(self) -> Mapping[int, LocalDays]:
        """The offices that have something of their own."""
        return self._offices


def office_days(session: Session) -> OfficeDays:
    """Everything that is recorded. The same content gives the same object, with calendars that are worked out."""
    return _laid_out(tuple(recorded_days(session)))


def recorded_days(session: Session) -> list[Recorded]:
    """The rows behind it, in a set order."""
    return [Recorded(*row) for row in session.execute(_READ)]


@lru_cache(maxsize=64)
def _laid_out(rows: tuple[Recorded, ...]) -> OfficeDays:
    return OfficeDays(rows)


def _days_of(rows: Iterable[Recorded], office_id: int | None) -> dict[date, str]:
    return {row.day: row.kind or OFF for row in rows if row.office_id == office_id and row.day is not None}


def _local(days: Mapping[date, str], own: Recorded | None = None) -> LocalDays:
    names = own.weekend.split(",") if own is not None and own.weekend else None
    return LocalDays(
        weekend=None if names is None else frozenset(WEEKDAYS.index(name) for name in names),
        country=None if own is None else own.country,
        off=frozenset(day for day, kind in days.items() if kind == OFF),
        working=frozenset(day for day, kind in days.items() if kind == WORKING),
        ordinary=frozenset(day for day, kind in days.items() if kind == ORDINARY),
    )


_NO_TEXT: Final[Any] = cast(null(), String)
_READ: Final = union_all(
    select(
        *(col(OfficeCalendar.office_id).label("office_id"), col(OfficeCalendar.weekend).label("weekend")),
        *(col(OfficeCalendar.country).label("country"), cast(null(), Date).label("day"), _NO_TEXT.label("kind")),
    ),
    select(col(CalendarDay.office_id), _NO_TEXT, _NO_TEXT, col(CalendarDay.day), col(CalendarDay.kind)),
).order_by("office_id", "day")
