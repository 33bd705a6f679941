"""`segin workload`: who has how much to do, and what nobody has."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import desk
from deployments.cli.output import AsJson
from models.database import read_session
from models.worklist import Today
from models.workload import GroupLoad, Load, PersonLoad, workload

_LOAD = [
    *(("Ouvertes", "Open"), ("En retard", "Overdue"), ("Jour", "Today"), ("7 jours", "7 days")),
    *(("Suspendues", "Held"), ("Urgences", "Emergencies"), ("La plus ancienne", "Oldest")),
]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("workload")(workload_)


def workload_(
    office: Annotated[str | None, typer.Option(help="Only the tasks of this office (its code).")] = None,
    role: Annotated[str | None, typer.Option(help="Only the tasks of this role.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who has how much to do: by person, office and role, and what nobody has."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        seen = workload(session, today=Today.at(work.now(), work.out.timezone), office=office, role=role)

        def cells(load: Load) -> list[object]:
            return [*load[:-1], work.out.when(load.oldest)]

        def render(console: Console) -> None:
            present = work.out.say("présent", "here"), work.out.say("absent", "away"), work.out.say("parti", "left")
            people = [
                [p.login, p.role, p.office, present[2 if not p.active else int(p.away)], *cells(p.load)]
                for p in seen.people
            ]
            nobody = work.out.say("(personne)", "(nobody)")
            who = [("Personne", "Person"), ("Rôle", "Role"), ("Bureau", "Office"), ("Présence", "Presence")]
            console.print(work.out.table([*who, *_LOAD], [*people, [nobody, "", "", "", *cells(seen.unassigned)]]))
            for names, groups in ((("Bureau", "Office"), seen.offices), (("Rôle", "Role"), seen.roles)):
                rows = [[group.name, *cells(group.load), group.unassigned.open] for group in groups]
                console.print("", work.out.table([names, *_LOAD, ("Sans personne", "With nobody")], rows), sep="\n")

        work.out.show(
            {
                "people": [_with_load(p, "login", "role", "office", "active", "away") for p in seen.people],
                "offices": [_group(group) for group in seen.offices],
                "roles": [_group(group) for group in seen.roles],
                "total": seen.total._asdict(),
                "unassigned": seen.unassigned._asdict(),
            },
            render,
        )


def _with_load(row: PersonLoad | GroupLoad, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names} | row.load._asdict()


def _group(group: GroupLoad) -> dict[str, Any]:
    return _with_load(group, "name") | {"unassigned": group.unassigned.open}
