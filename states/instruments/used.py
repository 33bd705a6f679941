"""Keeps each definition that scored somebody, as it was: old results stay readable, and no version is said anew.

`states.casework.screening` keeps them as it scores, `states.assessments` reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import Integer, String
from sqlmodel import Session, col, select

from models.errors import WrongUse
from models.screening import InstrumentDefinition
from models.types import UtcDateTime
from states.bulk import SetStatement, time_text
from states.instruments.catalogue import bundled_catalogue
from states.instruments.definition import Definition, Scorable

_KEEP = SetStatement(
    "INSERT INTO instrument_definition (instrument, version, fingerprint, document, first_used_at) "
    "SELECT r.instrument, r.version, r.fingerprint, r.document, r.at FROM {rows} WHERE true ON CONFLICT DO NOTHING",
    instrument=String(),
    version=Integer(),
    fingerprint=String(),
    document=String(),
    at=UtcDateTime(),
)
_FIND = SetStatement(
    "SELECT d.instrument, d.version, d.fingerprint FROM instrument_definition AS d JOIN {rows} "
    "ON d.instrument = r.instrument AND d.version = r.version",
    instrument=String(),
    version=Integer(),
)
_READ: Final[TypeAdapter[Scorable]] = TypeAdapter(Scorable)


def keep_used(session: Session, definitions: Iterable[Scorable], now: datetime) -> None:
    """Keep those that are new. Raises WrongUse when one says something else than what scored under its version."""
    wanted = {(each.instrument, each.version): each for each in definitions}
    _KEEP.execute(
        session,
        [(*key, each.fingerprint, each.model_dump_json(by_alias=True), time_text(now)) for key, each in wanted.items()],
    )
    for instrument, version, fingerprint in _FIND.execute(session, list(wanted)).all():
        if fingerprint != wanted[instrument, version].fingerprint:
            raise WrongUse(
                f"Version {version} of {instrument} says something else than when it scored before.",
                f"La version {version} de {instrument} ne dit plus la même chose que lorsqu'elle a déjà coté.",
                remedy="Put its file back as it was, and write what is new as the next version.",
                remedy_fr="Remettez son fichier comme il était, et écrivez la nouveauté comme version suivante.",
            )


def used_definitions(session: Session, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Definition]:
    """The definitions with which these (instrument, version as assessments carry it) were scored. One that nobody kept
    is the bundled one; of what is not even that, there is none."""
    rows = session.exec(
        select(InstrumentDefinition).where(col(InstrumentDefinition.instrument).in_({key for key, _ in wanted}))
    ).all()
    found = {(each.instrument, str(each.version)): each for each in bundled_catalogue()}
    found |= {(row.instrument, str(row.version)): _READ.validate_json(row.document) for row in rows}
    return {key: found[key] for key in wanted if key in found}
