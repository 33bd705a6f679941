"""Looks after what cannot wait for the night: urgent deadlines, and lines that somebody is to be told at this hour.

The worker starts it when something waits, looking each minute; all the other deadlines are the nightly run's.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

import structlog
from prefect import flow
from sqlmodel import col, select

from flows.dispatch import notify
from flows.steps import CHUNK, bound_run, database, step, wall_clock
from models.database import read_session, write_session
from models.work import Notice
from states.clocks import urgent_waits
from states.reminders import release_notices
from states.sweep import SweepResult, sweep_deadlines

log = structlog.get_logger()


@flow(name="deadlines", persist_result=False, log_prints=False)
async def deadlines(now: datetime | None = None) -> dict[str, int]:
    """Sweep the urgent deadlines, send the lines whose time has come, and give the counts. `now` none: the wall clock.

    Timers that fire are moves, which the next dispatch carries out.
    """
    at = now or wall_clock()
    with bound_run("deadlines"):
        counts = await sweep(at)
        counts |= await release(at)
        counts["deliveries_made"] = await notify(at) if counts["announced"] else 0
        log.info("deadlines.swept", **counts)
    return counts


def waits(now: datetime) -> bool:
    """Whether a run would find something to do."""
    with read_session(database()) as session:
        due = select(Notice.id).where(
            col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None), col(Notice.send_at) <= now
        )
        return urgent_waits(session, now=now) or session.exec(due.limit(1)).first() is not None


@step("sweep urgent deadlines")
def sweep(now: datetime) -> dict[str, int]:
    """Move on every urgent clock that has run out."""
    total = dict.fromkeys((field.name for field in dataclasses.fields(SweepResult)), 0)
    with write_session(database()) as session:
        while (swept := sweep_deadlines(session, as_of=now, limit=CHUNK, urgent_only=True)).seen:
            session.commit()
            total = {name: count + getattr(swept, name) for name, count in total.items()}
    return total


@step("send notices")
def release(now: datetime) -> dict[str, int]:
    """Send the lines whose time has come, and cancel those that are no longer true."""
    sent = cancelled = 0
    with write_session(database()) as session:
        while any(released := release_notices(session, now=now, limit=CHUNK)):
            session.commit()
            sent, cancelled = sent + released.sent, cancelled + released.cancelled
    return {"sent": sent, "cancelled": cancelled}
