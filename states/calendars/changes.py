"""Changes of calendars as values: a closure, a holiday announced for another day, an office's own week. Recorded as
rows, each with who and when; `states.calendars.moving` then moves the clocks that they move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import holidays
from sqlalchemy import delete, text
from sqlmodel import Session, col, select

from models.calendars import CalendarChange, CalendarDay, OfficeCalendar
from models.errors import WrongUse
from states.calendar import WEEKDAYS
from states.calendars.days_off import public_holidays
from states.calendars.offices import OFF, ORDINARY, WORKING, Recorded, recorded_days
from states.moves import Actor
from states.pathway import Text

CHANGERS: Final = frozenset({"coordinator"})
"""The roles that may change calendars: what they decide moves other people's deadlines."""

LONGEST_DAYS: Final = 366
_DAY: Final = timedelta(days=1)
_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('segin calendars', 0))")


class DayEntry(NamedTuple):
    """How a day is kept from now on, and what it is called."""

    kind: str
    title: Text


@dataclass(frozen=True, slots=True)
class Change:
    """What one person decides about the calendar of an office (none: of the whole programme), in one go. `forgets` are
    days of which nothing is recorded any more; `weekend` (English names) and `country` are an office's own, none leaves
    what there is."""

    kind: str
    office_id: int | None = None
    sets: Mapping[date, DayEntry] = field(default_factory=dict)
    forgets: frozenset[date] = frozenset()
    weekend: tuple[str, ...] | None = None
    country: str | None = None
    title: str = ""


def closure(first: date, last: date, reason: str, office_id: int | None) -> Change:
    """Nobody works from `first` to `last`, both included. Raises WrongUse for days in the wrong order, or too many."""
    entry = DayEntry(OFF, Text(reason, reason))
    return Change("close", office_id, dict.fromkeys(_days(first, last), entry), title=reason)


def opening(first: date, last: date, reason: str, office_id: int | None) -> Change:
    """People do work from `first` to `last`, rest days and holidays included. Raises as `closure`."""
    entry = DayEntry(WORKING, Text(reason, reason))
    return Change("open", office_id, dict.fromkeys(_days(first, last), entry), title=reason)


def forgetting(first: date, last: date, office_id: int | None) -> Change:
    """What was recorded of these days no longer counts. Raises as `closure`."""
    return Change("forget", office_id, forgets=frozenset(_days(first, last)))


def announcement(day: date, instead_of: date, country: str | None, office_id: int | None) -> Change:
    """A holiday whose date was an estimate was announced for another day: that day is off, the estimate is a day like
    others, on which people rest if it is a rest day of theirs. `country` is the one whose holidays count there.

    Raises WrongUse when no country's holidays count, or it has no public holiday on the day `instead_of`.
    """
    if country is None:
        raise WrongUse(
            "No public holidays count here, so that none can move.",
            "Aucun jour férié ne compte ici : aucun ne peut donc changer de date.",
            remedy="Close the day instead, or first say which country's holidays count there.",
            remedy_fr="Fermez plutôt ce jour-là, ou indiquez d'abord de quel pays les jours fériés comptent.",
        )
    known = public_holidays(country, instead_of.year)
    found = next((each for each in known if each.day == instead_of), None)
    if found is None or day == instead_of:
        estimates = [each for each in known if each.estimated]
        fr = ", ".join(f"{each.day} ({each.title.fr})" for each in estimates) or "aucun"
        en = ", ".join(f"{each.day} ({each.title.en})" for each in estimates) or "none"
        raise WrongUse(
            f"There is no public holiday on {instead_of} that could move to {day}.",
            f"Il n'y a pas de jour férié le {instead_of} qui puisse passer au {day}.",
            remedy=f"The estimated ones of {instead_of.year} are: {en}.",
            remedy_fr=f"Ceux de {instead_of.year} dont la date est estimée : {fr}.",
        )
    title = found.title
    sets = {instead_of: DayEntry(ORDINARY, title), day: DayEntry(OFF, title)}
    return Change("announce", office_id, sets, title=title.fr)


def own_calendar(office_id: int, weekend: Sequence[str] | None, country: str | None) -> Change:
    """An office has rest days or public holidays of its own. Raises WrongUse for a week without a working day, a day
    or country that is not known."""
    named = None if weekend is None else tuple(day for day in WEEKDAYS if day in {each.lower() for each in weekend})
    if weekend is not None and (not named or len(named) != len(set(weekend)) or len(named) == len(WEEKDAYS)):
        raise WrongUse(
            "These are no rest days of a week.",
            "Ce ne sont pas les jours de repos d'une semaine.",
            remedy=f"Name one to six of: {', '.join(WEEKDAYS)}.",
            remedy_fr=f"Nommez-en un à six parmi : {', '.join(WEEKDAYS)}.",
        )
    if country is not None and country not in holidays.list_supported_countries():
        raise WrongUse(
            f"There is no list of public holidays for {country}.",
            f"Il n'y a pas de liste de jours fériés pour {country}.",
            remedy="Write an ISO 3166 code such as ML or NE.",
            remedy_fr="Écrivez un code ISO 3166 tel que ML ou NE.",
        )
    return Change("set", office_id, weekend=named, country=country)


