"""The partner events that are to be shown or withheld: read with their partners locked, and written back.

`projection` says what becomes of them. Every function is one statement, or a number of them that is always the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Integer, String
from sqlmodel import Session

from integrations.sharing.pseudonyms import Pair, event_uid
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, as_json, as_time


@dataclass(frozen=True, slots=True)
class PartnerKey:
    """A locked partner: the key of its codes, and the position of the newest event in its stream."""

    id: int
    key: str = field(repr=False)
    position: int


@dataclass(frozen=True, slots=True)
class Owed:
    """A row that is to be shown or withheld. `shown` counts what its partner was shown of the case before; `looked`: it
    had a look at the case through the API; `taken_back`: it was a mistake, and the partner was not told so because it
    knew nothing of it."""

    id: int
    uid: str
    partner_id: int
    case_id: int
    type: str
    occurred_at: datetime
    data: dict[str, Any] = field(repr=False)
    corrects: str | None
    region: str | None
    programme: str
    shown: int
    looked: bool
    taken_back: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one, in the order of the columns of `partner_event`."""

    id: int
    status: str
    reason: str | None
    position: int | None
    sequence: int | None
    body: str | None = field(repr=False)
    fields: list[str]
    agreement_id: int | None
    consent_id: int | None
    shown_at: str | None


_COLUMNS = attrgetter(*(each.name for each in fields(Settled)))

_EVENTS = SetStatement(
    "SELECT e.id, e.uid, e.case_id, e.only_for, r.partner_id FROM {rows} "
    "JOIN event AS e ON e.id = r.event_id ORDER BY e.id, r.partner_id",
    event_id=BigId,
    partner_id=BigId,
)
_ENQUEUE = SetStatement(
    "INSERT INTO partner_event (uid, event_id, partner_id, case_id, status, fields) "
    "SELECT r.uid, r.event_id, r.partner_id, r.case_id, 'waiting', r.fields FROM {rows} WHERE true "
    "ON CONFLICT (event_id, partner_id) DO NOTHING",
    uid=String(),
    event_id=BigId,
    partner_id=BigId,
    case_id=BigId,
    fields=Json,
)
_LINED_UP = SetStatement(
    "SELECT o.event_id, o.partner_id, o.id FROM {rows} "
    "JOIN partner_event AS o ON o.event_id = r.event_id AND o.partner_id = r.partner_id",
    event_id=BigId,
    partner_id=BigId,
)
_LOCK = SetStatement(
    "SELECT id, pseudonym_key, position FROM partner WHERE id IN (SELECT r.id FROM {rows}) ORDER BY id {lock}", id=BigId
)
_LOCK_OF = SetStatement(
    "SELECT id, pseudonym_key, position FROM partner WHERE id IN (SELECT o.partner_id FROM partner_event AS o "
    "WHERE o.id IN (SELECT r.id FROM {rows})) ORDER BY id {lock}",
    id=BigId,
)
# What was asked for, and what waits before it in its line.
_OWED = SetStatement(
    """WITH asked AS MATERIALIZED (SELECT r.id AS id FROM {rows}),
    line AS MATERIALIZED (
        SELECT partner_id, case_id, MAX(event_id) AS last FROM partner_event
        WHERE id IN (SELECT id FROM asked) AND status <> 'shown' GROUP BY partner_id, case_id),
    mistakes AS MATERIALIZED (
        SELECT DISTINCT n.partner_id, n.case_id, t.corrects FROM line
        JOIN partner_event AS n ON n.partner_id = line.partner_id AND n.case_id = line.case_id
        JOIN event AS t ON t.id = n.event_id WHERE n.status = 'withheld' AND t.corrects IS NOT NULL)
    SELECT o.id, o.uid, o.partner_id, o.case_id, e.type, e.occurred_at, e.data, e.corrects, c.region_pcode, v.name,
        COALESCE(k.events, 0),
        EXISTS (SELECT 1 FROM disclosure AS d WHERE d.case_id = o.case_id AND d.partner_id = o.partner_id),
        m.corrects IS NOT NULL
    FROM line JOIN partner_event AS o ON o.partner_id = line.partner_id AND o.case_id = line.case_id
        AND o.event_id <= line.last
        AND (o.status = 'waiting' OR (o.status = 'withheld' AND o.id IN (SELECT id FROM asked)))
    JOIN event AS e ON e.id = o.event_id JOIN "case" AS c ON c.id = o.case_id
    JOIN pathway_version AS v ON v.id = c.pathway_version_id
    LEFT JOIN partner_case AS k ON k.partner_id = o.partner_id AND k.case_id = o.case_id
    LEFT JOIN mistakes AS m ON m.partner_id = o.partner_id AND m.case_id = o.case_id AND m.corrects = e.uid
    ORDER BY o.event_id, o.partner_id""",
    id=BigId,
)
_SHOWN_BEFORE = SetStatement(
    "SELECT uid FROM partner_event WHERE uid IN (SELECT r.uid FROM {rows}) AND status = 'shown'", uid=String()
)
_SETTLE = SetStatement(
    "UPDATE partner_event SET status = r.status, reason = r.reason, position = r.position, sequence = r.sequence, "
    "body = r.body, fields = r.fields, agreement_id = r.agreement_id, consent_id = r.consent_id, "
    "shown_at = r.shown_at FROM {rows} WHERE partner_event.id = r.id",
    id=BigId,
    status=String(),
    reason=String(),
    position=BigId,
    sequence=Integer(),
    body=String(),
    fields=Json,
    agreement_id=BigId,
    consent_id=BigId,
    shown_at=UtcDateTime(),
)
_ADVANCE = SetStatement(
    "UPDATE partner SET position = r.position FROM {rows} WHERE partner.id = r.id", id=BigId, position=BigId
)
_COUNT = SetStatement(
    "INSERT INTO partner_case (partner_id, case_id, code, events) SELECT r.partner_id, r.case_id, r.code, r.events "
    "FROM {rows} WHERE true ON CONFLICT (partner_id, case_id) DO UPDATE SET events = excluded.events",
    partner_id=BigId,
    case_id=BigId,
    code=String(),
    events=Integer(),
)


