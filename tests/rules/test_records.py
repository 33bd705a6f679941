"""Records with small machines of their own: decided, written and journalled like moves of the case. All people are
synthetic."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from small_pathway import SMALL
from sqlmodel import Session, col, select
from synthetic_cases import person

from models import Case, Deadline, Event, JournalRow, Partner, Referral, Task
from states.advance import advance_case
from states.decide import preview
from states.facts import FACT_GROUPS, RecordFact
from states.gather import gather_facts
from states.journal import verify_journal
from states.moves import SYSTEM, Actor, Move, Outcome, OutcomeKind
from states.pathways.loader import PathwayError, load_pathway
from states.pathways.shelf import pathways_of, publish
from states.registration import register_cases
from states.sweep import sweep_deadlines

START = datetime(2024, 1, 8, 8, tzinfo=UTC)

RECORDS = """\
records:
  referral:
    title: {fr: orientation, en: referral}
    states:
      asked: {fr: demandée, en: asked}
      accepted: {fr: acceptée, en: accepted}
      expired: {fr: expirée, en: expired}
"""
STEPS = """\
  - trigger: refer
    record: {kind: referral, to: asked}
    from: "*"
    roles: [worker]
    tasks: {open: [chase]}
    deadlines: {set: [silent, lapse]}
    announce: [referral.made]
  - trigger: accept
    record: {kind: referral, from: asked, to: accepted}
    from: "*"
    roles: [worker]
    tasks: {complete: [chase]}
    deadlines: {meet: [silent], cancel: [lapse]}
    announce: [referral.answered]
  - trigger: lapse
    record: {kind: referral, from: [asked], to: expired}
    from: "*"
    roles: [system]
    tasks: {cancel: [chase]}
    deadlines: {cancel: [silent]}
