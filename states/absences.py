"""Who is away, and the one rule by which that keeps tasks from them, as SQL and as a function over values.

The command line records absences; `states.assignment` and `states.handover` obey the rule.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import Session, col

from models.errors import WrongUse
from models.staff import Staff
from models.staffing import Absence, away_at
from models.work import Task


class AbsenceReason(StrEnum):
    """Why somebody is away; no more than the person who plans the work needs to know."""

    LEAVE = "leave"
    SICK = "sick"
    MISSION = "mission"
    TRAINING = "training"
    OTHER = "other"


class Away(NamedTuple):
    """From this instant until, but not at, that one (none: nobody knows yet)."""

    from_at: datetime
    until_at: datetime | None


def keeps_away(away: Away, due_at: datetime | None, now: datetime) -> bool:
    """Whether the absence keeps a task from somebody. It does when they are away now, or when it is due.

    A task that is past due is due now; one that is never due is due after everything, so that only an absence without
    an end keeps it away. Before they leave and after they return, people are given what they can do in time.
    """
    if due_at is None:
        return away.until_at is None or _covers(away, now)
    return _covers(away, now) or _covers(away, max(due_at, now))


def absence_keeps_away(now: datetime) -> ColumnElement[bool]:
    """The same of an `absence` and a `task` in a query."""
    from_at, until_at, due_at = col(Absence.from_at), col(Absence.until_at), col(Task.due_at)
    return or_(
        away_at(now),
        and_(due_at > now, from_at <= due_at, or_(until_at.is_(None), until_at > due_at)),
        and_(due_at.is_(None), until_at.is_(None)),
    )


def falls_into(away: Away, due_at: datetime | None, now: datetime) -> bool:
    """Whether a task that somebody has comes due while they are away, which is when a hand-over takes it from them.

    As above, but what is due after their return stays with them although they are away now.
    """
    return away.until_at is None if due_at is None else _covers(away, max(due_at, now))


def record_absence(
    session: Session,
    staff: Staff,
    *,
    first_day: date,
    last_day: date | None,
    reason: AbsenceReason,
    tz: ZoneInfo,
    now: datetime,
    by: int | None,
) -> Absence:
    """Write that somebody is away from `first_day` to `last_day`, both included (none: nobody knows yet).

    Days are those of `tz`. Raises WrongUse for somebody who left, or days in the wrong order or all past.
    """
    session.refresh(staff, with_for_update={"key_share": True})
    if staff.id is None or not staff.active:
        raise WrongUse(
            f"{staff.login} does not work here any more.",
            f"{staff.login} ne travaille plus ici.",
            remedy="`segin staff list` shows who does.",
            remedy_fr="`segin staff list` montre qui est en poste.",
        )
    from_at = day_start(first_day, tz)
    until_at = None if last_day is None else day_start(last_day + timedelta(days=1), tz)
    if until_at is not None and until_at <= max(from_at, now):
        raise WrongUse(
            "The last day of an absence comes before its first day, or is past.",
            "Le dernier jour de l'absence précède le premier, ou il est passé.",
            remedy="Give the first and the last day away, both included.",
            remedy_fr="Donnez le premier et le dernier jour d'absence, compris.",
        )
    absence = Absence(
        staff_id=staff.id,
        from_at=from_at,
        until_at=until_at,
        reason=reason,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(absence)
    session.flush()
    return absence


def end_absences(session: Session, staff: Staff, *, tz: ZoneInfo, now: datetime, absence_id: int | None = None) -> int:
    """Somebody is back today, or (with `absence_id`) will not be away after all: end what keeps them away now, or that
    one absence, and return how many ended. What is past stays as it was."""
    today = day_start(now.astimezone(tz).date(), tz)
    query = select(Absence).where(
        col(Absence.staff_id) == staff.id, or_(col(Absence.until_at).is_(None), col(Absence.until_at) > now)
    )
    if absence_id is None:
        query = query.where(col(Absence.from_at) <= now)
    else:
        query = query.where(col(Absence.id) == absence_id)
    ended = session.scalars(query).all()
    for absence in ended:
        absence.until_at = max(absence.from_at, today)
    session.flush()
    return len(ended)


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """An absence that is not over: of whom (by login), its first and last day (none: nobody knows yet), and why."""

    id: int
    login: str
    first_day: date
    last_day: date | None
    reason: str


def list_absences(session: Session, *, tz: ZoneInfo, now: datetime) -> list[AbsenceLine]:
    """Who is away, and who will be, in order of the first day. One statement."""
    rows = session.execute(
        select(col(Absence.id), col(Staff.login), col(Absence.from_at), col(Absence.until_at), col(Absence.reason))
        .join(Staff, col(Staff.id) == col(Absence.staff_id))
        .where(or_(col(Absence.until_at).is_(None), col(Absence.until_at) > now))
        .where(or_(col(Absence.until_at).is_(None), col(Absence.until_at) > col(Absence.from_at)), col(Staff.active))
        .order_by(col(Absence.from_at), col(Absence.id))
    )
    return [
        AbsenceLine(
            id=row.id,
            login=row.login,
            first_day=row.from_at.astimezone(tz).date(),
            last_day=None if row.until_at is None else row.until_at.astimezone(tz).date() - timedelta(days=1),
            reason=row.reason,
        )
        for row in rows
    ]


def absences_of(session: Session, staff_ids: Collection[int], now: datetime) -> dict[int, tuple[Away, ...]]:
    """The absences of these people that are not over, by person, in order. One statement."""
    rows = session.execute(
        select(col(Absence.staff_id), col(Absence.from_at), col(Absence.until_at))
        .where(
            col(Absence.staff_id).in_(staff_ids),
            or_(col(Absence.until_at).is_(None), col(Absence.until_at) > now),
        )
        .order_by(col(Absence.staff_id), col(Absence.from_at), col(Absence.id))
    )
    found: dict[int, tuple[Away, ...]] = {}
    for staff_id, from_at, until_at in rows:
        found[staff_id] = (*found.get(staff_id, ()), Away(from_at, until_at))
    return found


def day_start(day: date, tz: ZoneInfo) -> datetime:
    """The instant at which the day begins there."""
    return datetime.combine(day, time(), tz)


def away_now(absences: Sequence[Away], now: datetime) -> Away | None:
    """The absence that keeps somebody away now; of several, the one that lasts longest."""
    current = [away for away in absences if _covers(away, now)]
    return max(current, key=lambda away: (away.until_at is None, away.until_at or now), default=None)


def _covers(away: Away, moment: datetime) -> bool:
    return away.from_at <= moment and (away.until_at is None or moment < away.until_at)
