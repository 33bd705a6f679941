"""`segin tasks`: what there is to do, saying that a task is done, and who had it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.case_file import task_document
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import DONE, FAILED, AsJson, Limit
from models import WrongUse
from models.database import read_session, write_session
from models.worklist import TaskFilter, Today, Which, count_tasks, list_tasks, task_history
from states.absences import day_start
from states.casework.act import TaskDone, complete_tasks

tasks_app = typer.Typer(invoke_without_command=True, help="Open tasks, the most pressing first.")

TaskId = Annotated[int, typer.Argument(help="Number of the task.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(tasks_app, name="tasks")


@tasks_app.callback()
def tasks(
    context: typer.Context,
    mine: Annotated[str | None, typer.Option("--staff", metavar="LOGIN", help="Only this person's.")] = None,
    role: Annotated[str | None, typer.Option(help="Only this role's.")] = None,
    office: Annotated[str | None, typer.Option(help="Only this office's (its code).")] = None,
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only those that nobody has.")] = False,
    which: Annotated[Which, typer.Option(help="Only those that the workload counts under this name.")] = Which.OPEN,
    overdue: Annotated[bool, typer.Option("--overdue", help="The same as --which overdue.")] = False,
    state: Annotated[str | None, typer.Option(help="Only those of cases in this state.")] = None,
    priority: Annotated[str | None, typer.Option(help="emergency, urgent or normal.")] = None,
    due_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those due before this day.")
    ] = None,
    limit: Limit = 50,
    after: Annotated[int | None, typer.Option(help="Begin after the task with this number.")] = None,
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
        today = Today.at(work.now(), work.out.timezone)
        wanted = TaskFilter(
            which=Which.OVERDUE if overdue else which,
            login=mine,
            role=role,
            office=office,
            unassigned=unassigned,
            state=state,
            priority=priority,
            due_before=None if due_before is None else day_start(due_before.date(), work.out.timezone),
        )
        total = count_tasks(session, wanted, today=today)
        lines = list_tasks(session, wanted, today=today, limit=limit, after=after)
        following = lines[-1].task.id if len(lines) == limit else None
        rows = [task_document(line.task) | {"case": line.case_code, "staff": line.login} for line in lines]
        table = work.out.table(
            [
                *(("N°", "No"), ("Tâche", "Task"), ("Dossier", "Case"), ("Échéance", "Due")),
                *(("Rôle", "Role"), ("Chez", "With"), ("Priorité", "Priority")),
            ],
            (
                [
                    *(row["id"], row["key"], row["case"], work.out.when(row["due_at"])),
                    *(row["role"], row["staff"], row["priority"]),
                ]
                for row in rows
            ),
        )

        def render(console: Console) -> None:
            console.print(table)
            console.print(work.out.say(f"{total} en tout.", f"{total} in all."))
            if following:
                console.print(work.out.say("Suite : ", "Next: ") + f"--after {following}")

        work.out.show({"tasks": rows, "total": total, "next": following}, render)


@tasks_app.command("done")
def done(
    task_id: TaskId,
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


@tasks_app.command("history")
def history(task_id: TaskId, as_json: AsJson = False) -> None:
    """Who had a task, from whom they got it and why, the oldest entry first."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = task_history(session, task_id)
        table = work.out.table(
            [("Quand", "When"), ("De", "From"), ("À", "To"), ("Par", "By"), ("Motif", "Cause")],
            ([work.out.when(line.at), line.giver, line.taker, line.by, line.cause] for line in lines),
        )
        entries = [
            {"at": line.at, "from": line.giver, "to": line.taker, "by": line.by, "cause": line.cause} for line in lines
        ]
        work.out.show({"id": task_id, "history": entries}, lambda console: console.print(table))
