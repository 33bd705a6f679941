"""The proof that the journal is whole: nothing in it was changed, removed or cut off, and it explains every case.

`segin journal verify` and the nightly run call `verify_journal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlmodel import Session, select

from models.case import PathwayVersion
from states.anchors import broken_anchors
from states.bulk import as_json, time_text
from states.chain import COVERED, GENESIS, JOURNAL_COLUMNS, note_digest, remembered, row_hash
from states.change.continuity import Carried, Standing, stands_after
from states.decide import REGISTER
from states.history import CHANGE_CALENDAR, CORRECTS, MIGRATE, UNMIGRATE
from states.pathway import Pathway
from states.pathways.shelf import pathways_of


class Broken(NamedTuple):
    """One thing wrong with a case's journal: the case's code (none: the case is missing), the row's seq (none: the
    journal as a whole), and what, a key of `FAULTS`."""

    case_code: str | None
    seq: int | None
    what: str


class Stand(NamedTuple):
    """A row that nothing has taken back so far: its seq, where it started from, the case's previous state before it."""

    seq: int
    from_state: str | None
    previous: str | None


FAULTS = {
    "no_case": ("Le dossier de ce journal n'existe pas.", "The case of this journal does not exist."),
    "no_journal": ("Le dossier n'a pas de journal.", "The case has no journal."),
    "gap": ("Une ou plusieurs lignes manquent avant celle-ci.", "One or more rows are missing before this one."),
    "changed": ("La ligne a été modifiée.", "The row was changed."),
    "note": ("La note n'est pas celle qui a été écrite.", "The note is not the one that was written."),
    "chain": ("La ligne ne suit pas la précédente.", "The row does not follow the one before."),
    "from_state": ("La ligne part d'un autre état que celui du dossier.", "The row starts from another state."),
    "version": (
        "La ligne suit une autre version du parcours que le dossier.",
        "The row goes by another version of the pathway than the case.",
    ),
    "illegal": ("Le parcours ne permet pas cette transition.", "The pathway does not allow this transition."),
    "cut_off": ("La fin du journal manque.", "The end of the journal is missing."),
    "head": ("Le dossier ne renvoie pas à la fin de son journal.", "The case does not point to its journal's end."),
    "state": ("L'état du dossier n'est pas celui du journal.", "The case's state is not the journal's."),
    "previous_state": (
        "L'état précédent du dossier n'est pas celui du journal.",
        "The case's previous state is not the journal's.",
    ),
    "anchor": (
        "Le journal n'est plus celui qu'une nuit avait relevé : des lignes ont été modifiées ou retirées depuis.",
        "The journal is no longer what a night recorded: rows have been changed or removed since.",
    ),
}
"""What can be wrong, in French and English."""


@dataclass(frozen=True, slots=True)
class JournalReport:
    """How many cases and transitions were read, and what is broken (nothing: the journal is whole)."""

    cases: int
    transitions: int
    broken: list[Broken]


_CASES = text(
    'SELECT id, code, state, previous_state, version, journal_head, pathway_version_id FROM "case" '
    "WHERE id > :after ORDER BY id LIMIT :chunk"
)
_ROWS = text(
    "SELECT {columns} FROM journal WHERE case_id > :after AND case_id <= :until ORDER BY case_id, seq, id".format(  # noqa: S608
        columns=", ".join(JOURNAL_COLUMNS)
    )
)
_LAST_ID = 2**63 - 1


def verify_journal(session: Session, *, chunk: int = 1000) -> JournalReport:
    """Fold the journal of every case and compare it with the case, `chunk` cases at a time, then with the anchors of
    the nights; writes nothing."""
    pathways = pathways_of(session, [id_ for id_ in session.exec(select(PathwayVersion.id)) if id_ is not None])
    broken: list[Broken] = []
    cases = transitions = after = 0
    while after < _LAST_ID:
        found = session.execute(_CASES, {"after": after, "chunk": chunk}).all()
        until = found[-1].id if len(found) == chunk else _LAST_ID
        rows = session.execute(_ROWS, {"after": after, "until": until}).all()
        journals = {case_id: list(own) for case_id, own in groupby(rows, key=lambda row: row.case_id)}
        for case in found:
            broken += [Broken(case.code, *fault) for fault in _faults(case, journals.pop(case.id, []), pathways)]
        broken += [Broken(None, orphans[0].seq, "no_case") for orphans in journals.values()]
        cases, transitions, after = cases + len(found), transitions + len(rows), until
    broken += [Broken(None, None, "anchor") for _ in broken_anchors(session)]
    return JournalReport(cases, transitions, broken)


