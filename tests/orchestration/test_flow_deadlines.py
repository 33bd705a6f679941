"""The flow of urgent deadlines on a real Prefect server: what cannot wait for the night does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import col, select
from synthetic_cases import START, Caseload

from deployments.server import ServerHandle
from flows.deadlines import deadlines, waits
from flows.dispatch import dispatch
from models import Deadline, Notice
from models.database import read_session
from states.moves import OutcomeKind

HOUR = timedelta(hours=1)


def _emergency(caseload: Caseload) -> int:
    """A case that arrived and in which somebody raised an emergency, carried out."""
    [case_id] = caseload.register_many(1)
    assert caseload.advance(case_id, "confirm_arrival", role="intake_officer").kind == OutcomeKind.MOVED
    assert caseload.advance(case_id, "raise_emergency").kind == OutcomeKind.MOVED
    caseload.session.commit()
    asyncio.run(dispatch(now=START))
    return case_id


def test_an_emergency_is_reminded_of_and_escalated_at_its_hour(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    case_id = _emergency(caseload)
    assert not waits(START + 17 * HOUR)

    assert waits(START + 18 * HOUR)
    reminded = asyncio.run(deadlines(now=START + 18 * HOUR))
    assert (reminded["seen"], reminded["sent"]) == (0, 1)
    assert not waits(START + 18 * HOUR)

    assert waits(START + 25 * HOUR)
    late = asyncio.run(deadlines(now=START + 25 * HOUR))
    assert (late["overdue"], late["escalated"], late["sent"]) == (1, 1, 2)
    assert not waits(START + 25 * HOUR)

    with read_session(engine) as session:
        clock = session.exec(select(Deadline).where(Deadline.key == "emergency_response")).one()
        lines = session.exec(
            select(Notice.kind, Notice.role).where(Notice.deadline_id == clock.id).order_by(col(Notice.id))
        ).all()
    assert (clock.case_id, clock.overdue_at, clock.level) == (case_id, START + 25 * HOUR, 1)
    assert lines == [
        ("reminder", "psychosocial_worker"),
        ("overdue", "psychosocial_worker"),
        ("escalation", "coordinator"),
    ]


def test_the_other_deadlines_wait_for_the_night(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    [case_id] = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    caseload.session.commit()
    asyncio.run(dispatch(now=START))
    later = START + timedelta(days=60)

    asyncio.run(deadlines(now=later))

    assert not waits(later)
    with read_session(engine) as session:
        reminders = session.exec(select(Notice.sent_at).where(Notice.kind == "reminder", col(Notice.send_at) <= later))
        assert set(reminders) == {None}, "reminders that are not urgent wait for the digest of the night"
        clocks = session.exec(select(Deadline).where(col(Deadline.next_at) <= later, Deadline.status == "open")).all()
    assert clocks
    assert all(clock.overdue_at is None for clock in clocks)


def test_a_second_run_at_the_same_instant_changes_nothing(
    caseload: Caseload, engine: Engine, prefect_server_handle: ServerHandle
) -> None:
    _emergency(caseload)
    asyncio.run(deadlines(now=START + 25 * HOUR))
    again = asyncio.run(deadlines(now=START + 25 * HOUR))
    assert set(again.values()) == {0}
