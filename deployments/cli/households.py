"""`segin household`: who lives with whom, and since when."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.acts import Acting, CommandId, new_code, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, desk
from deployments.cli.output import AsJson
from models.caseload import find_case
from models.database import read_session
from models.household_history import Stay, household_file, stays_of
from states.casework.households import Member, form_household, join_household, split_household
from states.follow_up_words import MEMBER_WORDS
from states.moves import Outcome

Role = Annotated[str, typer.Option("--member", help="head, spouse, child, other or unknown.")]

household_app = typer.Typer(no_args_is_help=True, help="Households: show, join and split. Nothing is ever lost.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(household_app, name="household")


@household_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """The households of the person of this case, and who is and was in the one of now. Nobody is named."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case, today = find_case(session, code), work.now().astimezone(work.out.timezone).date()
        stays = stays_of(session, case.id or 0, on=today)
        now = next((stay.household for stay in stays if stay.until is None), None)
        file = None if now is None else household_file(session, now, on=today)
        document = {
            "code": case.code,
            "stays": [stay._asdict() for stay in stays],
            "household": None
            if file is None
            else {
                "code": file.code,
                "size": file.size,
                "minors_alone": file.minors_alone,
                "present": [stay._asdict() for stay in file.present],
                "past": [stay._asdict() for stay in file.past],
            },
        }
        out = work.out

        def row(stay: Stay) -> list[object]:
            minor = None if stay.minor is None else out.yes(stay.minor)
            role = out.say(*MEMBER_WORDS[stay.role])
            return [stay.household, stay.case, role, minor, out.when(stay.since), out.when(stay.until)]

        table = out.table(
            [
                ("Ménage", "Household"),
                ("Dossier", "Case"),
                ("Rôle", "Role"),
                ("Mineur", "Minor"),
                ("Depuis", "Since"),
                ("Jusqu'à", "Until"),
            ],
            map(row, dict.fromkeys((*stays, *(() if file is None else (*file.past, *file.present))))),
        )

        def render(console: Console) -> None:
            console.print(table)
            if file is not None and file.minors_alone:
                console.print(
                    out.say(
                        "Aucun adulte connu avec les mineurs de ce ménage : à vérifier.",
                        "No grown-up is known with the minors of this household: somebody should look.",
                    ),
                    style="bold red",
                )

        out.show(document, render)


@household_app.command("join")
def join(
    code: Code,
    household: Annotated[
        str | None, typer.Option(help="The household that the person joins; without it a new one is made.")
    ] = None,
    member: Role = "unknown",
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """The person lives in this household from now on; where they lived before stays in its history."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        where = household or new_code()
        take = form_household if household is None else join_household
        (outcome,) = take(here.session, [Member(**here.signed, role=member)], code=where, now=here.desk.now())
        return outcome, {"household": where}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@household_app.command("split")
def split(
    code: Code,
    member: Role = "head",
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """The person goes on in a household of their own; others may join it."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        where = new_code()
        (outcome,) = split_household(
            here.session, [Member(**here.signed, role=member)], code=where, now=here.desk.now()
        )
        return outcome, {"household": where}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)
