"""`segin agreement`: what partners may see, as files that are recorded, listed, shown and ended."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.desk import AsLogin, AsRole, Desk, acting, desk
from deployments.cli.output import AsJson, Output
from integrations.manifests.profile import load_profile
from integrations.sharing.agreement_file import read_agreement
from integrations.sharing.agreements import (
    AgreementLine,
    agreement_versions,
    end_agreement,
    list_agreements,
    record_agreement,
)
from models.database import read_session, write_session
from models.shared_fields import SHARED_FIELDS
from states.record_words import PURPOSE_WORDS

agreement_app = typer.Typer(no_args_is_help=True, help="Sharing agreements: what partners may see.")

Code = Annotated[str, typer.Argument(help="Code of the agreement.")]


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(agreement_app, name="agreement")


@agreement_app.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="A YAML file with one agreement.", exists=True, dir_okay=False)],
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Record an agreement, or the next version of it. The same content again changes nothing."""
    with desk(as_json=as_json) as work:
        work.pathway_version_id()  # publishes the installation's pathway, so that the file may name it
        with write_session(work.engine) as session:
            recorded, new = record_agreement(
                session,
                read_agreement(file),
                regions=set(load_profile(work.settings.country_profile).places.regions.values()),
                actor=acting(session, login, role),
                now=work.now(),
            )
            session.commit()
            data = {"code": recorded.code, "version": recorded.version, "new": new}

    def render(console: Console) -> None:
        fr, en = ("enregistrée", "recorded") if new else ("inchangée", "unchanged")
        console.print(f"{data['code']} : version {data['version']} {work.out.say(fr, en)}.")

    work.out.show(data, render)


@agreement_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The newest version of every agreement, and whether it is in force today."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        lines = list_agreements(session, _today(work))
    out = work.out
    table = out.table(
        [
            ("Accord", "Agreement"),
            ("Version", "Version"),
            ("Partenaire", "Partner"),
            ("Titre", "Title"),
            ("Finalité", "Purpose"),
            ("Du", "From"),
            ("Au", "Until"),
            ("En vigueur", "In force"),
        ],
        (
            [
                line.code,
                line.version,
                line.partner,
                line.title,
                out.say(*PURPOSE_WORDS[line.purpose]),
                line.valid_from,
                line.valid_until,
                out.yes(line.in_force),
            ]
            for line in lines
        ),
    )
    out.show({"agreements": [dataclasses.asdict(line) for line in lines]}, lambda console: console.print(table))


@agreement_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """Every version of an agreement, the newest first, with everything that it lets the partner see."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        versions = agreement_versions(session, code, _today(work))

    def render(console: Console) -> None:
        for line in versions:
            _render(console, work.out, line)

    data = {"code": code, "versions": [dataclasses.asdict(line) for line in versions]}
    work.out.show(data, render)


@agreement_app.command("end")
def end(code: Code, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False) -> None:
    """End an agreement now: nothing more is shown under it. What the partner got, it has."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        ended = end_agreement(session, code, actor=acting(session, login, role), now=work.now())
        session.commit()
    fr, en = ("terminé", "ended") if ended else ("déjà terminé", "ended before")
    work.out.show({"code": code, "ended": ended}, lambda console: console.print(f"{code} : {work.out.say(fr, en)}."))


def _today(work: Desk) -> date:
    return work.now().astimezone(work.settings.timezone).date()


def _render(console: Console, out: Output, line: AgreementLine) -> None:
    every = out.say("tous", "all")
    console.print(f"{line.code} v{line.version} · {line.partner} · {line.title}", style="bold")
    parts = [
        ("en vigueur", "in force", out.yes(line.in_force)),
        ("finalité", "purpose", out.say(*PURPOSE_WORDS[line.purpose])),
        ("du", "from", str(line.valid_from)),
        ("au", "until", str(line.valid_until or "–")),
        ("terminé", "ended", out.when(line.ended_at)),
        ("accusé de réception sous", "acknowledge within", line.acknowledge_within),
        ("événements", "events", ", ".join(line.event_types) or "–"),
        ("régions", "regions", ", ".join(line.regions) or every),
        ("parcours", "programmes", ", ".join(line.programmes) or every),
        ("champs", "fields", _fields(out, line.fields)),
        ("champs sensibles", "sensitive fields", _fields(out, line.sensitive_fields)),
    ]
    for fr, en, value in parts:
        console.print(f"  {out.say(fr, en)} : {value}")


def _fields(out: Output, names: list[str]) -> str:
    return ", ".join(field_words(out, name) for name in names) or "–"


def field_words(out: Output, name: str) -> str:
    """What the field is called; its code when it is not shared any more."""
    field = SHARED_FIELDS.get(name)
    return name if field is None else out.say(field.fr, field.en)
