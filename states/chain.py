"""The rows of the journal: what is in one, what its hash covers, and what a row means for the state to go back to.

`states.advance` and `states.registration` make new rows with it, `states.journal` proves old ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from states.moves import Move
from states.pathway import Pathway, StateKind

GENESIS = "0" * 64
"""What the first row of a case has instead of the hash of the row before."""


_SURROGATES = re.compile("[\ud800-\udfff]")


class NewRow(NamedTuple):
    """A journal row about to be written, the covered columns first, in the order in which they are named here."""

    case_id: int
    seq: int
    at: str
    trigger: str
    from_state: str | None
    to_state: str
    actor_id: int | None
    role: str
    reason: str | None
    note_digest: str | None
    data: Mapping[str, Any]
    pathway_version_id: int
    command_id: str
    correlation_id: str
    previous_hash: str
    note: str | None
    hash: str


JOURNAL_COLUMNS = NewRow._fields

COVERED = JOURNAL_COLUMNS[:-2]
"""The columns under the hash: all but `id`, `note` (its digest is there), `dispatch_id` and `hash` itself."""


def new_row(
    move: Move,
    *,
    seq: int,
    at: str,
    from_state: str | None,
    to_state: str,
    pathway_version_id: int,
    previous_hash: str,
    told: Mapping[str, Any],
) -> NewRow:
    """The journal row of a move that was decided; `at` is `bulk.time_text` of now. `told` goes into its data too: what
    it did to a record and to the priority, so that the journal can be folded and a row taken back."""
    data = {**move.data, **told}
    covered = (
        *(move.case_id, seq, at, move.trigger, from_state, to_state, move.actor.id, move.actor.role, move.reason),
        *(note_digest(move.command_id, move.note), data, pathway_version_id),
        *(move.command_id, move.correlation_id, previous_hash),
    )
    return NewRow._make((*covered, move.note, row_hash(covered)))


def row_hash(covered: Iterable[Any]) -> str:
    """SHA-256 (hex) of a row's covered columns, given in the order of `COVERED`.

    What is hashed is a JSON object with sorted keys and no spaces, in which times are `bulk.time_text`.
    """
    document = dict(zip(COVERED, covered, strict=True))
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def note_digest(command_id: str, note: str | None) -> str | None:
    """SHA-256 (hex) of a note together with its command id, so that equal notes do not have equal digests."""
    return None if note is None else hashlib.sha256(f"{command_id}\n{note}".encode()).hexdigest()


def remembered(pathway: Pathway, from_state: str | None, to_state: str, previous: str | None) -> str | None:
    """The state that a case goes back to: where a held or closed case came from, past any hold that came between."""
    if pathway.states[to_state].kind is StateKind.ACTIVE or from_state is None:
        return None
    return from_state if pathway.states[from_state].kind is StateKind.ACTIVE else previous


def storable(value: Any) -> bool:
    """Whether a move's text or data comes back from either database exactly as it went in, as the hash needs.

    Text without NUL or lone surrogates, whole numbers of 64 bits, booleans, none, lists and objects of them; no
    fractions, which PostgreSQL may write differently.
    """
    if isinstance(value, str):
        return "\0" not in value and (value.isascii() or _SURROGATES.search(value) is None)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        return all(isinstance(key, str) and storable(key) and storable(item) for key, item in value.items())
    return isinstance(value, list | tuple) and all(storable(item) for item in value)
