"""What a walk wrote, row by row, read back from the database: what each baseline writes, and is held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text
from sqlmodel import Session
from walk import STEPS, Step

from models.database import create_engine_for, read_session
from models.types import utc_text
from states.chain import JOURNAL_COLUMNS

Row = tuple[Any, ...]

TASK_COLUMNS = (*("case_id", "seq", "key", "state", "role", "office_id", "priority", "status", "opened_at", "due_at"),)
DEADLINE_COLUMNS = (
    *("case_id", "seq", "key", "kind", "state", "due_at", "first_due_at", "next_at", "status", "level"),
)
EVENT_COLUMNS = (
    *("uid", "case_id", "sequence", "seq", "type", "occurred_at", "region_pcode", "data", "correlation_id"),
)
CASE_COLUMNS = (
    *("state", "entered_state_at", "previous_state", "held_at", "version", "events", "journal_head", "priority"),
    *("closure_reason", "closed_at"),
)
TASK_END = ("status", "closed_at", "closed_seq", "done_by")
DEADLINE_END = ("status", "closed_at", "closed_seq")


@dataclass
class Written:
    """What one batch writes. Inserts in the order of the columns above; updates too, with the id of the row last (for
    a case: id and the version before). Times are `utc_text`, documents JSON text. The keys of the ended tasks and
    deadlines stand beside them."""

    cases: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    ended_tasks: list[Row] = field(default_factory=list)
    ended_deadlines: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    deadlines: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    ended_task_keys: list[str] = field(default_factory=list)
    ended_deadline_keys: list[str] = field(default_factory=list)

    def count(self) -> int:
        """Rows written, new and changed."""
        changed = len(self.cases) + len(self.ended_tasks) + len(self.ended_deadlines)
        return changed + len(self.journal) + len(self.tasks) + len(self.deadlines) + len(self.events)


def written_by_walk(url: str, case_ids: Sequence[int], batch: int) -> list[list[Written]]:
    """What a finished walk wrote for these cases, by step and by batch of cases."""
    place = {case_id: index // batch for index, case_id in enumerate(case_ids)}
    steps = [[Written() for _ in range(-(-len(case_ids) // batch))] for _ in STEPS]

    def of(case_id: int, seq: int) -> Written:
        return steps[seq - 2][place[case_id]]

    with _reading(url) as session:
        events: Counter[tuple[int, int]] = Counter()
        for row in _rows(session, "event", EVENT_COLUMNS, place):
            events[row[1], row[3]] += 1
            if row[3] > 1:
                of(row[1], row[3]).events.append(row)
        for row in _rows(session, "task", (*TASK_COLUMNS, *TASK_END, "id"), place):
            values = dict(zip(TASK_COLUMNS, row, strict=False)) | {"status": "open"}
            ended = row[len(TASK_COLUMNS) :]
            if values["seq"] > 1:
                of(values["case_id"], values["seq"]).tasks.append(tuple(values.values()))
            if ended[2] is not None:
                of(values["case_id"], ended[2]).ended_tasks.append(ended)
                of(values["case_id"], ended[2]).ended_task_keys.append(values["key"])
        for row in _rows(session, "deadline", (*DEADLINE_COLUMNS, *DEADLINE_END, "id"), place):
            values = dict(zip(DEADLINE_COLUMNS, row, strict=False)) | {"status": "open"}
            ended = row[len(DEADLINE_COLUMNS) :]
            if values["seq"] > 1:
                of(values["case_id"], values["seq"]).deadlines.append(tuple(values.values()))
            if ended[2] is not None:
                of(values["case_id"], ended[2]).ended_deadlines.append(ended)
                of(values["case_id"], ended[2]).ended_deadline_keys.append(values["key"])
        announced: Counter[int] = Counter()
        entered: dict[int, str] = {}
        for row in _rows(session, "journal", JOURNAL_COLUMNS, place):
            values = dict(zip(JOURNAL_COLUMNS, row, strict=True))
            case_id, seq, state = values["case_id"], values["seq"], values["to_state"]
            announced[case_id] += events[case_id, seq]
            if values["from_state"] != state:
                entered[case_id] = values["at"]
            if seq > 1:
                head = (seq, announced[case_id], values["hash"], "normal")
                of(case_id, seq).journal.append(row)
                of(case_id, seq).cases.append(
                    (state, entered[case_id], None, None, *head, None, None, case_id, seq - 1)
                )
    return steps


class MoveRows(NamedTuple):
    """What one move writes, as an ORM takes it: column to value, times as datetimes, documents as dicts. Ended tasks
    and deadlines come as (values, keys): the same values for all of these keys."""

    case_id: int
    step: Step
    case: dict[str, Any]
    journal: dict[str, Any]
    ended_tasks: list[tuple[dict[str, Any], list[str]]]
    ended_deadlines: list[tuple[dict[str, Any], list[str]]]
    tasks: list[dict[str, Any]]
    deadlines: list[dict[str, Any]]
    events: list[dict[str, Any]]


def move_rows(step: Step, written: Written) -> MoveRows:
    """What the move of a batch of one case writes."""
    (case,), (journal,) = written.cases, written.journal
    return MoveRows(
        case[-2],
        step,
        _values(CASE_COLUMNS, case),
        _values(JOURNAL_COLUMNS, journal),
        _ended(TASK_END, written.ended_tasks, written.ended_task_keys),
        _ended(DEADLINE_END, written.ended_deadlines, written.ended_deadline_keys),
        [_values(TASK_COLUMNS, row) for row in written.tasks],
        [_values(DEADLINE_COLUMNS, row) for row in written.deadlines],
        [_values(EVENT_COLUMNS, row) for row in written.events],
    )


def _values(columns: Sequence[str], row: Row) -> dict[str, Any]:
    values = dict(zip(columns, row, strict=False))
    for name, value in values.items():
        if (name == "at" or name.endswith("_at")) and value is not None:
            values[name] = datetime.fromisoformat(value)
        elif name == "data":
            values[name] = orjson.loads(value)
    return values


def _ended(columns: Sequence[str], rows: list[Row], keys: list[str]) -> list[tuple[dict[str, Any], list[str]]]:
    same: dict[Row, list[str]] = {}
    for row, key in zip(rows, keys, strict=True):
        same.setdefault(row[:-1], []).append(key)
    return [(_values(columns, row), named) for row, named in same.items()]


def contents(url: str, case_ids: Sequence[int]) -> dict[str, list[Row]]:
    """Every row of these cases that a walk writes, without the ids that the database gave: equal in equal databases."""
    with _reading(url) as session:
        return {
            table: sorted(_rows(session, table, columns, set(case_ids)), key=repr)
            for table, columns in (
                ('"case"', ("id", *CASE_COLUMNS)),
                ("journal", JOURNAL_COLUMNS),
                ("task", (*TASK_COLUMNS, *TASK_END)),
                ("deadline", (*DEADLINE_COLUMNS, *DEADLINE_END)),
                ("event", EVENT_COLUMNS),
            )
        }


@contextmanager
def _reading(url: str) -> Iterator[Session]:
    engine = create_engine_for(url)
    with read_session(engine) as session:
        yield session
    engine.dispose()


def _rows(session: Session, table: str, columns: Sequence[str], case_ids: Container[int]) -> list[Row]:
    """The rows of these cases in the order in which they were written, with values as SQLite keeps them."""
    rows = session.execute(text(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id"))
    owner = columns.index("id" if table == '"case"' else "case_id")
    return [tuple(_plain(value) for value in row) for row in rows if row[owner] in case_ids]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, str) and value.startswith("{"):
        value = orjson.loads(value)
    if isinstance(value, dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return value
