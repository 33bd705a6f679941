"""Many writers at once, on real files and a real server: nothing is lost, nothing happens twice, nobody deadlocks."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select
from synthetic_cases import START, Caseload, open_caseload, person

from models import Case, Event, JournalRow
from models.database import write_session
from states.advance import advance_case, advance_cases
from states.gather import load_cases
from states.journal import verify_journal
from states.moves import Actor, Move, Outcome, OutcomeKind
from states.registration import Registered, register_cases

WRITERS = 8
T = TypeVar("T")
PAIR = ("raise_urgent", "lower_priority")


@pytest.fixture
def caseload(engine: Engine) -> Caseload:
    """Closed session: only its names and ids are used."""
    with write_session(engine) as session:
        opened = open_caseload(session)
        session.commit()
    return opened


def register(engine: Engine, caseload: Caseload, number: int) -> list[int]:
    with write_session(engine) as session:
        caseload.session = session
        ids = caseload.register_many(number)
        session.commit()
    return ids


def in_threads(work: Callable[[int], T]) -> list[T]:
    """Run `work(number)` in eight threads that start together; what each gave. An exception fails the test."""
    gate = threading.Barrier(WRITERS)
    given: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(number: int) -> None:
        gate.wait(timeout=60)
        try:
            given[number] = work(number)
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
    return [given[number] for number in range(WRITERS)]


def test_eight_writers_on_the_same_cases_lose_nothing(engine: Engine, caseload: Caseload) -> None:
    """Each writer moves each case five times, in batches in an order of its own, and tries again when it is stale."""
    ids = register(engine, caseload, 12)
    actor = caseload.staff["coordinator"]
    rounds = 5

    def work(number: int) -> Counter[OutcomeKind]:
        kinds: Counter[OutcomeKind] = Counter()
        shuffled = random.Random(number)
        for turn in range(rounds):
            todo = {case_id: f"writer-{number}-{turn}-{case_id}" for case_id in ids}
            while todo:
                with write_session(engine) as session:
                    seen = load_cases(session, todo)
                    session.rollback()
                with write_session(engine) as session:
                    moves = [
                        Move(
                            case_id,
                            PAIR[seen[case_id].priority == "urgent"],
                            actor,
                            command_id,
                            f"writer-{number}",
                            expected_version=seen[case_id].version,
                        )
                        for case_id, command_id in shuffled.sample(sorted(todo.items()), len(todo))
                    ]
                    outcomes = advance_cases(session, moves, now=START)
                    session.commit()
                kinds.update(outcome.kind for outcome in outcomes)
                todo = {o.case_id: o.command_id for o in outcomes if o.kind is OutcomeKind.STALE}
        return kinds

    kinds = sum(in_threads(work), Counter[OutcomeKind]())
    assert kinds[OutcomeKind.MOVED] == WRITERS * rounds * len(ids)
    assert set(kinds) <= {OutcomeKind.MOVED, OutcomeKind.STALE}
    with write_session(engine) as session:
        assert set(session.exec(select(Case.version)).all()) == {1 + WRITERS * rounds}
        report = verify_journal(session)
        assert (report.broken, report.transitions) == ([], len(ids) * (1 + WRITERS * rounds))


def test_the_same_command_from_eight_threads_moves_once(engine: Engine, caseload: Caseload) -> None:
    ids = register(engine, caseload, 5)
    actor = caseload.staff["case_worker"]

    def work(_number: int) -> list[Outcome]:
        with write_session(engine) as session:
            outcomes = [
                advance_case(session, Move(case_id, "confirm_arrival", actor, f"click-{case_id}", "x"), now=START)
                for case_id in ids
            ]
            session.commit()
        return outcomes

    answers = in_threads(work)
    for outcomes in zip(*answers, strict=True):
        kinds = Counter(outcome.kind for outcome in outcomes)
        assert kinds == {OutcomeKind.MOVED: 1, OutcomeKind.ALREADY_DONE: WRITERS - 1}
        assert {(outcome.seq, outcome.from_state, outcome.to_state) for outcome in outcomes} == {
            (2, "registered", "arrived")
        }
    with write_session(engine) as session:
        assert session.exec(select(func.count(col(JournalRow.id)))).one() == 2 * len(ids)
        assert session.exec(select(func.count(col(Event.id)))).one() == 2 * len(ids)
        assert verify_journal(session).broken == []


def test_a_manifest_row_registered_by_eight_threads_has_one_case(engine: Engine, caseload: Caseload) -> None:
    people = [person(line, manifest_checksum="the-file", manifest_line=line) for line in range(40)]
    actor: Actor = caseload.staff["intake_officer"]
    lock = threading.Lock()

    def new_code() -> str:
        with lock:
            return caseload.new_code()

    def work(number: int) -> list[Registered]:
        with write_session(engine) as session:
            answers = register_cases(
                session,
                random.Random(number).sample(people, len(people)),
                pathway_version_id=caseload.version_id,
                now=START + timedelta(seconds=number),
                actor=actor,
                correlation_id=f"intake-{number}",
                new_code=new_code,
            )
            session.commit()
        return answers

    answers = [registered for given in in_threads(work) for registered in given]
    assert Counter(answer.kind for answer in answers) == {"registered": 40, "already_known": 40 * (WRITERS - 1)}
    assert len({answer.case_id for answer in answers}) == 40
    with write_session(engine) as session:
        assert session.exec(select(func.count(col(Case.id)))).one() == 40


def test_a_writer_that_waited_decides_on_what_is_there_then(postgres_engine: Engine) -> None:
    """On PostgreSQL a second writer waits for the first one's lock, and then sees its work, not the state before."""
    with write_session(postgres_engine) as session:
        caseload = open_caseload(session)
        (case_id,) = caseload.register_many(1)
        session.commit()
    first_has_moved, answer = threading.Event(), []

    def second() -> None:
        first_has_moved.wait(timeout=60)
        with Session(postgres_engine) as session:
            move = Move(case_id, "confirm_arrival", caseload.staff["case_worker"], "second", "x")
            answer.append(advance_case(session, move, now=START))
            session.commit()

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with write_session(postgres_engine) as session:
        caseload.session = session
        assert caseload.advance(case_id, "confirm_arrival").kind is OutcomeKind.MOVED
        first_has_moved.set()
        thread.join(timeout=0.5)
        assert thread.is_alive()
        session.commit()
    thread.join(timeout=60)
    assert [(outcome.kind, outcome.version) for outcome in answer] == [(OutcomeKind.REFUSED, 2)]
    assert [reason.code for reason in answer[0].reasons] == ["wrong_state"]
