"""Grants: a plan in whole francs, four eyes and more, a budget that holds, purchases with proofs, and visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlmodel import Session, select
from supported_cases import another, approval, budget, codes, in_state, plan, propose, rows, sign
from synthetic_cases import START, Caseload, open_caseload

from models import Event, GrantLine, GrantPurchase, GrantVisit, JournalRow, LivelihoodGrant, Task, WrongUse
from states.casework.approvals import approve_grants, confirm_grants, endorse_grants
from states.casework.budgets import BudgetState, NewBudget, add_budget, show_budget
from states.casework.business_plan import BusinessPlan, PlanLine
from states.casework.leftovers import release_leftovers
from states.casework.livelihood import (
    Delivery,
    EndOfGrant,
    GrantLook,
    GrantRevision,
    OnGrant,
    cancel_grants,
    deliver_grants,
    look_at_grants,
    procure_grants,
    reject_grants,
    revise_grants,
)
from states.casework.projects import NewProject, add_project
from states.casework.purchases import Purchase, Purchases, record_purchases
from states.moves import Outcome, OutcomeKind

MOVED = OutcomeKind.MOVED
PROOF = "0" * 64


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


@pytest.fixture
def grants(caseload: Caseload) -> Grants:
    return Grants(caseload)


class Grants:
    """One case in livelihood with a budget, and every step that somebody can take there."""

    def __init__(self, caseload: Caseload) -> None:
        self.caseload, self.session = caseload, caseload.session
        (self.case_id,) = in_state(caseload, "start_livelihood")
        budget(caseload, 1_000_000)
        self.sign: Callable[[str], dict[str, Any]] = partial(sign, caseload, self.case_id)

    def propose(self, amount_xof: int, code: str = "G1", **changes: Any) -> Outcome:
        return propose(self.caseload, self.case_id, code, amount_xof, **changes)

    def approve(self, code: str = "G1", **changes: Any) -> Outcome:
        (outcome,) = approve_grants(self.session, [approval(self.caseload, self.case_id, code, **changes)], now=START)
        return outcome

    def buy(self, *amounts: int, code: str = "G1", position: int = 1) -> Outcome:
        bought = tuple(
            Purchase(
                position=position,
                supplier="Fournisseur (fictif)",
                quantity=1,
                amount_xof=each,
                proof="F-1",
                proof_sha256=PROOF,
            )
            for each in amounts
        )
        step = Purchases(**self.sign("livelihood_officer"), grant=code, bought=bought)
        (outcome,) = record_purchases(self.session, [step], now=START)
        return outcome

    def end(self, how: Any, reason: str, code: str = "G1") -> Outcome:
        (outcome,) = how(self.session, [EndOfGrant(**self.sign("coordinator"), grant=code, reason=reason)], now=START)
        return outcome

    def step(self, how: Any, role: str = "livelihood_officer", **changes: Any) -> Outcome:
        (outcome,) = how(self.session, [OnGrant(**{**self.sign(role), **changes}, grant="G1")], now=START)
        return outcome

    def deliver(self) -> Outcome:
        delivery = Delivery(**self.sign("livelihood_officer"), grant="G1", reference="PV-7")
        (outcome,) = deliver_grants(self.session, [delivery], now=START)
        return outcome

    def look(self, finding: Any, verified: bool, **changes: Any) -> Outcome:
        look = GrantLook(
            **self.sign("case_worker"),
            grant="G1",
            visited_on=date(2024, 3, 1),
            finding=finding,
            verified=verified,
            **changes,
        )
        (outcome,) = look_at_grants(self.session, [look], now=START)
        return outcome

    @property
    def row(self) -> LivelihoodGrant:
        return rows(self.caseload, LivelihoodGrant, self.case_id)[-1]  # type: ignore[no-any-return]

    def budget(self) -> tuple[int, int, int, list[tuple[str, int]]]:
        """Committed, spent and available, and the ledger."""
        self.session.expire_all()
        state, lines = show_budget(self.session, "APPUIS")
        return state.committed_xof, state.spent_xof, state.available_xof, [(e.kind, e.amount_xof) for e in lines]


def test_a_grant_goes_from_plan_to_verified_and_the_budget_follows(grants: Grants) -> None:
    assert codes(grants.approve()) == ["no_such_record", "one_signature_suffices", "grant_approver_differs"]
    lines = (
        PlanLine(item="moutons", quantity=8, unit_price_xof=50_000),
        PlanLine(item="aliment", quantity=10, unit_price_xof=10_000),
    )
    assert grants.propose(0, lines=lines, own_xof=50_000, market="weekly_market").kind is MOVED
    assert codes(grants.propose(300_000, code="G2")) == ["no_record_in"]
    assert (grants.row.amount_xof, grants.row.own_xof, grants.row.status) == (450_000, 50_000, "planned")
    assert codes(grants.step(procure_grants)) == ["wrong_record_state", "purchases_recorded"]
    assert grants.budget() == (0, 0, 1_000_000, [])
    assert grants.approve().kind is MOVED
    assert grants.budget()[:3] == (450_000, 0, 550_000)
    assert codes(grants.step(procure_grants)) == ["purchases_recorded"]
    assert grants.buy(200_000, 100_000).kind is MOVED
    refused = grants.buy(150_001)
    assert codes(refused) == ["over_the_grant"]
    assert "150000" in refused.reasons[0].text_fr
    assert "150000" in refused.reasons[0].text_en
    assert grants.buy(100_000).kind is MOVED
    assert grants.budget()[:3] == (450_000, 400_000, 550_000)
    assert grants.step(procure_grants).kind is MOVED
    assert grants.deliver().kind is MOVED
    assert codes(grants.look("sold", True)) == ["data_in"]
    assert grants.look("not_used", False, next_on=date(2024, 4, 1)).kind is MOVED
    assert grants.look("in_use", True).kind is MOVED
    row = grants.row
    assert (row.status, row.spent_xof, row.delivery_reference) == ("verified", 400_000, "PV-7")
    assert row.approved_by == grants.caseload.staff["coordinator"].id
    assert row.proposed_by == grants.caseload.staff["livelihood_officer"].id
    assert None not in (row.approved_at, row.procured_at, row.delivered_at, row.verified_at)
    # What was saved went back.
    assert grants.budget() == (
        *(400_000, 400_000, 600_000),
        [("commitment", 450_000), ("expense", 300_000), ("expense", 100_000), ("release", 50_000)],
    )
    bought = grants.session.exec(select(GrantPurchase)).all()
    assert sorted((each.amount_xof, each.proof, each.proof_sha256) for each in bought) == [
        *((100_000, "F-1", PROOF), (100_000, "F-1", PROOF), (200_000, "F-1", PROOF)),
    ]
    found = grants.session.exec(select(GrantVisit).order_by(GrantVisit.id)).all()
    assert [(each.finding, each.next_on) for each in found] == [("not_used", date(2024, 4, 1)), ("in_use", None)]
    journal = rows(grants.caseload, JournalRow, grants.case_id)[-8:]
    assert [row.trigger for row in journal] == [
        *("submit_business_plan", "approve_grant", "record_purchase", "record_purchase", "procure_kit", "deliver_kit"),
        *("visit_kit", "verify_kit"),
    ]
    assert {row.data["record"]["code"] for row in journal} == {"G1"}
    assert [e.type for e in rows(grants.caseload, Event, grants.case_id)][-2:] == ["grant.approved", "grant.delivered"]
    verify = [task.status for task in rows(grants.caseload, Task, grants.case_id) if task.key == "verify_kit"]
    assert verify == ["done", "done"]


def test_four_eyes_whoever_proposes(grants: Grants) -> None:
    own = grants.caseload.staff["coordinator"]
    grants.caseload.staff["livelihood_officer"] = own  # the coordinator proposes
    assert grants.propose(300_000).kind is MOVED
    assert codes(grants.approve()) == ["grant_approver_differs"]
    grants.caseload.staff["livelihood_officer"] = another(grants.caseload, "livelihood_officer")
    assert codes(grants.approve(actor=grants.caseload.staff["livelihood_officer"])) == ["role_not_allowed"]
    assert grants.approve(actor=another(grants.caseload)).kind is MOVED


def test_a_large_grant_needs_two_signatures_of_two_people(grants: Grants, caseload: Caseload) -> None:
    budget(caseload, 10_000_000, "GRAND")
    ceiling = grants.propose(1_000_001)
    assert codes(ceiling) == ["within_ceiling"]
    assert "1000000 F CFA" in ceiling.reasons[0].text_fr
    _project(caseload)
    assert grants.propose(3_000_000, kind="collective", project="JARDIN").kind is MOVED
    assert codes(grants.approve(paid_by="GRAND")) == ["one_signature_suffices"]
    assert grants.step(endorse_grants, "coordinator").kind is MOVED
    again = approval(caseload, grants.case_id, "G1", "GRAND")
    assert codes(confirm_grants(caseload.session, [again], now=START)[0]) == ["grant_approver_differs"]
    second = approval(caseload, grants.case_id, "G1", "GRAND", actor=another(caseload))
    assert confirm_grants(caseload.session, [second], now=START)[0].kind is MOVED
    row = grants.row
    assert (row.status, row.endorsed_by, row.approved_by) == (
        *("approved", caseload.staff["coordinator"].id, another(caseload).id),
    )
    state, _ = show_budget(caseload.session, "GRAND")
    assert state.available_xof == 7_000_000


def _project(caseload: Caseload) -> None:
    new = NewProject(code="JARDIN", title="Jardin (fictif)", region_pcode="ML01", place="Kayes", starts_on=START.date())
    add_project(caseload.session, new, actor=caseload.staff["coordinator"], now=START)


def test_a_refusal_names_what_the_budget_has_left(grants: Grants) -> None:
    assert grants.propose(700_000).kind is MOVED
    assert grants.approve().kind is MOVED
    (other,) = in_state(grants.caseload, "start_livelihood")
    assert propose(grants.caseload, other, "G2", 300_001).kind is MOVED
    (refused,) = approve_grants(grants.session, [approval(grants.caseload, other, "G2")], now=START)
    assert codes(refused) == ["budget_spent"]
    assert refused.reasons[0].text_fr == "Le budget APPUIS n'a plus que 300000 F CFA ; il en faut 300001."
    assert refused.reasons[0].text_en == "The budget APPUIS has only XOF 300000 left; 300001 are needed."
    assert grants.budget() == (700_000, 0, 300_000, [("commitment", 700_000)])
    with pytest.raises(WrongUse, match="no budget"):
        grants.approve(paid_by="UNHEARD-OF")
    later = START + timedelta(days=400)
    (late,) = approve_grants(grants.session, [approval(grants.caseload, other, "G2")], now=later)
    assert codes(late) == ["budget_not_open"]


def test_in_a_batch_who_is_refused_leaves_the_money_to_the_next(caseload: Caseload) -> None:
    case_ids = in_state(caseload, "start_livelihood", 4)
    budget(caseload, 1_000_000)
    for number, case_id in enumerate(case_ids):
        assert propose(caseload, case_id, f"G{number}", 500_000).kind is MOVED
    own = approval(caseload, case_ids[0], "G0", actor=caseload.staff["livelihood_officer"])
    steps = [own, *(approval(caseload, case_id, f"G{n}") for n, case_id in enumerate(case_ids[1:], start=1))]
    outcomes = approve_grants(caseload.session, steps, now=START)
    assert [codes(outcome) for outcome in outcomes] == [
        *(["role_not_allowed", "grant_approver_differs"], [], [], ["budget_spent"]),
    ]
    state, lines = show_budget(caseload.session, "APPUIS")
    assert (state.available_xof, [line.grant for line in lines]) == (0, ["G1", "G2"])
    again = approve_grants(caseload.session, steps, now=START)
    assert [outcome.kind for outcome in again[1:3]] == [OutcomeKind.ALREADY_DONE] * 2


def test_a_plan_that_came_back_is_revised_and_keeps_its_history(grants: Grants) -> None:
    grants.propose(600_000)
    assert codes(grants.end(reject_grants, "no_idea")) == ["reason_in"]
    assert grants.end(reject_grants, "too_costly").kind is MOVED
    assert (grants.row.status, grants.row.reason) == ("rejected", "too_costly")
    revision = GrantRevision(**grants.sign("case_worker"), grant="G1", plan=plan(400_000))
    (outcome,) = revise_grants(grants.session, [revision], now=START)
    assert outcome.kind is MOVED
    row = grants.row
    assert (row.status, row.amount_xof, row.revision, row.reason) == ("planned", 400_000, 2, None)
    assert row.proposed_by == grants.caseload.staff["case_worker"].id
    lines = grants.session.exec(select(GrantLine).order_by(GrantLine.id)).all()
    assert [(line.revision, line.unit_price_xof) for line in lines] == [(1, 600_000), (2, 400_000)]
    assert [task.status for task in rows(grants.caseload, Task, grants.case_id) if task.key == "approve_grant"] == [
        *("cancelled", "open"),
    ]
    assert grants.approve().kind is MOVED


def test_a_revision_keeps_to_the_project_that_the_grant_has(grants: Grants, caseload: Caseload) -> None:
    """Else an individual grant would be judged by the ceiling of a community's."""

    def revise(amount_xof: int, kind: str) -> Outcome:
        revision = GrantRevision(**grants.sign("livelihood_officer"), grant="G1", plan=plan(amount_xof, kind=kind))
        return revise_grants(grants.session, [revision], now=START)[0]

    grants.propose(600_000)
    grants.end(reject_grants, "too_costly")
    assert codes(revise(3_000_000, "community")) == ["kind_and_project"]
    assert (grants.row.kind, grants.row.status, grants.row.revision) == ("individual", "rejected", 1)
    assert revise(500_000, "individual").kind is MOVED
    grants.end(cancel_grants, "other")
    _project(caseload)
    (other,) = in_state(caseload, "start_livelihood")
    grants.case_id, grants.sign = other, partial(sign, caseload, other)
    grants.propose(600_000, code="G2", kind="collective", project="JARDIN")
    grants.end(reject_grants, "too_costly", code="G2")
    for kind, why in (("individual", ["kind_and_project"]), ("community", [])):
        revision = GrantRevision(**grants.sign("livelihood_officer"), grant="G2", plan=plan(500_000, kind=kind))
        assert codes(revise_grants(grants.session, [revision], now=START)[0]) == why


