"""Follow-up: what visits find, how contact counts as lost, and what those who leave are asked. All synthetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from partner_cases import PartnerCases, open_partner_cases
from sqlmodel import Session, select
from synthetic_cases import START

from models import ContactAttempt, ExitInterview, FollowUpVisit, Task, WrongUse
from states.casework.follow_up import (
    Attempt,
    ExitTalk,
    Visit,
    record_attempts,
    record_exit_talks,
    record_visits,
)
from states.moves import Outcome, OutcomeKind
from states.sweep import sweep_deadlines

DAY = timedelta(days=1)
IN_WINDOW = START + 85 * DAY


@pytest.fixture
def cases(session: Session) -> PartnerCases:
    return open_partner_cases(session)


@pytest.fixture
def followed(cases: PartnerCases) -> PartnerCases:
    """The case in follow-up, its three-month visit open at `IN_WINDOW`."""
    cases.caseload.record_everything(cases.case_id)
    cases.session.flush()
    for row in cases.session.exec(select(FollowUpVisit)).all():
        cases.session.delete(row)
    for trigger in ("confirm_arrival", "begin_screening", "begin_planning", "start_follow_up"):
        outcome = cases.advance(trigger)
        assert outcome.kind is OutcomeKind.MOVED, (trigger, outcome.reasons)
    return cases


def sweep(cases: PartnerCases, as_of: datetime) -> None:
    while sweep_deadlines(cases.session, as_of=as_of, limit=100).seen:
        pass


def visit(cases: PartnerCases, now: datetime, **found: Any) -> Outcome:
    given: dict[str, Any] = {"occasion": "V-1", "months": 3, "outcome": "well", **found}
    (outcome,) = record_visits(cases.session, [Visit(**cases.signed(), **given)], now=now)
    return outcome


def attempt(cases: PartnerCases, channel: str, now: datetime, result: str = "not_reached") -> Outcome:
    (outcome,) = record_attempts(cases.session, [Attempt(**cases.signed(), channel=channel, result=result)], now=now)
    return outcome


def test_a_visit_is_recorded_once_it_opens_and_once_only(followed: PartnerCases) -> None:
    assert [reason.code for reason in visit(followed, START + 30 * DAY).reasons] == ["ran_out"]
    assert followed.session.exec(select(FollowUpVisit)).all() == []
    sweep(followed, IN_WINDOW)
    found: dict[str, Any] = {
        "outcome": "struggling",
        "income": "irregular",
        "housing": "precarious",
        "well_being": "poor",
        "satisfaction": 2,
        "intention": "yes",
        "why": ("debt", "no_income"),
        "could_change": ("income_activity",),
        "note": "Note fictive",
    }
    assert visit(followed, IN_WINDOW, **found).kind is OutcomeKind.MOVED
    assert [reason.code for reason in visit(followed, IN_WINDOW).reasons] == ["awaited"]
    row = followed.session.exec(select(FollowUpVisit)).one()
    kept = {name: getattr(row, name) for name in found}
    assert kept == {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    line = followed.newest_row()
    assert (row.seq, row.months, row.occasion, row.visited_at) == (line.seq, 3, "V-1", IN_WINDOW)
    assert line.data == {"months": 3}, "what was found is not for the journal"
    tasks = followed.session.exec(select(Task.status).where(Task.key == "visit_3")).all()
    assert tasks == ["done"]


@pytest.mark.parametrize(
    "found",
    [
        {"outcome": "splendid"},
        {"income": "some"},
        {"satisfaction": 6},
        {"intention": "yes"},
        {"intention": "unsure", "why": ("debt",)},
        {"intention": "no", "why": ("boredom",)},
        {"intention": "no", "could_change": ("weather",)},
    ],
)
def test_answers_that_are_not_known_or_not_asked_are_wrong_use(cases: PartnerCases, found: dict[str, Any]) -> None:
    with pytest.raises(WrongUse):
        visit(cases, START, **found)


@pytest.mark.parametrize(
    ("tries", "lost"),
    [
        ([], False),
        ([("phone", 0), ("visit", 30)], False),
        ([("phone", 0), ("phone", 10), ("phone", 30)], False),
        ([("phone", 0), ("visit", 10), ("phone", 29)], False),
        ([("phone", 0), ("visit", 10), ("phone", 30)], True),
        ([("phone", 0), ("visit", 10), ("phone", 12, "reached"), ("phone", 30)], False),
        ([("phone", 0), ("visit", 1, "refused"), ("phone", 2), ("visit", 20), ("relative", 32, "moved")], True),
    ],
)
def test_contact_is_lost_only_after_the_tries_that_the_pathway_asks_for(
    followed: PartnerCases, tries: list[Any], lost: bool
) -> None:
    for row in followed.session.exec(select(ContactAttempt)).all():
        followed.session.delete(row)
    followed.session.flush()
    for channel, day, *result in tries:
        assert attempt(followed, channel, START + day * DAY, *result).kind is OutcomeKind.MOVED
    outcome = followed.advance("close", reason="lost_contact", now=START + 40 * DAY)
    assert (outcome.kind is OutcomeKind.MOVED) is lost
    assert [reason.code for reason in outcome.reasons] == ([] if lost else ["contact_attempts"])


def test_a_try_that_was_taken_back_does_not_count(followed: PartnerCases) -> None:
    for row in followed.session.exec(select(ContactAttempt)).all():
        followed.session.delete(row)
    followed.session.flush()
    for channel, day in (("phone", 0), ("visit", 10), ("phone", 30)):
        attempt(followed, channel, START + day * DAY)
    assert followed.advance("correct", note="Note fictive", now=START + 31 * DAY).kind is OutcomeKind.MOVED
    outcome = followed.advance("close", reason="lost_contact", now=START + 40 * DAY)
    assert [reason.code for reason in outcome.reasons] == ["contact_attempts"]


@pytest.mark.parametrize("reason", ["withdrew", "re_migrated"])
def test_whoever_leaves_is_asked_why_first(followed: PartnerCases, reason: str) -> None:
    for row in followed.session.exec(select(ExitInterview)).all():
        followed.session.delete(row)
    followed.session.flush()
    refused = followed.advance("close", reason=reason, note="Note fictive")
    assert [each.code for each in refused.reasons] == ["exit_talked"]

    def talk(**parts: Any) -> Outcome:
        given: dict[str, Any] = {"about": reason, "why": ("debt",), "could_change": ("nothing",), **parts}
        (outcome,) = record_exit_talks(followed.session, [ExitTalk(**followed.signed(), **given)], now=START)
        return outcome

    for unknown in ({"why": ()}, {"could_change": ()}, {"heard_from": "radio"}, {"why": ("boredom",)}):
        with pytest.raises(WrongUse):
            talk(**unknown)
    assert [each.code for each in talk(about="deceased").reasons] == ["data_in"]
    assert talk(heard_from="relative").kind is OutcomeKind.MOVED
    row = followed.session.exec(select(ExitInterview)).one()
    assert (row.about, row.heard_from, row.why, row.could_change) == (reason, "relative", ["debt"], ["nothing"])
    assert followed.newest_row().data == {"about": reason}
    assert followed.advance("close", reason=reason, note="Note fictive").kind is OutcomeKind.MOVED
