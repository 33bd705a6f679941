"""Many at once, on real files and a real server: no course and no budget gives more than it has."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, func, select
from supported_cases import YEAR, approval, budget, codes, course, in_state, propose, sign, wanted
from synthetic_cases import START, Caseload, open_caseload

from models import Budget, BudgetLine, LivelihoodGrant, TrainingEnrolment
from models.database import write_session
from models.training import PLACE_TAKEN
from states.casework.approvals import approve_grants
from states.casework.livelihood import EndOfGrant, OnGrant, cancel_grants, procure_grants
from states.casework.memberships import PartWanted, end_memberships, join_projects
from states.casework.projects import NewProject, add_project, set_status
from states.casework.purchases import Purchase, Purchases, record_purchases
from states.casework.training import EndOfEnrolment, drop_out, enrol, join_waiting_list
from states.casework.waiting import offer_free_places
from states.journal import verify_journal
from states.moves import Outcome, OutcomeKind

THREADS = 8
T = TypeVar("T")


def in_threads(work: Callable[[int], T]) -> list[T]:
    """Run `work(number)` in threads that start together; what each gave. An exception fails the test."""
    gate = threading.Barrier(THREADS)
    given: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(number: int) -> None:
        gate.wait(timeout=60)
        try:
            given[number] = work(number)
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    if failures:
        raise failures[0]
    return [given[number] for number in range(THREADS)]


def prepared(engine: Engine, prepare: Callable[[Caseload], T]) -> tuple[Caseload, T]:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        made = prepare(caseload)
        session.commit()
    return caseload, made


def test_a_course_is_never_fuller_than_its_places(engine: Engine) -> None:
    caseload, ids = prepared(engine, lambda each: (course(each, 5), in_state(each, "start_training", 3 * THREADS))[1])
    steps = [
        [wanted(caseload, case_id, f"E{case_id}") for case_id in ids[number::THREADS]] for number in range(THREADS)
    ]

    def work(number: int) -> list[Outcome]:
        outcomes = []
        for step in steps[number]:
            with write_session(engine) as session:
                outcomes += enrol(session, [step], now=START)
                session.commit()
        return outcomes

    outcomes = [outcome for given in in_threads(work) for outcome in given]
    assert Counter(outcome.kind for outcome in outcomes) == {OutcomeKind.MOVED: 5, OutcomeKind.REFUSED: 19}
    assert {code for outcome in outcomes for code in codes(outcome)} == {"course_full"}
    with write_session(engine) as session:
        assert session.exec(select(func.count(col(TrainingEnrolment.id)))).one() == 5
        assert verify_journal(session).broken == []


def test_people_who_leave_wait_and_come_at_once_never_share_a_place(engine: Engine) -> None:
    """Drop-outs that offer places on, nights that do the same, and people who want in: at the same time, on two
    courses, without a deadlock."""

    def prepare(caseload: Caseload) -> list[int]:
        ids = in_state(caseload, "start_training", 4 * THREADS)
        session = caseload.session
        for number, place in enumerate((course(caseload, 8, "A"), course(caseload, 8, "B"))):
            mine = ids[number::2]
            enrol(session, [wanted(caseload, case_id, f"E{case_id}", place) for case_id in mine[:8]], now=START)
            join_waiting_list(
                session, [wanted(caseload, case_id, f"E{case_id}", place) for case_id in mine[8:]], now=START
            )
        return ids

    caseload, ids = prepared(engine, prepare)
    on_it = ids[:16]

    def work(number: int) -> list[Outcome]:
        outcomes = []
        for case_id in random.Random(number).sample(on_it[number::THREADS], 2):
            left = EndOfEnrolment(**sign(caseload, case_id), enrolment=f"E{case_id}", reason="other")
            with write_session(engine) as session:
                outcomes += drop_out(session, [left], now=START)
                session.commit()
            with write_session(engine) as session:
                offer_free_places(session, now=START)
                session.commit()
        return outcomes

    outcomes = [outcome for given in in_threads(work) for outcome in given]
    assert Counter(outcome.kind for outcome in outcomes) == {OutcomeKind.MOVED: 16}
    with write_session(engine) as session:
        taken = session.exec(
            select(TrainingEnrolment.course_id, func.count(col(TrainingEnrolment.id)))
            .where(col(TrainingEnrolment.status).in_(PLACE_TAKEN))
            .group_by(col(TrainingEnrolment.course_id))
        ).all()
        assert sorted(number for _, number in taken) == [8, 8]
        assert session.exec(select(func.count()).where(col(TrainingEnrolment.status) == "waiting")).one() == 0
        assert verify_journal(session).broken == []


def test_a_project_does_not_end_while_somebody_joins_it(postgres_engine: Engine) -> None:
    """Whoever ends it waits until the part is in the database, and so ends that too."""

    def prepare(caseload: Caseload) -> list[int]:
        by = {"actor": caseload.staff["coordinator"], "now": START}
        new = NewProject(code="JARDIN", title="Jardin (fictif)", region_pcode="ML01", place="Kayes", starts_on=YEAR[0])
        add_project(caseload.session, new, **by)
        return in_state(caseload, "start_livelihood")

    def abandon(session: Session) -> None:
        set_status(
            session, "JARDIN", "abandoned", expected_version=1, actor=actor, now=START, reason="Fictif (sécheresse)"
        )

    caseload, (case_id,) = prepared(postgres_engine, prepare)
    actor = caseload.staff["coordinator"]
    step = PartWanted(**sign(caseload, case_id), code="M1", project="JARDIN")
    with write_session(postgres_engine) as joining:
        assert [outcome.kind for outcome in join_projects(joining, [step], now=START)] == [OutcomeKind.MOVED]
        with write_session(postgres_engine) as ending:
            ending.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                abandon(ending)
        joining.commit()
    with write_session(postgres_engine) as session:
        abandon(session)
        ended = end_memberships(session, "JARDIN", actor=actor, correlation_id="x", now=START)
        assert [outcome.kind for outcome in ended] == [OutcomeKind.MOVED]


def test_two_approvals_at_once_do_not_overspend_a_budget(engine: Engine) -> None:
    """24 grants of 300,000 on a budget of 2,000,000: six are approved, whoever comes first, and 200,000 are left."""

    def prepare(caseload: Caseload) -> list[int]:
        budget(caseload, 2_000_000)
        ids = in_state(caseload, "start_livelihood", 3 * THREADS)
        for case_id in ids:
            assert propose(caseload, case_id, f"G{case_id}", 300_000).kind is OutcomeKind.MOVED
        return ids

    caseload, ids = prepared(engine, prepare)
    steps = [
        [approval(caseload, case_id, f"G{case_id}") for case_id in ids[number::THREADS]] for number in range(THREADS)
    ]

    def work(number: int) -> list[Outcome]:
        outcomes = []
        for step in steps[number]:
            with write_session(engine) as session:
                outcomes += approve_grants(session, [step], now=START)
                session.commit()
        return outcomes

    outcomes = [outcome for given in in_threads(work) for outcome in given]
    assert Counter(outcome.kind for outcome in outcomes) == {OutcomeKind.MOVED: 6, OutcomeKind.REFUSED: 18}
    refused = {reason.text_en for outcome in outcomes for reason in outcome.reasons}
    assert refused == {"The budget APPUIS has only XOF 200000 left; 300000 are needed."}
    with write_session(engine) as session:
        found = session.exec(select(Budget)).one()
        assert (found.committed_xof, found.version) == (1_800_000, 6)
        lines = session.exec(select(BudgetLine).order_by(col(BudgetLine.seq))).all()
        assert [(line.seq, line.kind, line.amount_xof) for line in lines] == [
            (seq, "commitment", 300_000) for seq in range(1, 7)
        ]
        approved = session.exec(select(func.count()).where(col(LivelihoodGrant.status) == "approved")).one()
        assert approved == 6


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE budget SET committed_xof = amount_xof + 1",
        "UPDATE budget SET committed_xof = -1",
        "UPDATE livelihood_grant SET spent_xof = amount_xof + 1",
        "UPDATE livelihood_grant SET own_xof = -1",
        "UPDATE course SET capacity = 0",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(session: Session, statement: str) -> None:
    caseload = open_caseload(session)
    budget(caseload, 1_000_000)
    course(caseload, 1)
    (case_id,) = in_state(caseload, "start_livelihood")
    propose(caseload, case_id, "G1", 300_000)
    with pytest.raises(IntegrityError):
        session.execute(text(statement))


class Spending(RuleBasedStateMachine):
    """A budget beside a model of it: whatever is approved, bought, finished or cancelled, they agree to the franc."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.session = write_session(engine)
        self.caseload = open_caseload(self.session)
        self.amount = 1_000_000
        budget(self.caseload, self.amount)
        self.grants: dict[int, list[int]] = {}
        self.status: dict[int, str] = {}

    def teardown(self) -> None:
        self.session.rollback()
        self.session.close()

    @property
    def committed(self) -> int:
        held = [amount for case_id, (amount, _) in self.grants.items() if self.status[case_id] == "approved"]
        held += [
            spent for case_id, (_, spent) in self.grants.items() if self.status[case_id] in ("procured", "cancelled")
        ]
        return sum(held)

    def some(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.grants)))

    @initialize(amounts=st.lists(st.integers(1, 700_000), min_size=2, max_size=4))
    def plans_are_made(self, amounts: list[int]) -> None:
        for case_id, amount in zip(in_state(self.caseload, "start_livelihood", len(amounts)), amounts, strict=True):
            assert propose(self.caseload, case_id, f"G{case_id}", amount).kind is OutcomeKind.MOVED
            self.grants[case_id], self.status[case_id] = [amount, 0], "planned"

    @rule(data=st.data())
    def somebody_approves(self, data: st.DataObject) -> None:
        case_id = self.some(data)
        possible = self.status[case_id] == "planned" and self.committed + self.grants[case_id][0] <= self.amount
        (outcome,) = approve_grants(self.session, [approval(self.caseload, case_id, f"G{case_id}")], now=START)
        assert (outcome.kind is OutcomeKind.MOVED) == possible
        if possible:
            self.status[case_id] = "approved"

    @rule(data=st.data(), amounts=st.lists(st.integers(1, 300_000), min_size=1, max_size=3))
    def something_is_bought(self, data: st.DataObject, amounts: list[int]) -> None:
        case_id = self.some(data)
        amount, spent = self.grants[case_id]
        possible = self.status[case_id] == "approved" and spent + sum(amounts) <= amount
        bought = tuple(
            Purchase(position=1, supplier="x", quantity=1, amount_xof=each, proof="x", proof_sha256="0" * 64)
            for each in amounts
        )
        step = Purchases(**sign(self.caseload, case_id), grant=f"G{case_id}", bought=bought)
        (outcome,) = record_purchases(self.session, [step], now=START)
        assert (outcome.kind is OutcomeKind.MOVED) == possible
        if possible:
            self.grants[case_id][1] += sum(amounts)

    @rule(data=st.data())
    def all_is_bought(self, data: st.DataObject) -> None:
        case_id = self.some(data)
        possible = self.status[case_id] == "approved" and self.grants[case_id][1] > 0
        (outcome,) = procure_grants(
            self.session, [OnGrant(**sign(self.caseload, case_id), grant=f"G{case_id}")], now=START
        )
        assert (outcome.kind is OutcomeKind.MOVED) == possible
        if possible:
            self.status[case_id] = "procured"

    @rule(data=st.data())
    def somebody_gives_up(self, data: st.DataObject) -> None:
        case_id = self.some(data)
        possible = self.status[case_id] in ("planned", "approved")
        end = EndOfGrant(**sign(self.caseload, case_id), grant=f"G{case_id}", reason="other")
        (outcome,) = cancel_grants(self.session, [end], now=START)
        assert (outcome.kind is OutcomeKind.MOVED) == possible
        if possible:
            self.status[case_id] = "cancelled"

    @rule(data=st.data())
    def an_approval_is_taken_back(self, data: st.DataObject) -> None:
        """The grant is planned again, and what it committed is the budget's; everything else here is not taken back."""
        case_id = self.some(data)
        possible = self.status[case_id] == "approved" and self.grants[case_id][1] == 0
        if possible or self.status[case_id] in ("procured", "cancelled"):
            outcome = self.caseload.advance(case_id, "correct", note="x")
            assert (outcome.kind is OutcomeKind.MOVED) == possible
        if possible:
            self.status[case_id] = "planned"

    @invariant()
    def the_ledger_adds_up(self) -> None:
        self.session.expire_all()
        found = self.session.exec(select(Budget)).one()
        lines = self.session.exec(select(BudgetLine).order_by(col(BudgetLine.seq))).all()
        sums = Counter(dict.fromkeys(("commitment", "release", "expense"), 0))
        for line in lines:
            sums[line.kind] += line.amount_xof
        assert found.committed_xof == sums["commitment"] - sums["release"] == self.committed
        assert sums["expense"] == sum(spent for _, spent in self.grants.values())
        assert 0 <= sums["expense"] <= found.committed_xof <= found.amount_xof
        assert [line.seq for line in lines] == list(range(1, found.version + 1))


def test_whatever_is_done_with_a_budget_its_ledger_adds_up(sqlite_engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Spending(sqlite_engine),
        settings=settings(
            max_examples=25, stateful_step_count=20, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )


def test_whatever_is_done_with_a_budget_its_ledger_adds_up_on_postgres(postgres_engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Spending(postgres_engine),
        settings=settings(
            max_examples=8, stateful_step_count=20, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )
