"""Screening as staff record it: vulnerabilities found, and instruments scored at once; both repeat over time.

The console, the API and the command line call it and commit; a result that asks for help now raises the emergency in
the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from states.advance import advance_cases
from states.bulk import insert_into, time_text
from states.casework.act import Step, move_and_detail
from states.casework.codes import known
from states.casework.vulnerabilities import Identified, identify_vulnerabilities
from states.fact_rows import of_cases
from states.gather import load_cases
from states.instruments import ACT_AT_ONCE, Catalogue, Score, score
from states.instruments.definition import Scorable
from states.instruments.scoring import scorable
from states.instruments.used import keep_used
from states.moves import Move, Outcome, OutcomeKind, Reason
from states.pathway import Care
from states.pathways.shelf import pathways_of
from states.record_words import VULNERABILITY, VULNERABILITY_WORDS

NOT_FOR_ROLE: Final = Reason(
    "instrument_not_for_role",
    "Cet instrument ne revient pas à votre rôle.",
    "This instrument is not for your role.",
    "actor.role",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened(Step):
    """A vulnerability screening: what was found, by the codes of `states.record_words`; nothing is an answer too."""

    found: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed(Step):
    """One instrument with its answers, in the order of the form; `version` none: the newest."""

    instrument: str
    answers: tuple[int, ...]
    version: int | None = None


class Recorded(NamedTuple):
    """What became of an assessment: the outcome of recording it, and of the emergency that it raised (none: nothing in
    it asks for help at once). The emergency is raised even where recording is refused: what was said was said. Where
    raising is refused the case is closed: whoever asked must act without the pathway."""

    outcome: Outcome
    raised: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored(Step):
    """An assessment with what it gave."""

    definition: Scorable
    answers: tuple[int, ...]
    result: Score


_INSERT = insert_into(
    "assessment",
    *("case_id", "seq", "instrument", "version", "answers", "score", "band", "percent", "subscales", "flags"),
    *("assessed_at", "assessed_by"),
)
_OPEN = of_cases("kind", "vulnerability", "AND status IN ('identified', 'addressed')")


def record_screenings(
    session: Session, screened: Sequence[Screened], *, new_code: Callable[[], str], now: datetime
) -> list[Outcome]:
    """Write what was found, the codes as flags and their number as the score; what is new is identified, each as a
    record of its own. What was open before and not found again stays open: somebody says when it is over.

    Raises WrongUse for an unknown code.
    """
    known("vulnerability", [code for each in screened for code in each.found], VULNERABILITY_WORDS)

    def write(moved: Sequence[tuple[Screened, int]]) -> None:
        rows = []
        for each, seq in moved:
            found = sorted(set(each.found))
            result = Score(len(found), "some" if found else "none", tuple(found))
            rows.append(_row(each, seq, VULNERABILITY, "1", {"found": found}, result, now))
        _INSERT.execute(session, rows)
        identify_vulnerabilities(session, _new(session, [each for each, _ in moved], new_code), now=now)

    return move_and_detail(session, screened, move=lambda each: each.fires("record_screening"), write=write, now=now)


def record_assessments(
    session: Session, assessed: Sequence[Assessed], *, catalogue: Catalogue, now: datetime
) -> list[Recorded]:
    """Score and write the answers; where the result asks for help at once, raise the emergency, whatever the total and
    whatever stands against recording it.

    Raises AnswersError, UnknownInstrument and NotScorable, and WrongUse when a definition is no longer what scored
    under its version before.
    """
    scored = [_scored(catalogue, each) for each in assessed]
    cares = _cares(session, scored)

    def move(each: _Scored) -> Move:
        result, care = each.result, cares.get(each.case_id)
        level = care.level(each.definition.instrument, result.band, result.flags) if care else None
        fired = each.fires("record_assessment")
        return fired if level is None else replace(fired, data={"care_level": level})

    def write(moved: Sequence[tuple[_Scored, int]]) -> None:
        keep_used(session, [each.definition for each, _ in moved], now)
        rows = []
        for each, seq in moved:
            definition, result = each.definition, each.result
            answers = dict(zip(definition.order, each.answers, strict=True))
            rows.append(_row(each, seq, definition.instrument, str(definition.version), answers, result, now))
        _INSERT.execute(session, rows)

    theirs = [each for each in scored if each.actor.role in each.definition.roles]
    made = iter(move_and_detail(session, theirs, move=move, write=write, now=now))
    outcomes = [next(made) if each.actor.role in each.definition.roles else _not_theirs(each) for each in scored]
    alarming = [
        place
        for place, (each, outcome) in enumerate(zip(scored, outcomes, strict=True))
        if ACT_AT_ONCE in each.result.flags and outcome.kind is not OutcomeKind.UNKNOWN
    ]
    moves = [
        replace(scored[place], command_id=f"{scored[place].command_id}:{ACT_AT_ONCE}").fires("raise_emergency")
        for place in alarming
    ]
    raised = dict(zip(alarming, advance_cases(session, moves, now=now), strict=True))
    return [Recorded(outcome, raised.get(place)) for place, outcome in enumerate(outcomes)]


def _scored(catalogue: Catalogue, each: Assessed) -> _Scored:
    definition = scorable(catalogue.find(each.instrument, each.version))
    return _Scored(
        case_id=each.case_id,
        actor=each.actor,
        command_id=each.command_id,
        correlation_id=each.correlation_id,
        definition=definition,
        answers=each.answers,
        result=score(definition, each.answers),
    )


def _cares(session: Session, scored: Sequence[_Scored]) -> dict[int, Care]:
    """The policy of psychosocial care that each case is under."""
    cases = load_cases(session, {each.case_id for each in scored})
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    return {case_id: pathways[case.pathway_version_id].care for case_id, case in cases.items()}


def _not_theirs(each: Step) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, each.case_id, each.command_id, reasons=(NOT_FOR_ROLE,))


def _new(session: Session, screened: Sequence[Screened], new_code: Callable[[], str]) -> list[Identified]:
    """What the screenings found that is not open yet."""
    seen = {(case_id, kind) for case_id, kind in _OPEN.execute(session, [(each.case_id,) for each in screened])}
    identified = []
    for each in screened:
        for place, kind in enumerate(sorted(set(each.found))):
            if (each.case_id, kind) not in seen:
                seen.add((each.case_id, kind))
                identified.append(
                    Identified(
                        case_id=each.case_id,
                        actor=each.actor,
                        command_id=f"{each.command_id}:{place}",
                        correlation_id=each.correlation_id,
                        code=new_code(),
                        kind=kind,
                        source="screening",
                    )
                )
    return identified


def _row(
    act: Step, seq: int, instrument: str, version: str, answers: dict[str, Any], result: Score, now: datetime
) -> tuple[Any, ...]:
    subscales = {key: part._asdict() for key, part in result.subscales.items()}
    return (
        *(act.case_id, seq, instrument, version, answers, result.score, result.band, result.percent),
        *(subscales or None, result.flags, time_text(now), act.actor.id),
    )
