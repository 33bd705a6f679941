"""Who is away, and which tasks that keeps from them: one rule, the same in SQL and in Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, exists, select
from sqlmodel import Session, col
from synthetic_rows import SyntheticRows

from models import Absence, Staff, Task, WrongUse
from models.database import write_session
from states.absences import (
    AbsenceReason,
    Away,
    absence_keeps_away,
    absences_of,
    away_now,
    end_absences,
    falls_into,
    keeps_away,
    list_absences,
    record_absence,
)

BAMAKO = ZoneInfo("Africa/Bamako")
NOW = datetime(2024, 3, 6, 15, tzinfo=UTC)
DAYS = st.integers(-3, 3)


def _day(number: int, hour: int = 0) -> datetime:
    return datetime(2024, 3, 6, hour, tzinfo=UTC) + timedelta(days=number)


def _absent(session: Session, staff: Staff, first: int, last: int | None, now: datetime = NOW) -> Absence:
    return record_absence(
        session,
        staff,
        first_day=date(2024, 3, 6) + timedelta(days=first),
        last_day=None if last is None else date(2024, 3, 6) + timedelta(days=last),
        reason=AbsenceReason.LEAVE,
        tz=BAMAKO,
        now=now,
        by=None,
    )


@pytest.mark.parametrize(
    ("due_at", "kept"),
    [
        (_day(1, 9), False),
        (_day(2, 0), True),
        (_day(4, 23), True),
        (_day(5, 0), False),
        (_day(-1), False),
        (None, False),
    ],
)
def test_a_coming_absence_keeps_what_is_due_meanwhile(due_at: datetime | None, kept: bool) -> None:
    coming = Away(_day(2), _day(5))
    assert keeps_away(coming, due_at, NOW) is kept
    assert falls_into(coming, due_at, NOW) is kept


@pytest.mark.parametrize("due_at", [_day(-4), _day(1), _day(9), None])
def test_who_is_away_gets_nothing_and_hands_over_only_what_is_due_before_the_return(due_at: datetime | None) -> None:
    present = Away(_day(-1), _day(3))
    assert keeps_away(present, due_at, NOW)
    assert falls_into(present, due_at, NOW) is (due_at is not None and due_at < _day(3))


def test_an_absence_without_an_end_keeps_even_what_is_never_due() -> None:
    assert keeps_away(Away(_day(1), None), None, NOW)
    assert falls_into(Away(_day(1), None), None, NOW)
    assert not keeps_away(Away(_day(1), None), _day(0, 20), NOW)


# Each example rolls back what it wrote, so that they can share a database.
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    absences=st.lists(st.tuples(DAYS, st.none() | st.integers(0, 3)), max_size=2),
    due=st.none() | st.tuples(DAYS, st.integers(0, 23)),
)
def test_sql_and_python_agree(
    absences: list[tuple[int, int | None]], due: tuple[int, int] | None, engine: Engine
) -> None:
    with write_session(engine) as session:
        rows = SyntheticRows(session)
        person = rows.staff()
        due_at = None if due is None else _day(*due)
        task = rows.task(rows.case(), due_at=due_at)
        for first, length in absences:
            until = None if length is None else _day(first + length)
            session.add(
                Absence(staff_id=person.id or 0, from_at=_day(first), until_at=until, reason="leave", recorded_at=NOW)
            )
        session.flush()
        kept = select(exists().where(col(Task.id) == task.id, absence_keeps_away(NOW)).select_from(Absence, Task))
        found = session.scalar(kept)
        current = absences_of(session, [person.id or 0], NOW).get(person.id or 0, ())
        assert any(keeps_away(away, due_at, NOW) for away in current) is found
        session.rollback()


def test_days_are_the_programmes_and_both_are_included(session: Session) -> None:
    person = SyntheticRows(session).staff()
    kiritimati = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead
    absence = record_absence(
        session,
        person,
        first_day=date(2024, 3, 7),
        last_day=date(2024, 3, 7),
        reason=AbsenceReason.SICK,
        tz=kiritimati,
        now=NOW,
        by=None,
    )
    session.refresh(absence)
    assert (absence.from_at, absence.until_at) == (_day(0, 10), _day(1, 10))
    assert (absence.reason, absence.recorded_at) == ("sick", NOW)


def test_days_in_the_wrong_order_all_past_or_of_somebody_who_left_are_refused(session: Session) -> None:
    rows = SyntheticRows(session)
    person = rows.staff()
    for first, last in ((3, 2), (-3, -1)):
        with pytest.raises(WrongUse, match="last day"):
            _absent(session, person, first, last)
    _absent(session, person, -3, 0)
    with pytest.raises(WrongUse, match="any more"):
        _absent(session, rows.staff(active=False), 1, 2)


def test_who_comes_back_is_there_from_that_day_on(session: Session) -> None:
    person = SyntheticRows(session).staff()
    _absent(session, person, -2, None)
    _absent(session, person, 0, 1)
    _absent(session, person, 2, 3)
    assert person.id is not None
    longest = away_now(absences_of(session, [person.id], NOW)[person.id], NOW)
    assert longest == Away(_day(-2), None)
    assert end_absences(session, person, tz=BAMAKO, now=NOW) == 2
    left = absences_of(session, [person.id], NOW)[person.id]
    assert left == (Away(_day(2), _day(4)),)
    assert away_now(left, NOW) is None
    assert end_absences(session, person, tz=BAMAKO, now=NOW) == 0


def test_absences_are_listed_in_days_and_one_to_come_can_be_struck(session: Session) -> None:
    rows = SyntheticRows(session)
    person, other = rows.staff(), rows.staff()
    _absent(session, person, -9, -1, now=NOW - timedelta(days=9))
    coming, open_ = _absent(session, person, 4, 6), _absent(session, other, 0, None)
    lines = [
        (line.id, line.login, line.first_day, line.last_day) for line in list_absences(session, tz=BAMAKO, now=NOW)
    ]
    assert lines == [
        (open_.id, other.login, date(2024, 3, 6), None),
        (coming.id, person.login, date(2024, 3, 10), date(2024, 3, 12)),
    ]
    assert end_absences(session, other, tz=BAMAKO, now=NOW, absence_id=coming.id) == 0, "it is not theirs"
    assert end_absences(session, person, tz=BAMAKO, now=NOW, absence_id=coming.id) == 1
    assert [line.id for line in list_absences(session, tz=BAMAKO, now=NOW)] == [open_.id]
    assert not any(
        keeps_away(away, _day(5), NOW) for away in absences_of(session, [person.id or 0], NOW).get(person.id or 0, ())
    )
