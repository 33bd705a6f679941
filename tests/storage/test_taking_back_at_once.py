"""Mistakes are taken back while others want the same money and the same places: none is given twice, none is lost. All
people are synthetic."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from supported_cases import approval, budget, course, in_state, propose, wanted
from synthetic_cases import START, Caseload, open_caseload

from models import Budget, BudgetLine
from models.database import write_session
from states.advance import advance_cases
from states.casework.approvals import approve_grants
from states.casework.courses import read_seats
from states.casework.training import enrol
from states.journal import verify_journal
from states.moves import Outcome, OutcomeKind

THREADS = 6


def at_once(engine: Engine, *work: Callable[[Session], list[Outcome]]) -> list[Outcome]:
    """Each in a thread and a transaction of its own; an exception in one fails the test."""
    gate = threading.Barrier(len(work))
    outcomes: list[Outcome] = []
    failures: list[BaseException] = []

    def run(does: Callable[[Session], list[Outcome]]) -> None:
        gate.wait(timeout=60)
        try:
            with write_session(engine) as session:
                done = does(session)
                session.commit()
            outcomes.extend(done)
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(does,), daemon=True) for does in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    assert failures == []
    return outcomes


def taking_back(caseload: Caseload, case_id: int, command_id: str | None = None) -> Callable[[Session], list[Outcome]]:
    move = caseload.move(case_id, "correct", note="Erreur", command_id=command_id)
    return lambda session: advance_cases(session, [move], now=START)


def test_money_that_comes_back_is_committed_once(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        ids = in_state(caseload, "start_livelihood", 2 * THREADS)
        budget(caseload, THREADS * 100_000)
        for case_id in ids:
            assert propose(caseload, case_id, f"G{case_id}", 100_000).kind is OutcomeKind.MOVED
        first = [approval(caseload, case_id, f"G{case_id}") for case_id in ids[:THREADS]]
        assert {each.kind for each in approve_grants(session, first, now=START)} == {OutcomeKind.MOVED}
        session.commit()
    backs = [taking_back(caseload, case_id) for case_id in ids[:THREADS]]
    steps = [approval(caseload, case_id, f"G{case_id}") for case_id in ids[THREADS:]]

    def back_and_on(place: int) -> Callable[[Session], list[Outcome]]:
        return lambda session: [*backs[place](session), *approve_grants(session, [steps[place]], now=START)]

    at_once(engine, *backs[: THREADS // 2])
    outcomes = at_once(engine, *(back_and_on(place) for place in range(THREADS // 2, THREADS)))
    assert {each.kind for each in outcomes} == {OutcomeKind.MOVED}
    with write_session(engine) as session:
        found = session.exec(select(Budget)).one()
        lines = session.exec(select(BudgetLine).order_by(col(BudgetLine.seq))).all()
        assert found.committed_xof == THREADS // 2 * 100_000
        assert [line.seq for line in lines] == list(range(1, found.version + 1))
        assert [line.kind for line in lines].count("release") == THREADS
        assert verify_journal(session).broken == []


def test_one_approval_is_taken_back_once_however_many_ask(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        (case_id,) = in_state(caseload, "start_livelihood")
        budget(caseload, 500_000)
        propose(caseload, case_id, "G1", 300_000)
        approve_grants(session, [approval(caseload, case_id, "G1")], now=START)
        version = caseload.case(case_id).version
        session.commit()
    moves = [caseload.move(case_id, "correct", note="Erreur", expected_version=version) for _ in range(THREADS)]
    outcomes = at_once(
        engine, *((lambda session, move=move: advance_cases(session, [move], now=START)) for move in moves)
    )
    kinds = [each.kind for each in outcomes]
    assert (kinds.count(OutcomeKind.MOVED), kinds.count(OutcomeKind.STALE)) == (1, THREADS - 1)
    with write_session(engine) as session:
        assert session.exec(select(Budget.committed_xof)).one() == 0
        assert [line.kind for line in session.exec(select(BudgetLine).order_by(col(BudgetLine.seq)))] == [
            "commitment",
            "release",
        ]


def test_places_that_come_free_are_never_given_twice(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        ids = in_state(caseload, "start_training", 2 * THREADS)
        course(caseload, THREADS)
        enrol(session, [wanted(caseload, case_id, f"E{case_id}") for case_id in ids[:THREADS]], now=START)
        session.commit()
    backs = [taking_back(caseload, case_id) for case_id in ids[: THREADS // 2]]
    asks = [
        (lambda session, step=step: enrol(session, [step], now=START))
        for step in [wanted(caseload, case_id, f"E{case_id}") for case_id in ids[THREADS:]]
    ]
    outcomes = at_once(engine, *backs, *asks)
    enrolled = sum(each.kind is OutcomeKind.MOVED for each in outcomes) - len(backs)
    with write_session(engine) as session:
        assert read_seats(session, ["COUTURE-1"])["COUTURE-1"].taken == THREADS // 2 + enrolled <= THREADS
        assert verify_journal(session).broken == []
