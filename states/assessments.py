"""A case's assessments over time: each result, and how it changed since the one before and since the first.

The command line shows it, the API and the console will. Answers are never part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlmodel import Session, col, select

from models import Assessment
from states.instruments.definition import Definition, Scored, Summed, Weighted
from states.instruments.scoring import PartScore
from states.instruments.used import used_definitions
from states.pathway import Text
from states.record_words import VULNERABILITY


class Change(NamedTuple):
    """How far a result moved: in points, and in percent where the instrument reports it. `better` none: not at all.

    `significant` none: the instrument has no rule for it."""

    points: int
    percent: int | None
    better: bool | None
    significant: bool | None


class Result(NamedTuple):
    """One assessment. Changes are none for the first, and against another version: its points mean something else."""

    assessed_at: datetime
    assessed_by: int | None
    version: str
    score: int
    percent: int | None
    band: str
    band_title: Text
    flags: tuple[str, ...]
    subscales: Mapping[str, PartScore]
    since_previous: Change | None
    since_first: Change | None


class History(NamedTuple):
    """All that one instrument gave in a case, the oldest first; the scale is that of the newest version."""

    instrument: str
    title: Text
    lowest: int | None
    highest: int | None
    higher: str | None
    results: tuple[Result, ...]


def assessment_history(session: Session, case_id: int, role: str | None = None) -> list[History]:
    """Each instrument's history in the case, by instrument. With a `role`, only of the instruments whose results it
    may see; vulnerability screenings have no score and are not among them. Two statements."""
    rows = session.exec(
        select(Assessment)
        .where(
            col(Assessment.case_id) == case_id,
            col(Assessment.instrument) != VULNERABILITY,
            col(Assessment.taken_back_at).is_(None),
        )
        .order_by(col(Assessment.instrument), col(Assessment.assessed_at), col(Assessment.id))
    ).all()
    definitions = used_definitions(session, {(row.instrument, row.version) for row in rows})
    histories = []
    for instrument, group in groupby(rows, key=lambda row: row.instrument):
        theirs = list(group)
        newest = definitions.get((instrument, theirs[-1].version))
        if role is None or (isinstance(newest, Scored) and role in newest.roles):
            histories.append(_history(instrument, newest, theirs, definitions))
    return histories


def _history(
    instrument: str,
    newest: Definition | None,
    rows: Sequence[Assessment],
    definitions: Mapping[tuple[str, str], Definition],
) -> History:
    results: list[Result] = []
    for place, row in enumerate(rows):
        definition = definitions.get((instrument, row.version))
        before = rows[place - 1] if place else None
        results.append(
            Result(
                assessed_at=row.assessed_at,
                assessed_by=row.assessed_by,
                version=row.version,
                score=row.score or 0,
                percent=_percent(row, definition),
                band=row.band or "",
                band_title=_band_title(row, definition),
                flags=tuple(row.flags),
                subscales={key: PartScore(**part) for key, part in (row.subscales or {}).items()},
                since_previous=_change(before, row, definition),
                since_first=_change(rows[0] if place else None, row, definition),
            )
        )
    scale = newest if isinstance(newest, Summed | Weighted) else None
    return History(
        instrument,
        newest.title.text if newest else Text(instrument, instrument),
        scale.lowest if scale else None,
        scale.highest if scale else None,
        scale.higher if scale else None,
        tuple(results),
    )


def _percent(row: Assessment, definition: Definition | None) -> int | None:
    """The percentage, also of results from before it was kept."""
    if row.percent is None and isinstance(definition, Summed) and definition.percent_factor and row.score is not None:
        return row.score * definition.percent_factor
    return row.percent


def _band_title(row: Assessment, definition: Definition | None) -> Text:
    bands = definition.bands if isinstance(definition, Scored) else ()
    code = row.band or ""
    return next((band.title.text for band in bands if band.code == code), Text(code, code))


def _change(before: Assessment | None, row: Assessment, definition: Definition | None) -> Change | None:
    if before is None or before.version != row.version or not isinstance(definition, Scored):
        return None
    points = (row.score or 0) - (before.score or 0)
    earlier, later = _percent(before, definition), _percent(row, definition)
    percent = None if earlier is None or later is None else later - earlier
    rule = definition.change
    moved = percent if rule and rule.of == "percent" and percent is not None else points
    return Change(
        points,
        percent,
        None if points == 0 else (points > 0) == (definition.higher == "better"),
        None if rule is None else abs(moved) >= rule.significant,
    )
