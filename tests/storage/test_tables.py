"""What holds for every table: each column has a class, and each time is an instant in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, DateTime, Engine, text
from sqlalchemy.exc import StatementError
from sqlmodel import Session, SQLModel, col, select

from models import Household, Office
from models.database import read_session
from models.types import CLASSIFICATIONS, UtcDateTime

COLUMNS = [column for table in SQLModel.metadata.sorted_tables for column in table.columns]
NIGHT = datetime(2024, 1, 5, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_each_column_has_a_class(column: Column[object]) -> None:
    assert column.info.get("classification") in CLASSIFICATIONS


@pytest.mark.parametrize("column", [c for c in COLUMNS if isinstance(c.type, DateTime | UtcDateTime)], ids=str)
def test_each_time_is_an_instant_in_utc(column: Column[object]) -> None:
    assert isinstance(column.type, UtcDateTime)


def test_a_naive_time_is_refused(session: Session) -> None:
    session.add(Household(code="M-1", created_at=datetime(2024, 1, 5)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime refused"):
        session.flush()


def test_a_naive_time_is_refused_in_a_question_too(session: Session) -> None:
    with pytest.raises(StatementError, match="naive datetime refused"):
        session.exec(select(Household).where(Household.created_at < datetime(2024, 1, 5))).all()  # noqa: DTZ001


def test_a_time_comes_back_in_utc_from_whichever_zone_it_was_given(session: Session, engine: Engine) -> None:
    tokyo = NIGHT.astimezone(timezone(timedelta(hours=9)))
    session.add(Household(code="M-1", created_at=tokyo))
    session.commit()
    with read_session(engine) as reader:
        found = reader.exec(select(Household)).one().created_at
    assert found == NIGHT
    assert found.tzinfo is UTC


def test_times_are_kept_to_the_microsecond_and_in_order(session: Session) -> None:
    moments = [NIGHT + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000)]
    for number, moment in enumerate(reversed(moments)):
        session.add(Household(code=f"M-{number}", created_at=moment))
    session.flush()
    found = session.exec(select(Household.created_at).order_by(col(Household.created_at))).all()
    assert list(found) == moments


def test_a_document_is_kept_as_it_was(session: Session, engine: Engine) -> None:
    session.add(Office(code="KY", name="Kayes", regions=["ML01", "Ségou « é »"]))
    session.commit()
    with read_session(engine) as reader:
        assert reader.exec(select(Office)).one().regions == ["ML01", "Ségou « é »"]


def test_a_sqlite_file_keeps_times_as_text_that_sorts(sqlite_engine: Engine) -> None:
    with Session(sqlite_engine) as session:
        session.add(Household(code="M-1", created_at=NIGHT))
        session.commit()
        raw = session.execute(text("SELECT created_at FROM household")).scalar_one()
    assert raw == "2024-01-05T02:00:00.000000Z"
