"""The caseload of the benchmarks of `segin pathway diff` and `migrate`: open cases on the bundled version of `mali`,
and the proposed version published beside it. Everybody in it is synthetic.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel

sys.path.insert(0, str(Path(__file__).parents[1]))
from postgres_cluster import postgres_cluster
from synthetic_cases import open_caseload

from deployments.demo.proposal import proposal
from models.database import create_engine_for, write_session
from models.types import utc_text
from states.bulk import insert_into
from states.change.mapping import read_names
from states.change.sides import Change, change_between, read_side
from states.moves import Actor
from states.pathways.shelf import publish

BEGUN = datetime(2024, 1, 8, 8, tzinfo=UTC)
NOW = BEGUN + timedelta(days=10)
ACTOR = Actor("coordinator")

PLACES: tuple[tuple[str, str | None, tuple[tuple[str, int], ...], tuple[str, ...]], ...] = (
    ("screening", None, (("screening_normal", 14),), ("vulnerability_screening",)),
    ("planning", None, (("plan_drafted", 21), ("plan_approved", 31)), ("draft_plan",)),
    ("training", None, (("training_left", 270), ("next_step", 15)), ("enrol",)),
    ("livelihood", None, (("livelihood_left", 270), ("next_step", 15)), ("business_plan",)),
    ("follow_up", None, (("visit_3", 105), ("visit_6", 197), ("visit_12", 380)), ()),
    ("on_hold", "planning", (("plan_drafted", 21), ("hold_review", 30)), ("review_hold",)),
)
"""State, the state to go back to, running clocks with the days after which they are due, and open tasks."""

_RETURNEES = insert_into(
    "returnee",
    *("code", "family_name", "given_names", "name_key", "sex", "birth_precision", "vulnerabilities", "created_at"),
)
_CASES = insert_into(
    "case",
    *("code", "returnee_id", "pathway_version_id", "state", "entered_state_at", "previous_state", "held_at", "version"),
    *("events", "journal_head", "priority", "arrival_date", "departure_country", "region_pcode", "registered_at"),
)
_JOURNAL = insert_into(
    "journal",
    *("case_id", "seq", "at", "trigger", "to_state", "role", "data", "pathway_version_id", "command_id"),
    *("correlation_id", "previous_hash", "hash"),
)
_CLOCKS = insert_into(
    "deadline",
    *("case_id", "seq", "key", "kind", "state", "due_at", "first_due_at", "next_at", "status", "level"),
)
_ASSESSMENTS = insert_into("assessment", "case_id", "instrument", "version", "answers", "flags", "assessed_at")
_TASKS = insert_into("task", "case_id", "seq", "key", "state", "role", "priority", "status", "opened_at")


@contextmanager
def caseloads(name: str) -> Iterator[Callable[[int], str]]:
    """Makes databases with so many open cases, gives their URLs, and removes them at the end."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            numbers = count()
            yield lambda cases: filled(f"sqlite:///{folder}/{next(numbers)}.db", cases)
    else:
        with postgres_cluster() as cluster:
            yield lambda cases: filled(cluster.fresh_database("template0"), cases)


def change_in(url: str) -> Change:
    """From the bundled version to the proposal."""
    engine = create_engine_for(url)
    with write_session(engine) as session:
        row = publish(session, proposal(), BEGUN)
        old, new = read_side(session, str(row.version - 1), "mali"), read_side(session, str(row.version), "mali")
        session.commit()
    engine.dispose()
    names = read_names(["planning=care_plan"], old.pathway, new.pathway)
    return change_between(old, new, names, keep_deadlines=False)


def filled(url: str, cases: int) -> str:
    """Cases in turn in each place, with one journal row each, from which their clocks run."""
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    at = utc_text(BEGUN)
    with write_session(engine) as session:
        caseload = open_caseload(session)
        for first in range(1, cases + 1, 10_000):
            ids = range(first, min(first + 10_000, cases + 1))
            _RETURNEES.execute(session, [(f"R{i}", "Fictif", f"N{i}", f"n{i}", "M", "exact", [], at) for i in ids])
            _CASES.execute(session, [_case(i, caseload.version_id, at) for i in ids])
            _JOURNAL.execute(
                session,
                [
                    (
                        *(i, 1, at, "register", "registered", "system", {}, caseload.version_id, f"register:{i}"),
                        *("bench", "0" * 64, f"{i:064x}"),
                    )
                    for i in ids
                ],
            )
            _CLOCKS.execute(session, [row for i in ids for row in _clocks(i, caseload.pathway.deadlines)])
            _ASSESSMENTS.execute(session, [(i, "vulnerability", "1", {}, [], at) for i in ids if i % 2])
            _TASKS.execute(session, [row for i in ids for row in _tasks(i, caseload.pathway.tasks, at)])
            session.commit()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return url


def _case(id_: int, version_id: int, at: str) -> tuple[Any, ...]:
    state, previous, *_ = PLACES[id_ % len(PLACES)]
    return (
        *(f"C{id_:08}", id_, version_id, state, at, previous, at if previous else None, 1),
        *(1, f"{id_:064x}", "normal", "2024-01-05", "Niger", f"ML0{1 + id_ % 8}", at),
    )


def _clocks(id_: int, templates: Any) -> Iterator[tuple[Any, ...]]:
    _, previous, clocks, _ = PLACES[id_ % len(PLACES)]
    for key, days in clocks:
        due = utc_text(BEGUN + timedelta(days=days, hours=16))
        status = "held" if previous and key != "hold_review" else "open"
        yield (id_, 1, key, "deadline", templates[key].state, due, due, due, status, 0)


def _tasks(id_: int, templates: Any, at: str) -> Iterator[tuple[Any, ...]]:
    for key in PLACES[id_ % len(PLACES)][3]:
        yield (id_, 1, key, templates[key].state, templates[key].role, "normal", "open", at)
