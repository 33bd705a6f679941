"""`segin project`: community projects, who takes part, what is given, and which milestones are late."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import AsJson
from models.database import read_session, write_session
from states.casework.project_list import list_projects, overdue_milestones, show_project
from states.casework.projects import NewProject, add_project

project_app = typer.Typer(no_args_is_help=True, help="Community projects that take returnees in.")

ProjectCode = Annotated[str, typer.Argument(help="Code of the project.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(project_app, name="project")


@project_app.command("add")
def add(
    code: ProjectCode,
    title: Annotated[str, typer.Argument(help="What the project is.")],
    place: Annotated[str, typer.Option(help="The village or town.")],
    region: Annotated[str, typer.Option(help="First-level P-code.")],
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    ends: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")] = None,
    district: Annotated[str | None, typer.Option(help="Second-level P-code.")] = None,
    login: AsLogin = None,
    role: AsRole = "livelihood_officer",
    as_json: AsJson = False,
) -> None:
    """Write a planned project."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        project = NewProject(
            code=code,
            title=title,
            region_pcode=region,
            district_pcode=district,
            place=place,
            starts_on=starts.date(),
            ends_on=None if ends is None else ends.date(),
        )
        made = add_project(session, project, actor=acting(session, login, role), now=work.now())
        session.commit()
        said = work.out.say(f"Projet {code} prévu.", f"Project {code} planned.")
        document = {"code": code, "status": made.status, "version": made.version}
        work.out.show(document, lambda console: console.print(said))


@project_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Projects with their members and what was given, and the milestones that are late."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        projects = list_projects(session)
        late = overdue_milestones(session, work.now().astimezone(work.out.timezone).date())
        table = work.out.table(
            [
                *(("Projet", "Project"), ("Titre", "Title"), ("Lieu", "Place"), ("Étape", "Status")),
                *(("Retours", "Returnees"), ("Village", "Community"), ("F CFA", "XOF"), ("Heures", "Hours")),
            ],
            (
                [
                    *(each.code, each.title, each.place, each.status, each.returnees, each.community),
                    *(each.given_xof, each.hours),
                ]
                for each in projects
            ),
        )

        def render(console: Console) -> None:
            console.print(table)
            for each in late:
                fr = f"{each.project} : « {each.title} » en retard de {each.days} jours"
                console.print(work.out.say(fr, f"{each.project}: “{each.title}” late by {each.days} days"))

        work.out.show(
            {"projects": [each._asdict() for each in projects], "late": [each._asdict() for each in late]}, render
        )


@project_app.command("show")
def show(code: ProjectCode, as_json: AsJson = False) -> None:
    """A project: members (returnees by the codes of their cases), milestones, history."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        found = show_project(session, code, work.now().astimezone(work.out.timezone).date())
        history = [
            {"seq": each.seq, "at": each.at, "what": each.what, "status": each.to_status, "reason": each.reason}
            for each in found.history
        ]
        document: dict[str, Any] = {
            **found.line._asdict(),
            "members": [each._asdict() for each in found.members],
            "milestones": [each._asdict() for each in found.milestones],
            "history": history,
        }

        def render(console: Console) -> None:
            line = found.line
            console.print(f"{line.code} · {line.title} · {line.place} · {line.status}", style="bold")
            people = [
                [each.code, each.case or each.label, each.status, work.out.when(each.joined_at)]
                for each in found.members
            ]
            names = [("Participation", "Part"), ("Dossier", "Case"), ("Étape", "Step"), ("Depuis", "Since")]
            console.print(work.out.table(names, people))
            steps = [
                [each.position, each.title, each.due_on, work.out.when(each.reached_at), each.days]
                for each in found.milestones
            ]
            titles = [
                ("N°", "No"),
                ("Jalon", "Milestone"),
                ("Prévu", "Due"),
                ("Atteint", "Reached"),
                ("Retard", "Late"),
            ]
            console.print(work.out.table(titles, steps))
            lines = [[each.seq, work.out.when(each.at), each.what, each.to_status] for each in found.history]
            console.print(work.out.table([("N°", "No"), ("Quand", "When"), ("Quoi", "What"), ("Étape", "Step")], lines))

        work.out.show(document, render)
