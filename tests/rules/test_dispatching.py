"""Claiming transitions for a dispatch: each exactly once, and none lost when a dispatch is killed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select
from synthetic_rows import SyntheticRows

from models.case import Case, JournalRow
from models.database import read_session, write_session
from models.runs import Dispatch
from states.dispatching import LEASE, claim_transitions, dispatch_waits, finish_dispatch

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def _transitions(session: Session, case: Case, seqs: range) -> None:
    for seq in seqs:
        session.add(
            JournalRow(
                case_id=case.id,
                seq=seq,
                at=NOW,
                trigger="t",
                to_state="arrived",
                role="system",
                pathway_version_id=case.pathway_version_id,
                command_id=f"{case.id}:{seq}",
                correlation_id="c",
                previous_hash="",
                hash="",
            )
        )
    session.flush()


def _finish(session: Session, dispatch_id: int, flow_run_id: str) -> None:
    finish_dispatch(
        session,
        dispatch_id,
        now=NOW,
        flow_run_id=flow_run_id,
        tasks_assigned=1,
        reminders_armed=2,
        deliveries_made=3,
    )


def test_a_claim_links_transitions_to_the_flow_run_and_names_their_cases(session: Session) -> None:
    rows = SyntheticRows(session)
    first, second = rows.case(), rows.case()
    _transitions(session, second, range(1, 3))
    _transitions(session, first, range(1, 2))
    assert dispatch_waits(session, now=NOW)
    claimed = claim_transitions(session, now=NOW, limit=10, flow_run_id="run-1")
    assert claimed is not None
    assert (claimed.case_ids, claimed.transitions) == ((first.id, second.id), 3)
    assert set(session.exec(select(JournalRow.dispatch_id)).all()) == {claimed.dispatch_id}
    _finish(session, claimed.dispatch_id, "run-1")
    dispatch = session.get_one(Dispatch, claimed.dispatch_id)
    session.refresh(dispatch)
    assert (dispatch.flow_run_id, dispatch.transitions, dispatch.finished_at) == ("run-1", 3, NOW)
    assert (dispatch.tasks_assigned, dispatch.reminders_armed, dispatch.deliveries_made) == (1, 2, 3)
    assert claim_transitions(session, now=NOW + 2 * LEASE, limit=10, flow_run_id="run-2") is None
    assert not dispatch_waits(session, now=NOW + 2 * LEASE)


def test_a_claim_takes_no_more_than_its_limit_the_oldest_first(session: Session) -> None:
    case = SyntheticRows(session).case()
    _transitions(session, case, range(1, 6))
    claimed = claim_transitions(session, now=NOW, limit=3, flow_run_id=None)
    assert claimed is not None
    left = select(JournalRow.seq).where(col(JournalRow.dispatch_id).is_(None)).order_by(col(JournalRow.seq))
    assert session.exec(left).all() == [4, 5]


def test_a_dispatch_that_was_killed_is_taken_over_after_its_lease(session: Session) -> None:
    case = SyntheticRows(session).case()
    _transitions(session, case, range(1, 3))
    killed = claim_transitions(session, now=NOW, limit=10, flow_run_id="killed")
    soon, later = NOW + LEASE - timedelta(seconds=1), NOW + LEASE
    assert killed is not None
    assert not dispatch_waits(session, now=soon)
    assert claim_transitions(session, now=soon, limit=10, flow_run_id="next") is None
    assert dispatch_waits(session, now=later)
    assert claim_transitions(session, now=later, limit=10, flow_run_id="next") == killed
    dispatch = session.get_one(Dispatch, killed.dispatch_id)
    assert (dispatch.flow_run_id, dispatch.started_at) == ("next", later)
    assert claim_transitions(session, now=later, limit=10, flow_run_id="third") is None, "it is at work again"


def test_asking_whether_something_waits_takes_no_lock(engine: Engine) -> None:
    with write_session(engine) as session:
        _transitions(session, SyntheticRows(session).case(), range(1, 2))
        session.commit()
    with read_session(engine) as session:
        assert dispatch_waits(session, now=NOW)


def test_eight_at_once_claim_every_transition_once(engine: Engine) -> None:
    with write_session(engine) as session:
        rows = SyntheticRows(session)
        for _ in range(10):
            _transitions(session, rows.case(), range(1, 11))
        session.commit()
    counts: list[int] = []

    def work() -> None:
        with write_session(engine) as session:
            while claimed := claim_transitions(session, now=NOW, limit=9, flow_run_id=None):
                counts.append(claimed.transitions)
                session.commit()
            session.commit()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with write_session(engine) as session:
        linked = select(func.count()).where(col(JournalRow.dispatch_id).is_not(None))
        assert (sum(counts), session.exec(linked).one()) == (100, 100)
        assert session.exec(select(func.count(col(Dispatch.id)))).one() == len(counts)
