"""`segin vulnerability`: what makes a person vulnerable, each with its clock, and who sees to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.acts import Acting, CommandId, new_code, record
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import AsJson
from models import WrongUse
from models.caseload import find_case
from models.database import read_session
from states.casework.vulnerabilities import (
    Dismissal,
    Identified,
    VulnerabilityStep,
    address_vulnerabilities,
    dismiss_vulnerabilities,
    identify_vulnerabilities,
    resolve_vulnerabilities,
)
from states.moves import Outcome
from states.protection import protection_of
from states.record_words import GUARDIAN_WORDS, PRIORITY_WORDS, VULNERABILITY_WORDS

_FOCAL_POINT = "vulnerability_focal_point"

Vulnerability = Annotated[str, typer.Argument(help="Code of the vulnerability, as `segin vulnerability list` says.")]

vulnerability_app = typer.Typer(no_args_is_help=True, help="What makes a person vulnerable, each with its clock.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(vulnerability_app, name="vulnerability")


@vulnerability_app.command("list")
def list_(code: Code, login: AsLogin = None, role: AsRole = _FOCAL_POINT, as_json: AsJson = False) -> None:
    """The case's vulnerabilities and guardians, for the roles that see to them. It names guardians."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        actor = acting(session, login, role)
        found = protection_of(session, case.id or 0, case.pathway_version_id, actor.role)
        if found is None:
            raise WrongUse(
                "Vulnerabilities are shown to those who see to them.",
                "Les vulnérabilités se montrent à qui s'en occupe.",
                remedy="Act in a role that records screenings (--as, --role): see `segin pathway show`.",
                remedy_fr="Agissez dans un rôle qui évalue les vulnérabilités (--as, --role) : `segin pathway show`.",
            )
        data = {
            "code": case.code,
            "vulnerabilities": [each._asdict() for each in found.vulnerabilities],
            "guardians": [each._asdict() for each in found.guardians],
        }
        out = work.out
        vulnerabilities = out.table(
            [
                ("Code", "Code"),
                ("Vulnérabilité", "Vulnerability"),
                ("Urgence", "Urgency"),
                ("Étape", "Status"),
                ("Signalée", "Identified"),
                ("Prise en charge", "Addressed"),
                ("Close", "Closed"),
            ],
            (
                [
                    each.code,
                    out.say(*VULNERABILITY_WORDS.get(each.kind, (each.kind, each.kind))),
                    out.say(*PRIORITY_WORDS[each.urgency]),
                    each.status,
                    *(out.when(at) for at in (each.identified_at, each.addressed_at, each.closed_at)),
                ]
                for each in found.vulnerabilities
            ),
        )
        guardians = out.table(
            [
                ("Code", "Code"),
                ("Tuteur", "Guardian"),
                ("Lien", "Relation"),
                ("Téléphone", "Phone"),
                ("Étape", "Status"),
            ],
            (
                [each.code, each.name, out.say(*GUARDIAN_WORDS[each.relation]), each.phone, each.status]
                for each in found.guardians
            ),
        )

        def render(console: Console) -> None:
            console.print(vulnerabilities)
            if found.guardians:
                console.print(guardians)

        out.show(data, render)


@vulnerability_app.command("identify")
def identify(
    code: Code,
    kind: Annotated[str, typer.Argument(help="What it is: medical, trafficking, unaccompanied_child, ...")],
    urgency: Annotated[
        str | None, typer.Option(help="emergency, urgent or normal; without it the pathway's policy for the kind.")
    ] = None,
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record a vulnerability: its clock starts, and a case that presses less is raised."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        found = Identified(**here.signed, code=new_code(), kind=kind, urgency=urgency)
        (outcome,) = identify_vulnerabilities(here.session, [found], now=here.desk.now())
        return outcome, {"vulnerability": found.code}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@vulnerability_app.command("address")
def address(
    code: Code,
    vulnerability: Vulnerability,
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Somebody sees to it now: its clock is met."""
    _step(address_vulnerabilities, code, vulnerability, login, role, command_id, as_json)


@vulnerability_app.command("resolve")
def resolve(
    code: Code,
    vulnerability: Vulnerability,
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """It presses no more."""
    _step(resolve_vulnerabilities, code, vulnerability, login, role, command_id, as_json)


@vulnerability_app.command("dismiss")
def dismiss(
    code: Code,
    vulnerability: Vulnerability,
    reason: Annotated[str, typer.Option(help="not_confirmed or noted_by_mistake.")],
    note: Annotated[str, typer.Option(help="What was found out; it counts as sensitive.")],
    login: AsLogin = None,
    role: AsRole = _FOCAL_POINT,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """There is no such vulnerability, and why."""

    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        step = Dismissal(**here.signed, vulnerability=vulnerability, reason=reason, note=note)
        (outcome,) = dismiss_vulnerabilities(here.session, [step], now=here.desk.now())
        return outcome, {"vulnerability": vulnerability}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


def _step(
    take: Callable[..., Sequence[Outcome]],
    code: str,
    vulnerability: str,
    login: str | None,
    role: str,
    command_id: str | None,
    as_json: bool,
) -> None:
    def act(here: Acting) -> tuple[Outcome, dict[str, Any]]:
        step = VulnerabilityStep(**here.signed, vulnerability=vulnerability)
        (outcome,) = take(here.session, [step], now=here.desk.now())
        return outcome, {"vulnerability": vulnerability}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)
