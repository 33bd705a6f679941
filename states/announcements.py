"""Events that no transition brings about: a deadline that passed, a reminder, a refusal that a partner has to know of.

The sweep, the reminders and the consents call it in their own transactions, with the cases locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Integer
from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement, insert_into, time_text


class Announcement(NamedTuple):
    """An event of a case at its journal row `seq`. `events` is how many the case had when it was read. `named` is what
    the event's uid is made of: the same for the same event whenever it is announced. `only_for` are the ids of the
    partners that it is for (none: everybody who subscribes)."""

    named: str
    case_id: int
    events: int
    seq: int
    type: str
    region_pcode: str | None
    data: dict[str, Any]
    correlation_id: str
    only_for: list[int] | None = None


_COUNT_EVENTS = SetStatement(
    'UPDATE "case" SET events = r.events FROM {rows} WHERE "case".id = r.case_id', case_id=BigId, events=Integer()
)
_INSERT = insert_into(
    "event",
    *("uid", "case_id", "sequence", "seq", "type", "occurred_at", "region_pcode", "data", "correlation_id"),
    "only_for",
)


def announce(session: Session, announcements: Sequence[Announcement], *, at: datetime) -> None:
    """Put them into the outbox, numbered on from the newest event of each case. Two statements; none for none."""
    if not announcements:
        return
    counts: dict[int, int] = {}
    rows = []
    for each in announcements:
        sequence = counts[each.case_id] = counts.get(each.case_id, each.events) + 1
        uid = "evt_" + blake2b(each.named.encode(), digest_size=16).hexdigest()
        what = (uid, each.case_id, sequence, each.seq, each.type, time_text(at), each.region_pcode, each.data)
        rows.append((*what, each.correlation_id, each.only_for))
    _COUNT_EVENTS.execute(session, list(counts.items()))
    _INSERT.execute(session, rows)
