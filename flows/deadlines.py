"""Looks after what cannot wait for the night: urgent deadlines, and the lines about them.

The worker starts it when something waits, looking each minute; all the other deadlines are the nightly run's.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

import structlog
from prefect import flow

from flows.dispatch import notify
from flows.steps import CHUNK, bound_run, database, step, wall_clock
from models.database import read_session, write_session
from models.settings import load_settings
from states.clocks import urgent_waits
from states.releases import release_urgent, urgent_lines_wait
from states.sweep import SweepResult, sweep_deadlines

log = structlog.get_logger()


@flow(name="deadlines", persist_result=False, log_prints=False)
async def deadlines(now: datetime | None = None) -> dict[str, int]:
    """Sweep the urgent deadlines, send the lines about them, and give the counts. `now` none: the wall clock. All other
    lines wait for the digest of the night.

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
        return urgent_waits(session, now=now) or urgent_lines_wait(session, now=now)


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
    """Send the urgent lines whose time has come, and cancel those that are no longer true."""
    sent = cancelled = 0
    day = now.astimezone(load_settings().timezone).date()
    with write_session(database()) as session:
        while any(released := release_urgent(session, now=now, day=day, limit=CHUNK)):
            session.commit()
            sent, cancelled = sent + released.sent, cancelled + released.cancelled
    return {"sent": sent, "cancelled": cancelled}
