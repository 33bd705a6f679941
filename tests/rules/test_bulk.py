"""Set-based SQL gives every kind of value back as it went in, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Boolean, Date, Integer, String
from sqlmodel import Session, col, select

from models import Returnee, Staff
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, as_date, as_json, as_time, insert_into, time_text

MOMENT = datetime(2024, 2, 29, 23, 59, 59, 7, tzinfo=UTC)
SELECTED = SetStatement(
    "SELECT r.number, r.words, r.moment, r.day, r.yes, r.document FROM {rows} ORDER BY r.number",
    number=BigId,
    words=String(),
    moment=UtcDateTime(),
    day=Date(),
    yes=Boolean(),
    document=Json,
)


def selected(session: Session, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [
        (number, words, as_time(moment), as_date(day), None if yes is None else bool(yes), as_json(document))
        for number, words, moment, day, yes, document in SELECTED.execute(session, rows)
    ]


@pytest.mark.parametrize(
    "words", ["", 'l\'« été » à 100 % — "cité" \\n \\ %s %(x)s ? :a {b}', "\u2028\t\n😀", "null", "0123", "[1]"]
)
def test_text_comes_back_as_it_went_in(session: Session, words: str) -> None:
    assert selected(session, [(1, words, None, None, None, None)]) == [(1, words, None, None, None, None)]


def test_every_kind_of_value_comes_back_as_it_went_in(session: Session) -> None:
    document = {"a": [1, None, True, {"é": "%"}], "b": {}}
    given = [
        (-(2**63), "x", MOMENT, date(2024, 2, 29), True, document),
        (0, None, datetime(1, 1, 1, tzinfo=UTC), date(1900, 1, 1), False, []),
        (2**63 - 1, None, None, None, None, None),
    ]
    rows = [(number, words, time_text(moment), *rest) for number, words, moment, *rest in given]
    assert selected(session, rows) == given


def test_no_rows_are_no_rows(session: Session) -> None:
    assert selected(session, []) == []


def test_a_time_of_another_zone_is_the_same_instant(session: Session) -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=-5)))
    assert selected(session, [(1, None, time_text(there), None, None, None)])[0][2] == MOMENT


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        time_text(MOMENT.replace(tzinfo=None))


def test_inserted_rows_read_like_any_other(session: Session) -> None:
    statement = insert_into("staff", "login", "name", "role", "language", "active", "created_at", returning="login, id")
    rows = [(f"login{n}", f"Personnel fictif {n}", "coordinator", "fr", n == 1, time_text(MOMENT)) for n in range(3)]
    ids = dict(map(tuple, statement.execute(session, rows)))
    found = session.exec(select(Staff).order_by(col(Staff.login))).all()
    assert [(row.login, row.active, row.created_at) for row in found] == [
        *(("login0", False, MOMENT), ("login1", True, MOMENT), ("login2", False, MOMENT)),
    ]
    assert ids == {row.login: row.id for row in found}


def test_a_document_that_is_missing_is_null_and_not_the_word_null(session: Session) -> None:
    statement = SetStatement("SELECT CASE WHEN r.document IS NULL THEN 1 ELSE 0 END FROM {rows}", document=Json)
    assert [missing for (missing,) in statement.execute(session, [(None,), ([],)])] == [1, 0]


def test_rows_update_the_rows_that_they_name(session: Session) -> None:
    people = [
        Returnee(
            code=f"code{n}",
            family_name="Fictive",
            given_names="Personne",
            name_key="x",
            sex="F",
            created_at=MOMENT,
        )
        for n in range(4)
    ]
    session.add_all(people)
    session.flush()
    statement = SetStatement(
        "UPDATE returnee SET phone = r.phone FROM {rows} WHERE returnee.id = r.id RETURNING returnee.code",
        id=BigId,
        phone=String(),
    )
    done = statement.execute(session, [(people[1].id, "+22370000001"), (people[2].id, None), (99, "+22370000009")])
    assert {code for (code,) in done} == {"code1", "code2"}
    session.expire_all()
    assert [person.phone for person in people] == [None, "+22370000001", None, None]


def test_locked_rows_are_rows_like_any_other(session: Session) -> None:
    session.add(Staff(login="a", name="Personnel fictif", role="coordinator", created_at=MOMENT))
    session.flush()
    statement = SetStatement(
        "SELECT login FROM staff WHERE id IN (SELECT r.id FROM {rows}) ORDER BY id {lock}", id=Integer()
    )
    assert [login for (login,) in statement.execute(session, [(1,), (2,)])] == ["a"]
