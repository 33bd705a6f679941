"""The walk that the benchmarks of `advance_cases` time: cases through seven transitions of the pathway `mali`.

Every contender starts from a copy of the same seeded database and makes the same moves with the same command ids.
Everybody in it is synthetic.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from postgres_cluster import postgres_cluster
from sqlalchemy import Engine, text
from sqlmodel import SQLModel
from synthetic_cases import START, open_caseload

from models.database import create_engine_for, write_session
from models.types import utc_text
from states.advance import advance_cases
from states.bulk import insert_into
from states.moves import Actor, Move, OutcomeKind


class Step(NamedTuple):
    """One transition of the walk, and when it is made."""

    trigger: str
    role: str
    now: datetime


STEPS = tuple(
    Step(trigger, role, START + timedelta(days=day))
    for trigger, role, day in (
        ("confirm_arrival", "intake_officer", 1),
        ("begin_screening", "case_worker", 4),
        ("begin_planning", "case_worker", 12),
        ("start_psychosocial", "case_worker", 22),
        ("review_psychosocial", "coordinator", 40),
        ("start_training", "case_worker", 60),
        ("start_follow_up", "case_worker", 150),
    )
)


@dataclass
class Ground:
    """A seeded database and the means to copy it: every contender starts from the same rows."""

    name: str
    copy: Callable[[], str]
    case_ids: list[int]
    staff: dict[str, Actor]

    def moves(self, step: Step, case_ids: Sequence[int]) -> list[Move]:
        """The same moves with the same ids whoever makes them."""
        actor = self.staff[step.role]
        return [Move(id_, step.trigger, actor, f"{step.trigger}:{id_}", f"walk-{step.trigger}") for id_ in case_ids]


@contextmanager
def ground(name: str, cases: int) -> Iterator[Ground]:
    """A seeded database, `sqlite` or `postgres`; its files or its server end with the context."""
    if name == "sqlite":
        with TemporaryDirectory() as folder:
            template = Path(folder) / "seed.db"
            case_ids, staff = seed(f"sqlite:///{template}", cases)
            numbers = count(1)
            yield Ground(
                name, lambda: f"sqlite:///{shutil.copy(template, f'{folder}/copy-{next(numbers)}.db')}", case_ids, staff
            )
    else:
        seeded: list[tuple[list[int], dict[str, Actor]]] = []
        with postgres_cluster() as cluster:
            cluster.make_template(lambda url: seeded.append(seed(url, cases)))
            yield Ground(name, cluster.fresh_database, *seeded[0])


def seed(url: str, cases: int) -> tuple[list[int], dict[str, Actor]]:
    """Tables, pathway, staff, registered cases, and every record that a guard of the walk asks for."""
    engine = create_engine_for(url)
    SQLModel.metadata.create_all(engine)
    with write_session(engine) as session:
        caseload = open_caseload(session)
        ids = caseload.register_many(cases)
        at, worker, coordinator = utc_text(START), caseload.staff["case_worker"].id, caseload.staff["coordinator"].id
        needs = ["psychosocial", "training", "livelihood"]
        for statement, rows in (
            (
                insert_into(
                    "consent",
                    *("code", "case_id", "purpose", "status", "any_partner", "information", "source", "recorded_at"),
                ),
                [(f"C-{id_}", id_, "assistance", "given", False, [], "interview", at) for id_ in ids],
            ),
            (
                insert_into("assessment", "case_id", "instrument", "version", "answers", "flags", "assessed_at"),
                [(id_, name, "1", {}, [], at) for id_ in ids for name in ("vulnerability", "k6")],
            ),
            (
                insert_into(
                    "case_plan",
                    *("code", "case_id", "revision", "status", "needs", "author_id", "drafted_at", "approver_id"),
                ),
                [(f"P-{id_}", id_, 1, "approved", needs, worker, at, coordinator) for id_ in ids],
            ),
            (
                insert_into("psychosocial_session", "code", "case_id", "occasion", "kind", "held_at", "attended"),
                [(f"S-{id_}", id_, f"O-{id_}", "individual", at, True) for id_ in ids],
            ),
            (
                insert_into(
                    "training_enrolment",
                    *("code", "case_id", "course", "status", "asked_at", "enrolled_at", "days_attended"),
                    "certificate_at",
                ),
                [(f"E-{id_}", id_, "couture", "completed", at, at, 20, at) for id_ in ids],
            ),
            (
                insert_into(
                    "livelihood_grant",
                    *("code", "case_id", "kind", "activity", "amount_xof", "own_xof", "spent_xof", "revision"),
                    *("status", "proposed_at"),
                ),
                [(f"G-{id_}", id_, "individual", "élevage", 500_000, 0, 0, 1, "verified", at) for id_ in ids],
            ),
        ):
            statement.execute(session, rows)
        session.commit()
        # The planner of a database in use knows its tables; so it does here, for every contender alike.
        session.execute(text("ANALYZE"))
        session.commit()
    engine.dispose()
    return ids, caseload.staff


def advance_batch(engine: Engine, moves: list[Move], now: datetime) -> None:
    """One batch as an edge makes it: a session, the moves, a commit."""
    with write_session(engine) as session:
        outcomes = advance_cases(session, moves, now=now)
        session.commit()
    if any(outcome.kind is not OutcomeKind.MOVED for outcome in outcomes):
        raise SystemExit("a move of the walk was not made")