def test_what_is_bought_is_for_a_line_of_the_newest_plan(grants: Grants) -> None:
    lines = tuple(PlanLine(item=item, quantity=1, unit_price_xof=200_000) for item in ("moutons", "aliment"))
    grants.propose(0, lines=lines)
    grants.end(reject_grants, "too_costly")
    revision = GrantRevision(**grants.sign("livelihood_officer"), grant="G1", plan=plan(300_000))
    assert revise_grants(grants.session, [revision], now=START)[0].kind is MOVED
    grants.approve()
    refused = grants.buy(1_000, position=2)
    assert codes(refused) == ["no_such_line"], "the plan before had this line"
    assert grants.session.exec(select(GrantPurchase)).all() == []
    assert codes(grants.buy(1_000, code="G0")) == ["no_such_record", "over_the_grant"]
    assert grants.buy(1_000).kind is MOVED


def test_what_is_cancelled_or_left_by_a_closed_case_goes_back_to_the_budget(grants: Grants) -> None:
    grants.propose(600_000)
    grants.approve()
    grants.buy(250_000)
    assert grants.end(cancel_grants, "not_viable").kind is MOVED
    assert grants.budget()[:3] == (250_000, 250_000, 750_000)
    assert [task.status for task in rows(grants.caseload, Task, grants.case_id) if task.key == "business_plan"] == [
        *("done", "open"),
    ]
    assert grants.propose(500_000, code="G2").kind is MOVED
    assert grants.approve("G2").kind is MOVED
    assert grants.budget()[2] == 250_000
    grants.caseload.advance(grants.case_id, "close", reason="left_area")
    assert release_leftovers(grants.session, now=START, limit=10).grants == 1
    assert release_leftovers(grants.session, now=START, limit=10).grants == 0
    assert grants.budget()[:3] == (250_000, 250_000, 750_000)
    assert (grants.row.status, grants.row.reason) == ("cancelled", "case_closed")


