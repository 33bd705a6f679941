"""The waiting lists of courses: in which order people wait and why, and who is offered a place that became free.

The order is the same for everybody: the urgency of the case, then the day of asking, then the code of the request. A
case on hold keeps its turn, but a place goes to the next. `states.casework.training` offers places as they become
free, the nightly run those that nobody had offered yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import islice, takewhile
from typing import Final, NamedTuple

from sqlalchemy import Date, String
from sqlmodel import Session

from states.advance import advance_cases
from states.bulk import SetStatement, as_time, time_text
from states.casework.courses import find_course, read_seats
from states.gather import load_cases
from states.moves import SYSTEM, Move, OutcomeKind
from states.pathway import PRIORITIES, Text
from states.record_words import PRIORITY_WORDS

_RANK: Final = "CASE c.priority {} END".format(
    " ".join(f"WHEN '{priority}' THEN {rank}" for rank, priority in enumerate(PRIORITIES))
)
_LINE = SetStatement(
    "SELECT k.code, e.code, e.case_id, c.code, c.priority, e.asked_at, "  # noqa: S608
    "CASE WHEN c.held_at IS NULL THEN 0 ELSE 1 END "
    'FROM course AS k JOIN training_enrolment AS e ON e.course_id = k.id JOIN "case" AS c ON c.id = e.case_id '
    "WHERE k.code IN (SELECT r.code FROM {rows}) AND e.status = 'waiting' AND c.closed_at IS NULL "
    f"ORDER BY k.id, {_RANK}, e.asked_at, e.code",
    code=String(),
)
_WITH_FREE_PLACES = SetStatement(
    "SELECT DISTINCT k.code FROM {rows} JOIN course AS k ON k.status = 'open' AND k.ends_on >= r.today "
    "JOIN training_enrolment AS e ON e.course_id = k.id AND e.status = 'waiting' "
    'JOIN "case" AS c ON c.id = e.case_id AND c.closed_at IS NULL AND c.held_at IS NULL',
    today=Date(),
)
_CLOSED_CASE_SPARE: Final = 3
"""So many more cases are kept ready than places are free, for those whose move is not possible."""


class Waiting(NamedTuple):
    """Somebody's place in the line. `held`: the case is on hold, so that the next is asked."""

    course: str
    enrolment: str
    case_id: int
    case: str
    priority: str
    asked_at: datetime
    held: bool


class Turn(NamedTuple):
    """A place in the line as it is explained."""

    rank: int
    waiting: Waiting
    why: Text


def waiting_list(session: Session, course: str) -> list[Turn]:
    """Who waits for a place on the course, in order, and why there. Raises WrongUse for an unknown course."""
    find_course(session, course)
    line = _lines(session, [course])[course]
    return [Turn(rank, each, _why(each, rank - 1)) for rank, each in enumerate(line, start=1)]


def next_in_line(session: Session, courses: Iterable[str], more: int = 0) -> set[int]:
    """The cases that are next in line for the free places of these courses and `more`: lock them before you offer."""
    wanted = sorted(set(courses))
    if not wanted:
        return set()
    seats, lines = read_seats(session, wanted), _lines(session, wanted)
    return {
        each.case_id
        for code in wanted
        for each in _able(lines[code])[: max(seats[code].free, 0) + more + _CLOSED_CASE_SPARE]
    }


def offer_places(session: Session, courses: Iterable[str], *, locked: Collection[int], now: datetime) -> int:
    """Offer the free places of these courses to whoever is next; how many were offered.

    Only cases that are `locked` already are asked: cases are locked before courses, so that no two writers wait for
    each other. When the next is not among them, the place waits for the nightly run.
    """
    wanted = sorted(set(courses))
    if not wanted:
        return 0
    seats, lines = read_seats(session, wanted, lock=True), _lines(session, wanted)
    offered = 0
    for code in wanted:
        free, today = seats[code].free, now.date()
        if seats[code].status != "open" or seats[code].ends_on < today:
            continue
        line = takewhile(lambda each: each.case_id in locked, _able(lines[code]))
        while asked := list(islice(line, max(free, 0))):
            outcomes = advance_cases(session, [_offer(each, now) for each in asked], now=now)
            moved = sum(outcome.kind is OutcomeKind.MOVED for outcome in outcomes)
            free, offered = free - moved, offered + moved
    return offered


def offer_free_places(session: Session, *, now: datetime) -> int:
    """Offer every place that is free while somebody waits for it; how many. The nightly run calls it until none is."""
    courses = [code for (code,) in _WITH_FREE_PLACES.execute(session, [(now.date().isoformat(),)])]
    cases = next_in_line(session, courses)
    load_cases(session, cases, lock=True)
    return offer_places(session, courses, locked=cases, now=now)


def _lines(session: Session, courses: Iterable[str]) -> Mapping[str, list[Waiting]]:
    lines: dict[str, list[Waiting]] = {code: [] for code in courses}
    for code, enrolment, case_id, case, priority, asked_at, held in _LINE.execute(session, [(each,) for each in lines]):
        lines[code].append(Waiting(code, enrolment, case_id, case, priority, as_time(asked_at), bool(held)))
    return lines


def _able(line: Iterable[Waiting]) -> list[Waiting]:
    return [each for each in line if not each.held]


def _offer(waiting: Waiting, now: datetime) -> Move:
    at = time_text(now)
    return Move(
        case_id=waiting.case_id,
        trigger="offer_place",
        actor=SYSTEM,
        command_id=f"offer:{waiting.enrolment}:{at}",
        correlation_id=f"course:{waiting.course}",
        data={"course": waiting.course},
        record=waiting.enrolment,
        details=True,
    )


def _why(waiting: Waiting, before: int) -> Text:
    priority, day = PRIORITY_WORDS[waiting.priority], waiting.asked_at.date().isoformat()
    fr = f"Priorité : {priority.fr} ; demande du {day} ; {before} personne(s) avant."
    en = f"Priority: {priority.en}; asked on {day}; {before} before."
    if waiting.held:
        fr += " Le dossier est en suspens : il garde son rang, la place va au suivant."
        en += " The case is on hold: it keeps its turn, the place goes to the next."
    return Text(fr, en)
