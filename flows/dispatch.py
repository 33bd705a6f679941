"""Carries out what transitions left behind: people get their tasks, reminders are armed, partners are told.

The worker starts it as soon as a transition waits. One run takes everything that waits, chunk by chunk: a quiet office
sees one run for one transition, a night of 50,000 is one run of a few chunks. Each journal row leads to the dispatch
and the flow run that carried it out, and back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog
from prefect import flow

from flows.steps import CHUNK, bound_run, database, in_thread, step, wall_clock
from integrations.webhooks.fanout import fan_out
from models.database import read_session, write_session
from states.assignment import assign_tasks
from states.dispatching import Claimed, claim_transitions, dispatch_waits, finish_dispatch
from states.reminders import arm_reminders

COUNTS: Final = ("chunks", "transitions", "tasks_assigned", "reminders_armed", "deliveries_made")

log = structlog.get_logger()


@flow(name="dispatch", persist_result=False, log_prints=False)
async def dispatch(now: datetime | None = None) -> dict[str, int]:
    """Carry out every transition that waits, and give the COUNTS. `now` is a simulated clock, else the wall clock is.

    Safe to run twice at once and to kill: two runs claim different transitions, and a dispatch that did not finish is
    taken over after its lease.
    """
    done = dict.fromkeys(COUNTS, 0)
    with bound_run("dispatch") as run_id:
        while (claimed := await in_thread(claim, now or wall_clock(), run_id)) is not None:
            at = now or wall_clock()
            with structlog.contextvars.bound_contextvars(dispatch_id=claimed.dispatch_id):
                counts = {
                    "tasks_assigned": await assign(claimed.case_ids, at),
                    "reminders_armed": await arm(claimed.case_ids, at),
                    "deliveries_made": await notify(at),
                }
                await in_thread(finish, claimed, now or wall_clock(), run_id, counts)
                counts |= {"chunks": 1, "transitions": claimed.transitions}
                log.info("dispatch.carried_out", **counts)
            done = {name: done[name] + counts[name] for name in COUNTS}
    return done


def waits(now: datetime) -> bool:
    """Whether a run would find something to carry out. Cheap, and takes no lock."""
    with read_session(database()) as session:
        return dispatch_waits(session, now=now)


def claim(now: datetime, run_id: str | None) -> Claimed | None:
    """Take the next chunk of transitions for this run."""
    with write_session(database()) as session:
        claimed = claim_transitions(session, now=now, limit=CHUNK, flow_run_id=run_id)
        session.commit()
        return claimed


@step("assign tasks")
def assign(case_ids: tuple[int, ...], now: datetime) -> int:
    """Give the open tasks of these cases to people."""
    assigned = 0
    with write_session(database()) as session:
        while given := assign_tasks(session, case_ids=case_ids, now=now, limit=CHUNK):
            session.commit()
            assigned += given
    return assigned


@step("arm reminders")
def arm(case_ids: tuple[int, ...], now: datetime) -> int:
    """Write the reminders of the deadlines of these cases."""
    with write_session(database()) as session:
        armed = arm_reminders(session, case_ids=case_ids, now=now)
        session.commit()
        return armed


@step("notify partners")
def notify(now: datetime) -> int:
    """Make the deliveries of the events that wait."""
    made = 0
    with write_session(database()) as session:
        while deliveries := fan_out(session, now=now):
            session.commit()
            made += deliveries
        session.commit()
    return made


def finish(claimed: Claimed, now: datetime, run_id: str | None, counts: dict[str, int]) -> None:
    """Record what the run did about this chunk."""
    with write_session(database()) as session:
        finish_dispatch(session, claimed.dispatch_id, now=now, flow_run_id=run_id, **counts)
        session.commit()
