"""Waves as plain lists and mappings, with the words of one language: what the next one would do, what one did.

`segin pathway migrate` prints it; the console will show the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from models.case import Case
from models.waves import MigrationWave, WaveCase, WaveOutcome, WaveStatus
from states.change.carrying import beyond
from states.change.consequences import consequences
from states.change.mapping import names_of
from states.change.report import consequences_document
from states.change.shares import read_share
from states.change.sides import Change, change_between
from states.change.verdicts import Verdict
from states.change.waves import WaveOptions, migration_between, taken_next, waves_of, with_outcome
from states.pathway import Text

LISTED: Final = 1000
"""So many cases that were not moved, or not taken back, are listed by code."""

WHY: Final = {
    "state_unknown": Text("étape inconnue de la nouvelle version", "state unknown to the new version"),
    "previous_state_unknown": Text("étape de retour inconnue", "state to return to unknown"),
    "record_status_unknown": Text("étape d'un élément inconnue", "status of a record unknown"),
    "record_kind_unknown": Text("élément inconnu", "kind of record unknown"),
    "kind_differs": Text("étape d'un autre genre", "state of another kind"),
    "no_way_back": Text("pas de retour possible", "no way back"),
    "closed": Text("clos entre-temps", "closed meanwhile"),
    "other_version": Text("déjà sur une autre version", "on another version already"),
    "wave_stopped": Text("vague arrêtée", "wave stopped"),
    "wave_undone": Text("vague défaite", "wave undone"),
    "moved_on": Text("a avancé depuis", "has moved on since"),
}
"""Why a case was not moved, or not taken back."""


def next_wave(
    session: Session, change: Change, options: WaveOptions, now: datetime, language: str, *, chunk: int
) -> dict[str, Any]:
    """Exactly what the next wave would do, without its limits; nothing is written. An interrupted wave is the next."""
    migration = migration_between(session, change.way.old_id, change.way.new_id) if change.way.new_id else None
    waves = waves_of(session, migration) if migration else []
    wave = next((each for each in waves if each.status == WaveStatus.RUNNING), None)
    if wave is not None:
        change = change_between(change.old, change.new, names_of(wave.names), keep_deadlines=wave.keep_deadlines)
        ids = list(session.exec(with_outcome(wave, WaveOutcome.WAITING).order_by(col(WaveCase.case_id))))
        cases, refused, breached = wave.cases, wave.refused, wave.breached
        limits = read_share(wave.max_refused), read_share(wave.max_breaches)
    else:
        ids = sorted(taken_next(session, change.way, migration, options))
        cases, refused, breached = len(ids), 0, 0
        limits = options.max_refused, options.max_breaches
    found = consequences(session, change.way, change.ways, _chunks(ids, chunk), now)
    refused += found.cases - found.verdicts[Verdict.AUTOMATIC]
    breached += found.breached
    return {
        "number": wave.number if wave else len(waves) + 1,
        "cases": len(ids),
        "would_stop": bool(ids) and beyond(*limits, cases, refused, breached),
        "max_refused": str(limits[0]),
        "max_breaches": str(limits[1]),
        "consequences": consequences_document(change, found, language),
    }


def wave_document(session: Session, wave: MigrationWave, language: str) -> dict[str, Any]:
    """What became of the cases of a wave; those that were refused or kept, or had a clock run out, by code."""
    listed = session.execute(
        select(col(Case.code), col(WaveCase.outcome), col(WaveCase.why), col(WaveCase.breaches))
        .join(Case, col(Case.id) == col(WaveCase.case_id))
        .where(
            WaveCase.wave_id == wave.id,
            col(WaveCase.outcome).in_((WaveOutcome.REFUSED, WaveOutcome.KEPT)) | (col(WaveCase.breaches) > 0),
        )
        .order_by(col(WaveCase.case_id))
        .limit(LISTED)
    )
    return {
        "number": wave.number,
        "status": str(wave.status),
        "cases": wave.cases,
        "moved": wave.moved,
        "refused": wave.refused,
        "left_out": wave.left_out,
        "breached": wave.breached,
        "undone": wave.undone,
        "kept": wave.kept,
        "max_refused": wave.max_refused,
        "max_breaches": wave.max_breaches,
        "listed": [
            {
                "case": code,
                "outcome": str(outcome),
                "code": why,
                "why": WHY[why].in_(language) if why in WHY else None,
                "breaches": breaches,
            }
            for code, outcome, why, breaches in listed
        ],
    }


def _chunks(ids: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(ids), size):
        yield ids[first : first + size]
