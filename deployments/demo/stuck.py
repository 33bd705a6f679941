"""The cases that have been stuck the longest, and why: what their deadlines ask for, and what bars their way on.

Part of the demonstration's summary. The reasons are those of `preview`, the same that greyed-out buttons would give.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from models import Case, Deadline, DeadlineStatus, Staff, Task, TaskStatus
from states.decide import Possible, preview
from states.facts import FACT_GROUPS, Facts
from states.gather import gather_facts
from states.moves import Actor
from states.pathway import Pathway
from states.pathways.shelf import pathways_of

SHOWN: Final = 3
OTHER_WAYS: Final = frozenset({"hold", "close"})
"""Ways out of a state that are no way on."""


def most_stuck(session: Session, now: datetime) -> list[dict[str, Any]]:
    """The three cases with the oldest overdue deadline, each from another state where there are so many."""
    oldest = func.min(col(Deadline.due_at))
    late = session.execute(
        select(col(Case.id), col(Case.code), col(Case.state), col(Case.pathway_version_id), oldest)
        .join(Deadline, col(Deadline.case_id) == col(Case.id))
        .where(col(Deadline.status) == DeadlineStatus.OPEN, col(Deadline.due_at) <= now)
        .group_by(col(Case.id), col(Case.code), col(Case.state), col(Case.pathway_version_id))
        .order_by(oldest, col(Case.id))
    ).all()
    first_of_state = {row.state: row for row in reversed(late)}.values()
    chosen = sorted(first_of_state, key=lambda row: (row[4], row.id))[:SHOWN]
    chosen += [row for row in late if row not in chosen][: SHOWN - len(chosen)]
    facts = gather_facts(session, [row.id for row in chosen], FACT_GROUPS)
    pathways = pathways_of(session, {row.pathway_version_id for row in chosen}) if chosen else {}
    return [
        {
            "case": row.code,
            "state": row.state,
            "state_title": pathways[row.pathway_version_id].states[row.state].title._asdict(),
            "in_state_since": facts[row.id].entered_state_at,
            "overdue": _overdue(session, pathways[row.pathway_version_id], row.id, now),
            "open_tasks": _open_tasks(session, pathways[row.pathway_version_id], row.id),
            "way_on": _way_on(session, pathways[row.pathway_version_id], facts[row.id], now),
        }
        for row in chosen
    ]


def _overdue(session: Session, pathway: Pathway, case_id: int, now: datetime) -> list[dict[str, Any]]:
    rows = session.execute(
        select(col(Deadline.key), col(Deadline.due_at))
        .where(
            col(Deadline.case_id) == case_id,
            col(Deadline.status) == DeadlineStatus.OPEN,
            col(Deadline.due_at) <= now,
        )
        .order_by(col(Deadline.due_at))
    )
    return [
        {"deadline": key, "title": pathway.deadlines[key].title._asdict(), "days": (now - due_at).days}
        for key, due_at in rows
    ]


def _open_tasks(session: Session, pathway: Pathway, case_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(col(Task.key), col(Task.role), col(Staff.login))
        .outerjoin(Staff, col(Staff.id) == col(Task.staff_id))
        .where(col(Task.case_id) == case_id, col(Task.status) == TaskStatus.OPEN)
        .order_by(col(Task.due_at), col(Task.id))
    )
    return [
        {"task": key, "title": pathway.tasks[key].title._asdict(), "role": role, "login": login}
        for key, role, login in rows
    ]


def _way_on(session: Session, pathway: Pathway, facts: Facts, now: datetime) -> list[dict[str, Any]]:
    """The triggers that would lead to another state, for a coordinator of the office, with what bars each."""
    ways = [
        possible
        for possible in preview(pathway, facts, _coordinator(session, facts), now)
        if (facts.state, possible.trigger) in pathway.table
        and not possible.internal
        and possible.trigger not in OTHER_WAYS
    ]
    return [_way(pathway, possible) for possible in ways]


def _way(pathway: Pathway, possible: Possible) -> dict[str, Any]:
    return {
        "trigger": possible.trigger,
        "title": pathway.triggers[possible.trigger]._asdict(),
        "allowed": possible.allowed,
        "reasons": [{"code": reason.code, "fr": reason.text_fr, "en": reason.text_en} for reason in possible.reasons],
    }


def _coordinator(session: Session, facts: Facts) -> Actor:
    query = select(Staff).where(col(Staff.role) == "coordinator").order_by(col(Staff.id))
    people = session.scalars(query).all()
    near = [person for person in people if person.office_id == facts.office_id] or list(people)
    return Actor("coordinator", near[0].id, near[0].office_id)
