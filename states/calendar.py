"""Spans of time as a pathway writes them, and the working calendar that turns them into due instants.

The compiler builds one `Calendar` for a pathway; `states.decide`, the sweep and the reminders add and subtract with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import holidays
import isodate

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_WORKING = re.compile(r"(\d{1,4}) working days?")
_ISO = re.compile(r"P(?=\d|T\d)(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?(T(?=\d)(\d{1,5}H)?(\d{1,5}M)?)?")
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


class Span(NamedTuple):
    """How long something may take: calendar months and days, or exact seconds, or working days; never a mixture."""

    months: int = 0
    days: int = 0
    seconds: int = 0
    working_days: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """Reads `P3M15D`, `P2W`, `PT24H` (ISO 8601, whole numbers, at most 9999 years) or `14 working days`.

        Raises ValueError, with a sentence that says what can be written.
        """
        working = _WORKING.fullmatch(text)
        if working:
            span = cls(working_days=int(working[1]))
        elif not _ISO.fullmatch(text):
            raise ValueError(f"'{text}' is no span: write P3M, P15D, P2W, PT24H or '14 working days'")
        elif "T" in text and not text.startswith("PT"):
            raise ValueError(f"'{text}' mixes days and hours: write PT48H for hours, P2D for whole days")
        else:
            span = _from_iso(text)
        if not any(span):
            raise ValueError(f"'{text}' is no time at all: write at least PT1M, P1D or '1 working day'")
        return span

    @property
    def exact(self) -> bool:
        """Whether it is counted in hours and minutes, not in days."""
        return self.seconds > 0

    def __str__(self) -> str:
        if self.working_days:
            return f"{self.working_days} working day{'s' if self.working_days > 1 else ''}"
        if self.seconds:
            hours, minutes = divmod(self.seconds // 60, 60)
            return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}"
        return f"P{f'{self.months}M' if self.months else ''}{f'{self.days}D' if self.days else ''}"


class LocalDays(NamedTuple):
    """What the programme and one of its offices have recorded beside a pathway's calendar: the office's own weekend
    and country (none: the pathway's), days off, days that are worked whatever else they are, and `ordinary` days: no
    holidays after all, so that the week decides."""

    weekend: frozenset[int] | None = None
    country: str | None = None
    off: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()
    ordinary: frozenset[date] = frozenset()


NO_LOCAL_DAYS: Final = LocalDays()
"""Nothing is recorded: the pathway's calendar counts as it is."""


class Calendar:
    """Days off of a programme: the weekly rest days, a country's public holidays and the programme's own overrides.

    Exact spans are added to the instant. Every other span is counted in local days and ends at the end of a day, which
    is the midnight after it; an instant that is exactly a local midnight belongs to the day that it ends. Results are
    instants in UTC. Values are cached, so that a batch pays for each (day, span) once.
    """

    def __init__(
        self,
        timezone: ZoneInfo,
        *,
        weekend: Iterable[int] = (5, 6),
        country: str | None = None,
        days_off: Iterable[date] = (),
        working_days: Iterable[date] = (),
        ordinary_days: Iterable[date] = (),
    ) -> None:
        """`weekend` holds weekday numbers (Monday is 0), `country` an ISO 3166 code that `holidays` knows; `days_off`
        adds days, `working_days` takes days back, `ordinary_days` only holidays (one that fell on another day)."""
        self.timezone = timezone
        self.weekend = frozenset(weekend)
        if len(self.weekend) > 6:
            raise ValueError("a week without a working day has no working days to count")
        self.country = country
        self.days_off = frozenset(days_off)
        self.working_days = frozenset(working_days)
        self.ordinary_days = frozenset(ordinary_days)
        self._holidays = holidays.country_holidays(country) if country else frozenset()
        self._end_of_day = lru_cache(maxsize=8192)(self._compute_end_of_day)
        self._shifted_end = lru_cache(maxsize=65536)(self._compute_shifted_end)
        self._day_of = lru_cache(maxsize=8192)(self._compute_day_of)
        self._local = lru_cache(maxsize=256)(self._compute_local)

    def locally(self, days: LocalDays) -> Calendar:
        """This calendar as it holds where these days were recorded; they say the last word about each day."""
        return self if days == NO_LOCAL_DAYS else self._local(days)

    def add(self, base: datetime | date, span: Span) -> datetime:
        """When a clock that starts at `base` (an aware instant, or a local day) runs out."""
        if span.seconds:
            start = base if isinstance(base, datetime) else self._end_of_day(base - _DAY)
            return start.astimezone(UTC) + timedelta(seconds=span.seconds)
        return self._shifted_end(self._day_of(base) if isinstance(base, datetime) else base, span, 1)

    def subtract(self, due: datetime, span: Span) -> datetime:
        """The instant that lies `span` before `due`: when a reminder goes out, when a visit's window opens."""
        if span.seconds:
            return due.astimezone(UTC) - timedelta(seconds=span.seconds)
        return self._shifted_end(self._day_of(due), span, -1)

    def day_of(self, instant: datetime) -> date:
        """The local day of an instant; a local midnight belongs to the day that it ends."""
        return self._day_of(instant)

    def end_of(self, day: date) -> datetime:
        """The instant at which a local day is over."""
        return self._end_of_day(day)

    def is_working(self, day: date) -> bool:
        """Whether staff work on that day."""
        if day in self.working_days:
            return True
        if day.weekday() in self.weekend or day in self.days_off:
            return False
        return day in self.ordinary_days or day not in self._holidays

    def _compute_local(self, days: LocalDays) -> Calendar:
        return Calendar(
            self.timezone,
            weekend=self.weekend if days.weekend is None else days.weekend,
            country=days.country or self.country,
            days_off=(self.days_off - days.working - days.ordinary) | days.off,
            working_days=(self.working_days - days.off - days.ordinary) | days.working,
            ordinary_days=self.ordinary_days | days.ordinary,
        )

    def _compute_day_of(self, instant: datetime) -> date:
        return (instant.astimezone(UTC) - _INSTANT).astimezone(self.timezone).date()

    def _compute_end_of_day(self, day: date) -> datetime:
        following = day + _DAY
        return datetime(following.year, following.month, following.day, tzinfo=self.timezone).astimezone(UTC)

    def _compute_shifted_end(self, day: date, span: Span, direction: int) -> datetime:
        if span.working_days:
            left = span.working_days
            while left:
                day += direction * _DAY
                left -= self.is_working(day)
            return self._end_of_day(day)
        shift = isodate.Duration(months=span.months, days=span.days)
        return self._end_of_day(day + shift if direction > 0 else day - shift)


def _from_iso(text: str) -> Span:
    parsed = isodate.parse_duration(text)
    if text.startswith("PT"):
        return Span(seconds=int(parsed.total_seconds()))
    if isinstance(parsed, isodate.Duration):
        return Span(months=int(parsed.years) * 12 + int(parsed.months), days=parsed.tdelta.days)
    return Span(days=parsed.days)
