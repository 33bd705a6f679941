"""Referrals: none without a consent that names the receiver and the information; due by priority; chased, escalated,
given up; many at once; answered by their receiver alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from partner_cases import PartnerCases, open_partner_cases
from sqlmodel import Session, col, select
from synthetic_cases import START

from models import Deadline, Event, Notice, Task, WrongUse
from states.casework.referrals import make_referrals
from states.decide import preview
from states.facts import FACT_GROUPS
from states.gather import gather_facts
from states.journal import verify_journal
from states.moves import Actor, Outcome, OutcomeKind
from states.sweep import sweep_deadlines

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


def make(cases: PartnerCases, partner_id: int, **parts: Any) -> Outcome:
    (outcome,) = make_referrals(cases.session, [cases.request(partner_id, **parts)], now=START)
    return outcome


def sweep(cases: PartnerCases, as_of: Any, *, urgent_only: bool = False) -> None:
    while sweep_deadlines(cases.session, as_of=as_of, limit=100, urgent_only=urgent_only).seen:
        pass


@pytest.mark.parametrize(
    ("answers", "made"),
    [
        ([], False),
        ([("programme", True)], False),
        ([("any", True)], True),
        ([("any", False)], False),
        ([("any", True), ("any", False)], False),
        ([("any", False), ("any", True)], True),
        ([("named", True)], True),
        ([("other", True)], False),
        ([("any", True), ("named", False)], False),
        ([("named", True), ("any", False)], True),
    ],
)
def test_a_referral_needs_a_consent_that_names_its_receiver(
    cases: PartnerCases, answers: Sequence[tuple[str, bool]], made: bool
) -> None:
    recipients: dict[str, dict[str, Any]] = {
        "programme": {},
        "any": {"any_partner": True},
        "named": {"partner_id": cases.clinic},
        "other": {"partner_id": cases.workshop},
    }
    code = ""
    for recipient, given in answers:
        said = cases.agree(purpose="sharing", given=given, information=("name", "phone"), **recipients[recipient])
        code = said if given else code
    request = cases.request(cases.clinic)
    (outcome,) = make_referrals(cases.session, [request], now=START)
    assert (outcome.kind is OutcomeKind.MOVED) is made
    if made:
        assert cases.referral(request.code).consent_id is not None
    else:
        assert [reason.code for reason in outcome.reasons] == ["consent_names"]


def test_the_refusal_names_what_the_consent_does_not_cover(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name",))
    outcome = make(cases, cases.clinic, information=("name", "phone", "screening_result"))
    (reason,) = outcome.reasons
    assert reason.text_fr.endswith("Il manque : téléphone, résultat de l'évaluation.")
    assert reason.text_en.endswith("Missing: phone, screening result.")
    assert make(cases, cases.clinic, information=("name",)).kind is OutcomeKind.MOVED


def test_the_whole_form_is_kept(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name", "phone"))
    form: dict[str, Any] = {
        "services": ("health", "protection"),
        "reason": "Motif fictif",
        "contact": "Bureau fictif",
        "partner_contact": "Accueil fictif",
        "channel": "phone",
        "copies": ("referrer", "receiver"),
        "language": "bm",
        "interpreter": True,
        "caregiver": "Oncle fictif",
        "caregiver_knows": False,
        "separation": "separated",
    }
    row = cases.referral(cases.refer(cases.clinic, priority="urgent", **form))
    kept = {name: getattr(row, name) for name in form}
    assert kept == {name: list(value) if isinstance(value, tuple) else value for name, value in form.items()}
    assert (row.priority, row.information, row.made_at) == ("urgent", ["name", "phone"], START)
    assert row.made_by == cases.caseload.staff["case_worker"].id
    journalled = str(cases.newest_row().data)
    assert not any(word in journalled for word in ("fictif", "health", "separated"))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("services", ()),
        ("services", ("haircut",)),
        ("information", ("shoe_size",)),
        ("channel", "pigeon"),
        ("copies", ("press",)),
        ("separation", "lost"),
    ],
)
def test_codes_that_are_not_known_are_wrong_use(cases: PartnerCases, part: str, value: object) -> None:
    with pytest.raises(WrongUse):
        make(cases, cases.clinic, **{part: value})


@pytest.mark.parametrize(
    ("priority", "key", "due", "escalates"),
    [
        ("emergency", "referral_emergency", timedelta(hours=24), timedelta(hours=26)),
        ("urgent", "referral_urgent", timedelta(hours=72), timedelta(hours=96)),
        ("normal", "referral_normal", None, None),
    ],
)
def test_the_answer_is_due_by_priority_then_chased_then_escalated_then_given_up(
    cases: PartnerCases, priority: str, key: str, due: timedelta | None, escalates: timedelta | None
) -> None:
    cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name", "phone"))
    code = cases.refer(cases.clinic, priority=priority)
    clocks = {row.key: row for row in cases.session.exec(select(Deadline).where(Deadline.record == code))}
    assert clocks.keys() == {key, "referral_expires"}
    due_at = clocks[key].due_at
    if due is not None and escalates is not None:
        assert due_at == START + due
        sweep(cases, START + due - HOUR, urgent_only=True)
        assert notices(cases, key) == []
        sweep(cases, START + due, urgent_only=True)
        assert notices(cases, key) == [("overdue", "case_worker")]
        sweep(cases, START + escalates, urgent_only=True)
    else:
        assert (due_at - START).days in (14, 15)
        sweep(cases, due_at)
        assert notices(cases, key) == [("overdue", "case_worker")]
        sweep(cases, due_at + 7 * DAY + HOUR)
    assert notices(cases, key) == [("overdue", "case_worker"), ("escalation", "coordinator")]
    sweep(cases, START + 31 * DAY)
    assert cases.referral(code).status == "expired"
    assert cases.clocks(code) == {"cancelled", "fired"}
    left = cases.session.exec(select(Task).where(Task.record == code)).one()
    assert (left.key, left.status) == ("find_another_service", "open")
    sweep(cases, START + 90 * DAY)
    assert notices(cases, key) == [("overdue", "case_worker"), ("escalation", "coordinator")], "nothing repeats"
    assert verify_journal(cases.session).broken == []


def notices(cases: PartnerCases, key: str) -> list[tuple[str, str]]:
    query = select(Notice.kind, Notice.role).join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
    rows = cases.session.exec(query.where(Deadline.key == key).order_by(col(Notice.id)))
    return [(kind, role) for kind, role in rows]


def test_an_answer_stops_the_chase_and_starts_the_clock_of_the_service(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    first, second = cases.refer(cases.clinic, priority="emergency"), cases.refer(cases.workshop, priority="emergency")
    assert cases.answer(first, "accepted", now=START + 2 * HOUR).kind is OutcomeKind.MOVED
    row = cases.referral(first)
    assert (row.status, row.answered_at, row.answered_by) == (
        *("accepted", START + 2 * HOUR, cases.caseload.staff["case_worker"].id),
    )
    clocks = cases.session.exec(select(Deadline).where(Deadline.record == first)).all()
    assert {(each.key, each.status) for each in clocks} == {
        ("referral_emergency", "kept"),
        ("referral_expires", "cancelled"),
        ("referral_served", "open"),
    }
    assert cases.clocks(second) == {"open"}
    assert cases.answer(first, "done", now=START + DAY).kind is OutcomeKind.MOVED
    assert cases.referral(first).status == "done"
    late = cases.answer(first, "rejected", reason="no_capacity")
    assert [reason.code for reason in late.reasons] == ["wrong_record_state"]


def test_who_says_no_says_why_and_somebody_looks_further(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", partner_id=cases.clinic, information=("name", "phone"))
    code = cases.refer(cases.clinic)
    for reason in (None, "bad_mood", "withdrew"):
        assert [each.code for each in cases.answer(code, "rejected", reason=reason).reasons] == ["reason_in"]
    assert cases.answer(code, "rejected", reason="no_capacity").kind is OutcomeKind.MOVED
    row = cases.referral(code)
    assert (row.status, row.answer) == ("rejected", "no_capacity")
    task = cases.session.exec(select(Task).where(Task.record == code)).one()
    assert (task.key, task.role, task.status) == ("find_another_service", "case_worker", "open")


def test_a_partners_system_answers_its_own_referrals_only(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    code = cases.refer(cases.clinic)
    for stranger in (Actor("partner", partner_id=cases.workshop), Actor("partner")):
        refused = cases.answer(code, "accepted", actor=stranger)
        assert [reason.code for reason in refused.reasons] == ["receiver_answers"]
    receiver = Actor("partner", partner_id=cases.clinic)
    assert cases.answer(code, "accepted", actor=receiver).kind is OutcomeKind.MOVED
    row = cases.newest_row()
    assert (row.role, row.actor_id) == ("partner", None)
    assert cases.referral(code).answered_by is None
    for answer, reason in (("revoked", "served_elsewhere"), ("revoked", "consent_revoked")):
        refused = cases.answer(code, answer, reason=reason, actor=receiver)  # type: ignore[arg-type]
        assert [each.code for each in refused.reasons] == ["role_not_allowed"]
    assert cases.answer(code, "done", actor=receiver).kind is OutcomeKind.MOVED
    told = cases.session.exec(select(Event).where(col(Event.type).like("referral.%")).order_by(col(Event.id))).all()
    assert [(event.type, event.only_for) for event in told] == [
        ("referral.made", [cases.clinic]),
        ("referral.answered", [cases.clinic]),
        ("referral.done", [cases.clinic]),
    ]


def test_a_case_has_many_referrals_at_once_and_goes_its_way_beside_them(cases: PartnerCases) -> None:
    cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
    codes = [cases.refer(partner) for partner in (cases.clinic, cases.clinic, cases.workshop, cases.shelter)]
    assert cases.advance("confirm_arrival").kind is OutcomeKind.MOVED
    assert cases.advance("hold", reason="medical").kind is OutcomeKind.MOVED
    assert cases.clocks(codes[0]) == {"held"}
    assert cases.answer(codes[1], "accepted").kind is OutcomeKind.MOVED
    assert cases.advance("resume", now=START + 5 * DAY).kind is OutcomeKind.MOVED
    (due,) = cases.session.exec(
        select(Deadline).where(Deadline.record == codes[0], Deadline.key == "referral_normal")
    ).all()
    assert due.due_at == due.first_due_at + 5 * DAY
    assert [cases.referral(code).status for code in codes] == ["in_progress", "accepted", "in_progress", "in_progress"]


def test_previews_offer_the_partners_with_a_consent_and_the_referrals_that_wait(cases: PartnerCases) -> None:
    def line(trigger: str) -> Any:
        facts = gather_facts(cases.session, [cases.case_id], FACT_GROUPS)[cases.case_id]
        worker = cases.caseload.staff["case_worker"]
        return {one.trigger: one for one in preview(cases.caseload.pathway, facts, worker, START)}[trigger]

    assert [reason.code for reason in line("make_referral").reasons] == ["consent_names"]
    cases.agree(purpose="sharing", partner_id=cases.workshop, information=("name", "phone"))
    cases.agree(purpose="sharing", partner_id=cases.clinic, given=False)
    asks = line("make_referral").asks
    assert (asks["partner"], asks["priority"]) == ((cases.workshop,), ("emergency", "urgent", "normal"))
    code = cases.refer(cases.workshop)
    assert line("accept_referral").asks["record"] == (code,)
    refused = line("complete_referral")
    assert (refused.allowed, refused.asks["record"]) == (False, ())
