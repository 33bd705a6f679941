"""`segin tasks`: open tasks, and saying that one is done."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli.case_file import task_document
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import DONE, FAILED, AsJson, Limit
from models import WrongUse
from models.caseload import list_tasks
from models.database import read_session, write_session
from states.casework.act import TaskDone, complete_tasks

tasks_app = typer.Typer(invoke_without_command=True, help="Open tasks, the most pressing first.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(tasks_app, name="tasks")


@tasks_app.callback()
def tasks(
    context: typer.Context,
    mine: Annotated[str | None, typer.Option("--staff", metavar="LOGIN", help="Only this person's.")] = None,
    role: Annotated[str | None, typer.Option(help="Only this role's.")] = None,
    office: Annotated[str | None, typer.Option(help="Only this office's (its code).")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their due time.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Open tasks, the most pressing first. `segin tasks done ID` ends one."""
    if context.invoked_subcommand is not None:
        sources = [context.get_parameter_source(name) for name in context.params]
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise WrongUse(
                "Options come after the whole command.",
                "Les options se placent après la commande entière.",
                remedy="Write for instance segin tasks done 17 --json.",
                remedy_fr="Écrivez par exemple segin tasks done 17 --json.",
            )
        return
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_tasks(
            session, limit=limit, login=mine, role=role, office=office, overdue_at=work.now() if overdue else None
        )
        rows = [task_document(line.task) | {"case": line.case_code, "staff": line.login} for line in lines]
        table = work.out.table(
            [
                ("N°", "No"),
                ("Tâche", "Task"),
                ("Dossier", "Case"),
                ("Échéance", "Due"),
                ("Rôle", "Role"),
                ("Chez", "With"),
                ("Priorité", "Priority"),
            ],
            (
                [
                    row["id"],
                    row["key"],
                    row["case"],
                    work.out.when(row["due_at"]),
                    row["role"],
                    row["staff"],
                    row["priority"],
                ]
                for row in rows
            ),
        )
        work.out.show({"tasks": rows}, lambda console: console.print(table))


@tasks_app.command("done")
def done(
    task_id: Annotated[int, typer.Argument(help="Number of the task.")],
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Say that a task is done. A task that a move of the pathway ends is ended by that move."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        (refusal,) = complete_tasks(session, [TaskDone(task_id, acting(session, login, role))], now=work.now())
        session.commit()
        text = work.out.say(f"Tâche {task_id} terminée.", f"Task {task_id} done.")
        if refusal is not None:
            text = work.out.say(refusal.text_fr, refusal.text_en)
        work.out.show(
            {"id": task_id, "done": refusal is None, "reasons": [] if refusal is None else [refusal._asdict()]},
            lambda console: console.print(text),
        )
    raise typer.Exit(DONE if refusal is None else FAILED)
