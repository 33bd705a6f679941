"""What was known of a case at each instant, from the times that its records carry.

`states.replay.history` builds one `Timeline` a case; the simulation asks it for the facts of every move. Rows as they
were at an instant are read by the very readers of `states.gather`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from states.bulk import SetStatement, as_time
from states.fact_rows import Reader, of_cases
from states.facts import Facts
from states.gather import reader_of
from states.records import TAKEN_BACK

Steps = Mapping[str, Sequence[tuple[datetime, str]]]
"""By the code of a record: the steps that the journal tells of, as (instant, status), in order."""

Row = Sequence[Any]
Then = Iterable[tuple[datetime, Row]]
"""A row as it was from each instant on."""

Known = dict[str, Any]
"""Fields of `Facts`."""

_OF_THE_CASE: Final = frozenset(
    {
        *("case_id", "state", "version", "entered_state_at", "arrival_date", "registered_at", "previous_state"),
        *("held_at", "priority", "closure_reason", "region_pcode", "office_id"),
        *("open_tasks", "done_tasks", "open_deadlines", "records", "clocks", "past"),
    }
)
"""The fields that the simulation fills in itself."""

_RECORDED: Final = tuple(field.name for field in fields(Facts) if field.name not in _OF_THE_CASE)
_OPEN_REFERRAL: Final = ("in_progress", "accepted")


class Timeline:
    """The recorded facts of one case. `instants` are those at which they changed, in order."""

    __slots__ = ("_before", "_snapshots", "instants")

    def __init__(self, today: Facts, dated: Mapping[str, Sequence[Row]], steps: Steps) -> None:
        """`today` holds the facts that have no time of their own, `dated` the rows of the groups that do."""
        changes: list[tuple[datetime, Known]] = []
        for group, rows in dated.items():
            changes += _changes(group, rows, steps)
        changes.sort(key=itemgetter(0))
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
    """A group of facts whose rows carry their times: how to read them, how each was from when on, and what the rows of
    one instant mean (none: as `states.gather` has it)."""

    statement: SetStatement
    then: Callable[[Row, Steps], Then]
    reader: Reader | None = None


def _changes(group: str, rows: Sequence[Row], steps: Steps) -> Iterator[tuple[datetime, Known]]:
    """What the group's facts are from each instant on at which one of its rows changed."""
    _, then, reader = DATED[group]
    read = reader or reader_of(group)
    versions = [(instant, place, row) for place, each in enumerate(rows) for instant, row in then(each, steps)]
    versions.sort(key=itemgetter(0, 1))
    current: dict[int, Row] = {}
    for instant, changed in groupby(versions, key=itemgetter(0)):
        current.update((place, row) for _, place, row in changed)
        yield instant, read(iter([current[place] for place in sorted(current)]))


def _course(
    code: str, today: str, steps: Steps, dated: Iterable[tuple[Any, str]], also: Any = None
) -> Iterator[tuple[datetime, str]]:
    """The statuses of a record, and since when: as the journal tells; else by the times in its own row, the status of
    `today` since the last of them. `also` is another time at which the row changed."""
    statuses = list(steps.get(code, ()))
    if not statuses:
        statuses = [(as_time(moment), status) for moment, status in dated if moment is not None]
        statuses[-1:] = [(instant, today) for instant, _ in statuses[-1:]]
    another = as_time(also)
    if statuses and another is not None and another > statuses[0][0]:
        place = bisect_right([instant for instant, _ in statuses], another)
        statuses.insert(place, (another, statuses[place - 1][1]))
    return iter(statuses)


def _consent(row: Row, steps: Steps) -> Then:
    case_id, purpose, partner_id, any_partner, status, information, code, recorded_at, revoked_at = row
    for instant, then in _course(code, status, steps, [(recorded_at, "given"), (revoked_at, "revoked")]):
        yield instant, (case_id, purpose, partner_id, any_partner, then, information)


def _plan(row: Row, steps: Steps) -> Then:
    case_id, status, needs, author_id, approver_id, code, *times = row
    approved = as_time(times[-1])
    dated = zip(times, ("draft", "submitted", "approved"), strict=True)
    for instant, then in _course(code, status, steps, dated, times[-1]):
        signed = approver_id if approved is not None and approved <= instant else None
        yield instant, (case_id, then, needs, author_id, signed)


