"""Reads the situations of a batch of cases: one statement for each kind of open work, and those of the facts.

`states.why.ranking` and the edges call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement, as_time
from states.gather import CaseRow, facts_of, load_cases
from states.pathway import Pathway
from states.pathways.shelf import pathways_of
from states.why.cause import Clock, Situation, Unanswered, Work
from states.why.ways import facts_needed

_TASKS = SetStatement(
    "SELECT t.case_id, t.key, t.record, t.role, s.login, t.priority, t.opened_at, t.due_at FROM task AS t "
    "LEFT JOIN staff AS s ON s.id = t.staff_id WHERE t.case_id IN (SELECT r.id FROM {rows}) AND t.status = 'open' "
    "ORDER BY t.case_id, t.id",
    id=BigId,
)
_CLOCKS = SetStatement(
    "SELECT case_id, key, record, kind, due_at FROM deadline WHERE case_id IN (SELECT r.id FROM {rows}) "
    "AND status = 'open' ORDER BY case_id, id",
    id=BigId,
)
_REFERRALS = SetStatement(
    "SELECT f.case_id, f.code, p.code, p.name, f.priority, f.made_at FROM referral AS f "
    "JOIN partner AS p ON p.id = f.partner_id WHERE f.case_id IN (SELECT r.id FROM {rows}) "
    "AND f.status = 'in_progress' ORDER BY f.case_id, f.id",
    id=BigId,
)
_HOLDS = SetStatement(
    'SELECT j.case_id, j.reason FROM journal AS j JOIN "case" AS c ON c.id = j.case_id AND c.held_at = j.at '
    "WHERE c.id IN (SELECT r.id FROM {rows}) AND j.from_state <> j.to_state ORDER BY j.case_id, j.seq",
    id=BigId,
)

T = TypeVar("T")


class Asked(NamedTuple):
    """One case as `why` is asked about it."""

    case: CaseRow
    pathway: Pathway
    situation: Situation


def read_situations(session: Session, case_ids: Iterable[int]) -> list[Asked]:
    """The situations of the cases that exist, in the order of their ids."""
    cases = load_cases(session, case_ids)
    if not cases:
        return []
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    groups = frozenset().union(*(facts_needed(pathway) for pathway in pathways.values()))
    facts = facts_of(session, cases.values(), sorted(groups))
    ids = [(id_,) for id_ in cases]
    tasks = _by_case(_TASKS.execute(session, ids), _work)
    clocks = _by_case(_CLOCKS.execute(session, ids), _clock)
    referrals = _by_case(_REFERRALS.execute(session, ids), _unanswered)
    holds = dict(map(tuple, _HOLDS.execute(session, ids)))
    return [
        Asked(
            case,
            pathways[case.pathway_version_id],
            Situation(
                case.code,
                facts[id_],
                tuple(tasks.get(id_, ())),
                tuple(clocks.get(id_, ())),
                tuple(referrals.get(id_, ())),
                holds.get(id_),
            ),
        )
        for id_, case in cases.items()
    ]


def _work(row: Sequence[Any]) -> Work:
    _, key, record, role, login, priority, opened_at, due_at = row
    return Work(key, record, role, login, priority, as_time(opened_at), as_time(due_at))


def _clock(row: Sequence[Any]) -> Clock:
    _, key, record, kind, due_at = row
    return Clock(key, record, kind, as_time(due_at))


def _unanswered(row: Sequence[Any]) -> Unanswered:
    _, code, partner, name, priority, made_at = row
    return Unanswered(code, partner, name, priority, as_time(made_at))


def _by_case(rows: Iterable[Sequence[Any]], make: Callable[[Sequence[Any]], T]) -> dict[int, list[T]]:
    return {case_id: [make(row) for row in own] for case_id, own in groupby(rows, key=itemgetter(0))}
