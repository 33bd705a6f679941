"""Follow-up as staff record it: visits with what was found, tries to reach a person, and talks with those who leave.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from models.errors import WrongUse
from states.bulk import insert_into, time_text
from states.casework.act import Step, move_and_detail
from states.casework.codes import known
from states.follow_up_words import (
    ATTEMPT_WORDS,
    CHANGE_WORDS,
    HEARD_WORDS,
    HOUSING_WORDS,
    INCOME_WORDS,
    INTENTION_WORDS,
    OUTCOME_WORDS,
    RESULT_WORDS,
    WELL_BEING_WORDS,
    WHY_WORDS,
)
from states.moves import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Step):
    """A follow-up visit: which one (3, 6 or 12 months), when (none: now), what was found, as in `models.follow_up`.

    `occasion` is the code of the visit itself: one for all members of a household who were met together."""

    occasion: str
    months: int
    outcome: str
    income: str | None = None
    housing: str | None = None
    well_being: str | None = None
    satisfaction: int | None = None
    intention: str | None = None
    why: tuple[str, ...] = ()
    could_change: tuple[str, ...] = ()
    note: str | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Step):
    """A try to reach the person, made today."""

    channel: str
    result: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitTalk(Step):
    """Why somebody leaves early, and what could change it: `about` is the reason with which the case will be closed."""

    about: str
    why: tuple[str, ...]
    could_change: tuple[str, ...]
    heard_from: str = "person"
    note: str | None = None


_INSERT_VISITS = insert_into(
    "follow_up_visit",
    *("case_id", "seq", "occasion", "months", "visited_at", "outcome", "income", "housing", "well_being"),
    *("satisfaction", "intention", "why", "could_change", "staff_id", "note"),
)
_INSERT_ATTEMPTS = insert_into("contact_attempt", "case_id", "seq", "at", "channel", "result", "staff_id", "note")
_INSERT_TALKS = insert_into(
    "exit_interview",
    *("case_id", "seq", "about", "heard_from", "why", "could_change", "recorded_at", "staff_id", "note"),
)


def record_visits(session: Session, visits: Sequence[Visit], *, now: datetime) -> list[Outcome]:
    """Write visits; refused before the visit opens and once it is recorded.

    Raises WrongUse for an answer that is not known, and for a wish to leave again without its why.
    """
    for each in visits:
        _check_visit(each)

    def write(moved: Sequence[tuple[Visit, int]]) -> None:
        _INSERT_VISITS.execute(session, [_visit_row(visit, seq, now) for visit, seq in moved])

    return move_and_detail(
        session, visits, move=lambda each: each.fires("record_visit", months=each.months), write=write, now=now
    )


def record_attempts(session: Session, attempts: Sequence[Attempt], *, now: datetime) -> list[Outcome]:
    """Write tries to reach people. Raises WrongUse for a channel or result that is not known."""
    for each in attempts:
        known("channel", [each.channel], ATTEMPT_WORDS)
        known("result", [each.result], RESULT_WORDS)

    def write(moved: Sequence[tuple[Attempt, int]]) -> None:
        _INSERT_ATTEMPTS.execute(
            session,
            [
                (each.case_id, seq, time_text(now), each.channel, each.result, each.actor.id, each.note)
                for each, seq in moved
            ],
        )

    return move_and_detail(
        session,
        attempts,
        move=lambda each: each.fires("record_contact_attempt", channel=each.channel, result=each.result),
        write=write,
        now=now,
    )


def record_exit_talks(session: Session, talks: Sequence[ExitTalk], *, now: datetime) -> list[Outcome]:
    """Write why people leave early and what could change it. Raises WrongUse for an answer that is not known or not
    given; `unknown` is an answer too."""
    for each in talks:
        known("source", [each.heard_from], HEARD_WORDS)
        _check_why(each.why, each.could_change, asked=True)

    def write(moved: Sequence[tuple[ExitTalk, int]]) -> None:
        _INSERT_TALKS.execute(
            session,
            [
                (
                    *(each.case_id, seq, each.about, each.heard_from, list(each.why), list(each.could_change)),
                    *(time_text(now), each.actor.id, each.note),
                )
                for each, seq in moved
            ],
        )

    return move_and_detail(
        session, talks, move=lambda each: each.fires("record_exit_talk", about=each.about), write=write, now=now
    )


def _check_visit(visit: Visit) -> None:
    for what, code, words in (
        ("outcome", visit.outcome, OUTCOME_WORDS),
        ("income", visit.income, INCOME_WORDS),
        ("housing", visit.housing, HOUSING_WORDS),
        ("well-being", visit.well_being, WELL_BEING_WORDS),
        ("intention", visit.intention, INTENTION_WORDS),
    ):
        known(what, [code], words)
    if visit.satisfaction is not None and not 1 <= visit.satisfaction <= 5:
        raise WrongUse(
            "Satisfaction is 1 to 5.",
            "La satisfaction va de 1 à 5.",
            remedy="Leave it out when it was not asked.",
            remedy_fr="Ne la donnez pas si elle n'a pas été demandée.",
        )
    _check_why(visit.why, visit.could_change, asked=visit.intention in ("yes", "unsure"))


def _check_why(why: tuple[str, ...], could_change: tuple[str, ...], *, asked: bool) -> None:
    known("why", why, WHY_WORDS)
    known("change", could_change, CHANGE_WORDS)
    if asked and not (why and could_change):
        raise WrongUse(
            "Whoever means to leave is asked why, and what could change it.",
            "À qui veut partir, on demande pourquoi et ce qui pourrait changer.",
            remedy="Give both; `unknown` is an answer.",
            remedy_fr="Donnez les deux ; `unknown` est une réponse.",
        )


def _visit_row(visit: Visit, seq: int, now: datetime) -> tuple[object, ...]:
    made_at = time_text(visit.made_at or now)
    return (
        *(visit.case_id, seq, visit.occasion, visit.months, made_at, visit.outcome, visit.income),
        *(visit.housing, visit.well_being, visit.satisfaction, visit.intention, list(visit.why)),
        *(list(visit.could_change), visit.actor.id, visit.note),
    )
