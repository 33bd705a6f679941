"""What staff record reaches the case, and a record stands exactly when the move that it allows was made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel, col
from synthetic_cases import START, Caseload, open_caseload

from models import CasePlan, JournalRow, Task, WrongUse
from states.casework.act import (
    ANOTHER_ROLE,
    ENDS_WITH_A_MOVE,
    NO_SUCH_TASK,
    NOT_OPEN,
    Step,
    TaskDone,
    complete_tasks,
)
from states.casework.plan import NO_DRAFT, PlanDraft, approve_plans, draft_plans
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


def test_a_plan_is_approved_by_another_person_than_its_author(caseload: Caseload) -> None:
    case_ids = in_planning(caseload, 2)
    author, coordinator = caseload.staff["case_worker"], caseload.staff["coordinator"]
    drafts = [
        PlanDraft(case_id=case_ids[0], actor=author, needs=("training", "training"), items=({"section": "economic"},)),
        PlanDraft(case_id=case_ids[1], actor=coordinator, needs=("livelihood",)),
    ]
    draft_plans(caseload.session, drafts, now=START)

    approvals = [step(caseload, case_id, "coordinator") for case_id in case_ids]
    approved, refused = approve_plans(caseload.session, approvals, now=LATER)

    assert approved.kind is OutcomeKind.MOVED
    assert refused.kind is OutcomeKind.REFUSED
    assert [reason.code for reason in refused.reasons] == ["plan_approver_differs"]
    (plan,) = rows(caseload, CasePlan, case_ids[0])
    assert (plan.status, plan.approver_id, plan.approved_at) == ("approved", coordinator.id, LATER)
    assert (plan.revision, plan.needs, plan.items) == (1, ["training"], [{"section": "economic"}])
    # The refused one left no trace: neither an approval nor a journal row.
    (plan,) = rows(caseload, CasePlan, case_ids[1])
    assert (plan.status, plan.approver_id) == ("draft", None)
    assert [row.trigger for row in rows(caseload, JournalRow, case_ids[1])][-1] == "begin_planning"


def test_the_same_command_again_answers_the_same_and_changes_nothing(caseload: Caseload) -> None:
    (case_id,) = in_planning(caseload)
    draft_plans(
        caseload.session, [PlanDraft(case_id=case_id, actor=caseload.staff["case_worker"], needs=())], now=START
    )
    approval = step(caseload, case_id, "coordinator", command_id="approve-once")
    (first,) = approve_plans(caseload.session, [approval], now=LATER)
    (again,) = approve_plans(caseload.session, [approval], now=LATER + timedelta(hours=1))
    (other,) = approve_plans(caseload.session, [step(caseload, case_id, "coordinator")], now=LATER)

    assert (first.kind, again.kind) == (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
    assert (again.seq, again.to_state) == (first.seq, first.to_state)
    assert other.reasons == (NO_DRAFT,)
    assert rows(caseload, CasePlan, case_id)[0].approved_at == LATER


def test_a_new_draft_is_the_next_revision_and_needs_states_of_the_pathway(caseload: Caseload) -> None:
    (case_id,) = in_planning(caseload)
    author = caseload.staff["case_worker"]
    draft_plans(caseload.session, [PlanDraft(case_id=case_id, actor=author, needs=("training",))], now=START)
    draft_plans(caseload.session, [PlanDraft(case_id=case_id, actor=author, needs=())], now=LATER)
    assert [plan.revision for plan in rows(caseload, CasePlan, case_id)] == [1, 2]
    with pytest.raises(WrongUse, match="'trainning'"):
        draft_plans(caseload.session, [PlanDraft(case_id=case_id, actor=author, needs=("trainning",))], now=LATER)


def test_two_steps_on_one_case_are_not_taken_at_once_and_an_unknown_case_is_answered(caseload: Caseload) -> None:
    (case_id,) = in_planning(caseload)
    twice = [step(caseload, case_id, "coordinator"), step(caseload, case_id, "coordinator")]
    with pytest.raises(WrongUse, match="Two steps"):
        approve_plans(caseload.session, twice, now=START)
    (unknown,) = approve_plans(caseload.session, [step(caseload, 99, "coordinator")], now=START)
    assert unknown.kind is OutcomeKind.UNKNOWN


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
