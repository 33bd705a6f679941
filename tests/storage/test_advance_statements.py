"""The number of SQL statements of a batch is the same for one case and for a thousand, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session
from synthetic_cases import START, Caseload, open_caseload, person

from models.database import write_session
from states.moves import OutcomeKind

SIZES = (1, 10, 1000)
# Trigger, day, and what goes with it: between them they open and end, hold and resume, close and reopen.
WALK: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("confirm_arrival", 1, {}),
    ("begin_screening", 2, {}),
    ("begin_planning", 3, {}),
    ("start_training", 4, {}),
    ("hold", 5, {"reason": "medical"}),
    ("resume", 9, {}),
    ("start_follow_up", 10, {}),
    ("close", 11, {"reason": "completed"}),
    ("reopen", 12, {"note": "erreur"}),
)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Every statement that goes to the driver meanwhile; one that is repeated row by row counts for each row."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool) -> None:
        seen.extend([statement] * (len(parameters) if executemany else 1))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", note)


def test_no_statement_reads_a_whole_table(sqlite_engine: Engine) -> None:
    """A caseload of a million costs no more than one of ten: every table is reached through an index."""
    with write_session(sqlite_engine) as session:
        caseload = open_caseload(session)
        with statements(session) as seen:
            (case_id,) = caseload.register_many(1)
            caseload.record_everything(case_id)
            for trigger, day, parts in WALK:
                caseload.advance(case_id, trigger, now=START + timedelta(days=day), **parts)
        sets = {each for each in seen if "json_each" in each and each.startswith(("SELECT", "UPDATE"))}
        assert len(sets) >= 15
        for statement in sets:
            steps = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("[]",))]
            scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
            assert scanned <= {"json_each", "e"}, statement


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def test_the_same_statements_move_one_case_and_a_thousand(caseload: Caseload) -> None:
    batches = {size: caseload.register_many(size) for size in SIZES}
    for size in SIZES:
        for case_id in batches[size]:
            caseload.record_everything(case_id)
    caseload.session.flush()
    for trigger, day, parts in WALK:
        seen: dict[int, list[str]] = {}
        for size in SIZES:
            with statements(caseload.session) as seen[size]:
                outcomes = caseload.advance_all(
                    batches[size], trigger, now=START + timedelta(days=day), expected_version=None, **parts
                )
            assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}, trigger
            assert len(outcomes) == size
        assert seen[1] == seen[10] == seen[1000], trigger
        assert 0 < len(seen[1]) <= 20, trigger


def test_refusals_and_repeats_cost_no_more_statements_for_many(caseload: Caseload) -> None:
    batches = {size: caseload.register_many(size) for size in SIZES}
    seen: dict[int, list[str]] = {}
    for size in SIZES:
        with statements(caseload.session) as seen[size]:
            outcomes = caseload.advance_all(batches[size], "begin_screening")
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.REFUSED}
    assert seen[1] == seen[10] == seen[1000]


def test_the_same_statements_register_one_person_and_a_thousand(caseload: Caseload) -> None:
    seen: dict[int, list[str]] = {}
    for size in SIZES:
        people = [
            person(line, manifest_checksum=f"file-{size}", manifest_line=line, household_size=4, consent_to_share=True)
            for line in range(1, size + 1)
        ]
        with statements(caseload.session) as seen[size]:
            assert len(caseload.register(*people)) == size
    assert seen[1] == seen[10] == seen[1000]
    assert len(seen[1]) <= 15
