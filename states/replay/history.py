"""What really happened to a batch of cases: their journal rows, what was recorded about them when, and the nights.

`states.replay.chunks` reads it, a fixed number of statements for a batch; the simulation folds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import String, select
from sqlmodel import Session, col

from models.runs import NightlyRun
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, as_json, as_time, time_text
from states.facts import RecordFact
from states.gather import facts_of, load_cases
from states.history import CORRECTS
from states.moves import Actor, Move
from states.replay.timeline import DATED, Steps, Timeline

SIMULATED: Final = frozenset({"tasks", "deadlines", "clocks", "past"})
"""The groups of facts that follow from the moves themselves: the simulation knows them."""

_TIMER: Final = "timer:"
_SWEEP: Final = "sweep:"
_SEQ: Final = 2
_DATA: Final = 10
_NOTED: Final = "…"
"""Stands for a note, which nobody here needs to read."""


class Row(NamedTuple):
    """One row of a journal, as far as a replay needs it. `timer` is the timer that fired, if one did; `step` the kind
    of the record of its move and the status into which it came."""

    at: datetime
    seq: int
    from_state: str | None
    to_state: str
    version_id: int
    timer: str | None
    step: tuple[str, str] | None
    move: Move


class Ended(NamedTuple):
    """A task that somebody said was done without a move."""

    at: datetime
    key: str
    record: str | None


@dataclass(frozen=True, slots=True)
class History:
    """One case: what never changes, its rows in order, what ended without a move, and what was known when. `records`
    are its records as they are today: whom each is for and what it leans on never changes."""

    case_id: int
    code: str
    office_id: int | None
    region_pcode: str | None
    arrival_date: date
    registered_at: datetime
    rows: list[Row]
    ended: list[Ended]
    known: Timeline
    records: Mapping[str, RecordFact]


_OPEN_BETWEEN = SetStatement(
    'SELECT c.id FROM {rows} JOIN "case" AS c ON c.pathway_version_id = r.version_id AND c.registered_at < r.until '
    "AND (c.closed_at IS NULL OR c.closed_at >= r.since) ORDER BY c.id",
    version_id=BigId,
    since=UtcDateTime(),
    until=UtcDateTime(),
)
_ROWS = SetStatement(
    "SELECT j.case_id, j.at, j.seq, j.trigger, j.from_state, j.to_state, j.actor_id, j.role, j.reason, "
    "CASE WHEN j.note_digest IS NULL THEN 0 ELSE 1 END, j.data, j.pathway_version_id, j.command_id "
    "FROM {rows} JOIN journal AS j ON j.case_id = r.id AND j.at < r.until ORDER BY j.case_id, j.seq",
    id=BigId,
    until=UtcDateTime(),
)
_ENDED = SetStatement(
    "SELECT t.case_id, t.closed_at, t.key, t.record FROM {rows} JOIN task AS t ON t.case_id = r.id "
    "WHERE t.status = 'done' AND t.closed_seq IS NULL AND t.closed_at < r.until ORDER BY t.case_id, t.closed_at, t.id",
    id=BigId,
    until=UtcDateTime(),
)
_SWEEPS = SetStatement(
    "SELECT DISTINCT j.correlation_id FROM {rows} JOIN journal AS j ON j.correlation_id LIKE r.prefix",
    prefix=String(),
)


def cases_open_between(session: Session, versions: Iterable[int], since: datetime, until: datetime) -> list[int]:
    """Ids of the cases on these versions that were open at some time between two instants, in order."""
    asked = [(version_id, time_text(since), time_text(until)) for version_id in sorted(versions)]
    return [id_ for (id_,) in _OPEN_BETWEEN.execute(session, asked)]


def nights_of(session: Session, timezone: ZoneInfo, hour: int) -> list[datetime]:
    """The instants at which timers were looked at, in order: those of the nights that are done (at `hour` of the
    programme's time zone), and those of which the journal tells."""
    nights = {
        datetime.fromisoformat(correlation_id.removeprefix(_SWEEP))
        for (correlation_id,) in _SWEEPS.execute(session, [(f"{_SWEEP}%",)])
    }
    done = session.scalars(select(col(NightlyRun.as_of)).where(col(NightlyRun.status) == "done"))
    return sorted(nights | {datetime.combine(as_of, time(hour), tzinfo=timezone) for as_of in done})


def read_histories(
    session: Session, case_ids: Sequence[int], groups: Collection[str], until: datetime
) -> list[History]:
    """The histories of these cases before an instant, with what was known of these groups of facts.

    What carries no time of its own (`states.replay.timeline.DATED` has the groups that do) is taken as it is today.
    """
    cases = load_cases(session, case_ids)
    ids = [(id_,) for id_ in cases]
    asked = [(id_, time_text(until)) for id_ in cases]
    rows = {id_: _standing(own) for id_, own in groupby(_ROWS.execute(session, asked), itemgetter(0))}
    ended = {
        id_: [Ended(as_time(at), key, record) for _, at, key, record in own]
        for id_, own in groupby(_ENDED.execute(session, asked), itemgetter(0))
    }
    dated = {
        group: {id_: list(own) for id_, own in groupby(DATED[group].statement.execute(session, ids), itemgetter(0))}
        for group in sorted(groups)
        if group in DATED
    }
    today = facts_of(session, cases.values(), sorted({*groups, "records"} - DATED.keys() - SIMULATED))
    histories = []
    for id_, case in cases.items():
        own = rows.get(id_, [])
        known = Timeline(today[id_], {group: found.get(id_, ()) for group, found in dated.items()}, _steps(own))
        where = case.office_id, case.region_pcode, case.arrival_date, case.registered_at
        histories.append(History(id_, case.code, *where, own, ended.get(id_, []), known, today[id_].records))
    return histories


def _standing(rows: Iterable[Sequence[Any]]) -> list[Row]:
    """The rows of one case, without those that were taken back later and those that took them back."""
    parsed = [(row, as_json(row[_DATA])) for row in rows]
    mistakes = {data[CORRECTS] for _, data in parsed if CORRECTS in data}
    return [_row(row, data) for row, data in parsed if CORRECTS not in data and row[_SEQ] not in mistakes]


def _row(row: Sequence[Any], given: dict[str, Any]) -> Row:
    case_id, at, seq, trigger, from_state, to_state, actor_id, role, reason, noted, _, version_id, command_id = row
    step = given.pop("record", None)
    if isinstance(given.get("priority"), dict):  # what the move did to the case's, not what it said
        del given["priority"]
    note = _NOTED if noted else None
    code = step["code"] if step else None
    who = Actor(role, actor_id)
    move = Move(case_id, trigger, who, "", "", reason=reason, note=note, data=given, record=code, details=True)
    timer = command_id.rpartition(":")[2] if command_id.startswith(_TIMER) else None
    taken = (step["kind"], step["to"]) if step else None
    return Row(as_time(at), seq, from_state, to_state, version_id, timer, taken, move)


def _steps(rows: Sequence[Row]) -> Steps:
    steps: dict[str, list[tuple[datetime, str]]] = {}
    for row in rows:
        if row.step is not None and row.move.record is not None:
            steps.setdefault(row.move.record, []).append((row.at, row.step[1]))
    return steps
