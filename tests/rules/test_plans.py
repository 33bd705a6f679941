"""The reintegration plan: drafted, returned, revised, approved by somebody else, and carried out item by item. All
people are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload

from models import CasePlan, Deadline, JournalRow, PlanItem, Task, WrongUse
from models.plan_history import PlanRevision, plan_history
from states.casework.plans import (
    ItemStep,
    PlanDraft,
    PlannedItem,
    PlanStep,
    advance_items,
    approve_plans,
    draft_plans,
    return_plans,
    revise_plans,
    submit_plans,
)
from states.moves import Outcome, OutcomeKind

LATER = START + timedelta(days=2)
GOAL = "Vivre de la couture"


class Planning:
    """A case that is ready for its plan, and what its people do with it."""

    def __init__(self, session: Session) -> None:
        self.caseload: Caseload = open_caseload(session)
        self.session = session
        (self.case_id,) = self.caseload.register_many(1)
        self.caseload.advance(self.case_id, "confirm_arrival", role="intake_officer")
        self.caseload.agree([self.case_id])
        self.caseload.advance(self.case_id, "begin_screening", role="intake_officer")
        self.caseload.screen([self.case_id])
        assert self.caseload.advance(self.case_id, "begin_planning", role="case_worker").kind is OutcomeKind.MOVED

    def signed(self, role: str, **parts: Any) -> dict[str, Any]:
        return {**self.caseload.signed(self.case_id, role), **parts}

    def draft(self, plan: str = "P1", role: str = "case_worker", **parts: Any) -> Outcome:
        draft = PlanDraft(**self.signed(role, plan=plan, **{"needs": ("training",), "items": (item(),), **parts}))
        return draft_plans(self.session, [draft], new_code=self.caseload.new_code, now=START)[0]

    def step(self, how: Any, plan: str = "P1", role: str = "coordinator", **parts: Any) -> Outcome:
        outcome: Outcome = how(self.session, [PlanStep(**self.signed(role, plan=plan, **parts))], now=LATER)[0]
        return outcome

    def item(self, trigger: Any, code: str, reason: str | None = None) -> Outcome:
        step = ItemStep(**self.signed("case_worker", item=code, reason=reason))
        return advance_items(self.session, trigger, [step], now=LATER)[0]

    def history(self) -> list[PlanRevision]:
        self.session.expire_all()
        return plan_history(self.session, self.case_id)

    def items(self) -> dict[str, str]:
        """Codes and statuses of the items that stand."""
        return {each.code: each.status for revision in self.history() for each in revision.items}

    def open_tasks(self) -> set[str]:
        return set(self.session.exec(select(Task.key).where(Task.case_id == self.case_id, Task.status == "open")))

    def clock(self, key: str) -> str:
        query = select(Deadline.status).where(Deadline.case_id == self.case_id, Deadline.key == key)
        return str(self.session.exec(query.order_by(col(Deadline.id).desc())).first())


def item(**changes: Any) -> PlannedItem:
    given: dict[str, Any] = {"level": "individual", "dimension": "economic", "goal": GOAL, "service": "training"}
    return PlannedItem(**(given | changes))


def codes(outcome: Outcome) -> list[str]:
    assert outcome.kind is OutcomeKind.REFUSED
    return [reason.code for reason in outcome.reasons]


def all_moved(outcomes: Sequence[Outcome]) -> None:
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}


@pytest.fixture
def planning(session: Session) -> Planning:
    return Planning(session)


def test_a_plan_is_approved_by_another_person_than_its_author(planning: Planning) -> None:
    all_moved([planning.draft(role="coordinator"), planning.step(submit_plans)])
    assert codes(planning.step(approve_plans)) == ["plan_approver_differs"]
    (revision,) = planning.history()
    assert (revision.status, revision.in_force, revision.approver) == ("submitted", False, None)

    all_moved([planning.step(return_plans, note="Il manque le prestataire")])
    redrafted = PlanDraft(**planning.signed("case_worker", plan="P1", needs=("training",)))
    all_moved(revise_plans(planning.session, [redrafted], new_code=planning.caseload.new_code, now=LATER))
    all_moved([planning.step(submit_plans), planning.step(approve_plans)])
    (revision,) = planning.history()
    assert (revision.status, revision.in_force, revision.author) == ("approved", True, "case_worker")
    assert (revision.approver, revision.approved_at, revision.submitted_at) == ("coordinator", LATER, LATER)
    assert planning.open_tasks() >= {"start_support"}
    assert not planning.open_tasks() & {"draft_plan", "approve_plan", "rework_plan"}
    assert [planning.clock(key) for key in ("plan_drafted", "plan_decided", "plan_approved")] == ["kept"] * 3


def test_a_plan_that_is_returned_says_why_and_has_a_clock(planning: Planning) -> None:
    planning.draft()
    planning.step(submit_plans)
    assert codes(planning.step(return_plans)) == ["note_given"]
    all_moved([planning.step(return_plans, note="Trop vague")])
    assert planning.open_tasks() >= {"rework_plan"}
    assert planning.clock("plan_reworked") == "open"
    assert codes(planning.step(submit_plans)) == ["wrong_record_state"]


def test_a_plan_is_revised_on_the_way_with_its_history(planning: Planning) -> None:
    all_moved([planning.draft(), planning.step(approve_plans)])
    assert codes(planning.draft("P1", items=())) == ["record_exists"]
    ((first, _),) = planning.items().items()
    all_moved([planning.item("start_plan_item", first)])
    all_moved([planning.caseload.advance(planning.case_id, "start_training", role="training_officer", now=LATER)])
    new = item(level="community", dimension="social", service="education", ends_on=date(2024, 9, 1))
    all_moved([planning.draft("P2", needs=("training", "livelihood"), items=(new,))])
    assert codes(planning.draft("P3")) == ["no_record_in"]
    all_moved([planning.step(submit_plans, "P2"), planning.step(approve_plans, "P2")])

    one, two = planning.history()
    assert (one.code, one.in_force, two.code, two.in_force) == ("P1", False, "P2", True)
    assert (two.added, two.left_out, [each.level for each in two.items]) == (("livelihood",), (), ["community"])
    assert [each.status for each in one.items] == ["in_progress"]
    all_moved([planning.item("finish_plan_item", first)])
    assert planning.items()[first] == "done"


def test_what_a_new_draft_leaves_out_is_dropped_with_a_reason(planning: Planning) -> None:
    planning.draft(items=(item(), item(goal="Autre chose")))
    kept, left_out = planning.items()
    redrafted = PlanDraft(**planning.signed("case_worker", plan="P1", needs=(), drop=(left_out,)))
    all_moved(revise_plans(planning.session, [redrafted], new_code=planning.caseload.new_code, now=LATER))
    assert planning.items() == {kept: "planned", left_out: "dropped"}
    reasons = planning.session.exec(select(PlanItem.reason).order_by(col(PlanItem.id))).all()
    assert reasons == [None, "plan_revised"]
    assert codes(planning.item("drop_plan_item", kept)) == ["reason_in"]
    all_moved([planning.item("drop_plan_item", kept, "person_declined")])
    assert codes(planning.item("start_plan_item", kept)) == ["wrong_record_state"]


def test_a_draft_that_is_taken_back_takes_its_items_with_it(planning: Planning) -> None:
    planning.draft()
    taken = planning.caseload.advance(planning.case_id, "correct", note="Mauvais dossier", now=LATER)
    assert taken.kind is OutcomeKind.MOVED
    assert planning.history() == []
    assert planning.open_tasks() >= {"draft_plan"}
    all_moved([planning.draft("P2"), planning.step(approve_plans, "P2")])
    assert [each.revision for each in planning.history()] == [2]


def test_an_approval_that_is_taken_back_is_nobody_s(planning: Planning) -> None:
    def correct() -> None:
        all_moved([planning.caseload.advance(planning.case_id, "correct", note="Trop tôt", now=LATER)])

    all_moved([planning.draft(), planning.step(submit_plans), planning.step(approve_plans)])
    all_moved([planning.draft("P2", items=()), planning.step(submit_plans, "P2"), planning.step(approve_plans, "P2")])
    assert [each.in_force for each in planning.history()] == [False, True]
    correct()
    first, second = planning.history()
    assert (first.in_force, first.approver, second.in_force) == (True, "coordinator", False)
    assert (second.status, second.approver, second.approved_at) == ("submitted", None, None)
    correct()
    assert (planning.history()[1].status, planning.history()[1].submitted_at) == ("draft", None)
    ((code, _),) = planning.items().items()
    all_moved([planning.item("drop_plan_item", code, "other")])
    correct()
    ((restored,),) = (each.items for each in planning.history() if each.items)
    assert (restored.status, restored.reason) == ("planned", None)


def test_a_plan_that_was_revised_is_revised_again(planning: Planning) -> None:
    planning.draft()
    redrafted = PlanDraft(**planning.signed("case_worker", plan="P1", needs=("livelihood",)))
    all_moved(revise_plans(planning.session, [redrafted], new_code=planning.caseload.new_code, now=LATER))
    taken = planning.caseload.advance(planning.case_id, "correct", note="Erreur", now=LATER)
    assert codes(taken) == ["recorded_apart"]
    assert planning.history()[0].needs == ("livelihood",)


def test_the_same_command_again_changes_nothing(planning: Planning) -> None:
    draft = PlanDraft(**planning.signed("case_worker", plan="P1", needs=(), items=(item(),)))
    answers = [
        draft_plans(planning.session, [draft], new_code=planning.caseload.new_code, now=now)[0]
        for now in (START, LATER)
    ]
    assert [each.kind for each in answers] == [OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE]
    assert len(planning.items()) == len(planning.session.exec(select(CasePlan)).all()) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"needs": ("trainning",)}, "'trainning'"),
        ({"items": (item(need="nowhere"),)}, "'nowhere'"),
        ({"items": (item(level="village"),)}, "level with the code 'village'"),
        ({"items": (item(dimension="legal"),)}, "dimension with the code 'legal'"),
        ({"items": (item(service="magic"),)}, "service with the code 'magic'"),
        ({"items": (item(mode="both"),)}, "mode with the code 'both'"),
        ({"drop": ("NONE",)}, "cannot drop"),
        ({"items": (item(goal=" "),)}, "needs a goal"),
        ({"items": (item(starts_on=date(2024, 3, 2), ends_on=date(2024, 3, 1)),)}, "ends before it starts"),
    ],
)
def test_what_a_plan_cannot_say_is_refused_and_nothing_written(
    planning: Planning, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(WrongUse, match=said):
        planning.draft(**changes)
    assert planning.session.exec(select(CasePlan)).all() == []


def test_no_goal_reaches_the_journal(planning: Planning) -> None:
    planning.draft()
    rows = planning.session.exec(select(JournalRow)).all()
    assert GOAL not in "".join(str(row.model_dump()) for row in rows)
