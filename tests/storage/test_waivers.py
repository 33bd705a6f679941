"""A coordinator waives a deadline with a reason, within what the pathway allows; it is in the journal and counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select
from synthetic_cases import START, Caseload, open_caseload

from models import Deadline, Notice, Waiver
from models.case import JournalRow
from states.decide import preview
from states.facts import FACT_GROUPS
from states.gather import gather_facts
from states.journal import verify_journal
from states.moves import Outcome, OutcomeKind
from states.pathways.loader import PathwayError, bundled_pathway, load_pathway
from states.pathways.shelf import pathways_of, publish
from states.releases import release_notices
from states.reminders import arm_reminders
from states.sweep import sweep_deadlines
from states.waivers import WaiverCount, waiver_counts

DAY = timedelta(days=1)
PLAN_DUE = datetime(2024, 2, 8, tzinfo=UTC)
"""One month after the arrival of 7 January 2024."""


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


@pytest.fixture
def case_id(caseload: Caseload) -> int:
    (made,) = caseload.register_many(1)
    assert caseload.advance(made, "confirm_arrival").kind is OutcomeKind.MOVED
    return made


def _waive(caseload: Caseload, case_id: int, deadline: str | None, until: str | None, **parts: Any) -> Outcome:
    data = {name: value for name, value in (("deadline", deadline), ("until", until)) if value is not None}
    given: dict[str, Any] = {"reason": "illness", "note": "Personne fictive, hospitalisée.", "data": data}
    return caseload.advance(case_id, "waive_deadline", **(given | parts))


def _clock(session: Session, case_id: int, key: str) -> Deadline:
    query = select(Deadline).where(Deadline.case_id == case_id, Deadline.key == key).order_by(col(Deadline.id).desc())
    found = session.exec(query.execution_options(populate_existing=True)).first()
    assert found is not None
    return found


def _codes(outcome: Outcome) -> list[str]:
    assert outcome.kind is OutcomeKind.REFUSED
    return [reason.code for reason in outcome.reasons]


def test_an_extension_moves_the_deadline_and_says_who_and_why(
    caseload: Caseload, session: Session, case_id: int
) -> None:
    outcome = _waive(caseload, case_id, "plan_approved", "2024-02-29")
    assert (outcome.kind, outcome.to_state) == (OutcomeKind.MOVED, "arrived")
    clock = _clock(session, case_id, "plan_approved")
    new = datetime(2024, 3, 1, tzinfo=UTC)
    assert (clock.status, clock.due_at, clock.next_at, clock.first_due_at) == ("open", new, new, PLAN_DUE)
    row = session.exec(select(JournalRow).where(JournalRow.trigger == "waive_deadline")).one()
    assert (row.actor_id, row.reason) == (caseload.staff["coordinator"].id, "illness")
    assert row.data == {"deadline": "plan_approved", "until": "2024-02-29"}
    assert row.note is not None
    waiver = session.exec(select(Waiver)).one()
    assert (waiver.case_id, waiver.seq, waiver.deadline_id) == (case_id, row.seq, clock.id)
    assert (waiver.due_at, waiver.until_at, waiver.waived_by) == (PLAN_DUE, new, row.actor_id)
    assert verify_journal(session).broken == []


def test_a_lifted_deadline_is_over_and_counts_as_neither_kept_nor_late(caseload: Caseload, session: Session) -> None:
    text = bundled_pathway("mali").replace("waiver: {extend: P30D, times: 2}", "waiver: {lift: true}", 1)
    changed = publish(session, text.replace("\nversion: ", "\nversion: 90"), START).id or 0
    caseload.version_id = changed
    key = next(key for key, each in pathways_of(session, [changed])[changed].deadlines.items() if each.waiver
               and each.waiver.lift and each.waiver.extend is None)  # fmt: skip
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    assert _codes(_waive(caseload, case_id, key, "2024-02-20")) == ["not_extendable"]
    outcome = _waive(caseload, case_id, key, None, reason="without_object")
    assert outcome.kind is OutcomeKind.MOVED
    clock = _clock(session, case_id, key)
    assert (clock.status, clock.closed_at, clock.closed_seq) == ("waived", START, outcome.seq)
    assert waiver_counts(session) == [WaiverCount(key, "without_object", 0, 1)]
    later = START + 100 * DAY
    while sweep_deadlines(session, as_of=later, limit=100).seen:
        pass
    assert _clock(session, case_id, key).overdue_at is None
    assert _codes(_waive(caseload, case_id, key, None)) == ["no_such_deadline"]
    assert verify_journal(session).broken == []


def test_the_ladder_of_an_extended_deadline_begins_at_its_foot_and_reminders_move(
    caseload: Caseload, session: Session, case_id: int
) -> None:
    arm_reminders(session, case_ids=[case_id], now=START)
    night = PLAN_DUE + 8 * DAY
    sweep_deadlines(session, as_of=night, limit=100)
    assert _clock(session, case_id, "plan_approved").level == 1
    assert _waive(caseload, case_id, "plan_approved", "2024-03-08", now=night).kind is OutcomeKind.MOVED
    clock = _clock(session, case_id, "plan_approved")
    assert (clock.level, clock.overdue_at, clock.due_at) == (0, None, datetime(2024, 3, 9, tzinfo=UTC))
    arm_reminders(session, case_ids=[case_id], now=night)
    release_notices(session, now=night, day=night.date(), limit=100)
    told = select(Notice.kind).where(Notice.deadline_id == clock.id, col(Notice.sent_at).is_not(None))
    assert session.exec(told).all() == [], "what waited was no longer true"
    waiting = select(Notice.send_at).where(
        Notice.deadline_id == clock.id, col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None)
    )
    assert session.exec(waiting).all() == [datetime(2024, 3, 2, tzinfo=UTC)]
    later = clock.due_at + 2 * DAY
    sweep_deadlines(session, as_of=later, limit=100)
    assert _clock(session, case_id, "plan_approved").overdue_at == later


@pytest.mark.parametrize(
    ("deadline", "until", "codes"),
    [
        (None, "2024-02-29", ["no_such_deadline"]),
        ("visit_3", "2024-02-29", ["no_such_deadline"]),
        ("plan_approved", None, ["until_needed"]),
        ("plan_approved", "29/02/2024", ["until_no_day"]),
        ("plan_approved", "9999-12-31", ["until_no_day"]),
        ("plan_approved", "2024-02-07", ["until_not_later"]),
        ("plan_approved", "2024-03-09", ["waiver_too_long"]),
    ],
)
def test_what_stands_against_a_waiver_is_said(
    caseload: Caseload, case_id: int, deadline: str | None, until: str | None, codes: list[str]
) -> None:
    assert _codes(_waive(caseload, case_id, deadline, until)) == codes


def test_a_waiver_needs_a_coordinator_a_reason_and_a_note(caseload: Caseload, case_id: int) -> None:
    refused = _waive(caseload, case_id, "plan_approved", "2024-02-29", role="case_worker", reason=None, note=None)
    assert _codes(refused) == ["role_not_allowed", "reason_in", "note_given"]


def test_an_emergency_is_never_waived(caseload: Caseload, case_id: int) -> None:
    assert caseload.advance(case_id, "raise_emergency").kind is OutcomeKind.MOVED
    assert _codes(_waive(caseload, case_id, "emergency_response", "2024-01-20")) == ["not_waivable"]
    waivable = {key for key, each in caseload.pathway.deadlines.items() if each.waiver is not None}
    assert waivable.isdisjoint(caseload.pathway.urgent_deadlines)


def test_a_deadline_is_waived_only_so_often(caseload: Caseload, session: Session, case_id: int) -> None:
    for day in ("2024-02-20", "2024-02-25"):
        assert _waive(caseload, case_id, "plan_approved", day).kind is OutcomeKind.MOVED
    assert _codes(_waive(caseload, case_id, "plan_approved", "2024-03-01")) == ["waived_before"]
    assert _codes(_waive(caseload, case_id, "plan_approved", None)) == ["waived_before", "until_needed"]


def test_a_preview_shows_what_can_be_waived_and_until_when(caseload: Caseload, session: Session, case_id: int) -> None:
    facts = gather_facts(session, [case_id], FACT_GROUPS)[case_id]
    lines = preview(caseload.pathway, facts, caseload.staff["coordinator"], START)
    (line,) = [each for each in lines if each.trigger == "waive_deadline"]
    assert line.allowed
    assert set(line.asks["deadline"]) == {"screening_begun", "plan_approved"}
    assert "2024-03-08" in line.asks["until"], "thirty days after 7 February"
    assert "illness" in line.asks["reason"]


def test_waivers_are_counted_by_deadline_and_reason(caseload: Caseload, session: Session) -> None:
    cases = caseload.register_many(5)
    caseload.advance_all(cases, "confirm_arrival")
    for number, made in enumerate(cases):
        reason = "illness" if number < 3 else "out_of_reach"
        assert _waive(caseload, made, "plan_approved", "2024-02-20", reason=reason).kind is OutcomeKind.MOVED
    assert waiver_counts(session) == [
        WaiverCount("plan_approved", "illness", 3, 0), WaiverCount("plan_approved", "out_of_reach", 2, 0),
    ]  # fmt: skip
    assert waiver_counts(session, since=START + DAY) == []
    assert waiver_counts(session, until=START) == []


def test_the_last_move_cannot_be_taken_back_past_a_waiver(caseload: Caseload, case_id: int) -> None:
    assert _waive(caseload, case_id, "plan_approved", "2024-02-20").kind is OutcomeKind.MOVED
    assert _codes(caseload.advance(case_id, "correct", note="Erreur")) == ["recorded_apart"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("waiver: {extend: P30D, times: 2}", "waiver: {times: 2}", "empty_waiver"),
        ("    waives: true\n", "    waives: true\n    to: closed\n    announce: [case.closed]\n", "waiver_moves"),
    ],
)
def test_a_pathway_whose_waivers_mean_nothing_is_refused(before: str, after: str, code: str) -> None:
    text = bundled_pathway("mali")
    assert before in text
    with pytest.raises(PathwayError) as refused:
        load_pathway(text.replace(before, after, 1), "mali.yaml")
    assert code in {problem.code for problem in refused.value.problems}
