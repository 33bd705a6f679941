"""Makes a change of a calendar from the command line: shows what it would move, asks, records it and moves that.

Every changing command of `segin calendar` ends here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import typer
from sqlmodel import Session, select

from deployments.cli.calendar_view import change_document, made_document, render_change
from deployments.cli.desk import Desk, acting, desk
from deployments.cli.output import DONE
from models import CalendarChange, Office, WrongUse
from models.caseload import find_office
from models.database import read_session, write_session
from states.calendar import Calendar
from states.calendars.changes import Change, record, recorded_after
from states.calendars.moving import move_clocks, preview, unfinished_change
from states.calendars.offices import OfficeDays, office_days, recorded_days
from states.calendars.overview import gather_moves
from states.pathways.shelf import pathways_of

CHUNK = 2_000
"""Cases that one transaction moves."""


class Order(NamedTuple):
    """How a change is asked for: only looked at or made, asked about or not, how many moves are shown, and by whom."""

    dry_run: bool
    yes: bool
    shown: int
    login: str | None
    role: str


def make_change(
    make: Callable[[Calendar, int | None], Change], office: str | None, order: Order, *, as_json: bool
) -> None:
    """Show what the change would move; unless it is a dry run or the answer is no, make it and move that. `make` is
    given the calendar as it holds in the office."""
    dry_run, yes, shown, login, role = order
    with desk(as_json=as_json) as work:
        with read_session(work.engine) as session:
            office_id = office_id_of(session, office)
            change = make(work.pathway().calendar.locally(office_days(session).of(office_id)), office_id)
            document = _foreseen(work, session, change, office)
        made = None
        if not dry_run:
            _may_start(yes=yes)
            if not yes:
                render_change(work.out, work.out.progress, document, shown)
            if yes or typer.confirm(work.out.say("Modifier ?", "Change it?"), err=True):
                finish_changes(work)
                with write_session(work.engine) as session:
                    recorded = record(session, change, actor=acting(session, login, role), now=work.now())
                    session.commit()
                finish_changes(work)
                with read_session(work.engine) as session:
                    made = session.get_one(CalendarChange, recorded.id)
        document |= {"change": None if made is None else made_document(made)}
        work.out.show(document, lambda console: render_change(work.out, console, document, shown))
    raise typer.Exit(DONE)


def _foreseen(work: Desk, session: Session, change: Change, office: str | None) -> dict[str, Any]:
    before, after = office_days(session), OfficeDays(recorded_after(recorded_days(session), change))
    moved = list(preview(session, before, after, now=work.now(), chunk=CHUNK))
    pathways = pathways_of(session, {each.version_id for each in moved})
    codes = dict(session.exec(select(Office.id, Office.code)).all())
    return change_document(change, office, moved, gather_moves(moved, pathways), codes)


def finish_changes(work: Desk) -> list[CalendarChange]:
    """Move the clocks of every change that is not finished, a chunk of cases in each transaction. Those moved here."""
    finished = []
    with write_session(work.engine) as session:
        while (change := unfinished_change(session)) is not None:
            above: int | None = 0
            while above is not None:
                above = move_clocks(session, change, now=work.now(), above=above, limit=CHUNK).last_case_id
                session.commit()
            finished.append(change)
    return finished


def _may_start(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise WrongUse(
            "A change asks before it is made, and here is nobody to ask.",
            "Une modification demande confirmation, et il n'y a personne à qui la demander.",
            remedy="Look with --dry-run, then give --yes.",
            remedy_fr="Regardez avec --dry-run, puis donnez --yes.",
        )


def office_id_of(session: Session, code: str | None) -> int | None:
    """The id of the office with this code."""
    return None if code is None else find_office(session, code).id
