"""`segin digest`: everything that one person, or a role in an office, is told of on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import desk
from deployments.cli.output import AsJson, Output
from models import WrongUse
from models.caseload import find_office, find_staff
from models.database import read_session
from states.digests import DigestView, Heading, digest_of
from states.pathway import Text
from states.releases import Recipient

_HEADINGS = {
    Heading.EMERGENCIES: Text("Urgences", "Emergencies"),
    Heading.OVERDUE: Text("En retard", "Overdue"),
    Heading.ESCALATIONS: Text("Escalades", "Escalations"),
    Heading.REMINDERS: Text("Rappels", "Reminders"),
    Heading.ASSIGNED: Text("Nouvelles tâches", "New tasks"),
    Heading.PARTNERS: Text("Partenaires sans réponse", "Silent partners"),
    Heading.REFUSED: Text("Ce qui n'a pas pu se faire de soi-même", "What could not happen by itself"),
}


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("digest")(digest)


def digest(
    login: Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="Whose digest.")] = None,
    role: Annotated[
        str | None, typer.Option(help="The digest of a role, where nobody in particular has a case.")
    ] = None,
    office: Annotated[
        str | None, typer.Option(help="Code of the office of that role; none: those in no office.")
    ] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day; none: today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Everything that somebody is told of on a day: one message, whatever the number of things in it."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        if (login is None) == (role is None):
            raise WrongUse(
                "Say whose digest is meant.",
                "Dites de qui il s'agit.",
                remedy="Give --as LOGIN, or --role ROLE with or without --office CODE.",
                remedy_fr="Donnez --as IDENTIFIANT, ou --role RÔLE avec ou sans --office CODE.",
            )
        if login is not None:
            recipient = Recipient(find_staff(session, login).id)
        else:
            recipient = Recipient(None, role, None if office is None else find_office(session, office).id)
        local_now = work.now().astimezone(work.settings.timezone)
        view = digest_of(session, recipient, (day or local_now).date(), work.settings.timezone)
        data = digest_document(view, login=login, role=role, office=office)
        work.out.show(data, lambda console: render_digest(work.out, console, data))


def digest_document(view: DigestView, *, login: str | None, role: str | None, office: str | None) -> dict[str, Any]:
    """The digest of a day: codes of cases and titles of what is due, never a name."""
    return {
        "login": login,
        "role": role,
        "office": office,
        "day": view.day,
        "sent_at": view.sent_at,
        "urgent_messages": view.urgent,
        "waiting": view.waiting,
        "groups": [
            {
                "heading": group.heading,
                "total": group.total,
                "lines": [
                    {
                        "kind": line.kind,
                        "case": line.case_code,
                        "key": line.key,
                        **_titles(line.title),
                        "due_at": line.due_at,
                        "level": line.level,
                        "told_at": line.told_at,
                    }
                    for line in group.lines
                ],
                "folded": [{"key": fold.key, **_titles(fold.title), "more": fold.more} for fold in group.folded],
            }
            for group in view.groups
        ],
    }


def render_digest(out: Output, console: Console, data: Mapping[str, Any]) -> None:
    """The same for a person."""
    whose = data["login"] or f"{data['role']} · {data['office'] or '–'}"
    console.print(f"{data['day']} · {whose}", style="bold")
    if data["sent_at"] is None:
        console.print(out.say("Aucun résumé envoyé ce jour-là.", "No digest was sent on that day."))
    for group in data["groups"]:
        heading = _HEADINGS[group["heading"]].in_(out.language)
        console.print(f"\n{heading} ({group['total']})", style="bold")
        for line in group["lines"]:
            title = line[f"title_{out.language}"] or line["key"] or line["kind"]
            level = out.say(f", niveau {line['level']}", f", level {line['level']}") if line["level"] else ""
            console.print(f"  {line['case'] or '–'} · {title} · {out.when(line['due_at'])}{level}")
        for fold in group["folded"]:
            title, more = fold[f"title_{out.language}"] or fold["key"], fold["more"]
            console.print(out.say(f"  … et {more} autres : {title}", f"  … and {more} more: {title}"))
    if data["waiting"]:
        console.print(
            out.say(f"\n{data['waiting']} ligne(s) pour le prochain.", f"\n{data['waiting']} line(s) for the next one.")
        )


def _titles(title: Text | None) -> dict[str, str | None]:
    return {"title_fr": title.fr if title else None, "title_en": title.en if title else None}
