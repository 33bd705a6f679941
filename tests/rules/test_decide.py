"""What `decide` returns: effects in order and under their conditions, all refusals at once, the same every time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from situations import ACTOR, APPROVER, AUTHOR, NOW, Situation

from states.decide import decide, registration_effects
from states.facts import AssessmentFact, EnrolmentFact, GrantFact, PlanFact, RecordFact
from states.moves import (
    Announce,
    Decision,
    Effect,
    EndDeadline,
    EndTask,
    HoldClocks,
    OpenTask,
    Refusal,
    ResumeClocks,
    SetDeadline,
    SetPriority,
)
from states.pathways.loader import bundled_pathway, load_pathway

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
ORDER = (EndTask, EndDeadline), (HoldClocks, ResumeClocks, SetPriority), (SetDeadline,), (OpenTask,), (Announce,)
ALL_NEEDS = PlanFact("approved", frozenset({"psychosocial", "training", "livelihood"}), AUTHOR, APPROVER)
ALL_SERVED: dict[str, Any] = {
    "plan": ALL_NEEDS,
    "sessions_attended": 2,
    "enrolment": EnrolmentFact("completed", True),
    "grant": GrantFact("verified", AUTHOR, APPROVER, NOW),
}


def moved(
    trigger: str, state: str, *, role: str = "coordinator", move: dict[str, Any] | None = None, **facts: Any
) -> Decision:
    situation = Situation({"state": state, **facts}, move or {}, role)
    verdict = decide(MALI, situation.as_facts(), situation.as_move(trigger), NOW)
    assert isinstance(verdict, Decision), verdict
    return verdict


def refused(
    trigger: str, state: str, *, role: str = "coordinator", move: dict[str, Any] | None = None, **facts: Any
) -> list[str]:
    situation = Situation({"state": state, **facts}, move or {}, role)
    verdict = decide(MALI, situation.as_facts(), situation.as_move(trigger), NOW)
    assert isinstance(verdict, Refusal), verdict
    return [reason.code for reason in verdict.reasons]


def keys(decision: Decision, kind: type[Effect]) -> list[str]:
    return [effect.key for effect in decision.effects if isinstance(effect, kind)]  # type: ignore[union-attr]


def due(decision: Decision, key: str) -> datetime:
    return next(effect.due_at for effect in decision.effects if isinstance(effect, SetDeadline) and effect.key == key)


def test_registration_begins_with_its_task_its_timer_and_its_event() -> None:
    effects = registration_effects(MALI, Situation().as_facts(), NOW)
    assert effects == (
        SetDeadline(
            "no_show", "timer", "registered", datetime(2024, 5, 12, tzinfo=UTC), datetime(2024, 5, 12, tzinfo=UTC)
        ),
        OpenTask("confirm_arrival", "intake_officer", "registered", "normal", None),
        Announce("case.registered", {"state": "registered"}),
    )


def test_the_arrival_starts_the_clocks_that_count_from_it() -> None:
    decision = moved("confirm_arrival", "registered", arrival_date=date(2024, 1, 31))
    assert due(decision, "plan_approved") == datetime(2024, 3, 1, tzinfo=UTC)
    # 14 working days after 31 January: 20 February, with no holiday between.
    assert due(decision, "screening_begun") == datetime(2024, 2, 21, tzinfo=UTC)
    assert keys(decision, OpenTask) == ["identity_interview", "post_arrival_assistance"]
    assert EndTask("confirm_arrival", True) in decision.effects
    assert EndDeadline("no_show", False) in decision.effects
    assert decision.effects[-1] == Announce("case.arrived", {"state": "arrived"})


@pytest.mark.parametrize(
    ("priority", "key", "due_at"),
    [
        ("emergency", "screening_emergency", datetime(2024, 3, 13, 10, 30, tzinfo=UTC)),
        ("urgent", "screening_urgent", datetime(2024, 3, 15, 10, 30, tzinfo=UTC)),
        ("normal", "screening_normal", datetime(2024, 3, 27, tzinfo=UTC)),
    ],
)
def test_the_screening_clock_follows_the_priority(priority: str, key: str, due_at: datetime) -> None:
    decision = moved("begin_screening", "arrived", priority=priority, consents=frozenset({"assistance"}))
    assert keys(decision, SetDeadline) == [key]
    assert due(decision, key) == due_at
    assert {e.priority for e in decision.effects if isinstance(e, OpenTask)} == {priority}
    # Partners do not learn that somebody is being screened.
    assert decision.effects[-1] == Announce("case.advanced", {})


def test_an_emergency_opens_its_task_at_once_and_changes_the_screening_clock() -> None:
    decision = moved("raise_emergency", "screening", role="psychosocial_worker")
    assert decision.to_state == "screening"
    assert SetPriority("emergency") in decision.effects
    at = datetime(2024, 3, 13, 10, 30, tzinfo=UTC)
    assert OpenTask("emergency_response", "psychosocial_worker", None, "emergency", at) in decision.effects
    assert due(decision, "emergency_response") == due(decision, "screening_emergency") == at
    assert {EndDeadline("screening_urgent", False), EndDeadline("screening_normal", False)} <= set(decision.effects)
    assert not [effect for effect in decision.effects if isinstance(effect, Announce)]
    assert {"emergency_response", "screening_emergency", "screening_urgent"} <= MALI.urgent_deadlines


def test_a_second_emergency_does_not_put_off_the_first() -> None:
    running = {
        "open_tasks": frozenset({"emergency_response"}),
        "open_deadlines": frozenset({"emergency_response", "screening_emergency"}),
    }
    decision = moved("raise_emergency", "screening", priority="emergency", **running)
    assert keys(decision, OpenTask) == keys(decision, SetDeadline) == []
    # On hold the clocks stand still, so there it starts anew.
    held = moved("raise_emergency", "on_hold", priority="emergency", previous_state="screening", **running)
    assert keys(held, OpenTask) == keys(held, SetDeadline) == ["emergency_response"]
    assert {EndTask("emergency_response", False), EndDeadline("emergency_response", False)} <= set(held.effects)


def test_a_review_ends_one_task_and_clock_and_begins_the_next() -> None:
    decision = moved("review_psychosocial", "psychosocial", sessions_attended=1)
    assert EndTask("psychosocial_review", True) in decision.effects
    assert EndDeadline("psychosocial_review", True) in decision.effects
    assert due(decision, "psychosocial_review") == datetime(2024, 6, 11, tzinfo=UTC)
    assert keys(decision, EndTask).count("psychosocial_review") == 1
    assert keys(decision, EndDeadline) == ["psychosocial_review"]


def test_the_visits_are_set_in_calendar_months_with_a_window_of_fifteen_days() -> None:
    decision = moved("start_follow_up", "livelihood", **ALL_SERVED)
    days = {each.key: each.due_at.date().isoformat() for each in decision.effects if isinstance(each, SetDeadline)}
    assert days == {
        "visit_3_opens": "2024-05-29",
        "visit_3": "2024-06-28",
        "visit_6_opens": "2024-08-29",
        "visit_6": "2024-09-28",
        "visit_12_opens": "2025-02-26",
        "visit_12": "2025-03-28",
    }
    assert {e.kind for e in decision.effects if isinstance(e, SetDeadline) and e.key.endswith("opens")} == {"timer"}


def test_a_visit_touches_only_its_own_task_and_clock() -> None:
    opened = moved("open_visit", "follow_up", role="system", move={"data": {"months": 6}})
    assert keys(opened, OpenTask) == ["visit_6"]
    assert keys(opened, EndTask) == ["visit_6"]
    recorded = moved(
        "record_visit",
        "follow_up",
        move={"data": {"months": 6}, "details": True},
        open_deadlines=frozenset({"visit_6"}),
    )
    assert (keys(recorded, EndTask), keys(recorded, EndDeadline)) == (["visit_6"], ["visit_6"])
    assert keys(recorded, OpenTask) == keys(recorded, SetDeadline) == []
    last = moved(
        *("record_visit", "follow_up"),
        move={"data": {"months": 12}, "details": True},
        open_deadlines=frozenset({"visit_12"}),
    )
    assert keys(last, OpenTask) == ["close_case"]
    assert keys(last, SetDeadline) == ["closure_decided"]


def test_follow_up_begins_when_every_need_is_served_or_waived() -> None:
    assert refused("start_follow_up", "planning", plan=ALL_NEEDS) == [
        *("sessions_attended", "training_certified", "livelihood_reached"),
    ]
    only_training = ALL_NEEDS._replace(needs=frozenset({"training"}))
    assert refused("start_follow_up", "training", plan=only_training) == ["training_certified"]
    waiver = {"data": {"waived": ["training"]}, "note": "Le centre a fermé"}
    assert moved("start_follow_up", "training", plan=only_training, move=waiver).to_state == "follow_up"
    assert refused("start_follow_up", "training", plan=only_training, move=waiver, role="case_worker") == [
        "waivers_allowed"
    ]
    assert moved("start_follow_up", "planning", plan=ALL_NEEDS._replace(needs=frozenset())).to_state == "follow_up"


def test_a_hold_ends_nothing_and_a_resumed_case_goes_on_with_what_it_had() -> None:
    held = moved("hold", "training", move={"reason": "unreachable"})
    assert HoldClocks() in held.effects
    assert keys(held, EndTask) == keys(held, EndDeadline) == []
    assert keys(held, OpenTask) == ["review_hold", "trace_person"]
    assert keys(moved("hold", "training", move={"reason": "medical"}), OpenTask) == ["review_hold"]
    resumed = moved("resume", "on_hold", previous_state="training")
    assert resumed.to_state == "training"
    assert ResumeClocks() in resumed.effects
    assert keys(resumed, OpenTask) == keys(resumed, SetDeadline) == []
    assert {*keys(resumed, EndTask), *keys(resumed, EndDeadline)} == {"review_hold", "trace_person", "hold_review"}
    assert refused("resume", "on_hold") == ["no_way_back"]


def test_closing_ends_everything_that_may_be_open() -> None:
    scoped = {key for key, task in MALI.tasks.items() if task.state in ("training", None)}
    closed = moved("close", "training", move={"reason": "left_area"})
    assert set(keys(closed, EndTask)) == scoped
    held = moved("close", "on_hold", move={"reason": "left_area"}, previous_state="training")
    assert set(keys(held, EndTask)) == MALI.tasks.keys()
    assert set(keys(held, EndDeadline)) == MALI.deadlines.keys()


def test_a_reopened_case_enters_its_state_anew() -> None:
    note = {"note": "Revenue au bureau"}
    reopened = moved("reopen", "closed", previous_state="follow_up", move=note)
    assert reopened.to_state == "follow_up"
    assert len(keys(reopened, SetDeadline)) == 6
    arrived = moved("reopen", "closed", previous_state="arrived", move=note, arrival_date=date(2023, 1, 1))
    assert keys(arrived, SetDeadline) == ["screening_begun_again"]
    assert due(arrived, "screening_begun_again") > NOW
    assert refused("reopen", "closed", previous_state="on_hold", move=note) == ["no_way_back"]


def test_entering_begins_nothing_that_is_under_way_already() -> None:
    first = moved("start_training", "planning", plan=ALL_NEEDS)
    assert (keys(first, OpenTask), keys(first, SetDeadline)) == (["enrol"], ["enrolment", "training_left"])
    again = moved("start_training", "livelihood", plan=ALL_NEEDS, enrolment=EnrolmentFact("attending", False))
    assert (keys(again, OpenTask), keys(again, SetDeadline)) == ([], ["training_left"])
    dropped = moved("start_training", "livelihood", plan=ALL_NEEDS, enrolment=EnrolmentFact("dropped_out", False))
    assert keys(dropped, OpenTask) == ["enrol"]
    with_grant = moved(
        "start_livelihood", "training", plan=ALL_NEEDS, grant=GrantFact("approved", AUTHOR, APPROVER, NOW)
    )
    assert keys(with_grant, OpenTask) == []


def test_all_the_reasons_are_given_and_none_twice() -> None:
    assert refused("begin_planning", "screening", role="training_officer") == [
        "role_not_allowed",
        "assessed",
        "assessed",
    ]
    k6 = {"k6": AssessmentFact("k6", 7, "moderate", frozenset(), NOW)}
    assert refused("begin_planning", "screening", assessments=k6) == ["assessed"]
    assert refused("close", "follow_up", move={"reason": "completed"}) == ["visit_recorded"]
    assert refused("close", "arrived", move={"reason": "completed"}) == ["reason_in"]
    assert refused("close", "arrived", move={"reason": "no_show"}) == ["reason_in"]
    assert refused("close", "registered", role="system", move={"reason": "deceased"}) == ["actor_in"]
    own = {"P": RecordFact("plan", "P", "submitted", ACTOR)}
    approval = {"record": "P", "details": True}
    plan = PlanFact("submitted", frozenset(), ACTOR, None)
    assert refused("approve_plan", "planning", plan=plan, records=own, move=approval) == ["plan_approver_differs"]


def test_the_same_question_has_the_same_answer() -> None:
    situation = Situation({"state": "livelihood", **ALL_SERVED})
    asked = MALI, situation.as_facts(), situation.as_move("start_follow_up"), NOW
    assert decide(*asked) == decide(*asked)
    again = load_pathway(bundled_pathway("mali"), "mali.yaml")
    assert decide(again, *asked[1:]) == decide(*asked)


def test_effects_stand_in_the_order_in_which_they_are_written() -> None:
    for transition in MALI.table.values():
        for goal, branch in transition.branches.items():
            kinds = [type(effect) for effect in branch.fixed]
            ranks = [next(rank for rank, group in enumerate(ORDER) if kind in group) for kind in kinds]
            assert ranks == sorted(ranks), (transition.trigger, goal)
