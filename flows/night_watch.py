"""When a night is, which should be done by now, and whether it is. The nights, the worker and the health page ask.

Knows no Prefect, so that a process that only looks need not load it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from models.runs import NightlyRun


def night_instant(as_of: date, tz: ZoneInfo, hour: int = 2) -> datetime:
    """The business time of a night, in UTC: that hour of the date `as_of` in the programme's time zone."""
    return datetime.combine(as_of, time(hour), tzinfo=tz).astimezone(UTC)


def newest_night(now: datetime, tz: ZoneInfo, hour: int) -> date:
    """The date of the newest night whose hour has come."""
    today = now.astimezone(tz).date()
    return today if night_instant(today, tz, hour) <= now else today - timedelta(days=1)


def last_done_night(session: Session) -> date | None:
    """The date of the last night that was finished."""
    return session.exec(select(func.max(col(NightlyRun.as_of))).where(NightlyRun.status == "done")).one()


def night_is_missing(session: Session, as_of: date) -> bool:
    """Whether nights have begun in this database, and that of `as_of` is not done."""
    begun = session.exec(select(NightlyRun.id).limit(1)).first() is not None
    last = last_done_night(session)
    return begun and (last is None or last < as_of)
