"""What a case's journal amounts to: its rows in order, less those that were taken back.

`states.past` and `states.journal` fold journals with it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

CORRECTS: Final = "corrects"
"""In the data of a row that takes another one back: the seq of that one."""

CHANGE_CALENDAR: Final = "change_calendar"
"""The trigger of the journal row that says which clocks of a case a calendar moved; no transition: the case stays, and
what came before it can still be taken back."""

MIGRATE: Final = "migrate"
"""The trigger of the row that carried a case to another version; no transition: it is on its way between two."""

UNMIGRATE: Final = "unmigrate"
"""The trigger of the row that took such a row back."""


class PastRow(NamedTuple):
    """A journal row, as far as its consequences go; `data` as they were journalled."""

    seq: int
    at: datetime
    trigger: str
    from_state: str | None
    to_state: str
    reason: str | None
    data: Mapping[str, Any]


class TaskPast(NamedTuple):
    """A task of the case as it is now."""

    id: int
    seq: int
    key: str
    state: str | None
    record: str | None
    role: str
    staff_id: int | None
    priority: str
    status: str
    due_at: datetime | None
    closed_seq: int | None


class ClockPast(NamedTuple):
    """A deadline or timer of the case as it is now."""

    id: int
    seq: int
    key: str
    state: str | None
    record: str | None
    status: str
    due_at: datetime
    first_due_at: datetime
    next_at: datetime | None
    level: int
    overdue_at: datetime | None
    escalated_at: datetime | None
    closed_seq: int | None


class Past(NamedTuple):
    """What taking back the last row needs: the rows that stand, the case's tasks and clocks, the uids of the events
    that the last row announced."""

    rows: tuple[PastRow, ...]
    tasks: tuple[TaskPast, ...]
    clocks: tuple[ClockPast, ...]
    events: tuple[str, ...]

    @property
    def last(self) -> PastRow | None:
        """The row that can be taken back, if any; the registration cannot."""
        return self.rows[-1] if len(self.rows) > 1 else None

    @property
    def came(self) -> PastRow | None:
        """The row with which the case came into the state from which the last row went."""
        return entered(self.rows[:-1])


def standing(rows: Iterable[PastRow]) -> list[PastRow]:
    """The rows that still stand, in order: without those that were taken back, those that did so, and changes of
    calendars."""
    stand: list[PastRow] = []
    for row in rows:
        if row.trigger == CHANGE_CALENDAR:
            continue
        if CORRECTS in row.data:
            while stand and stand.pop().seq != row.data[CORRECTS]:
                pass
        else:
            stand.append(row)
    return stand


def entered(rows: Iterable[PastRow]) -> PastRow | None:
    """The row with which the case came into the state in which the rows leave it, whatever that was called then."""
    found = None
    for row in rows:
        if row.to_state != row.from_state and row.trigger not in (MIGRATE, UNMIGRATE):
            found = row
    return found
