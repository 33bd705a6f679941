"""What holds the caseload, on both databases: the ranking is the sum of the single answers, in set-based statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from database_content import content
from past_lives import Past, at, spend
from sqlalchemy import Engine, event
from sqlmodel import col, select

from models import Case, Office, Returnee, Staff, Task, WrongUse
from models.caseload import CaseFilter
from models.database import read_session, write_session
from states.why.cause import CauseKind
from states.why.ranking import why_all, why_case

DAYS = 24
NOW = at(DAYS + 6, 9)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The questions that go to the driver meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def past(engine: Engine) -> Past:
    """Some weeks of lives; every other case is in an office, one is on hold, and somebody has two tasks of three."""
    with write_session(engine) as session:
        lives = Past(session, 11)
        spend(lives, DAYS, [5] * 5, share=0.3)
        office = Office(code="BKO", name="Bureau fictif", regions=["ML09"])
        session.add(office)
        session.flush()
        for case in session.scalars(select(Case)):
            case.office_id = office.id if (case.id or 0) % 2 else None
            session.add(case)
        waiting = session.scalars(select(col(Case.id)).where(col(Case.state) == "waiting").limit(1)).one()
        lives.advance(waiting or 0, "pause", "worker", at(DAYS, 12), reason="ill")
        for task in session.scalars(select(Task)):
            task.staff_id = lives.actors[task.role].id if (task.id or 0) % 3 else None
            session.add(task)
        session.commit()
    return lives


def test_the_ranking_is_the_sum_of_the_single_answers(engine: Engine, past: Past) -> None:
    before = content(engine)
    ranking = why_all(engine, CaseFilter(), NOW)
    with read_session(engine) as session:
        codes = session.scalars(select(Case.code).where(col(Case.closed_at).is_(None))).all()
        causes = {code: why_case(session, code, NOW)[1] for code in codes}
        names = set(session.scalars(select(Returnee.family_name)))
        logins = set(session.scalars(select(Staff.login)))
    assert content(engine) == before
    assert ranking.cases == len(codes) > 10
    stuck = {code: cause for code, cause in causes.items() if cause.stuck}
    assert ranking.stuck == len(stuck) == sum(cause.cases for cause in ranking.causes)
    assert ranking.waiting + ranking.on_time == ranking.cases - ranking.stuck
    counted = Counter((cause.kind, cause.about) for cause in stuck.values())
    assert {(cause.kind, cause.about): cause.cases for cause in ranking.causes} == counted
    assert [cause.cases for cause in ranking.causes] == sorted(counted.values(), reverse=True)
    for cause in ranking.causes:
        own = {code: found for code, found in stuck.items() if (found.kind, found.about) == (cause.kind, cause.about)}
        assert set(cause.examples) <= set(own)
        since = [own[code].since for code in cause.examples]
        assert since == sorted(since)
        assert sum(cause.offices.values()) == sum(cause.states.values()) == sum(cause.roles.values()) == cause.cases
        assert set(cause.offices) <= {"BKO", None}
        assert cause.median_days >= 0
    assert {CauseKind.HOLD, CauseKind.SILENT_PARTNER, CauseKind.NOBODY_ASSIGNED} <= {
        cause.kind for cause in stuck.values()
    }
    for found in causes.values():
        assert not any(name in text for name in names for text in found.sentence)
        assert found.login in logins | {None}


def test_filters_narrow_the_ranking(engine: Engine, past: Past) -> None:
    whole = why_all(engine, CaseFilter(), NOW)
    office = why_all(engine, CaseFilter(office="BKO"), NOW)
    assert 0 < office.cases < whole.cases
    assert all(set(cause.offices) == {"BKO"} for cause in office.causes)
    states = [why_all(engine, CaseFilter(state=state), NOW) for state in ("waiting", "helped", "followed", "paused")]
    assert sum(each.cases for each in states) == whole.cases
    assert why_all(engine, CaseFilter(state="ended"), NOW).cases == 0
    with pytest.raises(WrongUse):
        why_all(engine, CaseFilter(office="nowhere"), NOW)
    with read_session(engine) as session, pytest.raises(WrongUse):
        why_case(session, "NONE", NOW)


def test_a_batch_takes_the_same_statements_however_large_it_is(engine: Engine, past: Past) -> None:
    counts, rankings = {}, []
    for chunk in (5, 10, 1000):
        batches: list[int] = []
        with statements(engine) as seen:
            ranking = why_all(
                engine, CaseFilter(), NOW, chunk=chunk, on_progress=lambda done, _all, told=batches: told.append(done)
            )  # type: ignore[misc]
        rankings.append(ranking)
        counts[len(batches)] = len(seen)
        assert batches[-1] == ranking.cases
    assert rankings[0] == rankings[1] == rankings[2]
    most, some, one = sorted(counts, reverse=True)
    each, rest = divmod(counts[most] - counts[one], most - one)
    assert rest == 0
    assert counts[some] == counts[one] + each * (some - one)
    assert each < 20


def test_time_alone_makes_a_case_stuck(engine: Engine, past: Past) -> None:
    early = why_all(engine, CaseFilter(), at(DAYS, 0))
    late = why_all(engine, CaseFilter(), NOW + timedelta(days=60))
    assert early.stuck < late.stuck
    assert late.on_time == 0
