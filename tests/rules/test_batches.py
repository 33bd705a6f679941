"""Batch moves: as many outcomes as cases, the same as foreseen, whatever happens meanwhile and wherever they stop."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, func
from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload

from models import Batch, BatchCase, BatchStatus, Case, JournalRow, Staff, WrongUse
from models.caseload import CaseFilter, count_cases
from models.database import read_session, write_session
from states.advance import advance_case
from states.batches.order import Order
from states.batches.outcomes import Line, Tally, batch_lines, foresee, foresee_batch
from states.batches.run import decline_batch, find_batch, list_batches, open_batch, run_batch
from states.moves import OutcomeKind

NOW = START + timedelta(days=3)
REGISTERED = CaseFilter(state="registered")


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def _order(caseload: Caseload, trigger: str = "confirm_arrival", role: str = "intake_officer", **parts: Any) -> Order:
    return Order(trigger, caseload.staff[role], **parts)


def _open(caseload: Caseload, wanted: CaseFilter, order: Order, *, any_version: bool = False) -> Batch:
    return open_batch(caseload.session, wanted, order, uid="B-1", any_version=any_version, now=NOW)


def _run(session: Session, batch: Batch, limit: int = 4) -> int:
    done = 0
    while settled := run_batch(session, batch, now=NOW, limit=limit):
        session.commit()
        done += settled
    session.commit()
    return done


def _lines(session: Session, batch: Batch) -> list[Line]:
    return [line for chunk in batch_lines(session, batch, size=3) for line in chunk]


def _mixed(caseload: Caseload) -> list[int]:
    """Twelve cases, of which four have arrived already."""
    ids: list[int] = caseload.register_many(12)
    caseload.advance_all(ids[:4], "confirm_arrival", role="intake_officer")
    caseload.session.commit()
    return ids


def test_what_is_foreseen_is_what_happens_and_foreseeing_writes_nothing(caseload: Caseload, engine: Engine) -> None:
    _mixed(caseload)
    session, order = caseload.session, _order(caseload)
    before = session.scalar(select(func.count()).select_from(JournalRow))
    session.commit()
    with read_session(engine) as reader:
        foreseen = [line for chunk in foresee(reader, CaseFilter(), order, now=NOW, size=5) for line in chunk]
    assert session.scalar(select(func.count()).select_from(JournalRow)) == before
    batch = _open(caseload, CaseFilter(), order)
    session.commit()
    assert [line for chunk in foresee_batch(session, batch, now=NOW, size=5) for line in chunk] == foreseen
    assert _run(session, batch) == 12
    assert _lines(session, batch) == foreseen
    tally = Tally(shown=2)
    tally.add(foreseen)
    assert tally.outcomes == {"moved": 8, "refused": 4}
    assert (tally.total, tally.moved) == (12, 8)
    ((reason, number),) = tally.cases.items()
    assert (reason.code, number, len(tally.codes[reason])) == ("wrong_state", 4, 2)
    assert (batch.status, batch.finished_at, batch.total) == (BatchStatus.DONE, NOW, 12)


def test_the_cases_are_fixed_when_the_batch_is_opened(caseload: Caseload) -> None:
    ids = _mixed(caseload)
    batch = _open(caseload, REGISTERED, _order(caseload))
    later = caseload.register_many(3)
    assert batch.total == _run(caseload.session, batch) == 8
    assert {caseload.case(id_).state for id_ in ids} == {"arrived"}
    assert {caseload.case(id_).state for id_ in later} == {"registered"}
    assert batch.filter == {"state": "registered"}


@pytest.mark.parametrize("any_version", [False, True])
def test_a_case_that_changed_meanwhile_is_reported_and_not_moved_blindly(caseload: Caseload, any_version: bool) -> None:
    ids = caseload.register_many(5)
    caseload.advance_all(ids, "confirm_arrival", role="intake_officer")
    hold = _order(caseload, "hold", "coordinator", reason="security")
    batch = _open(caseload, CaseFilter(state="arrived"), hold, any_version=any_version)
    caseload.advance(ids[2], "hold", reason="medical")
    caseload.advance(ids[2], "resume")
    _run(caseload.session, batch)
    outcomes = Counter(line.kind for line in _lines(caseload.session, batch))
    assert outcomes == ({OutcomeKind.MOVED: 5} if any_version else {OutcomeKind.MOVED: 4, OutcomeKind.STALE: 1})
    assert caseload.case(ids[2]).state == ("on_hold" if any_version else "arrived")


def test_a_batch_that_stops_goes_on_without_moving_anything_twice(caseload: Caseload) -> None:
    caseload.register_many(10)
    session = caseload.session
    batch = _open(caseload, REGISTERED, _order(caseload))
    session.commit()
    assert run_batch(session, batch, now=NOW, limit=4) == 4
    session.commit()
    assert run_batch(session, batch, now=NOW, limit=4) == 4
    session.rollback()  # as when the process dies before the commit
    again = find_batch(session, "b-1")
    assert again.status == BatchStatus.RUNNING
    assert [line.kind for line in _lines(session, again)] == [OutcomeKind.MOVED] * 4 + [None] * 6
    assert _run(session, again) == 6
    assert _run(session, again) == 0
    assert Counter(line.kind for line in _lines(session, again)) == {OutcomeKind.MOVED: 10}
    commands = session.exec(select(JournalRow.command_id).where(JournalRow.trigger == "confirm_arrival")).all()
    ids = session.exec(select(Case.id)).all()
    assert sorted(commands) == sorted(f"batch:B-1:{id_}" for id_ in ids)


def test_a_batch_is_run_by_who_ordered_it_and_not_after_they_left_or_it_was_declined(caseload: Caseload) -> None:
    caseload.register_many(2)
    session = caseload.session
    batch = _open(caseload, REGISTERED, _order(caseload))
    author = session.get_one(Staff, batch.staff_id)
    author.active = False
    session.flush()
    with pytest.raises(WrongUse, match="who ordered"):
        run_batch(session, batch, now=NOW, limit=9)
    author.active = True
    session.flush()
    decline_batch(session, batch, now=NOW)
    with pytest.raises(WrongUse, match="declined"):
        run_batch(session, batch, now=NOW, limit=9)
    assert [line.kind for line in _lines(session, batch)] == [None, None]
    assert [(listed.uid, login) for listed, login in list_batches(session, limit=5)] == [("B-1", author.login)]
    with pytest.raises(WrongUse, match="no batch"):
        find_batch(session, "B-2")


def test_no_comes_too_late_for_a_batch_that_was_begun_elsewhere(caseload: Caseload, engine: Engine) -> None:
    caseload.register_many(3)
    session = caseload.session
    batch = _open(caseload, REGISTERED, _order(caseload, note="Arrivée fictive"))
    session.commit()
    assert batch.status == BatchStatus.PROPOSED
    session.commit()
    with write_session(engine) as other:
        assert run_batch(other, find_batch(other, "B-1"), now=NOW, limit=1) == 1
        other.commit()
    decline_batch(session, batch, now=NOW)
    assert (batch.status, batch.note, batch.finished_at) == (BatchStatus.RUNNING, "Arrivée fictive", None)
    assert _run(session, batch) == 2


def test_a_declined_batch_foresees_nothing(caseload: Caseload) -> None:
    caseload.register_many(2)
    batch = _open(caseload, REGISTERED, _order(caseload))
    decline_batch(caseload.session, batch, now=NOW)
    with pytest.raises(WrongUse, match="declined"):
        list(foresee_batch(caseload.session, batch, now=NOW))


def test_the_note_is_in_the_journals_and_not_kept_beside_them(caseload: Caseload) -> None:
    caseload.register_many(3)
    session = caseload.session
    batch = _open(caseload, REGISTERED, _order(caseload, note="une note", data={"months": 3}))
    session.commit()
    assert run_batch(session, batch, now=NOW, limit=2) == 2
    assert (batch.note, batch.data) == ("une note", {"months": 3})
    _run(session, batch)
    session.refresh(batch)
    assert (batch.note, batch.data) == (None, {})
    rows = session.exec(select(JournalRow.note, JournalRow.data).where(JournalRow.trigger == "confirm_arrival")).all()
    assert [tuple(row) for row in rows] == [("une note", {"months": 3})] * 3


def test_an_order_that_cannot_be_kept_is_refused_before_anything_is_fixed(caseload: Caseload) -> None:
    order = _order(caseload, note="a\0b")
    with pytest.raises(WrongUse, match="cannot be kept"):
        _open(caseload, REGISTERED, order)
    with pytest.raises(WrongUse, match="cannot be kept"):
        next(foresee(caseload.session, REGISTERED, order, now=NOW))
    assert caseload.session.exec(select(Batch)).all() == []


def test_an_eligibility_review_holds_1500_cases(caseload: Caseload) -> None:
    """January 2019: assistance for about 1,500 people was suspended for a review."""
    ids = caseload.register_many(1500)
    session = caseload.session
    caseload.advance_all(ids, "confirm_arrival", role="intake_officer")
    order = _order(caseload, "hold", "coordinator", reason="eligibility_review")
    batch = _open(caseload, CaseFilter(state="arrived"), order)
    session.commit()
    assert _run(session, batch, limit=1000) == 1500
    assert count_cases(session, CaseFilter(state="on_hold", hold_reason="eligibility_review")) == 1500
    assert count_cases(session, CaseFilter(state="arrived")) == 0
    assert Counter(line.kind for chunk in batch_lines(session, batch) for line in chunk) == {OutcomeKind.MOVED: 1500}


def test_a_chunk_costs_the_same_statements_whatever_its_size(caseload: Caseload, engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for number, size in enumerate((1, 100)):
        caseload.register_many(size)
        order = _order(caseload)
        seen.clear()
        batch = open_batch(caseload.session, REGISTERED, order, uid=f"B-{number}", any_version=False, now=NOW)
        run_batch(caseload.session, batch, now=NOW, limit=1000)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 20


def test_two_runs_at_once_and_people_at_work_leave_one_outcome_for_each_case(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        ids = caseload.register_many(60)
        batch_id = _open(caseload, REGISTERED, _order(caseload)).id
        moves = [caseload.move(id_, "confirm_arrival", "intake_officer") for id_ in ids[::3]]
        session.commit()
    by_hand: list[OutcomeKind] = []
    started = threading.Barrier(3)

    def run() -> None:
        started.wait()
        with write_session(engine) as session:
            _run(session, session.get_one(Batch, batch_id), limit=5)

    def work() -> None:
        started.wait()
        for move in reversed(moves):
            with write_session(engine) as session:
                by_hand.append(advance_case(session, move, now=NOW).kind)
                session.commit()

    threads = [threading.Thread(target=each) for each in (run, run, work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read_session(engine) as session:
        batch = session.get_one(Batch, batch_id)
        lines = _lines(session, batch)
        arrivals = session.exec(
            select(JournalRow.case_id, func.count())
            .where(JournalRow.trigger == "confirm_arrival")
            .group_by(col(JournalRow.case_id))
        ).all()
        rows = session.scalar(select(func.count()).select_from(BatchCase))
    outcomes = Counter(line.kind for line in lines)
    assert (rows, len(lines), batch.status) == (60, 60, BatchStatus.DONE)
    assert set(outcomes) <= {OutcomeKind.MOVED, OutcomeKind.STALE}
    assert dict(arrivals) == dict.fromkeys(ids, 1)
    assert outcomes[OutcomeKind.STALE] == by_hand.count(OutcomeKind.MOVED)