def _enrolment(row: Row, steps: Steps) -> Then:
    case_id, status, code, enrolled_at, certificate_at = row
    certified = as_time(certificate_at)
    dated = [(enrolled_at, "enrolled"), (certificate_at, "completed")]
    for instant, then in _course(code, status, steps, dated, certificate_at):
        yield instant, (case_id, then, certified is not None and certified <= instant)


def _grant(row: Row, steps: Steps) -> Then:
    case_id, status, code, proposed_by, approved_by, *times = row
    dated = zip(times, ("planned", "approved", "procured", "delivered", "verified"), strict=True)
    approved = as_time(times[1])
    for instant, then in _course(code, status, steps, dated, times[1]):
        signed = approved is not None and approved <= instant
        yield instant, (case_id, then, proposed_by, approved_by if signed else None, times[1] if signed else None)


def _grant_plan(row: Row, _steps: Steps) -> Then:
    *plan, endorsed_by, proposed_at, endorsed_at = row
    yield as_time(proposed_at), (*plan, None)
    if endorsed_at is not None:
        yield as_time(endorsed_at), (*plan, endorsed_by)


def _vulnerability(row: Row, steps: Steps) -> Then:
    case_id, code, kind, urgency, status, *times = row
    dated = zip(times, ("identified", "addressed", "closed"), strict=True)
    for instant, then in _course(code, status, steps, dated):
        yield instant, (case_id, code, kind, urgency, then)


def _referral(row: Row, steps: Steps) -> Then:
    case_id, status, code, made_at, answered_at = row
    for instant, then in _course(code, status, steps, [(made_at, "in_progress"), (answered_at, status)]):
        yield instant, (case_id, then)


def _open_referrals(rows: Iterator[Any]) -> Known:
    return {"open_referrals": sum(status in _OPEN_REFERRAL for _, status in rows)}


def _attended(rows: Iterator[Any]) -> Known:
    return {"sessions_attended": sum(1 for _ in rows)}


def _once(row: Row, _steps: Steps) -> Then:
    """A row that is from its last column on as it is."""
    yield as_time(row[-1]), row[:-1]


_STANDS: Final = "AND taken_back_at IS NULL ORDER BY case_id, id"
_STANDING: Final = f"AND status <> '{TAKEN_BACK}' ORDER BY case_id, id"
"""What was taken back was never there: the journal is read without it too."""

DATED: Final[Mapping[str, Dated]] = {
    "consents": Dated(
        of_cases(
            "purpose, partner_id, any_partner, status, information, code, recorded_at, revoked_at", "consent", _STANDING
        ),
        _consent,
    ),
    "assessments": Dated(
        of_cases(
            "instrument, score, band, flags, assessed_at, assessed_at",
            "assessment",
            "AND taken_back_at IS NULL ORDER BY case_id, assessed_at, id",
        ),
        _once,
    ),
    "vulnerabilities": Dated(
        of_cases("code, kind, urgency, status, identified_at, addressed_at, closed_at", "vulnerability", _STANDING),
        _vulnerability,
    ),
    "plan": Dated(
        of_cases(
            "status, needs, author_id, approver_id, code, drafted_at, submitted_at, approved_at",
            "case_plan",
            f"AND status <> '{TAKEN_BACK}' ORDER BY case_id, revision",
        ),
        _plan,
    ),
    "sessions": Dated(of_cases("held_at", "psychosocial_session", f"AND attended {_STANDS}"), _once, _attended),
    "enrolment": Dated(
        of_cases("status, code, enrolled_at, certificate_at", "training_enrolment", _STANDING), _enrolment
    ),
    "grant": Dated(
        of_cases(
            "status, code, proposed_by, approved_by, proposed_at, approved_at, procured_at, delivered_at, verified_at",
            "livelihood_grant",
            _STANDING,
        ),
        _grant,
    ),
    "grants": Dated(
        of_cases(
            "code, kind, amount_xof, spent_xof, proposed_by, endorsed_by, proposed_at, endorsed_at",
            "livelihood_grant",
            _STANDING,
        ),
        _grant_plan,
    ),
    "visits": Dated(of_cases("months, visited_at", "follow_up_visit", _STANDS), _once),
    "attempts": Dated(of_cases("at, channel, result, at", "contact_attempt", _STANDS), _once),
    "exit_talks": Dated(of_cases("about, recorded_at", "exit_interview", _STANDS), _once),
    "referrals": Dated(
        of_cases("status, code, made_at, answered_at", "referral", _STANDING), _referral, _open_referrals
    ),
}
"""The groups of facts that can be told for any instant of the past."""
