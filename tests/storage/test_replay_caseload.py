"""A replay on both databases: the same answer, a fixed number of statements a batch, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from database_content import content
from past_lives import NIGHT_HOUR, PAST, Past, at, spend
from sqlalchemy import Engine, event
from synthetic_cases import START, open_caseload

from models.database import write_session
from states.change.mapping import NO_NAMES
from states.facts import FACT_GROUPS
from states.gather import gather_facts
from states.pathways.loader import load_pathway
from states.replay.chunks import Question, replay
from states.replay.history import read_histories
from states.replay.timeline import DATED

DAYS = 30
LATER = START + timedelta(days=1000)
FIELDS = {
    *("identified", "consents", "consents_recorded", "shares", "assessments", "plan", "sessions_attended", "enrolment"),
    *("grant", "grants", "visits", "attempts", "exit_talks", "open_referrals"),
}
"""What the datable groups say."""
PROPOSED = PAST.replace("\nversion: 1\n", "\nversion: 2\n").replace("instruments: [k6]", "instruments: [k6, k10]")


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every statement that goes to the driver meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def question() -> Question:
    return Question(load_pathway(PROPOSED, "proposed"), at(8, 0), at(DAYS, 0), NO_NAMES, NIGHT_HOUR)


def test_a_policy_that_asks_for_no_more_changes_nothing(engine: Engine) -> None:
    with write_session(engine) as session:
        spend(Past(session, 5), DAYS, [4] * 4)
    before = content(engine)
    report = replay(engine, question())
    assert content(engine) == before
    assert report.replayed > 8
    assert report.moves > 50
    assert (report.refused_moves, report.unknown, report.cases) == (0, 0, [])
    assert report.closings.same + sum(line.new for line in report.states if line.state != "ended") == report.replayed
    assert all(line.old == line.new for line in report.tasks)
    assert all(line.old == line.new for line in report.states)
    assert any(line.breached_new for line in report.deadlines)
    assert all(line.breached_old == line.breached_new for line in report.deadlines)


def test_a_batch_takes_the_same_statements_however_large_it_is(engine: Engine) -> None:
    with write_session(engine) as session:
        past = Past(session, 6)
        spend(past, 12, [6] * 2)
    counts = {}
    for chunk in (3, 6, 12):
        batches: list[int] = []
        with statements(engine) as seen:
            replay(engine, question(), chunk=chunk, on_progress=lambda done, _all, seen=batches: seen.append(done))  # type: ignore[misc]
        counts[len(batches)] = len([each for each in seen if each.startswith(("SELECT", "WITH"))])
    most, some, one = sorted(counts, reverse=True)
    each, rest = divmod(counts[most] - counts[one], most - one)
    assert rest == 0
    assert counts[some] == counts[one] + each * (some - one)
    assert 5 < each < 20


def test_what_was_known_in_the_end_is_what_is_known_now(engine: Engine) -> None:
    """Rows of the past are read as those of the present: every group of facts that can be dated ends where it is."""
    with write_session(engine) as session:
        caseload = open_caseload(session)
        ids = caseload.register_many(2)
        caseload.record_everything(ids[0])
        caseload.advance(ids[1], "confirm_arrival")
        session.commit()
        (full, bare) = read_histories(session, ids, FACT_GROUPS, LATER)
        today = gather_facts(session, ids, sorted(DATED))
        before = full.known.at(START - timedelta(days=100))
        for history in (full, bare):
            for name, value in history.known.at(LATER).items():
                if name in FIELDS:
                    assert value == getattr(today[history.case_id], name), name
        assert full.known.at(LATER) != before
        assert before["plan"] is before["enrolment"] is before["grant"] is None
        assert before["consents"] == before["visits"] == frozenset()
        assert full.known.instants == sorted(full.known.instants)
