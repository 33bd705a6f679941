"""Which night should be done by now, and whether it is. The nightly flow, the worker and the health page ask.

Knows no Prefect, so that a process that only looks need not load it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from flows.nights import night_instant
from models.runs import NightlyRun


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
