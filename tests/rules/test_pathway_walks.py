"""Long walks through the bundled pathway in memory: whatever happens, nothing of a left state is still open, nothing is
open twice, no state is without a running clock, and a closed case has nothing left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from situations import APPROVER, AUTHOR, NOW, Situation

from states.decide import decide, registration_effects
from states.facts import (
    CAME_TO_NOTHING,
    AssessmentFact,
    EnrolmentFact,
    GrantFact,
    GrantPlanFact,
    PlanFact,
    RecordFact,
)
from states.moves import (
    Announce,
    Decision,
    Effect,
    EndDeadline,
    EndTask,
    HoldClocks,
    OpenTask,
    ResumeClocks,
    SetDeadline,
    SetPriority,
    SetRecord,
)
from states.pathway import StateKind
from states.pathways.loader import bundled_pathway, load_pathway
from states.record_steps import candidates

MALI = load_pathway(bundled_pathway("mali"), "mali.yaml")
NEEDS = frozenset({"psychosocial", "training", "livelihood"})
BOUGHT = GrantPlanFact("individual", 300_000, 1, AUTHOR, None)


@dataclass
class Desk:
    """What is open or held of one kind: key, and the record that it is about, to held."""

    what: dict[tuple[str, str | None], bool] = field(default_factory=dict)

    def begin(self, key: str, record: str | None) -> None:
        assert (key, record) not in self.what, f"{key} is open twice"
        self.what[key, record] = False

    def end(self, key: str, record: str | None) -> None:
        for each in [each for each in self.what if each[0] == key and record in (None, each[1])]:
            del self.what[each]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(key for key, _ in self.what)

    def hold(self, held: bool) -> None:
        for key in self.what:
            self.what[key] = held


class Walk(RuleBasedStateMachine):
    """One case with everything that it carries; records follow from the decisions alone."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.previous, self.priority, self.now = MALI.initial, None, "normal", NOW
        self.tasks, self.clocks = Desk(), Desk()
        self.carried: dict[str, RecordFact] = {}
        self.records: dict[str, Any] = {
            "consents": frozenset({"assistance"}),
            "assessments": {name: AssessmentFact(name, 1, "low", frozenset(), NOW) for name in ("vulnerability", "k6")},
            "plan": PlanFact("draft", NEEDS, AUTHOR, None),
            "sessions_attended": 1,
            "visits": frozenset({3, 6, 12}),
        }
        self._carry_out(registration_effects(MALI, self._facts().as_facts(), NOW))

    @initialize(needs=st.frozensets(st.sampled_from(sorted(NEEDS))))
    def ask_for(self, needs: frozenset[str]) -> None:
        """What the plan will ask for; a plan that asks for little comes to follow-up soon."""
        self.records["plan"] = self.records["plan"]._replace(needs=needs)

    @rule(
        choice=st.integers(0, 999),
        reason=st.sampled_from([*MALI.close_reasons, *MALI.hold_reasons, *MALI.record_reasons]),
        months=st.sampled_from([3, 6, 12]),
        days=st.integers(0, 40),
    )
    def move(self, choice: int, reason: str, months: int, days: int) -> None:
        triggers = [trigger for state, trigger in MALI.table if state == self.state]
        trigger = triggers[choice % len(triggers)]
        if trigger == "close" and days % 4:  # a walk that is closed at once sees nothing
            return
        self.now += timedelta(days=days)
        before = dict(self.records)
        self._record(trigger)
        situation = self._facts()
        data = {"months": months, "finding": ("in_use", "sold")[days % 2], "kind": "individual", "amount_xof": 300_000}
        situation.move = {"reason": reason, "note": "Une note", "data": data, "details": True}
        step = MALI.table[self.state, trigger].record
        if step is not None:
            codes = candidates(step, situation.as_facts())
            situation.move["record"] = codes[days % len(codes)] if codes else f"R{len(self.carried)}"
        roles = MALI.table[self.state, trigger].roles
        situation.role = "coordinator" if "coordinator" in roles else "system"
        verdict = decide(MALI, situation.as_facts(), situation.as_move(trigger), self.now)
        if not isinstance(verdict, Decision):
            self.records = before
            return
        if verdict.to_state != self.state and MALI.states[verdict.to_state].kind is StateKind.ACTIVE:
            self.previous = None
        elif MALI.states[self.state].kind is StateKind.ACTIVE and verdict.to_state != self.state:
            self.previous = self.state  # type: ignore[assignment]
        self.state = verdict.to_state
        if trigger == "open_visit":
            self.clocks.end(f"visit_{months}_opens", None)
        self._carry_out(verdict.effects)
        if trigger == "return_to_planning":
            self.records["plan"] = self.records["plan"]._replace(status="draft", approver_id=None)

    def _facts(self) -> Situation:
        return Situation(
            {
                "state": self.state,
                "previous_state": self.previous,
                "priority": self.priority,
                "open_tasks": self.tasks.keys,
                "open_deadlines": self.clocks.keys,
                "records": dict(self.carried),
                "grants": {code: BOUGHT for code, each in self.carried.items() if each.kind == "grant"},
                "enrolment": self._newest("enrolment"),
                "grant": self._newest("grant"),
                **self.records,
            }
        )

    def _record(self, trigger: str) -> None:
        """What staff write before they ask for the move."""
        if trigger == "approve_plan":
            self.records["plan"] = self.records["plan"]._replace(status="approved", approver_id=APPROVER)

    def _newest(self, kind: str) -> EnrolmentFact | GrantFact | None:
        """What the records of this kind amount to, as `states.gather_living` reads it."""
        found = [each for each in self.carried.values() if each.kind == kind]
        counting = [each.status for each in found if each.status not in CAME_TO_NOTHING[kind]]
        if not counting:
            return None
        if kind == "grant":
            return GrantFact(counting[-1], AUTHOR, APPROVER, None)
        return EnrolmentFact(counting[-1], "completed" in counting)

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, EndTask):
                self.tasks.end(effect.key, effect.record)
            elif isinstance(effect, EndDeadline):
                self.clocks.end(effect.key, effect.record)
            elif isinstance(effect, SetRecord):
                self.carried[effect.code] = RecordFact(effect.kind, effect.code, effect.to_status, None)
            elif isinstance(effect, HoldClocks | ResumeClocks):
                self.tasks.hold(isinstance(effect, HoldClocks))
                self.clocks.hold(isinstance(effect, HoldClocks))
            elif isinstance(effect, SetPriority):
                self.priority = effect.priority
            elif isinstance(effect, OpenTask):
                self.tasks.begin(effect.key, effect.record)
            elif isinstance(effect, SetDeadline):
                assert effect.next_at == effect.due_at
                assert effect.due_at > self.now or MALI.deadlines[effect.key].base == "arrival"
                self.clocks.begin(effect.key, effect.record)
            else:
                assert isinstance(effect, Announce)

    @invariant()
    def nothing_of_a_left_state_is_open(self) -> None:
        for desk, templates in ((self.tasks, MALI.tasks), (self.clocks, MALI.deadlines)):
            for (key, _), held in desk.what.items():
                belongs = templates[key].state  # type: ignore[index]
                assert belongs in (None, self.previous if held else self.state), key

    @invariant()
    def what_is_held_is_held_only_on_hold(self) -> None:
        held = any([*self.tasks.what.values(), *self.clocks.what.values()])
        assert not held or MALI.states[self.state].kind is StateKind.HOLD

    @invariant()
    def a_case_that_is_not_closed_has_a_running_clock(self) -> None:
        if MALI.states[self.state].kind is StateKind.FINAL:
            assert not self.tasks.what
            assert not self.clocks.what
        else:
            assert not all(self.clocks.what.values()), f"nobody is asked about a case in {self.state}"


Walk.TestCase.settings = settings(max_examples=100, stateful_step_count=100, deadline=None)
TestWalk = Walk.TestCase
