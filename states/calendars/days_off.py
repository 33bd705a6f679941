"""The days off of a year with their names in French and English, as people read them. Pure.

`segin calendar show` prints them; the calendar page of the console will.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

import holidays

from states.calendar import Calendar
from states.pathway import Text

_ESTIMATED: Final = re.compile(r"\s*\((?:estimated|estimé)\)")
_DAY: Final = timedelta(days=1)


class Holiday(NamedTuple):
    """A public holiday of a country. The date of an `estimated` one is announced shortly before it: until then it may
    turn out to be another day."""

    day: date
    title: Text
    estimated: bool


class DayOff(NamedTuple):
    """A day without work beside the weekly rest days, and why: a public holiday or something recorded (`recorded`)."""

    day: date
    title: Text
    estimated: bool
    recorded: bool


def public_holidays(country: str, year: int) -> list[Holiday]:
    """The public holidays of a country (an ISO 3166 code that `holidays` knows) in a year, by day.

    A country without French (or English) names keeps those of its own language.
    """
    own = holidays.country_holidays(country)
    named_fr = holidays.country_holidays(country, years=year, language=_language(own.supported_languages, "fr"))
    named_en = holidays.country_holidays(country, years=year, language=_language(own.supported_languages, "en_US"))
    return [
        Holiday(
            day,
            Text(_ESTIMATED.sub("", named_fr.get(day, name)), _ESTIMATED.sub("", name)),
            _ESTIMATED.search(f"{name} {named_fr.get(day, '')}") is not None,
        )
        for day, name in sorted(named_en.items())
        if day.year == year
    ]


def days_off(calendar: Calendar, recorded: Mapping[date, Text], year: int) -> list[DayOff]:
    """The days of a year on which nobody works though they are no weekly rest days, by day; `recorded` has the titles
    of days that were entered by hand."""
    known = {} if calendar.country is None else {each.day: each for each in public_holidays(calendar.country, year)}
    found = []
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() not in calendar.weekend and not calendar.is_working(day):
            if day in recorded:
                found.append(DayOff(day, recorded[day], estimated=False, recorded=True))
            else:
                holiday = known.get(day)
                title = Text("jour sans travail", "day without work") if holiday is None else holiday.title
                found.append(DayOff(day, title, estimated=bool(holiday and holiday.estimated), recorded=False))
        day += _DAY
    return found


def _language(supported: tuple[str, ...], wanted: str) -> str | None:
    """The country's own kind of the language (`fr`, `fr_NE`), or none for the country's own names."""
    return next((name for name in supported if name == wanted or name.startswith(f"{wanted}_")), None)