def recorded_after(before: Iterable[Recorded], change: Change) -> list[Recorded]:
    """Everything that is recorded once the change is made."""
    rows = list(before)
    gone = change.forgets | change.sets.keys()
    kept = [row for row in rows if row.office_id != change.office_id or row.day not in gone]
    kept += [Recorded(change.office_id, day=day, kind=entry.kind) for day, entry in change.sets.items()]
    if change.weekend is not None or change.country is not None:
        own = next((row for row in rows if row.office_id == change.office_id and row.day is None), None)
        kept = [row for row in kept if row is not own]
        weekend = own.weekend if own is not None and change.weekend is None else ",".join(change.weekend or ()) or None
        kept.append(Recorded(change.office_id, weekend, change.country or (own.country if own else None)))
    return kept


def record(session: Session, change: Change, *, actor: Actor, now: datetime) -> CalendarChange:
    """Write the change down. Clocks are not moved yet: `states.calendars.moving.move_clocks`.

    Raises WrongUse for a role that may not.
    """
    if actor.role not in CHANGERS:
        raise WrongUse(
            f"The role {actor.role} does not change calendars.",
            f"Le rôle {actor.role} ne modifie pas les calendriers.",
            remedy=f"Ask somebody who does: {', '.join(sorted(CHANGERS))}.",
            remedy_fr=f"Adressez-vous à qui le peut : {', '.join(sorted(CHANGERS))}.",
        )
    if session.connection().dialect.name == "postgresql":
        # Each change says what was recorded before it; SQLite's write lock keeps two of them apart anyway.
        session.execute(_ONE_AT_A_TIME)
    before = recorded_days(session)
    after = recorded_after(before, change)
    gone = change.forgets | change.sets.keys()
    same_office = col(CalendarDay.office_id).is_not_distinct_from(change.office_id)
    session.execute(delete(CalendarDay).where(same_office, col(CalendarDay.day).in_(sorted(gone))))
    for day, (kind, title) in change.sets.items():
        session.add(
            CalendarDay(
                office_id=change.office_id,
                day=day,
                kind=kind,
                title_fr=title.fr,
                title_en=title.en,
                recorded_at=now,
                recorded_by=actor.id,
            )
        )
    if change.office_id is not None and (change.weekend is not None or change.country is not None):
        _record_own(session, change.office_id, change, actor, now)
    row = CalendarChange(
        kind=change.kind,
        office_id=change.office_id,
        title=change.title,
        before=_written(before),
        after=_written(after),
        recorded_at=now,
        recorded_by=actor.id,
        recorded_as=actor.role,
    )
    session.add(row)
    session.flush()
    return row


def read_recorded(written: Iterable[Sequence[Any]]) -> list[Recorded]:
    """What a `CalendarChange` says was recorded."""
    return [
        Recorded(office_id, weekend, country, None if day is None else date.fromisoformat(day), kind)
        for office_id, weekend, country, day, kind in written
    ]


def titles(session: Session, office_id: int | None) -> dict[date, Text]:
    """The titles of the days that are recorded for an office; those of the programme where it has none."""
    rows = session.exec(select(CalendarDay).order_by(col(CalendarDay.office_id).is_not(None)))
    return {row.day: Text(row.title_fr, row.title_en) for row in rows if row.office_id in (None, office_id)}


def _record_own(session: Session, office_id: int, change: Change, actor: Actor, now: datetime) -> None:
    own = session.exec(select(OfficeCalendar).where(OfficeCalendar.office_id == office_id)).one_or_none()
    own = own or OfficeCalendar(office_id=office_id, recorded_at=now)
    if change.weekend is not None:
        own.weekend = ",".join(change.weekend)
    own.country = change.country or own.country
    own.recorded_at, own.recorded_by = now, actor.id
    session.add(own)


def _written(rows: Iterable[Recorded]) -> list[list[Any]]:
    return [
        [row.office_id, row.weekend, row.country, None if row.day is None else row.day.isoformat(), row.kind]
        for row in rows
    ]


def _days(first: date, last: date) -> list[date]:
    count = (last - first).days + 1
    if not 0 < count <= LONGEST_DAYS:
        raise WrongUse(
            f"From {first} to {last} are {count} days.",
            f"Du {first} au {last}, cela fait {count} jours.",
            remedy=f"Give the first day, then the last one, at most {LONGEST_DAYS} days.",
            remedy_fr=f"Indiquez le premier jour, puis le dernier, {LONGEST_DAYS} jours au plus.",
        )
    return [first + number * _DAY for number in range(count)]
