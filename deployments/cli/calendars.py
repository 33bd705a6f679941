"""`segin calendar`: the days on which nobody works, and changes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from deployments.cli.calendar_change import Order, finish_changes, make_change, office_id_of
from deployments.cli.calendar_view import made_document, overview_document, render_overview
from deployments.cli.desk import AsLogin, AsRole, desk
from deployments.cli.output import AsJson
from models import WrongUse
from models.database import read_session
from states.calendar import Calendar
from states.calendars.changes import Change, announcement, closure, forgetting, opening, own_calendar
from states.calendars.overview import overview

calendar_app = typer.Typer(
    no_args_is_help=True, help="Working calendars: rest days, holidays, closures. A change shows what it moves."
)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="First day.")]
LastDay = Annotated[datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="Last day; none: only the first.")]
AtOffice = Annotated[str | None, typer.Option("--office", help="Code of an office; none: the whole programme.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; everybody who looks at the calendar reads it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would move, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Shown = Annotated[int, typer.Option("--show", min=0, help="So many of the moves, one by one (--json: all).")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(calendar_app, name="calendar")


@calendar_app.command("show")
def show(
    office: AtOffice = None,
    year: Annotated[int | None, typer.Option(min=2000, max=2100, help="Year; none: the present one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rest days, public holidays with their names and which are estimates, closures, and days that are worked."""
    with desk(as_json=as_json) as work:
        today = work.now().astimezone(work.settings.timezone)
        with read_session(work.engine) as session:
            found = overview(session, work.pathway(), office_id_of(session, office), year or today.year)
            data = overview_document(found, office)
        work.out.show(data, lambda console: render_overview(work.out, console, data))


@calendar_app.command("close")
def close(
    first: Day,
    last: LastDay = None,
    *,
    reason: Reason,
    office: AtOffice = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    shown: Shown = 20,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Nobody works on these days."""

    def change(_calendar: Calendar, office_id: int | None) -> Change:
        return closure(first.date(), (last or first).date(), reason, office_id)

    make_change(change, office, Order(dry_run, yes, shown, login, role), as_json=as_json)


@calendar_app.command("open")
def open_(
    first: Day,
    last: LastDay = None,
    *,
    reason: Reason,
    office: AtOffice = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    shown: Shown = 20,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """People do work on these days, rest days and holidays included."""

    def change(_calendar: Calendar, office_id: int | None) -> Change:
        return opening(first.date(), (last or first).date(), reason, office_id)

    make_change(change, office, Order(dry_run, yes, shown, login, role), as_json=as_json)


@calendar_app.command("announce")
def announce(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day that was announced.")],
    instead_of: Annotated[
        datetime, typer.Option("--instead-of", formats=["%Y-%m-%d"], help="The day that was expected.")
    ],
    office: AtOffice = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    shown: Shown = 20,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """A holiday with an estimated date is on another day: that one is off, the expected one is a day like others."""

    def change(calendar: Calendar, office_id: int | None) -> Change:
        return announcement(day.date(), instead_of.date(), calendar.country, office_id)

    make_change(change, office, Order(dry_run, yes, shown, login, role), as_json=as_json)


@calendar_app.command("forget")
def forget(
    first: Day,
    last: LastDay = None,
    office: AtOffice = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    shown: Shown = 20,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """What was recorded of these days no longer counts: they are as the pathway and the country say."""

    def change(_calendar: Calendar, office_id: int | None) -> Change:
        return forgetting(first.date(), (last or first).date(), office_id)

    make_change(change, office, Order(dry_run, yes, shown, login, role), as_json=as_json)


@calendar_app.command("set")
def set_(
    office: Annotated[str, typer.Argument(help="Code of the office.")],
    weekend: Annotated[
        list[str] | None, typer.Option("--rest-day", help="A weekly rest day, in English; repeatable.")
    ] = None,
    country: Annotated[str | None, typer.Option(help="Country whose public holidays count there, as ML.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    shown: Shown = 20,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """An office has weekly rest days, or public holidays, of its own."""
    if weekend is None and country is None:
        raise WrongUse(
            "Say what the office has of its own.",
            "Dites ce que le bureau a de particulier.",
            remedy="Give --rest-day, once or several times, or --country.",
            remedy_fr="Donnez --rest-day, une ou plusieurs fois, ou --country.",
        )

    def change(_calendar: Calendar, office_id: int | None) -> Change:
        return own_calendar(office_id or 0, weekend, country)

    make_change(change, office, Order(dry_run, yes, shown, login, role), as_json=as_json)


@calendar_app.command("finish")
def finish(as_json: AsJson = False) -> None:
    """Move what a change that was interrupted has left where it was; nothing moves twice."""
    with desk(as_json=as_json) as work:
        finished = finish_changes(work)
        data = {"changes": [made_document(change) for change in finished]}
        text = work.out.say(f"{len(finished)} modification(s) achevée(s).", f"{len(finished)} change(s) finished.")
        work.out.show(data, lambda console: console.print(text))
