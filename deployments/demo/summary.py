"""What the demonstration came to, counted from the database: one dictionary that JSON can carry, codes and counts only.

`deployments.demo.run` gathers it at the end, `deployments.demo.view` shows it to a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, SQLModel, col

from deployments.demo.stuck import most_stuck
from integrations.webhooks.dead_letters import count_deliveries
from models import Attempt, Case, Deadline, DeadlineStatus, Event, Manifest, ManifestRow, NightlyRun, Task
from states.journal import verify_journal
from states.waivers import waiver_counts

ROWS = ("rows", "registered", "rejected", "already_known", "waiting")


def summarise(session: Session, now: datetime) -> dict[str, Any]:
    """Everything that the database can tell; the same counts seen from two sides must agree (`reconciled`)."""
    cases = _returnees(session)
    manifests = _manifests(session)
    journal = verify_journal(session)
    accounted = sum(manifests[name] for name in ROWS[1:])
    return {
        "returnees": cases,
        "manifests": manifests,
        "duplicates_waiting": _count(session, ManifestRow, col(ManifestRow.outcome) == "waiting"),
        "deadlines": _deadlines(session, now),
        "tasks": _by(session, col(Task.status)),
        "events": {
            "announced": _count(session, Event),
            "attempts": _count(session, Attempt),
            "deliveries": count_deliveries(session),
        },
        "nights": _nights(session),
        "journal": {"cases": journal.cases, "transitions": journal.transitions, "broken": len(journal.broken)},
        "stuck": most_stuck(session, now),
        "reconciled": {
            "rows": accounted == manifests["rows"],
            "waiting": manifests["waiting"] == _count(session, ManifestRow, col(ManifestRow.outcome) == "waiting"),
            "cases": sum(cases["by_state"].values()) == cases["total"] == manifests["registered"] == journal.cases,
            "journal": not journal.broken,
        },
    }


def _returnees(session: Session) -> dict[str, Any]:
    arrivals = select(col(Case.arrival_date), col(Case.departure_country), func.count()).group_by(
        col(Case.arrival_date), col(Case.departure_country)
    )
    by_month: dict[str, dict[str, int]] = {}
    for day, country, number in session.execute(arrivals.order_by(col(Case.arrival_date))):
        countries = by_month.setdefault(f"{day:%Y-%m}", {})
        countries[country] = countries.get(country, 0) + number
    return {
        "total": _count(session, Case),
        "by_state": _by(session, col(Case.state)),
        "by_month_and_country": by_month,
        "closed_because": _by(session, col(Case.closure_reason), col(Case.closed_at).is_not(None)),
        "by_priority": _by(session, col(Case.priority)),
    }


def _manifests(session: Session) -> dict[str, Any]:
    sums = session.execute(select(func.count(), *(func.sum(getattr(Manifest, name)) for name in ROWS))).one()
    rejected = col(ManifestRow.outcome) == "rejected"
    return {
        **dict(zip(("files", *ROWS), (int(number or 0) for number in sums), strict=True)),
        "reasons": _by(session, col(ManifestRow.reason), rejected),
    }


def _deadlines(session: Session, now: datetime) -> dict[str, Any]:
    """By how they ended, and of the open ones those that have passed; `escalated` counts those that went up their
    ladder, whatever became of them, `waivers` by deadline and reason how often more time was given, or one lifted."""
    clocks = col(Deadline.kind) == "deadline"
    by_status = _by(session, col(Deadline.status), clocks)
    passed = col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.due_at) <= now
    return {
        "set": sum(by_status.values()),
        **{status.value: by_status.get(status, 0) for status in DeadlineStatus if status != DeadlineStatus.FIRED},
        "overdue": _count(session, Deadline, clocks, *passed),
        "escalated": _count(session, Deadline, clocks, col(Deadline.escalated_at).is_not(None)),
        "waivers": [count._asdict() for count in waiver_counts(session)],
        "timers_fired": _count(session, Deadline, col(Deadline.status) == DeadlineStatus.FIRED),
    }


def _nights(session: Session) -> dict[str, Any]:
    done = col(NightlyRun.status) == "done"
    first, last = session.execute(select(func.min(NightlyRun.as_of), func.max(NightlyRun.as_of)).where(done)).one()
    return {"done": _count(session, NightlyRun, done), "first": str(first), "last": str(last)}


def _by(session: Session, column: Mapped[Any], *conditions: ColumnElement[bool]) -> dict[str, int]:
    """How many of each value, the most frequent first."""
    rows = session.execute(
        select(column, func.count()).where(*conditions).group_by(column).order_by(func.count().desc(), column)
    )
    return dict(rows.tuples().all())


def _count(session: Session, table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
