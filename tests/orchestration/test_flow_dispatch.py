"""The dispatch flow on a real Prefect server: what a transition left behind is carried out, once, and traceable."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prefect_runs import number_of_runs, run_of, steps_of
from sqlalchemy import Engine, text
from sqlmodel import col, select
from synthetic_cases import START, Caseload

import flows.dispatch
from deployments.server import ServerHandle
from flows.dispatch import COUNTS, arm, assign, claim, dispatch, finish, notify, waits
from flows.steps import StepFailed
from models import Delivery, Dispatch, Event, JournalRow, Notice, Task
from models.database import read_session
from states.dispatching import LEASE
from states.moves import OutcomeKind


def test_one_transition_is_one_run_that_leads_to_it_and_back(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    [case_id] = caseload.register_many(1)
    caseload.session.commit()
    asyncio.run(dispatch(now=START))
    assert caseload.advance(case_id, "confirm_arrival", role="intake_officer").kind == OutcomeKind.MOVED
    caseload.session.commit()
    assert waits(START)

    counts = asyncio.run(dispatch(now=START))

    with read_session(engine) as session:
        row = session.exec(select(JournalRow).where(JournalRow.seq == 2)).one()
        done = session.get_one(Dispatch, row.dispatch_id)
        tasks = session.exec(select(Task).where(Task.case_id == case_id, Task.seq == 2)).all()
        reminders = session.exec(select(Notice).where(Notice.kind == "reminder")).all()
        events = session.exec(select(Event).order_by(col(Event.id))).all()
        deliveries = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
    assert (done.transitions, done.started_at, done.finished_at) == (1, START, START)
    assert tasks
    assert all(task.staff_id == caseload.staff[task.role].id for task in tasks)
    assert [delivery.event_id for delivery in deliveries] == [event.id for event in events]
    assert reminders
    assert counts == {
        "chunks": 1,
        "transitions": 1,
        "tasks_assigned": len(tasks),
        "reminders_armed": len(reminders),
        "deliveries_made": len([event for event in events if event.seq == 2]),
    }
    assert {name: getattr(done, name) for name in COUNTS[2:]} == {name: counts[name] for name in COUNTS[2:]}
    run = run_of(done.flow_run_id)
    assert run.state_name == "Completed"
    assert run.parameters == {"now": START.isoformat()}
    names = sorted(step.name.rpartition("-")[0] for step in steps_of(done.flow_run_id, 3))
    assert names == ["arm reminders", "assign tasks", "notify partners"]


def test_when_nothing_waits_a_run_does_nothing(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    caseload.register_many(2)
    caseload.session.commit()
    asyncio.run(dispatch(now=START))

    assert not waits(START)
    assert asyncio.run(dispatch(now=START)) == dict.fromkeys(COUNTS, 0)
    with read_session(engine) as session:
        assert len(session.exec(select(Dispatch)).all()) == 1


def test_a_convoy_is_one_run_of_a_few_chunks(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.dispatch, "CHUNK", 60)
    case_ids = caseload.register_many(150)
    caseload.session.commit()
    before = number_of_runs("dispatch")

    counts = asyncio.run(dispatch(now=START))

    assert (counts["chunks"], counts["transitions"]) == (3, 150)
    assert number_of_runs("dispatch") == before + 1
    with read_session(engine) as session:
        chunks = session.exec(select(Dispatch).order_by(col(Dispatch.id))).all()
        waiting = session.exec(select(Task.id).where(col(Task.staff_id).is_(None))).all()
        delivered = session.exec(select(Delivery.case_id)).all()
    assert [chunk.transitions for chunk in chunks] == [60, 60, 30]
    assert len({chunk.flow_run_id for chunk in chunks}) == 1
    assert not waiting
    assert sorted(delivered) == sorted(case_ids)


def test_two_runs_at_once_share_the_work(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows.dispatch, "CHUNK", 10)
    case_ids = caseload.register_many(60)
    caseload.session.commit()

    async def both() -> list[dict[str, int]]:
        return await asyncio.gather(dispatch(now=START), dispatch(now=START))

    one, other = asyncio.run(both())

    assert one["transitions"] + other["transitions"] == 60
    with read_session(engine) as session:
        assert sorted(session.exec(select(Delivery.case_id)).all()) == sorted(case_ids)
        assert sum(chunk.transitions for chunk in session.exec(select(Dispatch))) == 60


def test_a_step_that_fails_tells_prefect_its_kind_and_is_repeated_after_the_lease(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    [case_id] = caseload.register_many(1)
    caseload.session.execute(text("ALTER TABLE notice RENAME TO hidden"))
    caseload.session.commit()

    with pytest.raises(StepFailed, match=r"The step arm failed \((Operational|Programming)Error\)"):
        asyncio.run(dispatch(now=START))

    with read_session(engine) as session:
        failed = session.exec(select(Dispatch)).one()
    run = run_of(failed.flow_run_id)
    assert run.state is not None
    assert run.state.name == "Failed"
    assert "hidden" not in str(run.state.message)
    assert "notice" not in str(run.state.message)
    assert failed.finished_at is None

    caseload.session.execute(text("ALTER TABLE hidden RENAME TO notice"))
    caseload.session.commit()
    later = START + LEASE + timedelta(seconds=1)
    assert not waits(START)
    assert waits(later)
    assert asyncio.run(dispatch(now=later))["transitions"] == 1
    with read_session(engine) as session:
        assert session.exec(select(Dispatch)).one().finished_at == later
        assert session.exec(select(Delivery.case_id)).all() == [case_id]


def test_a_run_that_wakes_up_late_changes_nothing_twice(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    """It stood still between its claim and its steps for longer than the lease, and another run did them."""
    [case_id] = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    caseload.session.commit()
    claimed = claim(START, "asleep")
    assert claimed is not None
    later = START + LEASE
    assert asyncio.run(dispatch(now=later))["transitions"] == 2
    before = _what_was_done(engine)

    async def wake_up() -> list[int]:
        return [await assign(claimed.case_ids, later), await arm(claimed.case_ids, later), await notify(later)]

    assert asyncio.run(wake_up()) == [0, 0, 0]
    finish(claimed, later, "asleep", {"tasks_assigned": 0, "reminders_armed": 0, "deliveries_made": 0})
    assert _what_was_done(engine) == before


def _what_was_done(engine: Engine) -> list[object]:
    """Every dispatch, task, notice and delivery as it is."""
    with read_session(engine) as session:
        return [
            row.model_dump()
            for table in (Dispatch, Task, Notice, Delivery)
            for row in session.exec(select(table)).all()
        ]
