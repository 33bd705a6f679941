"""The one way in which a case's row changes: a decided move becomes a journal row and a new version of the case.

`states.advance` writes moves with it, `states.registration` the first row of every case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, String
from sqlmodel import Session

from models.types import BigId, UtcDateTime, utc_text
from states.bulk import SetStatement, time_text
from states.chain import NewRow, new_row, remembered
from states.effects import Writes
from states.gather import CaseRow
from states.history import CORRECTS
from states.moves import Announce, Corrects, Effect, Move, Restore, SetPriority, SetRecord
from states.pathway import Pathway, StateKind

_UPDATE_CASES = SetStatement(
    'UPDATE "case" SET pathway_version_id = r.pathway_version_id, state = r.state, '
    "entered_state_at = r.entered_state_at, previous_state = r.previous_state, held_at = r.held_at, "
    "version = r.version, events = r.events, journal_head = r.journal_head, priority = r.priority, "
    "closure_reason = r.closure_reason, closed_at = r.closed_at FROM {rows} "
    'WHERE "case".id = r.case_id AND "case".version = r.version - 1 RETURNING id',
    case_id=BigId,
    pathway_version_id=BigId,
    state=String(),
    entered_state_at=UtcDateTime(),
    previous_state=String(),
    held_at=UtcDateTime(),
    version=Integer(),
    events=Integer(),
    journal_head=String(),
    priority=String(),
    closure_reason=String(),
    closed_at=UtcDateTime(),
)


class Entry(NamedTuple):
    """A decided move, about to be written: the case before and after, its journal row and its effects."""

    move: Move
    before: CaseRow
    after: CaseRow
    row: NewRow
    effects: tuple[Effect, ...]


def new_entry(
    pathway: Pathway,
    case: CaseRow,
    move: Move,
    from_state: str | None,
    to_state: str,
    effects: tuple[Effect, ...],
    now: datetime,
) -> Entry:
    """What the move makes of the case; `from_state` is none for the row that registers it."""
    row = new_row(
        move,
        seq=case.version + 1,
        at=utc_text(now),
        from_state=from_state,
        to_state=to_state,
        pathway_version_id=case.pathway_version_id,
        previous_hash=case.journal_head,
        told=_told(case, effects),
    )
    changes: dict[str, Any] = {"version": row.seq, "journal_head": row.hash}
    changes["events"] = case.events + sum(isinstance(effect, Announce) for effect in effects)
    for effect in effects:
        if isinstance(effect, SetPriority):
            changes["priority"] = effect.priority
    restored = next((effect for effect in effects if isinstance(effect, Restore)), None)
    if to_state != from_state:
        kind = pathway.states[to_state].kind
        final = kind is StateKind.FINAL
        changes |= {
            "state": to_state,
            "entered_state_at": now,
            "previous_state": remembered(pathway, from_state, to_state, case.previous_state),
            "held_at": now if kind is StateKind.HOLD else None,
            "closure_reason": move.reason if final else None,
            "closed_at": now if final else None,
        }
    if restored is not None:
        changes |= restored._asdict()
    return Entry(move, case, case._replace(**changes), row, effects)


def _told(case: CaseRow, effects: Iterable[Effect]) -> dict[str, Any]:
    """What the journal tells of the effects beside the move's own data: enough to take them back."""
    told: dict[str, Any] = {}
    for effect in effects:
        if isinstance(effect, SetRecord):
            kind, code, before, after = effect
            told["record"] = {"kind": kind, "code": code, "from": before, "to": after}
        elif isinstance(effect, SetPriority) and effect.priority != case.priority:
            told["priority"] = {"from": case.priority, "to": effect.priority}
        elif isinstance(effect, Corrects):
            told[CORRECTS] = effect.seq
    return told


def carried_entry(
    pathway_version_id: int,
    case: CaseRow,
    move: Move,
    to_state: str,
    previous_state: str | None,
    effects: tuple[Effect, ...],
    now: datetime,
) -> Entry:
    """What carrying the case to another version of its pathway makes of it: it stays where it is, since when it was,
    under the names that the other version has for that."""
    row = new_row(
        move,
        seq=case.version + 1,
        at=utc_text(now),
        from_state=case.state,
        to_state=to_state,
        pathway_version_id=pathway_version_id,
        previous_hash=case.journal_head,
        told=_told(case, effects),
    )
    after = case._replace(
        pathway_version_id=pathway_version_id,
        state=to_state,
        previous_state=previous_state,
        version=row.seq,
        events=case.events + sum(isinstance(effect, Announce) for effect in effects),
        journal_head=row.hash,
    )
    return Entry(move, case, after, row, effects)


def write_entries(session: Session, entries: Sequence[Entry], now: datetime) -> set[int]:
    """Write entries of different cases. Gives the ids of the cases that still had the version that was decided on:
    of the others nothing was written."""
    if not entries:
        return set()
    won = {case_id for (case_id,) in _UPDATE_CASES.execute(session, [_changed(entry.after) for entry in entries])}
    writes = Writes(now)
    for entry in entries:
        if entry.before.id in won:
            writes.add(entry.before, entry.row, entry.effects, entry.move)
    writes.write(session)
    return won


def _changed(case: CaseRow) -> tuple[object, ...]:
    return (
        *(
            case.id,
            case.pathway_version_id,
            case.state,
            time_text(case.entered_state_at),
            case.previous_state,
            time_text(case.held_at),
        ),
        *(case.version, case.events, case.journal_head, case.priority, case.closure_reason, time_text(case.closed_at)),
    )
