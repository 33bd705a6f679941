"""Clocks that stand still while a case is on hold, and go on by exactly as much later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select
from synthetic_cases import START, Caseload, open_caseload

from models import Deadline, Task
from states.journal import verify_journal
from states.moves import OutcomeKind

HELD_AT = START + timedelta(days=2, hours=5, microseconds=123_456)
STOOD_STILL = timedelta(days=11, hours=3, minutes=7, microseconds=999_999)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def deadlines(caseload: Caseload, case_id: int) -> dict[str, Deadline]:
    """The newest deadline of each key."""
    query = select(Deadline).where(Deadline.case_id == case_id).order_by("id")
    return {row.key: row for row in caseload.session.exec(query)}


def tasks(caseload: Caseload, case_id: int) -> dict[str, Task]:
    return {row.key: row for row in caseload.session.exec(select(Task).where(Task.case_id == case_id).order_by("id"))}


def times(caseload: Caseload, case_id: int) -> dict[str, tuple[datetime | None, ...]]:
    """Every time that a hold moves, by key, of what is open or held."""
    found: dict[str, tuple[datetime | None, ...]] = {}
    for key, deadline in deadlines(caseload, case_id).items():
        if deadline.status in ("open", "held"):
            found[f"deadline {key}"] = (deadline.due_at, deadline.next_at)
    for key, task in tasks(caseload, case_id).items():
        if task.status in ("open", "held"):
            found[f"task {key}"] = (task.due_at,)
    return found


def hold(caseload: Caseload, now: datetime = HELD_AT) -> int:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    assert caseload.advance(case_id, "hold", reason="medical", now=now).kind is OutcomeKind.MOVED
    return case_id


def test_on_hold_everything_stands_still_but_the_hold_s_own_clock(caseload: Caseload) -> None:
    case_id = hold(caseload)
    case = caseload.case(case_id)
    assert (case.state, case.previous_state, case.held_at) == ("on_hold", "arrived", HELD_AT)
    assert {key: row.status for key, row in deadlines(caseload, case_id).items()} == {
        "no_show": "cancelled",
        "screening_begun": "held",
        "plan_approved": "held",
        "hold_review": "open",
    }
    assert {key: row.status for key, row in tasks(caseload, case_id).items()} == {
        "confirm_arrival": "done",
        "post_arrival_assistance": "held",
        "identity_interview": "held",
        "review_hold": "open",
    }


def test_resumed_clocks_are_due_exactly_as_much_later(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    before = times(caseload, case_id)
    assert len(before) == 4
    caseload.advance(case_id, "hold", reason="medical", now=HELD_AT)
    caseload.advance(case_id, "resume", now=HELD_AT + STOOD_STILL)
    case = caseload.case(case_id)
    assert (case.state, case.previous_state, case.held_at) == ("arrived", None, None)
    assert times(caseload, case_id) == {
        key: tuple(None if moment is None else moment + STOOD_STILL for moment in moments)
        for key, moments in before.items()
    }
    assert {row.first_due_at for row in deadlines(caseload, case_id).values()}.isdisjoint(
        {row.due_at for row in deadlines(caseload, case_id).values() if row.status == "open"}
    )
    assert deadlines(caseload, case_id)["hold_review"].status == "kept"
    assert tasks(caseload, case_id)["review_hold"].status == "cancelled"


def test_a_clock_with_nothing_left_to_do_stays_so(caseload: Caseload) -> None:
    case_id = hold(caseload)
    row = deadlines(caseload, case_id)["screening_begun"]
    row.next_at = None
    caseload.session.flush()
    caseload.advance(case_id, "resume", now=HELD_AT + STOOD_STILL)
    resumed = deadlines(caseload, case_id)["screening_begun"]
    assert (resumed.status, resumed.next_at) == ("open", None)


def test_cases_that_resume_together_each_go_on_by_their_own_time(caseload: Caseload) -> None:
    session = caseload.session
    early, late = hold(caseload), hold(caseload, HELD_AT + timedelta(days=4))
    due = {id_: deadlines(caseload, id_)["screening_begun"].due_at for id_ in (early, late)}
    now = HELD_AT + timedelta(days=10)
    assert {outcome.kind for outcome in caseload.advance_all([late, early], "resume", now=now)} == {OutcomeKind.MOVED}
    session.expire_all()
    assert deadlines(caseload, early)["screening_begun"].due_at == due[early] + timedelta(days=10)
    assert deadlines(caseload, late)["screening_begun"].due_at == due[late] + timedelta(days=6)


def test_what_begins_during_the_hold_runs_and_what_was_held_does_not(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "raise_emergency")
    caseload.advance(case_id, "hold", reason="medical", now=HELD_AT)
    caseload.advance(case_id, "raise_emergency", now=HELD_AT + timedelta(hours=1))
    query = select(Deadline.status).where(Deadline.case_id == case_id, Deadline.key == "emergency_response")
    assert caseload.session.exec(query.order_by("id")).all() == ["cancelled", "open"]
    running = deadlines(caseload, case_id)["emergency_response"].due_at
    caseload.advance(case_id, "resume", now=HELD_AT + STOOD_STILL)
    assert deadlines(caseload, case_id)["emergency_response"].due_at == running


def test_closing_a_held_case_ends_what_was_held(caseload: Caseload) -> None:
    case_id = hold(caseload)
    closed_at = HELD_AT + STOOD_STILL
    assert caseload.advance(case_id, "close", reason="funding_ended", now=closed_at).kind is OutcomeKind.MOVED
    case = caseload.case(case_id)
    assert (case.state, case.previous_state, case.held_at, case.closed_at) == ("closed", "arrived", None, closed_at)
    assert times(caseload, case_id) == {}
    assert deadlines(caseload, case_id)["screening_begun"].status == "cancelled"
    assert tasks(caseload, case_id)["identity_interview"].status == "cancelled"
    reopened = caseload.advance(case_id, "reopen", note="retrouvé", now=closed_at + timedelta(days=1))
    assert (reopened.kind, reopened.to_state) == (OutcomeKind.MOVED, "arrived")
    assert verify_journal(caseload.session).broken == []