def enqueue(session: Session, pairs: Collection[Pair]) -> dict[Pair, int]:
    """The id of the row for each (event id, partner id), waiting where there was none yet. Four statements.

    An event that is for certain partners gets none for others, and nothing for an unknown partner. The partners are
    locked first, until the transaction ends: so no later event of a case is shown before the rows of an earlier one,
    fanned out at the same time, are there.
    """
    if not pairs:
        return {}
    partners = lock_partners(session, {partner_id for _event_id, partner_id in pairs})
    rows: list[tuple[object, ...]] = [
        (event_uid(partners[partner_id].key, uid), event_id, partner_id, case_id, [])
        for event_id, uid, case_id, only_for, partner_id in _EVENTS.execute(session, sorted(set(pairs)))
        if partner_id in partners and ((whom := as_json(only_for)) is None or partner_id in whom)
    ]
    _ENQUEUE.execute(session, rows)
    found = _LINED_UP.execute(session, [row[1:3] for row in rows])
    return {(event_id, partner_id): id_ for event_id, partner_id, id_ in found}


def lock_partners(session: Session, ids: Collection[int]) -> dict[int, PartnerKey]:
    """These partners, locked in the order of their ids until the transaction ends."""
    return {row[0]: PartnerKey(*row) for row in _LOCK.execute(session, _ids(ids))}


def lock_partners_of(session: Session, ids: Collection[int]) -> dict[int, PartnerKey]:
    """The partners to whom these partner events are owed, locked in the order of their ids until the transaction ends.

    Without the lock two would take the same position on PostgreSQL, or a later one be committed first and a reader of
    the stream miss the earlier one.
    """
    return {row[0]: PartnerKey(*row) for row in _LOCK_OF.execute(session, _ids(ids))}


def owed_rows(session: Session, ids: Collection[int]) -> list[Owed]:
    """These partner events, unless they were shown, and those that wait before them in the line of the same partner and
    case; in the order of the events."""
    return [
        Owed(id_, uid, partner_id, case_id, type_, as_time(at), as_json(data), *rest)
        for id_, uid, partner_id, case_id, type_, at, data, *rest in _OWED.execute(session, _ids(ids))
    ]


def shown_uids(session: Session, uids: Iterable[str]) -> set[str]:
    """Which of these ids of partner events were shown."""
    return {uid for (uid,) in _SHOWN_BEFORE.execute(session, [(uid,) for uid in sorted(set(uids))])}


def settle(session: Session, settled: Sequence[Settled]) -> None:
    """Write what became of them."""
    _SETTLE.execute(session, [_COLUMNS(each) for each in settled])


def advance(session: Session, positions: Mapping[int, int], known: Mapping[Pair, tuple[str, int]]) -> None:
    """Write the new position of each partner, and for each (partner, case) its code and how much was shown of it."""
    _ADVANCE.execute(session, list(positions.items()))
    _COUNT.execute(session, [(*pair, *row) for pair, row in known.items()])


def _ids(ids: Collection[int]) -> list[tuple[int]]:
    return [(id_,) for id_ in sorted(set(ids))]
