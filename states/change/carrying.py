"""Moves the cases of a wave to the other version, chunk by chunk; the caller commits each.

What became of a case is written with the move itself: whoever goes on after a crash finds what is left, and nothing is
done twice. The command line drives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, String, update
from sqlmodel import Session, col

from models.types import BigId, Json
from models.waves import MigrationWave, WaveCase, WaveOutcome, WaveStatus
from states.bulk import SetStatement
from states.change.caseload import Running, load_running
from states.change.images import image_of
from states.change.passage import Passage, breaches, crossing
from states.change.plan_needs import rename_needs
from states.change.shares import Share, read_share
from states.change.verdicts import objections
from states.change.waves import with_outcome
from states.entries import Entry, carried_entry, write_entries
from states.history import MIGRATE
from states.moves import Actor, Effect, Move
from states.pathway import StateKind

_TELL_CASES: Final = SetStatement(
    "UPDATE wave_case SET outcome = r.outcome, why = r.why, seq = r.seq, breaches = r.breaches, before = r.before "
    "FROM {rows} WHERE wave_case.wave_id = r.wave_id AND wave_case.case_id = r.case_id",
    wave_id=BigId,
    case_id=BigId,
    outcome=String(),
    why=String(),
    seq=Integer(),
    breaches=Integer(),
    before=Json,
)


class WaveChunk(NamedTuple):
    """What one chunk did; nothing at all: the wave has no case left that waits."""

    moved: int = 0
    refused: int = 0
    left: int = 0
    breached: int = 0

    @property
    def cases(self) -> int:
        return self.moved + self.refused + self.left


def move_chunk(
    session: Session, way: Passage, wave: MigrationWave, actor: Actor, *, correlation_id: str, now: datetime, limit: int
) -> WaveChunk:
    """Move up to `limit` cases of the wave that wait. The number of statements is constant.

    A case that was closed or moved by other means since the wave began is left; one against which something stands is
    refused. A wave in which no case waits any more is done; one beyond its limits is stopped, and its other cases left.
    """
    ids = session.exec(with_outcome(wave, WaveOutcome.WAITING).order_by(col(WaveCase.case_id)).limit(limit)).all()
    told: list[tuple[Any, ...]] = []
    carried: dict[int, tuple[Entry, Running]] = {}
    for running in load_running(session, ids, sorted(way.groups), lock=True):
        case, left = running.case, _left(way, running)
        against = [] if left else objections(way, running)
        if left or against:
            outcome = WaveOutcome.LEFT if left else WaveOutcome.REFUSED
            told.append((wave.id, case.id, outcome, left or against[0].code, None, 0, {}))
        else:
            effects = crossing(way, running, now)
            carried[case.id] = _entry(way, wave, running, effects, actor, correlation_id, now), running
    written = write_entries(session, [entry for entry, _ in carried.values()], now)
    asked = rename_needs(session, way.names, written)
    for case_id in written:
        entry, running = carried[case_id]
        run_out = breaches(running, entry.effects, now)
        image = {**image_of(running, entry.effects), **asked.get(case_id, {})}
        told.append((wave.id, case_id, WaveOutcome.MOVED, None, entry.row.seq, run_out, image))
    if told:
        _TELL_CASES.execute(session, told)
    chunk = _count(told)
    wave.moved += chunk.moved
    wave.refused += chunk.refused
    wave.left_out += chunk.left
    wave.breached += chunk.breached
    if not ids:
        wave.status, wave.finished_at = WaveStatus.DONE, now
    elif beyond(read_share(wave.max_refused), read_share(wave.max_breaches), wave.cases, wave.refused, wave.breached):
        wave.status, wave.finished_at = WaveStatus.STOPPED, now
        wave.left_out += leave_waiting(session, wave, "wave_stopped")
    session.add(wave)
    return chunk


def beyond(max_refused: Share, max_breaches: Share, cases: int, refused: int, breached: int) -> bool:
    """Whether more of a wave's cases were refused, or have a clock that ran out by the move, than it allows."""
    return max_refused.exceeded_by(refused, cases) or max_breaches.exceeded_by(breached, cases)


def leave_waiting(session: Session, wave: MigrationWave, why: str) -> int:
    """The cases of the wave that still wait are not moved by it. How many."""
    left = session.execute(
        update(WaveCase)
        .where(col(WaveCase.wave_id) == wave.id, col(WaveCase.outcome) == WaveOutcome.WAITING)
        .values(outcome=WaveOutcome.LEFT, why=why)
        .returning(col(WaveCase.case_id))
        .execution_options(synchronize_session=False)
    )
    return len(left.all())


def _entry(
    way: Passage,
    wave: MigrationWave,
    running: Running,
    effects: tuple[Effect, ...],
    actor: Actor,
    correlation_id: str,
    now: datetime,
) -> Entry:
    case = running.case
    move = Move(
        *(case.id, MIGRATE, actor, f"{MIGRATE}:{way.old_id}-{way.new_id}-{wave.number}:{case.code}", correlation_id),
        data={"wave": wave.number, "from": way.old_id, "to": way.new_id, "names": wave.names},
    )
    back = None if case.previous_state is None else way.names.state(case.previous_state)
    return carried_entry(way.new_id, case, move, way.names.state(case.state), back, effects, now)


def _left(way: Passage, running: Running) -> str | None:
    """Why the case is not the wave's concern any more."""
    case = running.case
    if case.pathway_version_id != way.old_id:
        return "other_version"
    return "closed" if way.old.states[case.state].kind is StateKind.FINAL else None


def _count(told: Sequence[tuple[Any, ...]]) -> WaveChunk:
    outcomes = [row[2] for row in told]
    return WaveChunk(
        moved=outcomes.count(WaveOutcome.MOVED),
        refused=outcomes.count(WaveOutcome.REFUSED),
        left=outcomes.count(WaveOutcome.LEFT),
        breached=sum(row[5] > 0 for row in told),
    )
