"""Takes a wave back, chunk by chunk; the caller commits each. Nothing is deleted: a journal row compensates for each.

A case that has moved on since stays where it is, and is listed. Partners who were told get a correction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String
from sqlmodel import Session, col

from models.types import BigId
from models.waves import MigrationWave, PathwayMigration, WaveCase, WaveOutcome, WaveStatus
from states.bulk import SetStatement, as_json
from states.change.carrying import leave_waiting
from states.change.images import effects_of_image
from states.change.passage import MIGRATED
from states.change.plan_needs import restore_needs
from states.change.waves import with_outcome
from states.correction import CORRECTED
from states.entries import Entry, carried_entry, write_entries
from states.gather import CaseRow, load_cases
from states.history import UNMIGRATE
from states.moves import Actor, Announce, Effect, Move
from states.pathway import Pathway

_MOVED = SetStatement(
    "SELECT w.case_id, w.seq, w.before, e.uid FROM {rows} "
    "JOIN wave_case AS w ON w.wave_id = r.wave_id AND w.case_id = r.case_id "
    "LEFT JOIN event AS e ON e.case_id = w.case_id AND e.seq = w.seq AND e.type = r.type",
    wave_id=BigId,
    case_id=BigId,
    type=String(),
)
_TELL = SetStatement(
    "UPDATE wave_case SET outcome = r.outcome, why = r.why FROM {rows} "
    "WHERE wave_case.wave_id = r.wave_id AND wave_case.case_id = r.case_id",
    wave_id=BigId,
    case_id=BigId,
    outcome=String(),
    why=String(),
)


class UndoChunk(NamedTuple):
    """What one chunk did; nothing at all: no case of the wave is left to take back."""

    undone: int = 0
    kept: int = 0


def undo_chunk(
    session: Session,
    migration: PathwayMigration,
    wave: MigrationWave,
    old: Pathway,
    actor: Actor,
    *,
    correlation_id: str,
    now: datetime,
    limit: int,
) -> UndoChunk:
    """Take back up to `limit` cases of the wave. The number of statements is constant.

    The case is on the old version again, where it was, with its tasks, clocks and records, and what its plans ask for,
    as they were; what the move had begun is cancelled. A case whose last journal row is not the one that moved it is
    kept where it is.
    """
    if wave.status != WaveStatus.UNDOING:
        wave.status, wave.finished_at = WaveStatus.UNDOING, None
        wave.left_out += leave_waiting(session, wave, "wave_undone")
    ids = session.exec(with_outcome(wave, WaveOutcome.MOVED).order_by(col(WaveCase.case_id)).limit(limit)).all()
    cases = load_cases(session, ids, lock=True)
    told: list[tuple[Any, ...]] = []
    entries = []
    images = {}
    for case_id, seq, before, uid in _MOVED.execute(session, [(wave.id, id_, MIGRATED) for id_ in ids]).all():
        case = cases[case_id]
        if case.version != seq:
            told.append((wave.id, case_id, WaveOutcome.KEPT, "moved_on"))
            continue
        images[case_id] = as_json(before)
        entries.append(_entry(migration, wave, old, case, images[case_id], uid, actor, correlation_id, now))
    undone = write_entries(session, entries, now)
    restore_needs(session, [images[case_id] for case_id in undone])
    told += [(wave.id, case_id, WaveOutcome.UNDONE, None) for case_id in undone]
    if told:
        _TELL.execute(session, told)
    chunk = UndoChunk(len(undone), len(told) - len(undone))
    wave.undone += chunk.undone
    wave.kept += chunk.kept
    if not ids:
        wave.status, wave.finished_at = WaveStatus.UNDONE, now
    session.add(wave)
    return chunk


def _entry(
    migration: PathwayMigration,
    wave: MigrationWave,
    old: Pathway,
    case: CaseRow,
    image: dict[str, Any],
    uid: str | None,
    actor: Actor,
    correlation_id: str,
    now: datetime,
) -> Entry:
    ((state, previous),) = image["case"]
    effects: list[Effect] = [*effects_of_image(image)]
    if uid is not None:
        shared = {"state": state} if old.states[state].shared else {}
        effects.append(Announce(CORRECTED, {**shared, "corrects": uid}))
    back, gone = migration.old_version_id, migration.new_version_id
    move = Move(
        *(case.id, UNMIGRATE, actor, f"{UNMIGRATE}:{back}-{gone}-{wave.number}:{case.code}", correlation_id),
        data={"wave": wave.number, "from": gone, "to": back, "undoes": case.version},
    )
    return carried_entry(back, case, move, state, previous, tuple(effects), now)
