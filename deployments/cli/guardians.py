"""`segin guardian`: who answers for a child, as staff record, verify and end it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.acts import Acting, CommandId, lines_of, new_code, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole
from deployments.cli.output import AsJson
from models import WrongUse
from states.casework.guardians import (
    GuardianEnded,
    GuardianRecorded,
    GuardianStep,
    end_guardians,
    record_guardians,
    verify_guardians,
)
from states.moves import Outcome

_FOCAL_POINT = "vulnerability_focal_point"

Guardian = Annotated[str, typer.Argument(help="Code of the guardian, as `segin vulnerability list` says.")]

guardian_app = typer.Typer(no_args_is_help=True, help="Who answers for a child.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(guardian_app, name="guardian")


@guardian_app.command("record")
def record_(
    code: Code,
    relation: Annotated[str, typer.Argument(help="parent, relative, institution or social_service.")],
    details: Annotated[
        Path,
        typer.Option("--details", help="File with the name and, on a second line, the phone; - reads standard input."),
    ],
    login: AsLogin = None,
    role: AsRole = "case_worker",
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record who answers for the child."""
    name, phone, *more = [*lines_of(details), "", ""][:3]
    if not name or any(more):
        raise WrongUse(
            "A guardian's details are a name and, on the second line, a phone number.",
            "Le tuteur se décrit par un nom et, sur la deuxième ligne, un téléphone.",
            remedy="Write them on two lines, nothing else.",
            remedy_fr="Écrivez-les sur deux lignes, rien d'autre.",
        )

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        guardian = GuardianRecorded(**here.signed, code=new_code(), relation=relation, name=name, phone=phone or None)
        (outcome,) = record_guardians(here.session, [guardian], now=here.desk.now())
        return outcome, {"guardian": guardian.code}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@guardian_app.command("verify")
def verify(
    code: Code,
    guardian: Guardian,
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Somebody made sure that it is so."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        step = GuardianStep(**here.signed, guardian=guardian)
        (outcome,) = verify_guardians(here.session, [step], now=here.desk.now())
        return outcome, {"guardian": guardian}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@guardian_app.command("end")
def end(
    code: Code,
    guardian: Guardian,
    replace: Annotated[
        bool, typer.Option("--replace/--no-replace", help="Whether somebody else is to be found for the child.")
    ] = True,
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """They answer for the child no more."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        step = GuardianEnded(**here.signed, guardian=guardian, still_needed=replace)
        (outcome,) = end_guardians(here.session, [step], now=here.desk.now())
        return outcome, {"guardian": guardian}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)
