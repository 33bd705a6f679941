"""Taking the last transition of a case back, for the tests of what it does to money, places and records. Synthetic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel
from supported_cases import codes, rows
from synthetic_cases import START, Caseload

from states.journal import verify_journal
from states.moves import Outcome, OutcomeKind

DAY = timedelta(days=1)
LATER = START + DAY


def moved(outcomes: list[Outcome]) -> None:
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}, [codes(outcome) for outcome in outcomes]


def correct(caseload: Caseload, case_id: int) -> Outcome:
    """The last transition is taken back; the journal still explains the case."""
    outcome = caseload.advance(case_id, "correct", note="Erreur", now=LATER)
    assert verify_journal(caseload.session).broken == []
    return outcome


def taken_back(caseload: Caseload, case_id: int) -> None:
    moved([correct(caseload, case_id)])


def apart(caseload: Caseload, case_id: int, says: str) -> None:
    """It is refused, in words that say what to do instead."""
    outcome = correct(caseload, case_id)
    assert codes(outcome) == ["recorded_apart"]
    assert says in outcome.reasons[0].text_fr


def only(caseload: Caseload, table: type[SQLModel], case_id: int) -> Any:
    (row,) = rows(caseload, table, case_id)
    return row
