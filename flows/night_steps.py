"""The steps of a night, in order. Each does one chunk a call in its caller's transaction, and says what it changed.

`flows.nights` calls a step until nothing is left, committing every chunk together with the night's progress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from integrations.api.requests import forget_requests
from integrations.notices.hand_over import Ways
from integrations.webhooks.fanout import fan_out
from integrations.webhooks.line import revive
from integrations.webhooks.rotation import forget_secrets
from states.assignment import assign_tasks
from states.casework.leftovers import release_leftovers
from states.casework.waiting import offer_free_places
from states.dispatching import claim_transitions, finish_dispatch
from states.partner_reminders import remind_partners
from states.releases import release_notices
from states.reminders import arm_reminders
from states.retention import forget_attempts, forget_digests, forget_notices
from states.silence import ASKS, escalate_silence
from states.sweep import sweep_deadlines


@dataclass(frozen=True, slots=True)
class NightOptions:
    """What an installation chooses. `chunk` rows are changed in one transaction; technical traces are kept so long;
    no `backup_dir`: no backup; no `ways`: no messages and files for partners."""

    chunk: int = 2_000
    attempts_kept: timedelta = timedelta(days=90)
    notices_kept: timedelta = timedelta(days=180)
    requests_kept: timedelta = timedelta(days=30)
    backup_dir: Path | None = None
    backups_kept: int = 14
    ways: Ways | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """One night at work: `day` is its local date, `instant` its business time, `clock` the time of this machine."""

    day: date
    instant: datetime
    options: NightOptions
    clock: Callable[[], datetime]
    flow_run_id: str | None


class Chunk(NamedTuple):
    """What one call changed, by name, and whether the step must be called again."""

    changes: dict[str, int]
    more: bool


Step = Callable[[Session, Night], Chunk]


def sweep(session: Session, night: Night) -> Chunk:
    """Overdue deadlines, escalations and timers, the follow-up visits among them; at last those that others held."""
    swept = sweep_deadlines(session, as_of=night.instant, limit=night.options.chunk)
    if not swept.seen:
        swept = sweep_deadlines(session, as_of=night.instant, limit=night.options.chunk, wait=True)
    changes = {
        "deadlines_overdue": swept.overdue,
        "deadlines_escalated": swept.escalated,
        "events_announced": swept.announced,
        "notices_written": swept.notices,
        "timers_fired": swept.fired,
        "timers_refused": swept.refused,
    }
    return Chunk(changes, more=swept.seen > 0)


def give_back(session: Session, night: Night) -> Chunk:
    """What closed cases still hold: places on courses, money of budgets, parts in projects."""
    released = release_leftovers(session, now=night.instant, limit=night.options.chunk)
    changes = {
        "enrolments_ended": released.enrolments,
        "grants_cancelled": released.grants,
        "memberships_ended": released.memberships,
    }
    return Chunk(changes, more=any(released))


def offer(session: Session, night: Night) -> Chunk:
    """Free places on courses, to whoever has waited for them."""
    offered = offer_free_places(session, now=night.instant)
    return Chunk({"places_offered": offered}, more=offered > 0)


def dispatch(session: Session, night: Night) -> Chunk:
    """What transitions left behind, the timers' of this night among them: nothing waits for a dispatch that is down."""
    claimed = claim_transitions(session, now=night.clock(), limit=night.options.chunk, flow_run_id=night.flow_run_id)
    if claimed is None:
        return Chunk({}, more=False)
    assigned = 0
    while given := assign_tasks(session, case_ids=claimed.case_ids, now=night.instant, limit=night.options.chunk):
        assigned += given
    armed = arm_reminders(session, case_ids=claimed.case_ids, now=night.instant)
    made = fan_out(session, now=night.instant, limit=night.options.chunk)
    finish_dispatch(
        session,
        claimed.dispatch_id,
        now=night.clock(),
        flow_run_id=night.flow_run_id,
        tasks_assigned=assigned,
        reminders_armed=armed,
        deliveries_made=made,
    )
    changes = {
        "transitions_dispatched": claimed.transitions,
        "tasks_assigned": assigned,
        "reminders_armed": armed,
        "deliveries_made": made,
    }
    return Chunk(changes, more=True)


def assign(session: Session, night: Night) -> Chunk:
    """Tasks that nobody could take before."""
    assigned = assign_tasks(session, case_ids=None, now=night.instant, limit=night.options.chunk)
    return Chunk({"tasks_assigned": assigned}, more=assigned > 0)


def deliver(session: Session, night: Night) -> Chunk:
    """Events that were never made into deliveries."""
    made = fan_out(session, now=night.instant, limit=night.options.chunk)
    return Chunk({"deliveries_made": made}, more=made > 0)


def revive_deliveries(session: Session, night: Night) -> Chunk:
    """Deliveries that stand still."""
    return Chunk({"deliveries_revived": revive(session, now=night.instant)}, more=False)


def ask_partners(session: Session, night: Night) -> Chunk:
    """Partners that have not answered in time are reminded; of those that stay silent the coordinators are told."""
    reminded = remind_partners(session, ASKS, now=night.instant, limit=night.options.chunk)
    told = escalate_silence(session, ASKS, now=night.instant, limit=night.options.chunk)
    return Chunk({"partners_reminded": reminded, "partners_escalated": told}, more=bool(reminded or told))


def send_notices(session: Session, night: Night) -> Chunk:
    """The lines of the day's digests."""
    released = release_notices(session, now=night.instant, day=night.day, limit=night.options.chunk)
    changes = {
        "notices_sent": released.sent,
        "notices_cancelled": released.cancelled,
        "digests_sent": released.digests,
    }
    return Chunk(changes, more=any(released))


def forget(session: Session, night: Night) -> Chunk:
    """Technical traces whose time is over."""
    options = night.options
    attempts = forget_attempts(session, before=night.instant - options.attempts_kept, limit=options.chunk)
    notices = forget_notices(session, before=night.instant - options.notices_kept, limit=options.chunk)
    digests = forget_digests(session, before=night.instant - options.notices_kept, limit=options.chunk)
    requests = forget_requests(session, before=night.instant - options.requests_kept, limit=options.chunk)
    secrets = forget_secrets(session, now=night.instant, limit=options.chunk)
    changes = {
        "attempts_forgotten": attempts,
        "notices_forgotten": notices,
        "digests_forgotten": digests,
        "requests_forgotten": requests,
        "secrets_forgotten": secrets,
    }
    return Chunk(changes, more=any(changes.values()))


STEPS: dict[str, Step] = {
    "deadlines": sweep,
    "leftovers": give_back,
    "places": offer,
    "dispatch": dispatch,
    "tasks": assign,
    "partners": ask_partners,
    "events": deliver,
    "deliveries": revive_deliveries,
    "notices": send_notices,
    "retention": forget,
}
