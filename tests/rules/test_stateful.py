"""Whatever is asked of the engine, in whatever order: what must always hold, holds after every step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine
from sqlmodel import col, select
from synthetic_cases import START, Caseload, open_caseload

from models import Case, Deadline, Event, JournalRow, Task
from models.database import write_session
from states.advance import advance_cases
from states.decide import REGISTER, preview
from states.facts import FACT_GROUPS
from states.gather import gather_facts
from states.journal import verify_journal
from states.moves import Actor, Move, Outcome, OutcomeKind
from states.pathways.loader import bundled_pathway, load_pathway

PATHWAY = load_pathway(bundled_pathway("mali"), "mali")
TRIGGERS = st.sampled_from(sorted(PATHWAY.triggers))
ROLES = st.sampled_from(sorted(PATHWAY.roles))
REASONS = st.sampled_from([None, *sorted({*PATHWAY.close_reasons, *PATHWAY.hold_reasons})])
DATA = st.sampled_from([{}, {"months": 3}, {"months": 6}, {"months": 12}, {"waived": ["training"]}])
TO_PLANNING = ("confirm_arrival", "begin_screening", "begin_planning")
WAYS = (
    (),
    ("confirm_arrival",),
    *((*TO_PLANNING, *way) for way in ((), ("start_psychosocial",), ("start_training",), ("start_livelihood",))),
    (*TO_PLANNING, "start_psychosocial", "start_training", "start_follow_up"),
)
ASIDE = ("hold", "close", "raise_urgent", "lower_priority", "raise_emergency", "resolve_emergency")
NOTES = st.sampled_from([None, "une note"])


class AnyOrder(RuleBasedStateMachine):
    """A model of the caseload beside the real one: what each case should be, from the outcomes alone."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.session = write_session(engine)
        self.caseload: Caseload = open_caseload(self.session)
        self.now = START
        self.state: dict[int, str] = {}
        self.version: dict[int, int] = {}
        self.announced: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.answers: dict[str, tuple[Move, Outcome]] = {}
        self.commands = 0

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()

    def command(self) -> str:
        self.commands += 1
        return f"command-{self.commands}"

    def actor(self, role: str) -> Actor:
        return self.caseload.staff.get(role, Actor("system"))

    def fire(self, moves: Sequence[Move]) -> None:
        """Advance, and hold every outcome against the model."""
        outcomes = advance_cases(self.session, moves, now=self.now)
        assert len(outcomes) == len(moves)
        for move, outcome in zip(moves, outcomes, strict=True):
            assert (outcome.case_id, outcome.command_id) == (move.case_id, move.command_id)
            self.check(move, outcome)

    def check(self, move: Move, outcome: Outcome) -> None:
        case_id = move.case_id
        if case_id not in self.state:
            assert outcome.kind is OutcomeKind.UNKNOWN
            return
        assert outcome.kind is not OutcomeKind.UNKNOWN
        earlier = self.answers.get(move.command_id)
        if earlier is not None:
            same = (earlier[0].case_id, earlier[0].trigger) == (case_id, move.trigger)
            assert outcome.kind is (OutcomeKind.ALREADY_DONE if same else OutcomeKind.REFUSED)
            if same:
                answer = earlier[1]
                assert (outcome.seq, outcome.from_state, outcome.to_state) == (
                    *(answer.seq, answer.from_state, answer.to_state),
                )
        elif move.expected_version not in (None, self.version[case_id]):
            assert outcome.kind is OutcomeKind.STALE
        else:
            assert outcome.kind in (OutcomeKind.MOVED, OutcomeKind.REFUSED)
        assert bool(outcome.reasons) == (outcome.kind is OutcomeKind.REFUSED)
        if outcome.kind is OutcomeKind.MOVED:
            self.note(move, outcome)
        assert outcome.version == self.version[case_id]

    def note(self, move: Move, outcome: Outcome) -> None:
        case_id, goal = move.case_id, outcome.to_state
        assert goal is not None
        assert outcome.seq == self.version[case_id] + 1
        assert outcome.from_state == self.state[case_id]
        branch = PATHWAY.table[self.state[case_id], move.trigger].branches[goal]
        self.announced[case_id] += [(outcome.seq, announce.type) for announce in branch.announces]
        self.state[case_id], self.version[case_id] = goal, outcome.seq
        self.answers[move.command_id] = (move, outcome)

    @initialize(ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=3))
    def some_are_well_on_their_way(self, ways: list[tuple[str, ...]]) -> None:
        self.others_arrive(len(ways))
        coordinator = self.actor("coordinator")
        for case_id, way in zip(sorted(self.state), ways, strict=True):
            self.caseload.record_everything(case_id, now=self.now)
            self.fire([Move(case_id, trigger, coordinator, self.command(), "stateful") for trigger in way])
            assert self.version[case_id] == 1 + len(way)

    @rule(number=st.integers(1, 2))
    def others_arrive(self, number: int) -> None:
        for case_id in self.caseload.register_many(number, now=self.now):
            self.state[case_id], self.version[case_id] = PATHWAY.initial, 1
            self.announced[case_id] = [(1, announce.type) for announce in PATHWAY.registration.announces]

    @rule(hours=st.sampled_from([1, 30, 24 * 20, 24 * 100]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours, microseconds=1)

    @rule(data=st.data())
    def records_are_written(self, data: st.DataObject) -> None:
        case_id = data.draw(st.sampled_from(sorted(self.state)))
        if gather_facts(self.session, [case_id], ["plan"])[case_id].plan is None:
            self.caseload.record_everything(case_id, now=self.now)

    @rule(data=st.data())
    def anybody_asks_for_anything(self, data: st.DataObject) -> None:
        """A batch with everything in it: repeats, other people's versions, unknown cases, many moves of one case."""
        known = sorted(self.state)
        moves = []
        for _ in range(data.draw(st.integers(0, 6))):
            case_id = data.draw(st.sampled_from([*known, *known, max(known) + 1000]))
            version = self.version.get(case_id, 1)
            earlier = sorted({*self.answers, *(move.command_id for move in moves)})
            moves.append(
                Move(
                    case_id,
                    data.draw(TRIGGERS),
                    self.actor(data.draw(ROLES)),
                    data.draw(st.sampled_from(earlier)) if earlier and data.draw(st.booleans()) else self.command(),
                    "stateful",
                    expected_version=data.draw(st.sampled_from([None, None, version, version - 1, version + 1])),
                    reason=data.draw(REASONS),
                    note=data.draw(NOTES),
                    data=data.draw(DATA),
                )
            )
        self.fire(moves)

    @rule(data=st.data(), everybody=st.booleans(), onward=st.booleans())
    def somebody_does_what_is_possible(self, data: st.DataObject, everybody: bool, onward: bool) -> None:
        """So that cases get somewhere: a trigger that the preview allows must then move the case."""
        chosen = sorted(self.state) if everybody else [data.draw(st.sampled_from(sorted(self.state)))]
        moves = []
        for case_id, facts in gather_facts(self.session, chosen, FACT_GROUPS).items():
            actor = self.actor(data.draw(st.sampled_from(["coordinator", "coordinator", "case_worker", "system"])))
            possible = [each for each in preview(PATHWAY, facts, actor, self.now) if each.allowed]
            if onward:
                possible = [each for each in possible if each.trigger not in ASIDE]
            if not possible:
                continue
            each = data.draw(st.sampled_from(possible))
            asked = {
                name: data.draw(st.sampled_from(choices)) if choices else "…" for name, choices in each.asks.items()
            }
            reason, note = asked.pop("reason", None), asked.pop("note", "une note")
            moves.append(
                Move(
                    *(case_id, each.trigger, actor, self.command(), "stateful", self.version[case_id]),
                    reason=reason,
                    note=note,
                    data=asked,
                )
            )
        self.fire(moves)

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def a_client_asks_again(self, data: st.DataObject) -> None:
        move, _ = self.answers[data.draw(st.sampled_from(sorted(self.answers)))]
        self.fire([move])
        self.fire([Move(max(self.state), "confirm_arrival", move.actor, move.command_id, "stateful")])

    @invariant()
    def every_case_is_where_its_moves_led(self) -> None:
        cases = self.session.exec(select(Case).execution_options(populate_existing=True)).all()
        assert {case.id: (case.state, case.version) for case in cases} == {
            case_id: (state, self.version[case_id]) for case_id, state in self.state.items()
        }
        assert {case.id: case.events for case in cases} == {id_: len(self.announced[id_]) for id_ in self.state}

    @invariant()
    def the_history_is_gapless_and_legal(self) -> None:
        rows = self.session.exec(select(JournalRow).order_by(col(JournalRow.case_id), col(JournalRow.seq))).all()
        for case_id, version in self.version.items():
            own = [row for row in rows if row.case_id == case_id]
            assert [row.seq for row in own] == list(range(1, version + 1))
            assert (own[0].trigger, own[0].from_state, own[-1].to_state) == (REGISTER, None, self.state[case_id])
            for before, row in pairwise(own):
                assert row.from_state == before.to_state
                assert row.to_state in PATHWAY.table[before.to_state, row.trigger].branches
        assert verify_journal(self.session, chunk=2).broken == []

    @invariant()
    def what_was_announced_is_in_the_outbox(self) -> None:
        rows = self.session.exec(select(Event).order_by(col(Event.case_id), col(Event.sequence))).all()
        for case_id, announced in self.announced.items():
            own = [row for row in rows if row.case_id == case_id]
            assert [(row.seq, row.type) for row in own] == announced
            assert [row.sequence for row in own] == list(range(1, len(own) + 1))
        assert len({row.uid for row in rows}) == len(rows)

    @invariant()
    def nothing_of_a_state_that_was_left_is_still_to_do(self) -> None:
        cases = {case.id: case for case in self.session.exec(select(Case))}
        rows: list[Any] = [
            row
            for model in (Task, Deadline)
            for row in self.session.exec(
                select(model).where(col(model.status).in_(["open", "held"])).execution_options(populate_existing=True)
            )
        ]
        running = set()
        for row in rows:
            case = cases[row.case_id]
            if case.state == "on_hold":
                here = "on_hold" if row.status == "open" else case.previous_state
                assert row.state in (None, here)
            else:
                assert row.status == "open"
                assert case.state != "closed"
                assert row.state in (None, case.state)
            running.add((type(row), row.case_id, row.key))
        assert len(running) == len(rows), "the same task or deadline runs twice"


def run(engine: Engine, examples: int) -> None:
    run_state_machine_as_test(
        lambda: AnyOrder(engine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def test_on_sqlite(sqlite_engine: Engine) -> None:
    run(sqlite_engine, 40)


@pytest.mark.postgres
def test_on_postgres(postgres_engine: Engine) -> None:
    run(postgres_engine, 12)
