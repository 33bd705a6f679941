"""What staff record reaches the case, and a record stands exactly when the move that it allows was made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel, col
from synthetic_cases import START, Caseload, open_caseload

from models import Task
from states.casework.act import (
    ANOTHER_ROLE,
    ENDS_WITH_A_MOVE,
    NO_SUCH_TASK,
    NOT_OPEN,
    Step,
    TaskDone,
    complete_tasks,
)
from states.moves import OutcomeKind

LATER = START + timedelta(days=2)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def step(caseload: Caseload, case_id: int, role: str, command_id: str | None = None) -> Step:
    move = caseload.move(case_id, "", role, command_id=command_id)
    return Step(case_id=case_id, actor=move.actor, command_id=move.command_id, correlation_id="test")


def rows(caseload: Caseload, table: type[SQLModel], case_id: int) -> list[Any]:
    query = select(table).where(table.case_id == case_id).order_by(table.id)
    return list(caseload.session.scalars(query.execution_options(populate_existing=True)))


def in_planning(caseload: Caseload, number: int = 1) -> list[int]:
    """Cases on their way to a plan, everything recorded through the functions of staff."""
    case_ids = caseload.register_many(number)
    caseload.advance_all(case_ids, "confirm_arrival", role="intake_officer")
    caseload.agree(case_ids)
    caseload.advance_all(case_ids, "begin_screening", role="intake_officer")
    caseload.screen(case_ids)
    moved = caseload.advance_all(case_ids, "begin_planning", role="case_worker")
    assert [outcome.kind for outcome in moved] == [OutcomeKind.MOVED] * number
    return case_ids


def test_a_case_cannot_be_screened_without_the_consent_that_staff_record(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    refused = caseload.advance(case_id, "begin_screening", role="intake_officer")
    assert [reason.code for reason in refused.reasons] == ["consent_given"]


def test_only_tasks_that_no_move_ends_are_done_by_hand(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    tasks = {task.key: task.id for task in rows(caseload, Task, case_id)}
    officer, worker = caseload.staff["intake_officer"], caseload.staff["case_worker"]

    answers = complete_tasks(
        caseload.session,
        [
            TaskDone(tasks["post_arrival_assistance"], worker),
            TaskDone(tasks["identity_interview"], officer),
            TaskDone(tasks["identity_interview"], worker),
            TaskDone(tasks["confirm_arrival"], officer),
            TaskDone(10_000, worker),
        ],
        now=LATER,
    )

    assert answers == [None, ENDS_WITH_A_MOVE, ANOTHER_ROLE, NOT_OPEN, NO_SUCH_TASK]
    caseload.session.expire_all()
    done = caseload.session.scalars(select(Task).where(col(Task.status) == "done", col(Task.closed_seq).is_(None)))
    assert [(task.key, task.done_by, task.closed_at) for task in done] == [
        ("post_arrival_assistance", worker.id, LATER)
    ]