def _faults(case: Row[Any], rows: Sequence[Row[Any]], pathways: dict[int, Pathway]) -> Iterator[tuple[int | None, str]]:
    """Seq and kind of everything that is wrong with the journal of one case. After a changed row, what it says of the
    state is not held against the row that follows."""
    if not rows:
        yield None, "no_journal"
        return
    seq, head, state, previous, clean = 0, GENESIS, None, None, True
    version_id, before = rows[0].pathway_version_id, None
    stand: list[Stand] = []
    for row in rows:
        at = Standing(version_id, state or "", previous)
        carried = None
        pathway = pathways.get(row.pathway_version_id)
        fault = None
        if not _hash_holds(row):
            fault = "changed"
        elif row.seq != seq + 1:
            fault = "gap"
        elif row.previous_hash != head:
            fault = "chain"
        elif clean and row.from_state != state:
            fault = "from_state"
        elif row.trigger in (MIGRATE, UNMIGRATE):
            carried = _carried(row, at, before, pathways)
            fault = "illegal" if clean and carried is None else None
        elif clean and pathway is not None and row.pathway_version_id != version_id:
            fault = "version"
        elif pathway is None or not _legal(pathway, row, previous if clean else row.to_state, stand if clean else None):
            fault = "illegal"
        elif row.note is not None and row.note_digest != note_digest(row.command_id, row.note):
            fault = "note"
        if fault:
            yield row.seq, fault
        clean = clean and fault is None
        before, version_id = (row.trigger, at), row.pathway_version_id
        if clean and _takes_back(pathway, row):
            previous = stand.pop().previous
        elif clean and row.trigger != CHANGE_CALENDAR:
            stand.append(Stand(row.seq, row.from_state, previous))
        if carried is not None:
            previous = carried.previous
        elif clean and not _takes_back(pathway, row) and pathway and row.to_state != row.from_state:
            previous = remembered(pathway, row.from_state, row.to_state, previous)
        seq = seq + 1 if fault == "changed" else row.seq
        head, state = row.hash, row.to_state
    if (seq, head) != (case.version, case.journal_head):
        yield case.version, "cut_off" if seq < case.version else "head"
    elif state != case.state:
        yield seq, "state"
    elif clean and version_id != case.pathway_version_id:
        yield seq, "version"
    elif clean and previous != case.previous_state:
        yield seq, "previous_state"


def _carried(
    row: Row[Any], at: Standing, before: tuple[str, Standing] | None, pathways: dict[int, Pathway]
) -> Standing | None:
    carried = Carried(row.trigger, row.to_state, row.pathway_version_id, as_json(row.data))
    return stands_after(carried, at, before, pathways)


def _hash_holds(row: Row[Any]) -> bool:
    values = row._asdict()
    try:
        at = time_text(row.at) if isinstance(row.at, datetime) else row.at
        values |= {"at": at, "data": as_json(row.data)}
        return bool(row_hash(values[name] for name in COVERED) == row.hash)
    except (TypeError, ValueError):  # a value that no journal row can hold
        return False


def _takes_back(pathway: Pathway | None, row: Row[Any]) -> bool:
    transition = pathway.table.get((row.from_state, row.trigger)) if pathway else None
    return transition is not None and transition.takes_back


def _legal(pathway: Pathway, row: Row[Any], previous: str | None, stand: Sequence[Stand] | None) -> bool:
    """Whether the pathway has this transition, for this role; `previous` is where a way back may lead, `stand` the rows
    that stand, of which the last can be taken back (none: not known)."""
    if row.from_state is None:
        return bool((row.seq, row.trigger, row.to_state) == (1, REGISTER, pathway.initial))
    if row.trigger == CHANGE_CALENDAR:
        return bool(row.to_state == row.from_state)
    transition = pathway.table.get((row.from_state, row.trigger))
    if transition is None or row.role not in transition.roles:
        return False
    if transition.takes_back:
        named = as_json(row.data).get(CORRECTS)
        return stand is None or bool(len(stand) > 1 and (stand[-1].seq, stand[-1].from_state) == (named, row.to_state))
    if row.to_state not in transition.branches:
        return False
    return bool(not transition.to_previous or row.to_state == previous)
