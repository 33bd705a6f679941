"""`segin case`: the caseload, one case, what is possible, and moving it."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli import case_filter as which
from deployments.cli.acts import say_refused
from deployments.cli.case_file import case_blocks, case_document, case_summary
from deployments.cli.desk import AsLogin, AsRole, acting, desk, typed_code
from deployments.cli.output import DONE, FAILED, AsJson, Limit
from models import Case, WrongUse
from models.caseload import case_file, count_cases, find_case, list_cases
from models.database import read_session, write_session
from states.advance import advance_case
from states.decide import preview
from states.facts import FACT_GROUPS, PAST
from states.gather import gather_facts
from states.moves import Move, OutcomeKind, Reason
from states.pathway import Pathway
from states.pathways.shelf import pathways_of

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")

Code = Annotated[str, typer.Argument(help="Code of the case.", callback=typed_code)]

case_app = typer.Typer(no_args_is_help=True, help="The caseload: list, show, preview and move cases.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(case_app, name="case")


@case_app.command("list")
def list_(
    state: which.State = None,
    region: which.Region = None,
    office: which.Office = None,
    priority: which.Priority = None,
    overdue: which.Overdue = False,
    assignee: which.Assignee = None,
    hold_reason: which.HoldReason = None,
    pathway_version: which.PathwayVersion = None,
    arrived_from: which.ArrivedFrom = None,
    arrived_to: which.ArrivedTo = None,
    age: which.Age = None,
    registered_for: which.RegisteredFor = None,
    in_state_for: which.InStateFor = None,
    still_for: which.StillFor = None,
    limit: Limit = 50,
    after: Annotated[str | None, typer.Option(help="Begin after the case with this code.")] = None,
    as_json: AsJson = False,
) -> None:
    """A page of the caseload, in order of registration."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        wanted = which.case_filter(
            work,
            state=state,
            region=region,
            office=office,
            priority=priority,
            overdue=overdue,
            assignee=assignee,
            hold_reason=hold_reason,
            pathway_version=pathway_version,
            arrived_from=arrived_from,
            arrived_to=arrived_to,
            age=age,
            registered_for=registered_for,
            in_state_for=in_state_for,
            still_for=still_for,
        )
        total = count_cases(session, wanted)
        lines = list_cases(session, wanted, limit=limit, after=after)
        following = lines[-1].case.code if len(lines) == limit else None
        rows = [case_summary(line.case) | {"open_tasks": line.open_tasks, "overdue": line.overdue} for line in lines]
        table = work.out.table(
            [
                ("Dossier", "Case"),
                ("État", "State"),
                ("Depuis", "Since"),
                ("Arrivée", "Arrival"),
                ("Région", "Region"),
                ("Priorité", "Priority"),
                ("Tâches", "Tasks"),
                ("En retard", "Overdue"),
            ],
            (
                [
                    row["code"],
                    row["state"],
                    work.out.when(row["since"]),
                    row["arrival_date"],
                    row["region"],
                    row["priority"],
                    row["open_tasks"],
                    row["overdue"],
                ]
                for row in rows
            ),
        )

        def render(console: Console) -> None:
            console.print(table)
            console.print(work.out.say(f"{total} en tout.", f"{total} in all."))
            if following:
                console.print(work.out.say("Suite : ", "Next: ") + f"segin case list --after {following}")

        work.out.show({"cases": rows, "total": total, "next": following}, render)


