"""Waivers: a deadline that gets more time, or is lifted, as part of a decision. What a pathway allows, it says itself.

`states.decide` calls it for transitions that waive. Pure; `waiver_counts` reads what reports count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from models.calendars import Waiver
from states.facts import ClockFact, Facts
from states.moves import Move, Reason, WaiveDeadline
from states.pathway import Pathway, WaiverTerms

DEADLINE: Final = "deadline"
UNTIL: Final = "until"
OF: Final = "of"
"""Fields of a move's data: the key of the deadline, the last local day that it gets (none: it is lifted), and the code
of the record that it is about, where a case has several of the key."""


class WaiverCount(NamedTuple):
    """How often a deadline was waived for a reason (none: none was given): more time, or lifted."""

    key: str
    reason: str | None
    extended: int
    lifted: int


def waiver_objections(pathway: Pathway, facts: Facts, move: Move, now: datetime) -> list[Reason]:
    """What stands against the waiver that the move asks for. Facts need the group `clocks`."""
    clocks = _meant(facts, move.data)
    if len(clocks) != 1:
        return [_which(pathway, facts, several=len(clocks) > 1)]
    terms = pathway.deadlines[clocks[0].key].waiver
    if terms is None:
        return [_NOT_WAIVABLE]
    reasons = [_OFTEN_ENOUGH] if clocks[0].waivers >= terms.times else []
    until = move.data.get(UNTIL)
    if until is None:
        return reasons if terms.lift else [*reasons, _UNTIL_NEEDED]
    return [*reasons, *_against_day(pathway, facts, clocks[0], terms, until, now)]


def waiver_effect(pathway: Pathway, facts: Facts, move: Move) -> WaiveDeadline:
    """What the waiver does, when nothing stands against it."""
    (clock,) = _meant(facts, move.data)
    until = move.data.get(UNTIL)
    return WaiveDeadline(
        clock.id, clock.key, None if until is None else pathway.calendar.end_of(_day(until) or date.max)
    )


def waiver_asks(pathway: Pathway, facts: Facts, now: datetime) -> dict[str, tuple[Any, ...]]:
    """What a waiver may bring along in this case: the deadlines that can be waived, with the last day of each (none:
    it can be lifted)."""
    keys: dict[str, None] = {}
    days: dict[str | None, None] = {}
    for clock in facts.clocks:
        terms = pathway.deadlines[clock.key].waiver if clock.key in pathway.deadlines else None
        if terms is not None and clock.waivers < terms.times:
            keys[clock.key] = None
            if terms.extend is not None:
                days[_latest(pathway, facts, clock, terms, now).isoformat()] = None
            if terms.lift:
                days[None] = None
    return {DEADLINE: tuple(keys), UNTIL: tuple(days)} if keys else {DEADLINE: ()}


def waiver_counts(
    session: Session, *, since: datetime | None = None, until: datetime | None = None
) -> list[WaiverCount]:
    """Waivers by deadline and reason, from `since` to before `until`. One statement."""
    lifted = func.sum(case((col(Waiver.until_at).is_(None), 1), else_=0))
    query = select(col(Waiver.key), col(Waiver.reason), func.count(), lifted)
    if since is not None:
        query = query.where(col(Waiver.waived_at) >= since)
    if until is not None:
        query = query.where(col(Waiver.waived_at) < until)
    rows = session.execute(
        query.group_by(col(Waiver.key), col(Waiver.reason)).order_by(col(Waiver.key), col(Waiver.reason))
    )
    return [WaiverCount(key, reason, number - int(lifts), int(lifts)) for key, reason, number, lifts in rows]


def _meant(facts: Facts, data: Mapping[str, Any]) -> list[ClockFact]:
    of = data.get(OF)
    return [clock for clock in facts.clocks if clock.key == data.get(DEADLINE) and of in (None, clock.record)]


def _against_day(
    pathway: Pathway, facts: Facts, clock: ClockFact, terms: WaiverTerms, until: object, now: datetime
) -> Iterator[Reason]:
    day = _day(until)
    if day is None:
        yield _NO_DAY
    elif terms.extend is None:
        yield _NO_EXTENSION
    elif pathway.calendar.end_of(day) <= max(clock.due_at, now):
        yield _NOT_LATER
    elif day > (latest := _latest(pathway, facts, clock, terms, now)):
        fr = f"Cette échéance peut être reportée au {latest:%d/%m/%Y} au plus tard."
        en = f"This deadline can be extended to {latest} at the latest."
        yield Reason("waiver_too_long", fr, en, UNTIL)


def _latest(pathway: Pathway, facts: Facts, clock: ClockFact, terms: WaiverTerms, now: datetime) -> date:
    """The last day to which the deadline can be extended, counted from when it is due, or from now if it is overdue."""
    calendar, start = pathway.calendar.locally(facts.local_days), max(clock.due_at, now)
    return calendar.day_of(start if terms.extend is None else calendar.add(start, terms.extend))


def _day(text: object) -> date | None:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if day is None or day.year > _LAST_YEAR else day


def _which(pathway: Pathway, facts: Facts, *, several: bool) -> Reason:
    if several:
        return _WHICH_RECORD
    keys = [key for key in dict.fromkeys(clock.key for clock in facts.clocks) if _waivable(pathway, key)]
    fr = ", ".join(f"{pathway.deadlines[key].title.fr} ({key})" for key in keys) or "aucune"
    en = ", ".join(f"{pathway.deadlines[key].title.en} ({key})" for key in keys) or "none"
    return Reason(
        "no_such_deadline",
        f"Dites à quelle échéance en cours il faut déroger. Possibles : {fr}.",
        f"Say which running deadline is to be waived. Possible: {en}.",
        DEADLINE,
    )


def _waivable(pathway: Pathway, key: str) -> bool:
    return key in pathway.deadlines and pathway.deadlines[key].waiver is not None


_LAST_YEAR: Final = 9000
_WHICH_RECORD: Final = Reason(
    "several_deadlines",
    "Le dossier a plusieurs échéances de ce nom : dites de quel élément il s'agit.",
    "The case has several deadlines of this name: say which record is meant.",
    OF,
)
_NOT_WAIVABLE: Final = Reason(
    "not_waivable",
    "Le parcours ne permet pas de déroger à cette échéance.",
    "The pathway does not let this deadline be waived.",
)
_OFTEN_ENOUGH: Final = Reason(
    "waived_before",
    "Il a déjà été dérogé à cette échéance autant de fois que le parcours le permet.",
    "This deadline was waived as often as the pathway allows.",
)
_UNTIL_NEEDED: Final = Reason(
    "until_needed",
    "Cette échéance ne peut pas être levée : dites jusqu'à quel jour elle est reportée.",
    "This deadline cannot be lifted: say until which day it is extended.",
    UNTIL,
)
_NO_DAY: Final = Reason(
    "until_no_day",
    "Le jour du report ne se lit pas : écrivez-le comme 2027-05-31.",
    "The day of the extension cannot be read: write it as 2027-05-31.",
    UNTIL,
)
_NO_EXTENSION: Final = Reason(
    "not_extendable",
    "Cette échéance peut être levée, mais pas reportée.",
    "This deadline can be lifted, but not extended.",
    UNTIL,
)
_NOT_LATER: Final = Reason(
    "until_not_later",
    "Le report doit mener plus loin que l'échéance, et au-delà de ce jour.",
    "The extension has to lead beyond the deadline, and beyond today.",
    UNTIL,
)
