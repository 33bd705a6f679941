"""What was known of a case at each instant, from the times that its records carry.

`states.replay.history` builds one `Timeline` a case; the simulation asks it for the facts of every move.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from models.types import BigId
from states.bulk import SetStatement, as_json, as_time
from states.facts import AssessmentFact, EnrolmentFact, Facts, GrantFact, PlanFact

Steps = Mapping[str, Sequence[tuple[datetime, str]]]
"""By the code of a record: the steps that the journal tells of, as (instant, status), in order."""

Known = dict[str, Any]
"""Fields of `Facts`."""

_OPEN_REFERRAL: Final = ("in_progress", "accepted")
_OF_THE_CASE: Final = frozenset(
    {
        *("case_id", "state", "version", "entered_state_at", "arrival_date", "registered_at", "previous_state"),
        *("held_at", "priority", "closure_reason", "region_pcode", "office_id"),
        *("open_tasks", "done_tasks", "open_deadlines", "records", "clocks", "past"),
    }
)
"""The fields that the simulation fills in itself."""

_RECORDED: Final = tuple(field.name for field in fields(Facts) if field.name not in _OF_THE_CASE)


class Timeline:
    """The recorded facts of one case. `instants` are those at which they changed, in order."""

    __slots__ = ("_before", "_snapshots", "instants")

    def __init__(self, today: Facts, dated: Mapping[str, Sequence[Any]], steps: Steps) -> None:
        """`today` holds the facts that have no time of their own, `dated` the rows of the groups that do."""
        changes: list[tuple[datetime, Known]] = []
        for group, rows in dated.items():
            changes += DATED[group].changes(rows, steps)
        changes.sort(key=lambda change: change[0])
        known: Known = {name: getattr(today, name) for name in _RECORDED}
        self._before = known
        self.instants: list[datetime] = []
        self._snapshots: list[Known] = []
        for instant, change in changes:
            known = known | change
            if self.instants and self.instants[-1] == instant:
                self._snapshots[-1] = known
            else:
                self.instants.append(instant)
                self._snapshots.append(known)

    def at(self, instant: datetime) -> Known:
        """What was known then, with what was recorded at that very instant."""
        place = bisect_right(self.instants, instant)
        return self._snapshots[place - 1] if place else self._before


class Dated(NamedTuple):
    """A group of facts whose records carry their times: how to read them, and what each instant changes."""

    statement: SetStatement
    changes: Callable[[Sequence[Any], Steps], Iterable[tuple[datetime, Known]]]


def _consents(rows: Sequence[Any], _steps: Steps) -> Iterator[tuple[datetime, Known]]:
    answers = [(row[1], row[2], bool(row[3]), as_time(row[4]), as_time(row[5])) for row in rows]
    instants = {recorded for *_, recorded, _ in answers} | {revoked for *_, revoked in answers if revoked}
    for instant in sorted(instants):
        newest = {
            (purpose, partner_id): given and (revoked is None or revoked > instant)
            for purpose, partner_id, given, recorded, revoked in answers
            if recorded <= instant
        }
        yield (
            instant,
            {
                "consents": frozenset(purpose for (purpose, _), given in newest.items() if given),
                "consents_recorded": frozenset(purpose for purpose, _ in newest),
            },
        )


def _assessments(rows: Sequence[Any], _steps: Steps) -> Iterator[tuple[datetime, Known]]:
    found: dict[str, AssessmentFact] = {}
    for _, instrument, score, band, flags, assessed_at in rows:
        instant = as_time(assessed_at)
        found = found | {instrument: AssessmentFact(instrument, score, band, frozenset(as_json(flags)), instant)}
        yield instant, {"assessments": found}


def _plan(rows: Sequence[Any], steps: Steps) -> Iterator[tuple[datetime, Known]]:
    for _, code, needs, author_id, approver_id, drafted_at, approved_at in rows:
        approved = as_time(approved_at)
        for instant, status in _course(code, steps, [(as_time(drafted_at), "draft"), (approved, "approved")]):
            signed = approver_id if approved is not None and approved <= instant else None
            yield instant, {"plan": PlanFact(status, frozenset(as_json(needs)), author_id, signed)}


def _sessions(rows: Sequence[Any], _steps: Steps) -> Iterator[tuple[datetime, Known]]:
    for number, (_, held_at) in enumerate(rows, start=1):
        yield as_time(held_at), {"sessions_attended": number}


def _enrolment(rows: Sequence[Any], steps: Steps) -> Iterator[tuple[datetime, Known]]:
    for _, code, days, enrolled_at, certificate_at in rows:
        certified = as_time(certificate_at)
        # Older rows do not say when attendance began, so somebody who attended did so from the start.
        begun = [(as_time(enrolled_at), "attending" if days else "enrolled"), (certified, "completed")]
        for instant, status in _course(code, steps, begun):
            yield instant, {"enrolment": EnrolmentFact(status, certified is not None and certified <= instant)}


def _grant(rows: Sequence[Any], steps: Steps) -> Iterator[tuple[datetime, Known]]:
    names = ("planned", "approved", "procured", "delivered", "verified")
    for _, code, proposed_by, approved_by, *times in rows:
        moments = [as_time(moment) for moment in times]
        for instant, status in _course(code, steps, list(zip(moments, names, strict=True))):
            signed = moments[1] is not None and moments[1] <= instant
            signature = (approved_by, moments[1]) if signed else (None, None)
            yield instant, {"grant": GrantFact(status, proposed_by, *signature)}


def _visits(rows: Sequence[Any], _steps: Steps) -> Iterator[tuple[datetime, Known]]:
    visited: frozenset[int] = frozenset()
    for _, months, visited_at in rows:
        visited = visited | {months}
        yield as_time(visited_at), {"visits": visited}


def _referrals(rows: Sequence[Any], steps: Steps) -> Iterator[tuple[datetime, Known]]:
    changes: list[tuple[datetime, int]] = []
    for _, code, status, made_at, answered_at in rows:
        ended = as_time(answered_at) if status not in _OPEN_REFERRAL else None
        open_before = False
        for instant, now in _course(code, steps, [(as_time(made_at), "in_progress"), (ended, status)]):
            open_now = now in _OPEN_REFERRAL
            if open_now != open_before:
                changes.append((instant, 1 if open_now else -1))
            open_before = open_now
    count = 0
    for instant, change in sorted(changes):
        count += change
        yield instant, {"open_referrals": count}


def _course(
    code: str | None, steps: Steps, dated: Sequence[tuple[datetime | None, str]]
) -> Sequence[tuple[datetime, str]]:
    """The statuses that a record had, and since when: as the journal tells, else by the times in its own row."""
    told = steps.get(code) if code else None
    return told or [(instant, status) for instant, status in dated if instant is not None]


def _of_cases(columns: str, table: str, order: str, only: str = "") -> SetStatement:
    sql = "SELECT case_id, {} FROM {} WHERE case_id IN (SELECT r.id FROM {{rows}}) {} ORDER BY case_id, {}"
    return SetStatement(sql.format(columns, table, only, order), id=BigId)


DATED: Final[Mapping[str, Dated]] = {
    "consents": Dated(
        _of_cases("purpose, partner_id, CASE WHEN given THEN 1 ELSE 0 END, recorded_at, revoked_at", "consent", "id"),
        _consents,
    ),
    "assessments": Dated(
        _of_cases("instrument, score, band, flags, assessed_at", "assessment", "assessed_at, id"), _assessments
    ),
    "plan": Dated(
        _of_cases("code, needs, author_id, approver_id, drafted_at, approved_at", "case_plan", "revision"), _plan
    ),
    "sessions": Dated(_of_cases("held_at", "psychosocial_session", "held_at, id", "AND attended"), _sessions),
    "enrolment": Dated(
        _of_cases("code, days_attended, enrolled_at, certificate_at", "training_enrolment", "id"), _enrolment
    ),
    "grant": Dated(
        _of_cases(
            "code, proposed_by, approved_by, proposed_at, approved_at, procured_at, delivered_at, verified_at",
            "livelihood_grant",
            "id",
        ),
        _grant,
    ),
    "visits": Dated(_of_cases("months, visited_at", "follow_up_visit", "visited_at, id"), _visits),
    "referrals": Dated(_of_cases("code, status, made_at, answered_at", "referral", "id"), _referrals),
}
"""The groups of facts that can be told for any instant of the past."""