def test_an_approval_that_was_taken_back_commits_once_when_it_is_given_again(grants: Grants) -> None:
    grants.propose(600_000)
    grants.approve()
    assert grants.caseload.advance(grants.case_id, "correct", note="Erreur").kind is MOVED
    assert grants.row.status == "planned"
    assert grants.budget()[:3] == (0, 0, 1_000_000)
    assert grants.approve().kind is MOVED
    assert grants.budget() == (
        *(600_000, 0, 400_000),
        [("commitment", 600_000), ("release", 600_000), ("commitment", 600_000)],
    )


@given(
    bought=st.lists(st.tuples(st.integers(1, 100_000), st.integers(0, 10**12)), min_size=1, max_size=20),
    own=st.integers(0, 10**12),
)
def test_a_plan_adds_up_to_the_franc(bought: list[tuple[int, int]], own: int) -> None:
    lines = tuple(PlanLine(item="x", quantity=number, unit_price_xof=price) for number, price in bought)
    made = BusinessPlan(activity="x", lines=lines, own_xof=own)
    assert made.amount_xof + own == made.total_xof == sum(number * price for number, price in bought)
    assert {type(made.amount_xof), type(made.total_xof)} == {int}


@given(amount=st.one_of(st.floats(), st.text(max_size=5), st.booleans(), st.integers(max_value=-1), st.none()))
def test_no_amount_is_anything_but_a_whole_number(amount: object) -> None:
    with pytest.raises(ValidationError):
        PlanLine(item="x", quantity=1, unit_price_xof=amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [1.0, "100", True, -1, None, 10**12 + 1])
