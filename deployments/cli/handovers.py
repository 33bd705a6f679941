"""Tasks that change hands: `segin tasks assign` and `move`, `segin staff absent`, `absences`, `back` and `leave`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import AsLogin, acting, desk
from deployments.cli.output import AsJson, Output
from deployments.cli.people import staff_app
from deployments.cli.tasks import TaskId, tasks_app
from models.caseload import find_office, find_staff
from models.database import read_session, write_session
from states.absences import AbsenceReason, end_absences, list_absences, record_absence
from states.handover import HandedOver, hand_over_absence, leave, move_office, reassign_task

Login = Annotated[str, typer.Argument(help="Their login.")]


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands below `tasks` and `staff`."""
    tasks_app.command("assign")(assign)
    tasks_app.command("move")(move)
    staff_app.command("absent")(absent)
    staff_app.command("absences")(absences)
    staff_app.command("back")(back)
    staff_app.command("leave")(leave_)


def assign(
    task_id: TaskId,
    to: Annotated[str, typer.Option("--to", metavar="LOGIN", help="Who is to have it.")],
    login: AsLogin = None,
    as_json: AsJson = False,
) -> None:
    """Give an open task to a colleague of its role who is at work; it stays with them."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        by = acting(session, login, "coordinator").id
        reassign_task(session, task_id, find_staff(session, to), now=work.now(), by=by)
        session.commit()
        work.out.show(
            {"id": task_id, "staff": to},
            lambda console: console.print(
                work.out.say(f"Tâche {task_id} confiée à {to}.", f"Task {task_id} given to {to}.")
            ),
        )


def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Code of the office whose tasks they are.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Code of the office that takes them over.")],
    login: AsLogin = None,
    as_json: AsJson = False,
) -> None:
    """Give all open tasks of an office to another and its people. The cases stay in their office."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        by = acting(session, login, "coordinator").id
        places = [find_office(session, code) for code in (source, target)]
        handed = move_office(session, places[0], places[1], now=work.now(), by=by)
        session.commit()
        work.out.show(_document(handed), lambda console: _say(work.out, console, handed))


def absent(
    who: Login,
    first_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day away.")],
    last_day: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day away; none: not known yet.")
    ] = None,
    reason: Annotated[AbsenceReason, typer.Option(help="Why, no more than this.")] = AbsenceReason.LEAVE,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="Give what comes due meanwhile to colleagues; it stays with them.")
    ] = False,
    login: AsLogin = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody is away: they are given no task that comes due meanwhile, and none at all while away."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        by, now = acting(session, login, "coordinator").id, work.now()
        absence = record_absence(
            session,
            find_staff(session, who),
            first_day=first_day.date(),
            last_day=None if last_day is None else last_day.date(),
            reason=reason,
            tz=work.out.timezone,
            now=now,
            by=by,
        )
        handed = hand_over_absence(session, absence, now=now, by=by) if hand_over else HandedOver()
        session.commit()
        days = {"from": first_day.date(), "to": None if last_day is None else last_day.date()}

        def render(console: Console) -> None:
            until = days["to"] or "…"
            console.print(
                work.out.say(
                    f"{who} absent du {days['from']} au {until}.", f"{who} away from {days['from']} to {until}."
                )
            )
            if hand_over:
                _say(work.out, console, handed)

        work.out.show({"login": who, **days, **_document(handed)}, render)


def back(
    who: Login,
    absence: Annotated[
        int | None, typer.Option(help="Only this absence, even one to come (its number in `segin staff absences`).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody is back: the absence that keeps them away ends today. Tasks stay where they are."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        ended = end_absences(
            session, find_staff(session, who), tz=work.out.timezone, now=work.now(), absence_id=absence
        )
        session.commit()
        text = work.out.say(f"{ended} absence(s) de {who} terminée(s).", f"{ended} absence(s) of {who} ended.")
        work.out.show({"login": who, "ended": ended}, lambda console: console.print(text))


def absences(as_json: AsJson = False) -> None:
    """Who is away, and who will be."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_absences(session, tz=work.out.timezone, now=work.now())
        table = work.out.table(
            [("N°", "No"), ("Identifiant", "Login"), ("Du", "From"), ("Au", "To"), ("Motif", "Reason")],
            ([line.id, line.login, line.first_day, line.last_day, line.reason] for line in lines),
        )
        rows = [
            {"id": line.id, "login": line.login, "from": line.first_day, "to": line.last_day, "reason": line.reason}
            for line in lines
        ]
        work.out.show({"absences": rows}, lambda console: console.print(table))


def leave_(who: Login, login: AsLogin = None, as_json: AsJson = False) -> None:
    """Say that somebody works here no more, and give all that they have to the others, in one go."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        by = acting(session, login, "coordinator").id
        handed = leave(session, find_staff(session, who), now=work.now(), by=by)
        session.commit()
        work.out.show({"login": who, **_document(handed)}, lambda console: _say(work.out, console, handed))


def _document(handed: HandedOver) -> dict[str, Any]:
    """To whom how many tasks went."""
    return {"given": dict(handed.given), "left": handed.left, "held": handed.held}


def _say(out: Output, console: Console, handed: HandedOver) -> None:
    """The same for a person to read."""
    console.print(
        out.table([("À", "To"), ("Tâches", "Tasks")], ([login, number] for login, number in handed.given.items()))
    )
    if handed.left:
        console.print(
            out.say(
                f"{handed.left} sans personne : aucun collègue ne peut les prendre.",
                f"{handed.left} with nobody: no colleague can take them.",
            )
        )
    if handed.held:
        console.print(
            out.say(
                f"{handed.held} suspendues : attribuées à la reprise de leur dossier.",
                f"{handed.held} held: given when their case goes on.",
            )
        )
