"""Households as staff record them: a family is put together, somebody joins, some go on by themselves.

The console, the API and the command line call it and commit. Each change is in the journal of every case that it
touches; who lived where until when stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import Step, move_and_write
from states.casework.codes import known
from states.follow_up_words import MEMBER_WORDS
from states.moves import Outcome

Change = Literal["formed", "joined", "split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Step):
    """The person of this case is, from now on, in a household, in this role."""

    role: str = "unknown"


_FIND = SetStatement("SELECT h.code FROM household AS h JOIN {rows} ON h.code = r.code", code=String())
_FOUND = SetStatement(
    "INSERT INTO household (code, created_at) SELECT r.code, r.at FROM {rows} "
    "WHERE NOT EXISTS (SELECT 1 FROM household AS h WHERE h.code = r.code)",
    code=String(),
    at=UtcDateTime(),
)
_LEAVE = SetStatement(
    "UPDATE household_member SET until = r.at FROM {rows} WHERE household_member.until IS NULL "
    'AND household_member.returnee_id = (SELECT c.returnee_id FROM "case" AS c WHERE c.id = r.case_id)',
    case_id=BigId,
    at=UtcDateTime(),
)
_JOIN = SetStatement(
    "INSERT INTO household_member (household_id, returnee_id, role, since, recorded_by) "
    "SELECT h.id, c.returnee_id, r.role, r.at, r.recorded_by FROM {rows} JOIN household AS h ON h.code = r.code "
    'JOIN "case" AS c ON c.id = r.case_id',
    code=String(),
    case_id=BigId,
    role=String(),
    at=UtcDateTime(),
    recorded_by=BigId,
)


def form_household(session: Session, members: Sequence[Member], *, code: str, now: datetime) -> list[Outcome]:
    """Put people together into a new household with this code."""
    return _move_in(session, members, code, "formed", now)


def split_household(session: Session, members: Sequence[Member], *, code: str, now: datetime) -> list[Outcome]:
    """Let people leave the household that they are in for a new one with this code; the others stay where they are."""
    return _move_in(session, members, code, "split", now)


def join_household(session: Session, members: Sequence[Member], *, code: str, now: datetime) -> list[Outcome]:
    """Let people join the household with this code. Raises WrongUse when there is none."""
    if _FIND.execute(session, [(code,)]).first() is None:
        raise WrongUse(
            "There is no such household.",
            "Ce ménage n'existe pas.",
            remedy="Take its code from `segin household show CASE`.",
            remedy_fr="Prenez son code dans `segin household show DOSSIER`.",
        )
    return _move_in(session, members, code, "joined", now)


def _move_in(session: Session, members: Sequence[Member], code: str, change: Change, now: datetime) -> list[Outcome]:
    known("role", [each.role for each in members], MEMBER_WORDS)

    def write(moved: Sequence[Member]) -> None:
        if change != "joined":
            _FOUND.execute(session, [(code, time_text(now))])
        _LEAVE.execute(session, [(each.case_id, time_text(now)) for each in moved])
        _JOIN.execute(session, [(code, each.case_id, each.role, time_text(now), each.actor.id) for each in moved])

    return move_and_write(
        session,
        members,
        move=lambda each: each.fires("household_changed", household=code, change=change),
        write=write,
        now=now,
    )
