"""Where a command sits down to work: settings, logging, the database brought up to date when it is new, an output."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from deployments.cli.output import Output
from deployments.logging import bind_correlation, configure_logging
from deployments.ready import make_ready, notes_seal, published_pathway
from models import WrongUse
from models.caseload import find_staff
from models.database import create_engine_for
from models.seal import Seal
from models.settings import Settings, load_settings
from states.codes import read_code
from states.moves import Actor
from states.pathway import Pathway
from states.pathways.loader import load_pathway, read_text

AsLogin = Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="The member of staff who acts.")]
AsRole = Annotated[
    str, typer.Option("--role", help="The role in which you act when --as is not given; whoever runs this command.")
]


def typed_code(value: str | None) -> str | None:
    """A code as it is written, however somebody typed it: small letters, without dashes, O for 0."""
    return None if value is None else read_code(value) or value


@dataclass(frozen=True)
class Desk:
    """One command's settings, engine, output, and the correlation id that its journal rows, events and logs carry."""

    settings: Settings
    engine: Engine
    out: Output
    correlation_id: str

    def now(self) -> datetime:
        """The wall clock, read only here."""
        return datetime.now(UTC)

    def seal(self) -> Seal | None:
        """The seal on notes; its key is made when it is first needed, where the database is this machine's own."""
        return notes_seal(self.settings, self.engine)

    def pathway(self) -> Pathway:
        """The settings' pathway, published or not."""
        text, name = read_text(self.settings.pathway)
        return load_pathway(text, name)

    def pathway_version_id(self) -> int:
        """The published version of the settings' pathway, which new cases follow; published when it is new."""
        return published_pathway(self.settings, self.engine)


@contextmanager
def desk(*, as_json: bool, ready: bool = True) -> Iterator[Desk]:
    """Open the database of the settings. A new one is made on the way; one of an older Segin is refused with the
    command that brings it up to date (`ready=False` lets it pass)."""
    settings = load_settings()
    configure_logging(settings)
    engine = create_engine_for(settings.database_url)
    try:
        if ready:
            make_ready(settings, engine)
        correlation_id = f"cli-{uuid.uuid4().hex}"
        with bind_correlation(correlation_id):
            yield Desk(settings, engine, Output(settings, as_json=as_json), correlation_id)
    finally:
        engine.dispose()


def paper(*, as_json: bool) -> Output:
    """Where a command prints that needs no database."""
    settings = load_settings()
    configure_logging(settings)
    return Output(settings, as_json=as_json)


def acting(session: Session, login: str | None, role: str) -> Actor:
    """Who acts: the member of staff with this login in their own role, else an unnamed operator in `role`."""
    if login is None:
        return Actor(role=role)
    staff = find_staff(session, login)
    if not staff.active:
        raise WrongUse(
            f"{login} does not work here any more.",
            f"{login} ne travaille plus ici.",
            remedy="Act as someone who does: `segin staff list`.",
            remedy_fr="Agissez au nom d'une personne en poste : `segin staff list`.",
        )
    return Actor(role=staff.role, id=staff.id, office_id=staff.office_id)