@case_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """One case in full, with the person: for eyes that may see it."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        file = case_file(session, code)
        pathway = _pathway(session, file.case)
        work.out.show(
            case_document(file), lambda console: console.print(*case_blocks(work.out, file, pathway), sep="\n")
        )


@case_app.command("preview")
def preview_(code: Code, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False) -> None:
    """Every move: possible now, or refused and why."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        actor = acting(session, login, role)
        facts = gather_facts(session, [_id(case)], (*FACT_GROUPS, PAST))[_id(case)]
        possible = preview(_pathway(session, case), facts, actor, work.now())
        moves: list[dict[str, Any]] = [
            {
                "trigger": one.trigger,
                "allowed": one.allowed,
                "to_state": one.to_state,
                "asks": {name: list(choices) for name, choices in one.asks.items()},
                "reasons": [_reason(reason) for reason in one.reasons],
            }
            for one in possible
        ]
        table = work.out.table(
            [
                ("Action", "Move"),
                ("Possible", "Allowed"),
                ("Vers", "To"),
                ("À fournir", "Wants"),
                ("Pourquoi pas", "Why not"),
            ],
            (
                [
                    move["trigger"],
                    work.out.yes(move["allowed"]),
                    move["to_state"],
                    " ".join(_asked(*ask) for ask in move["asks"].items()) if move["allowed"] else "",
                    " ".join(reason[f"text_{work.out.language}"] for reason in move["reasons"]),
                ]
                for move in moves
            ),
        )
        data = {"code": case.code, "state": case.state, "version": case.version, "role": actor.role, "moves": moves}
        work.out.show(data, lambda console: console.print(table))


@case_app.command("move")
def move_(
    code: Code,
    trigger: Annotated[str, typer.Argument(help="The move, as `segin case preview` names it.")],
    login: AsLogin = None,
    role: AsRole = "coordinator",
    reason: Annotated[str | None, typer.Option(help="Code of the reason, where the move asks for one.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for the journal; it counts as sensitive.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that the move asks for; repeatable.")] = None,
    expected_version: Annotated[int | None, typer.Option(help="Refuse when the case has moved since.")] = None,
    command_id: Annotated[str | None, typer.Option(help="Makes a retry safe: the same id moves once.")] = None,
    as_json: AsJson = False,
) -> None:
    """Move a case. A refusal says every reason and exits with 1."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        case = find_case(session, code)
        move = Move(
            case_id=_id(case),
            trigger=trigger,
            actor=acting(session, login, role),
            command_id=command_id or f"cli:{uuid.uuid4().hex}",
            correlation_id=work.correlation_id,
            expected_version=expected_version,
            reason=reason,
            note=note,
            data=move_data(data or []),
        )
        outcome = advance_case(session, move, now=work.now())
        session.commit()
        moved = outcome.kind in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
        result = {
            "code": case.code,
            "outcome": outcome.kind,
            "from_state": outcome.from_state,
            "to_state": outcome.to_state,
            "version": outcome.version,
            "command_id": move.command_id,
            "reasons": [_reason(reason) for reason in outcome.reasons],
        }

        def render(console: Console) -> None:
            if moved:
                again = work.out.say(" (déjà fait)", " (done before)")
                suffix = again if outcome.kind is OutcomeKind.ALREADY_DONE else ""
                console.print(f"{case.code}: {outcome.from_state} → {outcome.to_state}{suffix}")
            else:
                say_refused(work.out, console, case.code, outcome)

        work.out.show(result, render)
    raise typer.Exit(DONE if moved else FAILED)


def _id(case: Case) -> int:
    assert case.id is not None  # noqa: S101 - read from the database
    return case.id


def _pathway(session: Any, case: Case) -> Pathway:
    return pathways_of(session, [case.pathway_version_id])[case.pathway_version_id]


def move_data(pairs: list[str]) -> dict[str, Any]:
    """What `--data NAME=VALUE` gives a move along; whole numbers are numbers."""
    data: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise WrongUse(
                "--data wants NAME=VALUE.",
                "--data attend NOM=VALEUR.",
                remedy="Write for instance --data months=3.",
                remedy_fr="Écrivez par exemple --data months=3.",
            )
        data[name] = int(value) if _WHOLE_NUMBER.fullmatch(value) else value
    return data


def _asked(name: str, choices: list[Any]) -> str:
    """How to write what a move wants: an option with its choices, or with free text."""
    value = "|".join(str(choice) for choice in choices) or "…"
    return f"--{name} {value}" if name in ("reason", "note") else f"--data {name}={value}"


def _reason(reason: Reason) -> dict[str, Any]:
    return reason._asdict()
