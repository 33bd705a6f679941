"""`segin staff` and `segin office`: who works where, so that tasks find somebody."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from deployments.cli.desk import desk
from deployments.cli.output import AsJson
from models import Office, Staff, WrongUse
from models.caseload import find_office
from models.database import read_session, write_session
from states.guards.contacts import PARTNER
from states.moves import SYSTEM

_NOT_STAFF = frozenset({SYSTEM.role, PARTNER})
"""Roles of the pathway that no person has."""

staff_app = typer.Typer(no_args_is_help=True, help="The people who work on cases.")
office_app = typer.Typer(no_args_is_help=True, help="The offices and the regions that they serve.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(staff_app, name="staff")
    app.add_typer(office_app, name="office")


@office_app.command("add")
def add_office(
    code: Annotated[str, typer.Argument(help="Short code of the office.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    region: Annotated[list[str] | None, typer.Option(help="First-level P-code that it serves; repeatable.")] = None,
    as_json: AsJson = False,
) -> None:
    """Open an office."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        session.add(Office(code=code, name=name, regions=sorted(region or [])))
        _commit_new(session, code)
        work.out.show(
            {"code": code, "name": name, "regions": sorted(region or [])},
            lambda console: console.print(work.out.say(f"Bureau {code} ouvert.", f"Office {code} opened.")),
        )


@staff_app.command("add")
def add_staff(
    login: Annotated[str, typer.Argument(help="What this person is called in commands and logs.")],
    name: Annotated[str, typer.Argument(help="Their name.")],
    role: Annotated[str, typer.Option(help="A role of the pathway: see `segin pathway show`.")],
    office: Annotated[str | None, typer.Option(help="Code of the office.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a member of staff."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        roles = work.pathway().roles.keys() - _NOT_STAFF
        if role not in roles:
            raise WrongUse(
                f"The pathway has no role {role}.",
                f"Le parcours ne connaît pas le rôle {role}.",
                remedy=f"Its roles are {', '.join(sorted(roles))}.",
                remedy_fr=f"Ses rôles sont {', '.join(sorted(roles))}.",
            )
        office_id = None if office is None else find_office(session, office).id
        session.add(Staff(login=login, name=name, role=role, office_id=office_id, created_at=work.now()))
        _commit_new(session, login)
        work.out.show(
            {"login": login, "role": role, "office": office},
            lambda console: console.print(work.out.say(f"{login} ajouté.", f"{login} added.")),
        )


@staff_app.command("list")
def list_staff(as_json: AsJson = False) -> None:
    """The staff and the offices."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        offices = session.scalars(select(Office).order_by(col(Office.code))).all()
        people = session.scalars(select(Staff).order_by(col(Staff.login))).all()
        codes = {office.id: office.code for office in offices}
        staff = [
            {"login": one.login, "role": one.role, "office": codes.get(one.office_id), "active": one.active}
            for one in people
        ]
        places = [{"code": office.code, "name": office.name, "regions": office.regions} for office in offices]
        who = work.out.table(
            [("Identifiant", "Login"), ("Rôle", "Role"), ("Bureau", "Office"), ("En poste", "Active")],
            ([one["login"], one["role"], one["office"], work.out.yes(bool(one["active"]))] for one in staff),
        )
        where = work.out.table(
            [("Bureau", "Office"), ("Nom", "Name"), ("Régions", "Regions")],
            ([office.code, office.name, ", ".join(office.regions)] for office in offices),
        )
        work.out.show({"staff": staff, "offices": places}, lambda console: console.print(who, "", where))


def _commit_new(session: Session, name: str) -> None:
    try:
        session.commit()
    except IntegrityError:
        raise WrongUse(
            f"{name} exists already.",
            f"{name} existe déjà.",
            remedy="Choose another, or see `segin staff list`.",
            remedy_fr="Choisissez-en un autre, ou voyez `segin staff list`.",
        ) from None
