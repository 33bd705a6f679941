"""The causes that hold the caseload, the heaviest first; and the cause of one case.

`segin why` calls both; the API and the console will. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Final

from sqlalchemy import Engine, select
from sqlmodel import Session, col

from models.case import Case
from models.caseload import CaseFilter, conditions, find_case
from models.database import read_session
from models.staff import Office
from states.pathway import Text
from states.why.cause import STUCK, Cause, CauseKind
from states.why.reasoning import why
from states.why.situations import read_situations

CHUNK: Final = 1_000
EXAMPLES: Final = 5
SECONDS_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class RankedCause:
    """One cause over the caseload: how many cases it holds, for how many days (the median), where, and the codes of the
    cases that it has held longest. `offices` counts by the office's code (none: no office), `roles` by whose turn it
    is."""

    kind: CauseKind
    about: str
    label: Text
    cases: int
    median_days: float
    offices: dict[str | None, int]
    states: dict[str, int]
    roles: dict[str | None, int]
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every open case of the filter: `stuck` of them are held by `causes`; the others wait for a timer or are on
    time."""

    cases: int
    stuck: int
    waiting: int
    on_time: int
    causes: list[RankedCause]


@dataclass
class _Held:
    """The cases that one cause holds, as they are found."""

    label: Text
    since: list[tuple[datetime, str]] = field(default_factory=list)
    offices: Counter[int | None] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    roles: Counter[str | None] = field(default_factory=Counter)


def why_case(session: Session, code: str, now: datetime) -> tuple[Case, Cause]:
    """The case with this code, and its cause. Raises WrongUse for an unknown code."""
    case = find_case(session, code)
    (asked,) = read_situations(session, [case.id or 0])
    return case, why(asked.pathway, asked.situation, now)


def why_all(
    engine: Engine,
    wanted: CaseFilter,
    now: datetime,
    *,
    chunk: int = CHUNK,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Ranking:
    """The causes over all open cases of the filter. Each `chunk` of cases takes a fixed number of statements, in a
    session of its own. Raises WrongUse for an unknown office or person."""
    with read_session(engine) as session:
        query = select(col(Case.id)).where(col(Case.closed_at).is_(None), *conditions(session, wanted))
        case_ids = [id_ for id_ in session.scalars(query.order_by(col(Case.id))) if id_ is not None]
        offices = {office.id: office.code for office in session.scalars(select(Office))}
    held: dict[tuple[CauseKind, str], _Held] = {}
    kinds: Counter[CauseKind] = Counter()
    for start in range(0, len(case_ids), chunk):
        with read_session(engine) as session:
            batch = read_situations(session, case_ids[start : start + chunk])
        for case, pathway, situation in batch:
            cause = why(pathway, situation, now)
            kinds[cause.kind] += 1
            if cause.stuck:
                found = held.setdefault((cause.kind, cause.about), _Held(cause.label))
                found.since.append((cause.since, case.code))
                found.offices[case.office_id] += 1
                found.states[case.state] += 1
                found.roles[cause.role] += 1
        on_progress(min(start + chunk, len(case_ids)), len(case_ids))
    return Ranking(
        cases=kinds.total(),
        stuck=sum(number for kind, number in kinds.items() if kind in STUCK),
        waiting=kinds[CauseKind.WAITING],
        on_time=kinds[CauseKind.ON_TIME],
        causes=sorted((_ranked(*key, each, offices, now) for key, each in held.items()), key=_weight),
    )


def _ranked(kind: CauseKind, about: str, held: _Held, offices: dict[int | None, str], now: datetime) -> RankedCause:
    return RankedCause(
        kind=kind,
        about=about,
        label=held.label,
        cases=len(held.since),
        median_days=round(median((now - since).total_seconds() for since, _ in held.since) / SECONDS_A_DAY, 1),
        offices={offices.get(id_): number for id_, number in held.offices.most_common()},
        states=dict(held.states.most_common()),
        roles=dict(held.roles.most_common()),
        examples=[code for _, code in sorted(held.since)[:EXAMPLES]],
    )


def _weight(cause: RankedCause) -> tuple[int, float, str, str]:
    return -cause.cases, -cause.median_days, cause.kind, cause.about
