"""The options that say which cases are meant, and the filter that they make. Lists and batch moves have the same."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import typer
from sqlalchemy import select
from sqlmodel import col

from deployments.cli.desk import Desk
from models.case import PathwayVersion as Version
from models.caseload import CaseFilter, find_office, find_staff
from models.database import read_session
from states.casework.codes import known
from states.pathways.shelf import pathways_of
from states.record_words import PRIORITY_WORDS

_DAY = ["%Y-%m-%d"]
_DAYS = "at least so many days ago"

State = Annotated[str | None, typer.Option(help="Only cases in this state.")]
Region = Annotated[str | None, typer.Option(help="Only this region of return (first-level P-code).")]
Office = Annotated[str | None, typer.Option(help="Only this office (its code).")]
Priority = Annotated[str | None, typer.Option(help="emergency, urgent or normal.")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only cases with a deadline that has passed.")]
Assignee = Annotated[
    str | None, typer.Option(metavar="LOGIN", help="Only cases in which this person has an open task.")
]
HoldReason = Annotated[str | None, typer.Option(help="Only cases held for this reason (its code).")]
PathwayVersion = Annotated[int | None, typer.Option(help="Only cases that run on this version of their pathway.")]
ArrivedFrom = Annotated[datetime | None, typer.Option(formats=_DAY, help="Only arrivals of this day or later.")]
ArrivedTo = Annotated[datetime | None, typer.Option(formats=_DAY, help="Only arrivals of this day or earlier.")]
Age = Annotated[int | None, typer.Option(min=0, max=36_500, metavar="DAYS", help=f"Only arrivals {_DAYS}.")]
RegisteredFor = Annotated[
    int | None, typer.Option(min=0, max=36_500, metavar="DAYS", help=f"Only cases registered {_DAYS}.")
]
InStateFor = Annotated[
    int | None, typer.Option(min=0, max=36_500, metavar="DAYS", help=f"Only cases that entered their state {_DAYS}.")
]
StillFor = Annotated[
    int | None,
    typer.Option(min=0, max=36_500, metavar="DAYS", help=f"Only cases to which the last thing happened {_DAYS}."),
]


def case_filter(
    work: Desk,
    *,
    state: str | None,
    region: str | None,
    office: str | None,
    priority: str | None,
    overdue: bool,
    assignee: str | None,
    hold_reason: str | None,
    pathway_version: int | None,
    arrived_from: datetime | None,
    arrived_to: datetime | None,
    age: int | None,
    registered_for: int | None,
    in_state_for: int | None,
    still_for: int | None,
) -> CaseFilter:
    """The filter of these options; days are counted back from now, those of arrivals by the programme's calendar.

    Raises WrongUse for a state, priority, office, person or reason that is not there: a slip must not look like an
    empty caseload.
    """
    _check(work, state, priority, office, assignee, hold_reason)
    now = work.now()
    today = now.astimezone(work.out.timezone).date()
    latest = [day for day in (_day(arrived_to), None if age is None else today - timedelta(days=age)) if day]

    def ago(days: int | None) -> datetime | None:
        return None if days is None else now - timedelta(days=days)

    return CaseFilter(
        state=state,
        region=region,
        office=office,
        priority=priority,
        overdue=overdue,
        assignee=assignee,
        hold_reason=hold_reason,
        pathway_version=pathway_version,
        arrived_from=_day(arrived_from),
        arrived_to=min(latest, default=None),
        registered_until=ago(registered_for),
        in_state_since=ago(in_state_for),
        still_since=ago(still_for),
    )


def _check(
    work: Desk, state: str | None, priority: str | None, office: str | None, assignee: str | None, reason: str | None
) -> None:
    with read_session(work.engine) as session:
        if office is not None:
            find_office(session, office)
        if assignee is not None:
            find_staff(session, assignee)
        if state is None and priority is None and reason is None:
            return
        versions = session.scalars(select(col(Version.id))).all()
        pathways = pathways_of(session, [id_ for id_ in versions if id_ is not None]).values()
    known("state", [state], {key: each.title for pathway in pathways for key, each in pathway.states.items()})
    known("priority", [priority], PRIORITY_WORDS)
    known("reason", [reason], {key: text for pathway in pathways for key, text in pathway.hold_reasons.items()})


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
