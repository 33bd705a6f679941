"""What people look at: the calendar of an office in a year, and what a change would move, gathered by office and kind.

`segin calendar` prints both; the console will show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session

from states.calendar import WEEKDAYS
from states.calendars.changes import titles
from states.calendars.days_off import DayOff, Holiday, days_off, public_holidays
from states.calendars.offices import office_days
from states.calendars.shifts import Moved
from states.pathway import Pathway, Text


@dataclass(frozen=True, slots=True)
class Overview:
    """The calendar of an office (none: of the programme) in a year: rest days in English, the country, every public
    holiday, those and all other days without work that are no rest days, and days that are worked after all."""

    year: int
    rest_days: tuple[str, ...]
    country: str | None
    holidays: tuple[Holiday, ...]
    days_off: tuple[DayOff, ...]
    worked: tuple[DayOff, ...]


class MovedGroup(NamedTuple):
    """What moves of one kind in one office: how many, of them how many stand still, and the smallest and the largest
    move (negative: earlier)."""

    office_id: int | None
    what: str
    key: str
    title: Text
    number: int
    held: int
    least: timedelta
    most: timedelta
    first_old: datetime
    first_new: datetime


def overview(session: Session, pathway: Pathway, office_id: int | None, year: int) -> Overview:
    """The calendar as it counts for the cases of the office that follow this pathway."""
    local = office_days(session).of(office_id)
    calendar = pathway.calendar.locally(local)
    recorded = titles(session, office_id)
    working = sorted(
        day for day in calendar.working_days | calendar.ordinary_days if day.year == year and calendar.is_working(day)
    )
    return Overview(
        year=year,
        rest_days=tuple(WEEKDAYS[day] for day in sorted(calendar.weekend)),
        country=calendar.country,
        holidays=tuple(public_holidays(calendar.country, year) if calendar.country else ()),
        days_off=tuple(days_off(calendar, recorded, year)),
        worked=tuple(
            DayOff(
                day,
                recorded.get(day, Text("jour travaillé", "day of work")),
                False,
                day in local.working | local.ordinary,
            )
            for day in working
        ),
    )


def gather_moves(moved: Iterable[Moved], pathways: Mapping[int, Pathway]) -> list[MovedGroup]:
    """What moves, by office and kind, the largest groups first."""
    groups: dict[tuple[int | None, str, str], list[Moved]] = {}
    for each in moved:
        groups.setdefault((each.office_id, each.what, each.key), []).append(each)
    found = []
    for (office_id, what, key), members in groups.items():
        pathway = pathways[members[-1].version_id]
        template = pathway.tasks[key] if what == "task" else pathway.deadlines[key]
        shifts = [each.new - each.old for each in members]
        first = min(members, key=lambda each: each.old)
        held = sum(each.stands for each in members)
        found.append(
            MovedGroup(
                *(office_id, what, key, template.title, len(members), held, min(shifts), max(shifts)),
                *(first.old, first.new),
            )
        )
    return sorted(found, key=lambda group: (-group.number, group.office_id or 0, group.what, group.key))
