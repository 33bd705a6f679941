"""What closed cases still hold (places on courses, money of budgets, parts in projects) goes back to the others.

The nightly run calls it until nothing is left; each is a step of the record, by the system, in the closed case's
journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from models.types import UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.livelihood import EndOfGrant, cancel_grants
from states.casework.memberships import EndOfMembership, leave_projects
from states.casework.training import EndOfEnrolment, drop_out, leave_waiting_list
from states.moves import SYSTEM, OutcomeKind

LOOKED_BACK: Final = timedelta(days=90)
"""Cases closed longer ago are left alone: whatever they hold, the pathway did not let go."""

_HELD: Final = {
    "waiting": ("training_enrolment", ("waiting", "offered")),
    "enrolment": ("training_enrolment", ("enrolled", "attending")),
    "grant": ("livelihood_grant", ("planned", "endorsed", "rejected", "approved")),
    "membership": ("project_member", ("joined",)),
}
_LEFT = SetStatement(
    "SELECT l.what, l.code, c.id, c.version FROM {rows} JOIN ("  # noqa: S608
    + " UNION ALL ".join(
        f"SELECT '{what}' AS what, code, case_id FROM {table} "  # noqa: S608
        f"WHERE status IN ({', '.join(repr(status) for status in statuses)})"
        for what, (table, statuses) in _HELD.items()
    )
    + ') AS l ON true JOIN "case" AS c ON c.id = l.case_id AND c.closed_at >= r.since '
    "ORDER BY c.id, l.code",
    since=UtcDateTime(),
)


class Released(NamedTuple):
    """How many of each were given back."""

    enrolments: int = 0
    grants: int = 0
    memberships: int = 0


def release_leftovers(session: Session, *, now: datetime, limit: int) -> Released:
    """End what cases closed of late still hold, of each kind the first so many of which some can be ended."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for what, code, case_id, version in _LEFT.execute(session, [(time_text(now - LOOKED_BACK),)]):
        found[what].append(
            {
                "case_id": case_id,
                "actor": SYSTEM,
                "command_id": f"closed:{code}:{version}",
                "correlation_id": f"closed:{now.date().isoformat()}",
                "reason": "case_closed",
                "code": code,
            }
        )

    released = Released()
    # Those that are refused stand in front of the others again and again: walk past them.
    for start in range(0, max(map(len, found.values()), default=0), limit):
        some = {what: each[start : start + limit] for what, each in found.items()}
        released = _release(session, some, now)
        if any(released):
            break
    return released


def _release(session: Session, some: Mapping[str, Sequence[dict[str, Any]]], now: datetime) -> Released:
    def named(what: str, name: str) -> list[dict[str, Any]]:
        return [{name if key == "code" else key: value for key, value in one.items()} for one in some.get(what, ())]

    def moved(outcomes: list[Any]) -> int:
        return sum(outcome.kind is OutcomeKind.MOVED for outcome in outcomes)

    waiting = [EndOfEnrolment(**each) for each in named("waiting", "enrolment")]
    enrolled = [EndOfEnrolment(**each) for each in named("enrolment", "enrolment")]
    grants = [EndOfGrant(**each) for each in named("grant", "grant")]
    members = [EndOfMembership(**each) for each in named("membership", "membership")]
    return Released(
        enrolments=moved(leave_waiting_list(session, waiting, now=now)) + moved(drop_out(session, enrolled, now=now)),
        grants=moved(cancel_grants(session, grants, now=now)),
        memberships=moved(leave_projects(session, members, now=now)),
    )
