"""Vulnerabilities as staff find, address, resolve and dismiss them, each by its code, with a clock by its urgency.

Screening and registration identify with it too. The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.advance import advance_cases
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.gather import CaseRow, load_cases
from states.moves import SYSTEM, Move, Outcome, OutcomeKind
from states.pathway import PRIORITIES, Pathway
from states.pathways.shelf import pathways_of
from states.record_words import PRIORITY_WORDS, UNACCOMPANIED_CHILD, VULNERABILITY_WORDS

UNSPOKEN: Final = "normal"
"""How pressing a vulnerability is of which neither staff nor the pathway says it."""

_IDENTIFY: Final = "identify_vulnerability"
_RAISES: Final = {"emergency": "raise_emergency", "urgent": "raise_urgent"}
"""What a vulnerability of this urgency does to a case that presses less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified(Step):
    """A vulnerability was found. `code` is its own; `urgency` none: as the pathway says for its kind."""

    code: str
    kind: str
    source: str = "session"
    urgency: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VulnerabilityStep(Step):
    """Somebody sees to the vulnerability with this code, or it is over."""

    vulnerability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal(VulnerabilityStep):
    """It turned out that there is no such vulnerability: `reason` is a code of the pathway, `note` says more."""

    reason: str
    note: str


_INSERT = insert_into(
    "vulnerability",
    *("code", "case_id", "kind", "urgency", "status", "source", "note", "identified_at", "identified_by"),
)


def _stamp(what: str) -> SetStatement:
    return SetStatement(
        f"UPDATE vulnerability SET {what}_at = r.at, {what}_by = r.actor_id FROM {{rows}} "  # noqa: S608
        "WHERE vulnerability.code = r.code",
        code=String(),
        at=UtcDateTime(),
        actor_id=BigId,
    )


_ADDRESSED, _CLOSED = _stamp("addressed"), _stamp("closed")


def identify_vulnerabilities(session: Session, found: Sequence[Identified], *, now: datetime) -> list[Outcome]:
    """Write what was found and start its clock; a case that presses less than it is raised, in the same transaction.

    Gives the outcome of each identification. Raises WrongUse for a kind or an urgency that there is not.
    """
    known("vulnerability", [each.kind for each in found], VULNERABILITY_WORDS)
    known("urgency", [each.urgency for each in found], PRIORITY_WORDS)
    cases = load_cases(session, {each.case_id for each in found}, lock=True)
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})

    def urgency(each: Identified) -> str:
        case = cases.get(each.case_id)
        policy = pathways[case.pathway_version_id].vulnerabilities if case else {}
        return each.urgency or policy.get(each.kind, UNSPOKEN)

    def move(each: Identified) -> Move:
        # The journal is kept for ever: it learns how pressing it is, never what it is.
        sought = {"guardian": "sought"} if each.kind == UNACCOMPANIED_CHILD else {}
        return each.fires(_IDENTIFY, record=each.code, urgency=urgency(each), **sought)

    def write(moved: Sequence[Identified]) -> None:
        _INSERT.execute(session, [_row(each, urgency(each), now) for each in moved])

    outcomes = move_and_write(session, found, move=move, write=write, now=now)
    pressing = [
        (each, urgency(each))
        for each, outcome in zip(found, outcomes, strict=True)
        if outcome.kind is OutcomeKind.MOVED
    ]
    advance_cases(session, _raises(pressing, cases), now=now)
    return outcomes


def identify_from_manifest(
    session: Session,
    pathway: Pathway,
    said: Iterable[tuple[CaseRow, Iterable[str]]],
    *,
    correlation_id: str,
    new_code: Callable[[], str],
    now: datetime,
) -> None:
    """What the manifest says of new cases starts its clocks with them, where the pathway knows the kind; the rest is
    only kept with the person. The number of statements depends on the most that is said of one person."""
    transition = pathway.table.get((pathway.initial, _IDENTIFY))
    if transition is None or SYSTEM.role not in transition.roles:
        return
    found = [
        Identified(
            case_id=case.id,
            actor=SYSTEM,
            command_id=f"{_IDENTIFY}:{code}",
            correlation_id=correlation_id,
            code=code,
            kind=kind,
            source="manifest",
        )
        for case, kinds in said
        for kind in sorted(set(kinds) & pathway.vulnerabilities.keys())
        for code in [new_code()]
    ]
    if found:
        identify_vulnerabilities(session, found, now=now)


def address_vulnerabilities(session: Session, steps: Sequence[VulnerabilityStep], *, now: datetime) -> list[Outcome]:
    """Something is being done about them: their clocks are met."""
    return _step(session, steps, "address_vulnerability", _ADDRESSED, now)


def resolve_vulnerabilities(session: Session, steps: Sequence[VulnerabilityStep], *, now: datetime) -> list[Outcome]:
    """They press no more."""
    return _step(session, steps, "resolve_vulnerability", _CLOSED, now)


def dismiss_vulnerabilities(session: Session, steps: Sequence[Dismissal], *, now: datetime) -> list[Outcome]:
    """They were none."""
    return _step(session, steps, "dismiss_vulnerability", _CLOSED, now)


def _step(
    session: Session, steps: Sequence[VulnerabilityStep], trigger: str, stamp: SetStatement, now: datetime
) -> list[Outcome]:
    def move(step: VulnerabilityStep) -> Move:
        fired = step.fires(trigger, record=step.vulnerability)
        return replace(fired, reason=step.reason, note=step.note) if isinstance(step, Dismissal) else fired

    def write(moved: Sequence[VulnerabilityStep]) -> None:
        stamp.execute(session, [(each.vulnerability, time_text(now), each.actor.id) for each in moved])

    return move_and_write(session, steps, move=move, write=write, now=now)


def _raises(found: Sequence[tuple[Identified, str]], cases: dict[int, CaseRow]) -> list[Move]:
    """One move for each case that presses less than the most pressing of what was found in it."""
    most: dict[int, tuple[int, Identified]] = {}
    for each, urgency in found:
        rank = PRIORITIES.index(urgency)
        if each.case_id not in most or rank < most[each.case_id][0]:
            most[each.case_id] = rank, each
    return [
        replace(each, command_id=f"{each.command_id}:raise").fires(_RAISES[PRIORITIES[rank]])
        for rank, each in most.values()
        if rank < PRIORITIES.index(cases[each.case_id].priority)
    ]


def _row(each: Identified, urgency: str, now: datetime) -> tuple[Any, ...]:
    return (
        *(each.code, each.case_id, each.kind, urgency, "identified", each.source, each.note),
        *(time_text(now), each.actor.id),
    )
