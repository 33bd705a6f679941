"""A mistake is taken back: the case is as it was, nothing is deleted, and partners who heard of it hear of that too.
All people are synthetic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload

from integrations.webhooks.fanout import fan_out
from models import Case, Deadline, Delivery, Event, JournalRow, Partner, Staff, Subscription, Task
from models.database import write_session
from states.advance import advance_case
from states.correction import correction_effects
from states.decide import preview
from states.facts import FACT_GROUPS, PAST, Facts
from states.gather import gather_facts
from states.history import Past, PastRow
from states.journal import verify_journal
from states.moves import Move, Outcome, OutcomeKind, Restore
from states.pathways.loader import bundled_pathway, load_pathway
from states.sweep import sweep_deadlines

DAY = timedelta(days=1)
WHY = "Mauvais dossier"


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def fingerprint(caseload: Caseload, case_id: int, until: int) -> dict[str, Any]:
    """The case, and its tasks and clocks that began by the journal row `until`, as they stand."""
    caseload.session.expire_all()
    case = caseload.case(case_id).model_dump(exclude={"version", "events", "journal_head"})
    work = []
    for table in (Task, Deadline):
        query = select(table).where(table.case_id == case_id, col(table.seq) <= until).order_by(col(table.id))
        work.append([row.model_dump() for row in caseload.session.exec(query)])
    return {"case": case, "tasks": work[0], "deadlines": work[1]}


def begun(caseload: Caseload, case_id: int, after: int) -> set[str]:
    """The statuses of everything that began after the journal row."""
    found: set[str] = set()
    for table in (Task, Deadline):
        found |= set(
            caseload.session.exec(select(table.status).where(table.case_id == case_id, col(table.seq) > after))
        )
    return {str(status) for status in found}


def correct(caseload: Caseload, case_id: int, *, now: Any = START, **parts: Any) -> Outcome:
    return caseload.advance(case_id, "correct", now=now, **{"note": WHY, **parts})


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_life_is_taken_back_step_by_step(caseload: Caseload, steps: int) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.record_everything(case_id)
    way: list[tuple[str, dict[str, Any]]] = [
        ("confirm_arrival", {}),
        ("begin_screening", {}),
        ("hold", {"reason": "medical"}),
        ("resume", {}),
        ("close", {"reason": "withdrew", "note": "Parti"}),
    ]
    before = {}
    for number, (trigger, parts) in enumerate(way):
        before[number] = fingerprint(caseload, case_id, number + 1)
        done = caseload.advance(case_id, trigger, now=START + number * DAY, **parts)
        assert done.kind is OutcomeKind.MOVED, (trigger, [reason.code for reason in done.reasons])
    for back in range(steps):
        taken = correct(caseload, case_id, now=START + (10 + back) * DAY)
        assert taken.kind is OutcomeKind.MOVED
        number = len(way) - 1 - back
        assert taken.to_state == before[number]["case"]["state"]
        assert fingerprint(caseload, case_id, number + 1) == before[number]
        assert begun(caseload, case_id, number + 1) <= {"cancelled", "done", "kept", "late", "fired"}
    rows = caseload.session.exec(select(JournalRow).where(JournalRow.case_id == case_id)).all()
    assert len(rows) == 1 + len(way) + steps
    assert verify_journal(caseload.session, chunk=10).broken == []


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_was_done_is_taken_back_whole(sqlite_engine: Engine, data: st.DataObject) -> None:
    with write_session(sqlite_engine) as session:
        caseload = open_caseload(session)
        (case_id,) = caseload.register_many(1)
        caseload.record_everything(case_id)
        now = START
        for _ in range(data.draw(st.integers(1, 10))):
            move = _any_move(caseload, case_id, data)
            if move is None:
                break
            now += timedelta(hours=data.draw(st.integers(1, 24 * 30)))
            version = caseload.case(case_id).version
            # What has been done and taken back before began later than the rows that are compared.
            first = fingerprint(caseload, case_id, version)
            assert advance_case(session, move, now=now).kind is OutcomeKind.MOVED
            now += timedelta(hours=data.draw(st.integers(0, 48)))
            taken = correct(caseload, case_id, now=now)
            assert taken.kind in (OutcomeKind.MOVED, OutcomeKind.REFUSED)
            if taken.kind is OutcomeKind.REFUSED:
                assert {reason.code for reason in taken.reasons} == {"recorded_apart"}
                continue
            assert fingerprint(caseload, case_id, version) == first
            assert not begun(caseload, case_id, version) & {"open", "held"}
            advance_case(session, move.__class__(**{**_parts(move), "command_id": f"{move.command_id}-again"}), now=now)
        assert verify_journal(session, chunk=10).broken == []
        session.rollback()


def _parts(move: Move) -> dict[str, Any]:
    return {name: getattr(move, name) for name in move.__dataclass_fields__}


def _any_move(caseload: Caseload, case_id: int, data: st.DataObject) -> Move | None:
    """A move that the case allows somebody now."""
    facts = gather_facts(caseload.session, [case_id], FACT_GROUPS)[case_id]
    possible = []
    for role, actor in caseload.staff.items():
        for one in preview(caseload.pathway, facts, actor, START):
            if one.allowed and one.trigger not in ("correct", "waive_deadline"):
                possible.append((role, one))
    if not possible:
        return None
    role, one = data.draw(st.sampled_from(possible))
    answers = {name: data.draw(st.sampled_from(choices or ("autre",))) for name, choices in one.asks.items()}
    reason, note, record = (answers.pop(name, None) for name in ("reason", "note", "record"))
    move = caseload.move(case_id, one.trigger, role, reason=reason, note=note or WHY, data=answers, details=True)
    record = record or f"R{move.command_id}"
    transition = caseload.pathway.table[facts.state, one.trigger]
    return move if transition.record is None else Move(**{**_parts(move), "record": record})


def test_the_priority_comes_back_too(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "raise_urgent")
    caseload.advance(case_id, "raise_emergency")
    assert correct(caseload, case_id).kind is OutcomeKind.MOVED
    assert caseload.case(case_id).priority == "urgent"
    assert correct(caseload, case_id).kind is OutcomeKind.MOVED
    assert caseload.case(case_id).priority == "normal"


def test_a_timer_that_closed_the_case_starts_anew(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    late = START + 200 * DAY
    assert sweep_deadlines(caseload.session, as_of=late, limit=10).fired == 1
    assert caseload.case(case_id).state == "closed"
    assert correct(caseload, case_id, now=late + DAY).to_state == "registered"
    assert sweep_deadlines(caseload.session, as_of=late + 2 * DAY, limit=10).fired == 0
    caseload.session.expire_all()
    clock = caseload.session.exec(select(Deadline).where(Deadline.key == "no_show", Deadline.status == "open")).one()
    assert clock.due_at > late + 30 * DAY
    # And it does its work when its time comes again.
    assert sweep_deadlines(caseload.session, as_of=clock.due_at, limit=10).fired == 1
    assert caseload.case(case_id).state == "closed"


def test_what_cannot_be_taken_back_says_why(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)

    def codes(outcome: Outcome) -> set[str]:
        assert outcome.kind is OutcomeKind.REFUSED
        return {reason.code for reason in outcome.reasons}

    assert codes(correct(caseload, case_id)) == {"nothing_to_take_back"}
    caseload.advance(case_id, "confirm_arrival")
    assert codes(correct(caseload, case_id, note=" ")) == {"note_given"}
    assert codes(correct(caseload, case_id, role="case_worker")) == {"role_not_allowed"}
    assert correct(caseload, case_id, command_id="once").kind is OutcomeKind.MOVED
    assert correct(caseload, case_id, command_id="once").kind is OutcomeKind.ALREADY_DONE
    assert codes(correct(caseload, case_id)) == {"nothing_to_take_back"}


def test_a_preview_knows_what_can_be_taken_back(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)

    def allowed() -> bool:
        facts = gather_facts(caseload.session, [case_id], (*FACT_GROUPS, PAST))[case_id]
        possible = preview(caseload.pathway, facts, caseload.staff["coordinator"], START)
        return next(one.allowed for one in possible if one.trigger == "correct")

    assert not allowed()
    caseload.advance(case_id, "confirm_arrival")
    assert allowed()


def test_only_those_who_received_the_mistake_receive_its_correction(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    for code, types in (("all", []), ("some", ["case.arrived"]), ("none", ["case.closed", "case.corrected"])):
        partner = Partner(code=code, name=f"Partenaire fictif {code}", created_at=START)
        session.add(partner)
        session.flush()
        session.add(
            Subscription(
                partner_id=partner.id or 0, url="http://127.0.0.1:9/", secret="", event_types=types, created_at=START
            )
        )
    session.flush()
    fan_out(session, now=START)
    caseload.advance(case_id, "confirm_arrival")
    fan_out(session, now=START)
    correct(caseload, case_id)
    caseload.advance(case_id, "confirm_arrival")
    correct(caseload, case_id)  # the mistake and its correction fan out together
    fan_out(session, now=START)
    query = (
        select(Partner.code, Event.type, Event.data)
        .join(Subscription, col(Subscription.partner_id) == col(Partner.id))
        .join(Delivery, col(Delivery.subscription_id) == col(Subscription.id))
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .order_by(col(Event.sequence))
    )
    received: dict[str, list[Any]] = {}
    for code, type_, data in session.exec(query):
        received.setdefault(code, []).append((type_, data))
    arrivals = {event.uid for event in session.exec(select(Event).where(Event.type == "case.arrived"))}
    assert set(received) == {"all", "some"}
    assert [type_ for type_, _ in received["some"]] == ["case.arrived", "case.corrected"] * 2
    assert {data["corrects"] for type_, data in received["some"] if type_ == "case.corrected"} == arrivals
    assert {data["state"] for type_, data in received["all"] if type_ == "case.corrected"} == {"registered"}


def test_a_case_that_moved_meanwhile_is_left_alone(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    assert correct(caseload, case_id, expected_version=1).kind is OutcomeKind.STALE
    assert caseload.session.exec(select(Case.state)).one() == "arrived"


def test_an_overdue_event_that_is_still_true_is_not_corrected(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    caseload.advance(case_id, "raise_urgent")
    session.add(
        Event(
            uid="evt_overdue",
            case_id=case_id,
            sequence=99,
            seq=caseload.case(case_id).version,
            type="deadline.overdue",
            occurred_at=START,
            correlation_id="sweep:then",
        )
    )
    session.flush()
    assert correct(caseload, case_id).kind is OutcomeKind.MOVED
    assert session.exec(select(Event).where(Event.type == "case.corrected")).all() == []


def test_a_task_comes_back_to_nobody_who_has_left(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    worker = session.get_one(Staff, caseload.staff["intake_officer"].id)
    session.exec(select(Task).where(Task.case_id == case_id)).one().staff_id = worker.id
    session.flush()
    caseload.advance(case_id, "confirm_arrival")
    worker.active = False
    session.flush()
    correct(caseload, case_id)
    session.expire_all()
    task = session.exec(select(Task).where(Task.key == "confirm_arrival", Task.status == "open")).one()
    assert task.staff_id is None


def test_a_hold_under_another_name_is_where_it_was() -> None:
    """The hold and the state before it were renamed by a migration between the hold and its end."""

    def row(seq: int, trigger: str, source: str | None, goal: str) -> PastRow:
        return PastRow(seq, START + seq * DAY, trigger, source, goal, None, {})

    rows = (
        row(1, "register", None, "old_name"),
        row(2, "hold", "old_name", "old_hold"),
        row(3, "migrate", "old_hold", "on_hold"),
        row(4, "resume", "on_hold", "arrived"),
    )
    pathway = load_pathway(bundled_pathway("mali"), "mali")
    facts = Facts(
        1, "arrived", 4, START + 4 * DAY, START.date(), START, past=Past(rows, tasks=(), clocks=(), events=())
    )
    state, effects = correction_effects(pathway, facts, START + 5 * DAY)
    (restored,) = (effect for effect in effects if isinstance(effect, Restore))
    assert (state, restored.previous_state, restored.held_at) == ("on_hold", "arrived", START + 2 * DAY)
