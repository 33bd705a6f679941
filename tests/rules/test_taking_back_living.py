"""Money and places come back with the step that took them, or it is refused with what to do instead: the programme's
numbers are right either way. All people are synthetic."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from corrected_cases import LATER, apart, moved, only, taken_back
from sqlmodel import Session, select
from supported_cases import another, approval, budget, course, in_state, propose, sign, wanted
from synthetic_cases import START, Caseload, open_caseload

from models import (
    Budget,
    LivelihoodGrant,
    TrainingEnrolment,
)
from states.casework.approvals import approve_grants, confirm_grants, endorse_grants
from states.casework.budgets import show_budget
from states.casework.courses import read_seats
from states.casework.leftovers import release_leftovers
from states.casework.livelihood import (
    Delivery,
    EndOfGrant,
    OnGrant,
    cancel_grants,
    deliver_grants,
    procure_grants,
    reject_grants,
)
from states.casework.memberships import EndOfMembership, PartWanted, join_projects, leave_projects
from states.casework.project_list import list_projects
from states.casework.projects import NewProject, add_project
from states.casework.purchases import Purchase, Purchases, record_purchases
from states.casework.training import (
    AttendanceSheet,
    Certificate,
    EndOfEnrolment,
    OnEnrolment,
    accept_offers,
    certify,
    drop_out,
    enrol,
    join_waiting_list,
    leave_waiting_list,
    record_attendance,
)
from states.casework.waiting import offer_free_places, waiting_list


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


class Money:
    """A case in livelihood with a grant, and the budget that pays for it."""

    def __init__(self, caseload: Caseload, amount_xof: int) -> None:
        self.caseload, self.session = caseload, caseload.session
        (self.case_id,) = in_state(caseload, "start_livelihood")
        budget(caseload, 5_000_000)
        moved([propose(caseload, self.case_id, "G1", amount_xof, **_collective(caseload, amount_xof))])

    def signed(self, role: str = "livelihood_officer") -> dict[str, Any]:
        return sign(self.caseload, self.case_id, role)

    def approve(self) -> None:
        moved(approve_grants(self.session, [approval(self.caseload, self.case_id, "G1")], now=START))

    def end(self, how: Any, reason: str) -> None:
        moved(how(self.session, [EndOfGrant(**self.signed("coordinator"), grant="G1", reason=reason)], now=START))

    @property
    def available(self) -> int:
        """What the budget can still commit, by its row and by its ledger alike."""
        state, lines = show_budget(self.session, "APPUIS")
        signs = {"commitment": 1, "release": -1, "expense": 0}
        assert state.committed_xof == sum(signs[line.kind] * line.amount_xof for line in lines)
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        return state.available_xof

    @property
    def grant(self) -> LivelihoodGrant:
        found: LivelihoodGrant = only(self.caseload, LivelihoodGrant, self.case_id)
        return found


def _collective(caseload: Caseload, amount_xof: int) -> dict[str, Any]:
    if amount_xof <= 1_000_000:
        return {}
    _project(caseload)
    return {"kind": "collective", "project": "JARDIN"}


def _project(caseload: Caseload) -> None:
    garden = NewProject(
        code="JARDIN", title="Jardin (fictif)", region_pcode="ML01", place="Kayes", starts_on=date(2024, 1, 1)
    )
    add_project(caseload.session, garden, actor=caseload.staff["livelihood_officer"], now=START)


def test_the_money_of_an_approval_is_the_budget_s_again(caseload: Caseload) -> None:
    money = Money(caseload, 600_000)
    money.approve()
    assert money.available == 4_400_000
    taken_back(caseload, money.case_id)
    assert money.available == 5_000_000
    grant = money.grant
    assert (grant.status, grant.approved_by, grant.approved_at, grant.budget_id) == ("planned", None, None, None)
    money.approve()
    assert money.available == 4_400_000
    assert money.grant.approved_by == caseload.staff["coordinator"].id


def test_the_second_of_two_signatures_goes_alone_and_then_the_first(caseload: Caseload) -> None:
    money = Money(caseload, 3_000_000)
    moved(endorse_grants(money.session, [OnGrant(**money.signed("coordinator"), grant="G1")], now=START))
    signature = approval(caseload, money.case_id, "G1", actor=another(caseload))
    moved(confirm_grants(money.session, [signature], now=START))
    assert money.available == 2_000_000
    taken_back(caseload, money.case_id)
    assert money.available == 5_000_000
    assert (money.grant.status, money.grant.approved_by) == ("endorsed", None)
    assert money.grant.endorsed_by == caseload.staff["coordinator"].id
    taken_back(caseload, money.case_id)
    assert (money.grant.status, money.grant.endorsed_by, money.grant.endorsed_at) == ("planned", None, None)


def test_a_rejection_is_taken_back_and_a_cancellation_is_not(caseload: Caseload) -> None:
    money = Money(caseload, 600_000)
    money.end(reject_grants, "incomplete")
    taken_back(caseload, money.case_id)
    assert (money.grant.status, money.grant.reason) == ("planned", None)
    money.approve()
    money.end(cancel_grants, "other")
    apart(caseload, money.case_id, "nouveau plan d'affaires")
    assert (money.grant.status, money.available) == ("cancelled", 5_000_000)
    moved([propose(caseload, money.case_id, "G2", 600_000)])
    moved(approve_grants(money.session, [approval(caseload, money.case_id, "G2")], now=START))
    assert money.available == 4_400_000


def test_what_was_bought_stays_and_a_delivery_is_taken_back(caseload: Caseload) -> None:
    money = Money(caseload, 600_000)
    money.approve()
    bought = Purchase(position=1, supplier="Fictif", quantity=1, amount_xof=500_000, proof="F-1", proof_sha256="0" * 64)
    moved(record_purchases(money.session, [Purchases(**money.signed(), grant="G1", bought=(bought,))], now=START))
    apart(caseload, money.case_id, "preuve")
    moved(procure_grants(money.session, [OnGrant(**money.signed(), grant="G1")], now=START))
    apart(caseload, money.case_id, "budget")
    assert (money.grant.spent_xof, money.available) == (500_000, 4_500_000)
    moved(deliver_grants(money.session, [Delivery(**money.signed(), grant="G1", reference="PV-7")], now=START))
    taken_back(caseload, money.case_id)
    grant = money.grant
    assert (grant.status, grant.delivered_at, grant.delivery_reference) == ("procured", None, None)
    assert money.available == 4_500_000


def test_what_a_closed_case_gave_back_is_not_taken_from_others(caseload: Caseload) -> None:
    """The closure can be taken back until the night has given back what the case held; after that it is reopened."""
    money = Money(caseload, 600_000)
    money.approve()
    close = {"reason": "left_area", "now": START}
    moved([caseload.advance(money.case_id, "close", **close)])
    taken_back(caseload, money.case_id)
    assert (money.grant.status, money.available) == ("approved", 4_400_000)
    moved([caseload.advance(money.case_id, "close", **close)])
    assert release_leftovers(money.session, now=LATER, limit=10).grants == 1
    apart(caseload, money.case_id, "rouvrez le dossier")
    assert (money.grant.status, money.available) == ("cancelled", 5_000_000)


def test_approvals_of_many_cases_are_taken_back_at_once(caseload: Caseload) -> None:
    session = caseload.session
    ids = in_state(caseload, "start_livelihood", 3)
    budget(caseload, 900_000)
    moved([propose(caseload, id_, f"G{id_}", 300_000) for id_ in ids])
    moved(approve_grants(session, [approval(caseload, id_, f"G{id_}") for id_ in ids], now=START))
    assert show_budget(session, "APPUIS")[0].available_xof == 0
    moved(caseload.advance_all(ids, "correct", note="Erreur", now=LATER))
    assert show_budget(session, "APPUIS")[0].available_xof == 900_000
    assert session.exec(select(Budget.version)).one() == 6


class Places:
    """Cases in training with a course of one place."""

    def __init__(self, caseload: Caseload, number: int) -> None:
        self.caseload, self.session = caseload, caseload.session
        self.ids = in_state(caseload, "start_training", number)
        course(caseload, 1)

    def ask(self, how: Any, place: int) -> None:
        moved(how(self.session, [wanted(self.caseload, self.ids[place], f"E{place}")], now=START))

    def step(self, how: Any, place: int, kind: Any = OnEnrolment, **parts: Any) -> None:
        signed = sign(self.caseload, self.ids[place], "training_officer")
        moved(how(self.session, [kind(**signed, enrolment=f"E{place}", **parts)], now=START))

    def row(self, place: int) -> TrainingEnrolment:
        found: TrainingEnrolment = only(self.caseload, TrainingEnrolment, self.ids[place])
        return found

    @property
    def taken(self) -> int:
        return read_seats(self.session, ["COUTURE-1"])["COUTURE-1"].taken

    @property
    def line(self) -> list[str]:
        return [turn.waiting.enrolment for turn in waiting_list(self.session, "COUTURE-1")]


def test_a_place_that_was_given_by_mistake_goes_to_who_waits(caseload: Caseload) -> None:
    places = Places(caseload, 2)
    places.ask(enrol, 0)
    places.ask(join_waiting_list, 1)
    taken_back(caseload, places.ids[0])
    assert (places.row(0).status, places.taken) == ("taken_back", 0)
    assert offer_free_places(places.session, now=LATER) == 1
    assert (places.row(1).status, places.taken, places.line) == ("offered", 1, [])
    places.step(accept_offers, 1)
    taken_back(caseload, places.ids[1])
    assert (places.row(1).status, places.row(1).enrolled_at, places.taken) == ("offered", None, 1)
    taken_back(caseload, places.ids[1])
    assert (places.row(1).status, places.taken, places.line) == ("waiting", 0, ["E1"])
    taken_back(caseload, places.ids[1])
    assert (places.taken, places.line) == (0, [])
    moved(enrol(places.session, [wanted(caseload, places.ids[0], "E3")], now=LATER))


def test_a_place_that_was_given_up_is_not_taken_from_the_next(caseload: Caseload) -> None:
    places = Places(caseload, 2)
    places.ask(enrol, 0)
    places.ask(join_waiting_list, 1)
    places.step(drop_out, 0, EndOfEnrolment, reason="other")
    apart(caseload, places.ids[0], "liste d'attente")
    assert (places.row(0).status, places.row(1).status, places.taken) == ("dropped_out", "offered", 1)
    places.step(leave_waiting_list, 1, EndOfEnrolment, reason="other")
    apart(caseload, places.ids[1], "liste d'attente")


def test_who_leaves_the_line_by_mistake_has_their_turn_again(caseload: Caseload) -> None:
    places = Places(caseload, 3)
    for place, how in enumerate((enrol, join_waiting_list, join_waiting_list)):
        places.ask(how, place)
    places.step(leave_waiting_list, 1, EndOfEnrolment, reason="other")
    assert places.line == ["E2"]
    taken_back(caseload, places.ids[1])
    assert (places.line, places.row(1).reason) == (["E1", "E2"], None)


def test_a_certificate_is_taken_back_and_attendance_is_recorded_anew(caseload: Caseload) -> None:
    places = Places(caseload, 1)
    places.ask(enrol, 0)
    places.step(record_attendance, 0, AttendanceSheet, days=((START.date(), True),))
    apart(caseload, places.ids[0], "jour")
    places.step(certify, 0, Certificate, number="C-1")
    taken_back(caseload, places.ids[0])
    row = places.row(0)
    assert (row.status, row.certificate_at, row.certificate_number) == ("attending", None, None)


def test_a_part_in_a_project_is_taken_back_and_its_end_is_not(caseload: Caseload) -> None:
    session = caseload.session
    _project(caseload)
    (case_id,) = in_state(caseload, "start_livelihood")

    def join(code: str) -> None:
        part = PartWanted(**sign(caseload, case_id), code=code, project="JARDIN")
        moved(join_projects(session, [part], now=START))

    def returnees() -> int:
        return list_projects(session, "JARDIN")[0].returnees

    join("M1")
    assert returnees() == 1
    taken_back(caseload, case_id)
    assert returnees() == 0
    join("M2")
    left = EndOfMembership(**sign(caseload, case_id), membership="M2", reason="other")
    moved(leave_projects(session, [left], now=START))
    apart(caseload, case_id, "à nouveau")
    assert returnees() == 0
    join("M3")
    assert returnees() == 1