"""
TEXT = (
    SMALL.replace("fields:\n", RECORDS + "fields:\n", 1)
    .replace(
        "  end: {fr: Finir",
        "  refer: {fr: Orienter, en: Refer}\n  accept: {fr: Accepter, en: Accept}\n"
        "  lapse: {fr: Expirer, en: Lapse}\n  end: {fr: Finir",
        1,
    )
    .replace(
        "deadlines:\n  help_given",
        "  chase:\n    title: {fr: Relancer, en: Chase}\n    role: worker\n"
        "    record: referral\ndeadlines:\n  silent:\n    title: {fr: Réponse attendue, en: Answer due}\n"
        "    owner: worker\n    record: referral\n    due: PT24H\n    ladder: [{after: PT1H, role: chief}]\n"
        "  help_given",
        1,
    )
    .replace(
        "timers:\n",
        "timers:\n  lapse:\n    title: {fr: Fin, en: End}\n    owner: worker\n    record: referral\n"
        "    due: P30D\n    trigger: lapse\n",
        1,
    )
    + STEPS
)
WORKER = Actor("worker")


class Referrals:
    """One case on the small pathway, and its referrals."""

    def __init__(self, session: Session) -> None:
        self.session = session
        version = publish(session, TEXT, START)
        assert version.id is not None
        codes = iter(f"CODE-{number}" for number in range(100))
        (made,) = register_cases(
            session,
            [person(1)],
            pathway_version_id=version.id,
            now=START,
            actor=Actor("worker"),
            correlation_id="test",
            new_code=lambda: next(codes),
        )
        self.case_id = made.case_id
        self.pathway = pathways_of(session, [version.id])[version.id]
        partner = Partner(code="health", name="Centre de santé (fictif)", created_at=START)
        session.add(partner)
        session.flush()
        self.partner_id = partner.id

    def step(self, trigger: str, record: str | None, *, now: datetime = START, **parts: Any) -> Outcome:
        actor = parts.pop("actor", WORKER)
        command = parts.pop("command_id", f"{trigger}-{record}-{now}")
        move = Move(self.case_id, trigger, actor, command, "test", record=record, **{"details": True, **parts})
        outcome = advance_case(self.session, move, now=now)
        if outcome.kind is OutcomeKind.MOVED and trigger == "refer":
            assert self.partner_id is not None
            row = Referral(
                case_id=self.case_id,
                partner_id=self.partner_id,
                code=record,
                status="asked",
                made_at=now,
            )
            self.session.add(row)
            self.session.flush()
        return outcome

    def status(self, code: str) -> str:
        self.session.expire_all()
        return self.session.exec(select(Referral).where(Referral.code == code)).one().status

    def work(self, code: str) -> set[tuple[str, str]]:
        """Keys and statuses of the tasks and clocks of one referral."""
        self.session.expire_all()
        tasks = self.session.exec(select(Task).where(Task.record == code)).all()
        clocks = self.session.exec(select(Deadline).where(Deadline.record == code)).all()
        return {(each.key, str(each.status)) for each in (*tasks, *clocks)}


@pytest.fixture
def referrals(session: Session) -> Referrals:
    return Referrals(session)


def test_two_records_of_a_case_go_their_own_ways(referrals: Referrals, session: Session) -> None:
    for code in ("A", "B"):
        assert referrals.step("refer", code).kind is OutcomeKind.MOVED
    assert referrals.work("A") == referrals.work("B") == {("chase", "open"), ("silent", "open"), ("lapse", "open")}
    assert referrals.step("accept", "A").kind is OutcomeKind.MOVED
    assert (referrals.status("A"), referrals.status("B")) == ("accepted", "asked")
    assert referrals.work("A") == {("chase", "done"), ("silent", "kept"), ("lapse", "cancelled")}
    assert referrals.work("B") == {("chase", "open"), ("silent", "open"), ("lapse", "open")}
    rows = session.exec(select(JournalRow).order_by(col(JournalRow.seq))).all()
    assert [row.data.get("record") for row in rows] == [
        None,
        {"kind": "referral", "code": "A", "from": None, "to": "asked"},
        {"kind": "referral", "code": "B", "from": None, "to": "asked"},
        {"kind": "referral", "code": "A", "from": "asked", "to": "accepted"},
    ]
    assert {row.to_state for row in rows} == {"waiting"}
    events = session.exec(select(Event).where(col(Event.type).startswith("referral")).order_by(col(Event.id))).all()
    assert [(each.type, each.data["referral"]) for each in events] == [
        ("referral.made", "A"),
        ("referral.made", "B"),
        ("referral.answered", "A"),
    ]
    assert verify_journal(session, chunk=100).broken == []


def test_a_timer_of_a_record_fires_for_that_record(referrals: Referrals, session: Session) -> None:
    referrals.step("refer", "A")
    referrals.step("refer", "B", now=START + timedelta(days=10))
    result = sweep_deadlines(session, as_of=START + timedelta(days=31), limit=100)
    assert (result.fired, result.refused) == (1, 0)
    assert (referrals.status("A"), referrals.status("B")) == ("expired", "asked")
    assert referrals.work("A") == {("chase", "cancelled"), ("silent", "cancelled"), ("lapse", "fired")}


def test_steps_that_are_not_possible_say_why(referrals: Referrals) -> None:
    referrals.step("refer", "A")

    def codes(outcome: Outcome) -> list[str]:
        assert outcome.kind is OutcomeKind.REFUSED
        assert all(reason.text_fr and reason.text_en for reason in outcome.reasons)
        return [reason.code for reason in outcome.reasons]

    later = START + timedelta(hours=1)
    assert codes(referrals.step("refer", "A", now=later)) == ["record_exists"]
    assert codes(referrals.step("accept", None)) == ["record_needed"]
    assert codes(referrals.step("accept", "Z")) == ["no_such_record"]
    assert codes(referrals.step("pause", "A")) == ["no_record_meant"]
    assert codes(referrals.step("accept", "A", details=False)) == ["details_needed"]
    assert referrals.step("accept", "A").kind is OutcomeKind.MOVED
    assert codes(referrals.step("accept", "A", now=later)) == ["wrong_record_state"]
    assert codes(referrals.step("lapse", "A", actor=SYSTEM)) == ["wrong_record_state"]


def test_the_same_command_makes_one_record(referrals: Referrals, session: Session) -> None:
    first = referrals.step("refer", "A", command_id="once")
    again = referrals.step("refer", "A2", command_id="once")
    assert (first.kind, again.kind) == (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
    assert again.seq == first.seq
    assert [row.code for row in session.exec(select(Referral))] == ["A"]


def test_the_end_of_the_case_ends_what_its_records_had_open(referrals: Referrals, session: Session) -> None:
    referrals.step("refer", "A")
    ended = referrals.step("end", None, actor=Actor("chief"), reason="done")
    assert ended.kind is OutcomeKind.MOVED
    assert referrals.work("A") == {("chase", "cancelled"), ("silent", "cancelled"), ("lapse", "cancelled")}
    assert session.exec(select(Case.state)).one() == "ended"


def test_previews_and_facts_name_the_records(referrals: Referrals, session: Session) -> None:
    referrals.step("refer", "A")
    referrals.step("refer", "B")
    referrals.step("accept", "B")
    facts = gather_facts(session, [referrals.case_id], FACT_GROUPS)[referrals.case_id]
    assert facts.records == {
        "A": RecordFact("referral", "A", "asked", None, referrals.partner_id),
        "B": RecordFact("referral", "B", "accepted", None, referrals.partner_id),
    }
    possible = {one.trigger: one for one in preview(referrals.pathway, facts, WORKER, START)}
    assert possible["accept"].allowed
    assert possible["accept"].asks["record"] == ("A",)
    assert possible["refer"].allowed
    assert [reason.code for reason in possible["lapse"].reasons] == ["role_not_allowed"]


CLOCK = "    record: referral\n    due: "


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("kind: referral, to: asked", "kind: visit, to: asked", "There is no kind of record 'visit'"),
        ("kind: referral, to: asked", "kind: referral, to: gone", "There is no state of it 'gone'"),
        ("    states:\n      asked", "    made_with: visit\n    states:\n      asked", "no kind of record 'visit'"),
        ("    states:\n      asked", "    made_with: referal\n    states:\n      asked", "'referral'"),
        ("from: asked, to: accepted", "from: asked, to: expired", "No record of the kind 'referral' can ever be"),
        ("to: asked}\n", "to: asked}\n    to: ended\n", "leaves the case where it is"),
        (f"{CLOCK}P30D", "    due: P30D", "would never end"),
        (f"{CLOCK}PT24H", f"    state: waiting\n{CLOCK}PT24H", "not with both"),
    ],
)
def test_faults_of_records_are_named(before: str, after: str, said: str) -> None:
    assert load_pathway(TEXT, "small").records["referral"].title.en == "referral"
    assert before in TEXT
    with pytest.raises(PathwayError, match=re.escape(said)):
        load_pathway(TEXT.replace(before, after, 1), "small")
