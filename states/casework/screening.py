"""Screening as staff record it: vulnerabilities found, and psychosocial instruments scored at once.

The console, the API and the command line call it and commit; an answer that asks for help now raises the emergency in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from models.errors import WrongUse
from states.advance import advance_cases
from states.bulk import insert_into, time_text
from states.casework.act import Act, Step, lock_cases
from states.instruments import ACT_AT_ONCE, Score, bundled_catalogue, score
from states.moves import Outcome
from states.record_words import VULNERABILITY, VULNERABILITY_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened(Act):
    """A vulnerability screening: what was found, by the codes of `states.record_words`; nothing is an answer too."""

    found: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed(Step):
    """One instrument with its answers, in the order of the form."""

    instrument: str
    answers: tuple[int, ...]


_INSERT = insert_into(
    "assessment",
    *("case_id", "instrument", "version", "answers", "score", "band", "flags", "assessed_at", "assessed_by"),
)


def record_screenings(session: Session, screened: Sequence[Screened], *, now: datetime) -> None:
    """Write what was found, the codes as flags and their number as the score. Raises WrongUse for an unknown one."""
    known = VULNERABILITY_WORDS
    for each in screened:
        if unknown := [code for code in each.found if code not in known]:
            raise WrongUse(
                f"There is no vulnerability with the code {unknown[0]!r}.",
                f"Aucune vulnérabilité n'a le code {unknown[0]!r}.",
                remedy=f"Use {', '.join(known)}.",
                remedy_fr=f"Utilisez {', '.join(known)}.",
            )
    lock_cases(session, screened)
    rows = []
    for each in screened:
        found = sorted(set(each.found))
        result = Score(len(found), "some" if found else "none", tuple(found))
        rows.append(_row(each, VULNERABILITY, {"found": found}, result, now))
    _INSERT.execute(session, rows)


def record_assessments(session: Session, assessed: Sequence[Assessed], *, now: datetime) -> list[Outcome | None]:
    """Score and write the answers; where they ask for help at once, raise the emergency.

    Gives for each the outcome of that move, or None when nothing asked for it. The answers stay when the move is
    refused (the case is closed): then whoever asked must act without the pathway. Raises AnswersError,
    UnknownInstrument, and WrongUse for an unknown case.
    """
    scores = [score(bundled_catalogue().find(each.instrument), each.answers) for each in assessed]
    lock_cases(session, assessed)
    _INSERT.execute(
        session,
        [
            _row(each, each.instrument, dict(enumerate(each.answers, start=1)), result, now)
            for each, result in zip(assessed, scores, strict=True)
        ],
    )
    urgent = [each for each, result in zip(assessed, scores, strict=True) if ACT_AT_ONCE in result.flags]
    outcomes = advance_cases(session, [each.fires("raise_emergency") for each in urgent], now=now)
    raised = {each.command_id: each for each in outcomes}
    return [raised.get(each.command_id) for each in assessed]


def _row(act: Act, instrument: str, answers: dict[Any, Any], result: Score, now: datetime) -> tuple[Any, ...]:
    version = "1"
    named = {str(name): value for name, value in answers.items()}
    return (
        *(act.case_id, instrument, version, named, result.score, result.band, result.flags),
        *(time_text(now), act.actor.id),
    )