def test_an_amount_is_a_whole_number_of_francs(amount: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        PlanLine(item="moutons", quantity=1, unit_price_xof=amount)
    assert "moutons" not in str(raised.value)
    with pytest.raises(ValidationError):
        Purchase(position=1, supplier="x", quantity=1, amount_xof=amount or 0, proof="x", proof_sha256=PROOF)


def test_plans_and_budgets_that_cannot_be_are_refused(grants: Grants) -> None:
    line = PlanLine(item="moutons", quantity=2, unit_price_xof=100)
    for wrong in ({"own_xof": 200}, {"kind": "community"}, {"kind": "collective", "project": "UNHEARD-OF"}):
        with pytest.raises(WrongUse):
            grants.propose(0, lines=(line,), **wrong)
    with pytest.raises(ValidationError):
        BusinessPlan(activity="élevage", lines=())
    good: dict[str, Any] = {
        "code": "B",
        "title": "x",
        "amount_xof": 1,
        "starts_on": START.date(),
        "ends_on": START.date(),
    }
    for spoilt in ({"amount_xof": -1}, {"amount_xof": 1.0}, {"ends_on": date(2023, 1, 1)}, {"code": "APPUIS"}):
        with pytest.raises(WrongUse):
            add_budget(
                grants.session, NewBudget(**{**good, **spoilt}), actor=grants.caseload.staff["coordinator"], now=START
            )
    assert BudgetState("B", "x", START.date(), START.date(), 5, 3, 1).available_xof == 2
