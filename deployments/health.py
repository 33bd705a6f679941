"""Whether Segin can do its work: the database, its schema, Prefect, what waits, and the last night.

`deployments.web` shows it to people and to whatever watches over the machine. Nothing here concerns a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from deployments.server import is_healthy
from flows.night_watch import last_done_night, newest_night, night_is_missing
from models.case import JournalRow
from models.database import read_session
from models.migrate import current, head
from models.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. Without a `vital` one nobody can work; without another, something waits. `found` is a code,
    a date or a count."""

    name: str
    ok: bool
    vital: bool
    found: str


def check_all(settings: Settings, engine: Engine, now: datetime) -> list[Check]:
    """Every check, the vital ones first. When the database is away, only what needs none of it."""
    prefect = is_healthy(settings.prefect_api_url)
    about_prefect = Check("prefect", prefect, vital=False, found="reachable" if prefect else "away")
    try:
        revision = current(engine)
        database = Check("database", True, vital=True, found=engine.dialect.name)
        schema = Check("schema", revision == head(), vital=True, found=revision or "none")
        if not schema.ok:
            return [database, schema, about_prefect]
        with read_session(engine) as session:
            return [database, schema, about_prefect, _backlog(session), _night(settings, session, now)]
    except DBAPIError as error:
        return [Check("database", False, vital=True, found=type(error.orig).__name__), about_prefect]


def readiness(checks: Sequence[Check]) -> str:
    """`ready`; `degraded` when people can work and something else waits; `unready` when they cannot."""
    if not all(check.ok for check in checks if check.vital):
        return "unready"
    return "ready" if all(check.ok for check in checks) else "degraded"


def _backlog(session: Session) -> Check:
    """Transitions not carried out yet. Their number alone is no fault: a worker takes all of them at once."""
    waiting = session.exec(
        select(func.count()).select_from(JournalRow).where(col(JournalRow.dispatch_id).is_(None))
    ).one()
    return Check("backlog", True, vital=False, found=str(waiting))


def _night(settings: Settings, session: Session, now: datetime) -> Check:
    newest = newest_night(now, settings.timezone, settings.nightly_hour)
    last = last_done_night(session)
    return Check(
        "night", not night_is_missing(session, newest), vital=False, found="none" if last is None else str(last)
    )
