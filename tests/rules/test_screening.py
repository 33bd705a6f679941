"""Screenings and assessments: what is written with which move, what asks for help at once, and how results change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel
from synthetic_cases import START, Caseload, open_caseload

from models import Assessment, InstrumentDefinition, JournalRow, Task, Vulnerability, WrongUse
from states.assessments import History, assessment_history
from states.casework.screening import (
    NOT_FOR_ROLE,
    Assessed,
    Recorded,
    Screened,
    record_assessments,
    record_screenings,
)
from states.instruments import ACT_AT_ONCE, AnswersError, Catalogue, NotScorable, bundled_catalogue
from states.instruments.definition import Summed
from states.moves import Outcome, OutcomeKind

LATER = START + timedelta(days=2)
CALM, ALARMING = (0,) * 9, (*(0,) * 8, 1)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


@pytest.fixture
def case_id(caseload: Caseload) -> int:
    """A case in screening."""
    return in_screening(caseload)[0]


def in_screening(caseload: Caseload, number: int = 1) -> list[int]:
    case_ids = caseload.register_many(number)
    caseload.advance_all(case_ids, "confirm_arrival", role="intake_officer")
    caseload.agree(case_ids)
    caseload.advance_all(case_ids, "begin_screening", role="intake_officer")
    return case_ids


def rows(caseload: Caseload, table: type[SQLModel], case_id: int) -> list[Any]:
    query = select(table).where(table.case_id == case_id).order_by(table.id)
    return list(caseload.session.scalars(query.execution_options(populate_existing=True)))


def apply(
    caseload: Caseload,
    case_id: int,
    instrument: str,
    answers: tuple[int, ...],
    *,
    now: datetime = LATER,
    role: str = "psychosocial_worker",
    catalogue: Catalogue | None = None,
    **changes: Any,
) -> Recorded:
    signed = caseload.signed(case_id, role) | changes
    assessed = Assessed(**signed, instrument=instrument, answers=answers)
    (recorded,) = record_assessments(caseload.session, [assessed], catalogue=catalogue or bundled_catalogue(), now=now)
    return recorded


def screen(caseload: Caseload, case_id: int, *found: str, **changes: Any) -> Outcome:
    screened = Screened(**(caseload.signed(case_id, "vulnerability_focal_point") | changes), found=found)
    (outcome,) = record_screenings(caseload.session, [screened], new_code=caseload.new_code, now=LATER)
    return outcome


def test_item_nine_raises_the_emergency_in_the_same_transaction(caseload: Caseload) -> None:
    calm, alarming = in_screening(caseload, 2)
    assessed = [
        Assessed(**caseload.signed(id_, "psychosocial_worker"), instrument="phq9", answers=answers)
        for id_, answers in ((calm, CALM), (alarming, ALARMING))
    ]
    first, second = record_assessments(caseload.session, assessed, catalogue=bundled_catalogue(), now=LATER)

    assert (first.outcome.kind, first.raised) == (OutcomeKind.MOVED, None)
    assert second.raised is not None
    assert second.raised.kind is OutcomeKind.MOVED
    assert (caseload.case(calm).priority, caseload.case(alarming).priority) == ("normal", "emergency")
    opened = [task for task in rows(caseload, Task, alarming) if task.key == "emergency_response"]
    assert [(task.status, task.due_at) for task in opened] == [("open", LATER + timedelta(hours=24))]
    assert [task for task in rows(caseload, Task, calm) if task.key == "emergency_response"] == []
    newest = rows(caseload, Assessment, alarming)[-1]
    assert (newest.instrument, newest.score, newest.flags, newest.version) == ("phq9", 1, [ACT_AT_ONCE], "1")
    assert newest.answers == {str(item): int(item == 9) for item in range(1, 10)}
    assert newest.seq == second.outcome.seq


def test_an_alarming_answer_is_kept_when_the_case_is_closed_and_says_so(caseload: Caseload, case_id: int) -> None:
    caseload.advance(case_id, "close", reason="funding_ended")
    assert caseload.case(case_id).state == "closed"
    recorded = apply(caseload, case_id, "phq9", ALARMING)
    assert recorded.outcome.kind is OutcomeKind.MOVED
    assert recorded.raised is not None
    assert [reason.code for reason in recorded.raised.reasons] == ["wrong_state"]
    assert rows(caseload, Assessment, case_id)[-1].flags == [ACT_AT_ONCE]
    assert caseload.case(case_id).state == "closed"


def test_what_the_pathway_refuses_is_not_written(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    recorded = apply(caseload, case_id, "phq9", CALM)
    assert (recorded.outcome.kind, recorded.raised) == (OutcomeKind.REFUSED, None)
    assert screen(caseload, case_id, "medical").kind is OutcomeKind.REFUSED
    assert rows(caseload, Assessment, case_id) == rows(caseload, Vulnerability, case_id) == []
    assert list(caseload.session.scalars(select(InstrumentDefinition))) == []


@pytest.mark.parametrize("role", ["psychosocial_worker", "training_officer"])
def test_what_was_said_raises_the_emergency_even_where_it_cannot_be_recorded(caseload: Caseload, role: str) -> None:
    (case_id,) = caseload.register_many(1)
    recorded = apply(caseload, case_id, "phq9", ALARMING, role=role)
    assert recorded.outcome.kind is OutcomeKind.REFUSED
    assert recorded.raised is not None
    assert recorded.raised.kind is OutcomeKind.MOVED
    assert caseload.case(case_id).priority == "emergency"
    assert rows(caseload, Assessment, case_id) == []


def test_an_unknown_case_is_answered_as_such(caseload: Caseload) -> None:
    recorded = apply(caseload, 99, "phq9", ALARMING)
    assert (recorded.outcome.kind, recorded.raised) == (OutcomeKind.UNKNOWN, None)


def test_an_instrument_is_for_those_roles_that_its_definition_names(caseload: Caseload, case_id: int) -> None:
    assert apply(caseload, case_id, "phq9", CALM, role="case_worker").outcome.reasons == (NOT_FOR_ROLE,)
    assert apply(caseload, case_id, "k6", (0,) * 6, role="case_worker").outcome.kind is OutcomeKind.MOVED
    refused = apply(caseload, case_id, "k6", (0,) * 6, role="training_officer")
    assert refused.outcome.kind is OutcomeKind.REFUSED
    assert [row.instrument for row in rows(caseload, Assessment, case_id)] == ["k6"]


def test_the_same_command_is_recorded_and_raised_once(caseload: Caseload, case_id: int) -> None:
    first = apply(caseload, case_id, "phq9", ALARMING, command_id="once")
    again = apply(caseload, case_id, "phq9", ALARMING, command_id="once", now=LATER + timedelta(hours=1))
    assert (again.outcome.kind, again.outcome.seq) == (OutcomeKind.ALREADY_DONE, first.outcome.seq)
    assert again.raised is not None
    assert again.raised.kind is OutcomeKind.ALREADY_DONE
    assert len(rows(caseload, Assessment, case_id)) == 1


def test_answers_that_do_not_fit_write_nothing_at_all(caseload: Caseload, case_id: int) -> None:
    with pytest.raises(AnswersError):
        apply(caseload, case_id, "k6", (0,) * 5)
    with pytest.raises(NotScorable):
        apply(caseload, case_id, "rss", (1,) * 15)
    assert [row.trigger for row in rows(caseload, JournalRow, case_id)][-1] == "begin_screening"


def test_a_screening_keeps_what_was_found_and_refuses_what_it_does_not_know(caseload: Caseload, case_id: int) -> None:
    outcome = screen(caseload, case_id, "trafficking", "medical", "medical")
    (row,) = rows(caseload, Assessment, case_id)
    assert (row.instrument, row.score, row.band, row.flags) == ("vulnerability", 2, "some", ["medical", "trafficking"])
    assert row.seq == outcome.seq
    with pytest.raises(WrongUse, match=r"left_handed.*Use medical, trafficking"):
        screen(caseload, case_id, "left_handed")
    open_tasks = {task.key for task in rows(caseload, Task, case_id) if task.status == "open"}
    assert "conclude_screening" in open_tasks
    assert "vulnerability_screening" not in open_tasks


def test_screenings_repeat_and_what_is_open_is_not_identified_anew(caseload: Caseload, case_id: int) -> None:
    screen(caseload, case_id, "medical", command_id="first")
    screen(caseload, case_id, "medical", command_id="first")
    screen(caseload, case_id, "medical", "disability")
    screen(caseload, case_id)
    found = rows(caseload, Vulnerability, case_id)
    assert [(each.kind, each.status, each.source) for each in found] == [
        ("medical", "identified", "screening"),
        ("disability", "identified", "screening"),
    ]
    assert [row.score for row in rows(caseload, Assessment, case_id)] == [1, 2, 0]


def test_two_screenings_of_one_case_in_a_batch_identify_once(caseload: Caseload, case_id: int) -> None:
    twice = [Screened(**caseload.signed(case_id, "vulnerability_focal_point"), found=("medical",)) for _ in range(2)]
    outcomes = record_screenings(caseload.session, twice, new_code=caseload.new_code, now=LATER)
    assert [each.kind for each in outcomes] == [OutcomeKind.MOVED] * 2
    assert len(rows(caseload, Vulnerability, case_id)) == 1


def history(caseload: Caseload, case_id: int, role: str | None = None) -> dict[str, History]:
    return {each.instrument: each for each in assessment_history(caseload.session, case_id, role)}


def test_the_history_shows_each_change_and_whether_it_is_more_than_chance(caseload: Caseload, case_id: int) -> None:
    for week, answers in enumerate([(1, 1, 1, 1, 1), (1, 1, 1, 1, 2), (2, 2, 1, 1, 2), (2, 2, 1, 1, 2)]):
        apply(caseload, case_id, "who5", answers, now=LATER + timedelta(weeks=week))
    found = history(caseload, case_id)["who5"]
    assert (found.lowest, found.highest, found.higher) == (0, 25, "better")
    assert [(each.score, each.percent, each.band) for each in found.results] == [
        *((5, 20, "poor"), (6, 24, "poor"), (8, 32, "poor"), (8, 32, "poor")),
    ]
    assert found.results[0].band_title.fr == "mauvais"
    previous = [each.since_previous for each in found.results]
    first = [each.since_first for each in found.results]
    assert previous == [None, (1, 4, True, False), (2, 8, True, False), (0, 0, None, False)]
    assert first == [None, (1, 4, True, False), (3, 12, True, True), (3, 12, True, True)]


def test_an_instrument_without_a_rule_shows_change_without_judging_it(caseload: Caseload, case_id: int) -> None:
    apply(caseload, case_id, "k6", (1,) * 6)
    apply(caseload, case_id, "k6", (2,) * 6, now=LATER + timedelta(days=30))
    assert history(caseload, case_id)["k6"].results[1].since_previous == (6, None, False, None)


def test_results_are_shown_to_the_roles_of_the_instrument_and_answers_to_nobody(
    caseload: Caseload, case_id: int
) -> None:
    apply(caseload, case_id, "phq9", ALARMING)
    apply(caseload, case_id, "k6", (1,) * 6)
    caseload.screen([case_id])
    assert set(history(caseload, case_id)) == set(history(caseload, case_id, "psychosocial_worker")) == {"k6", "phq9"}
    assert set(history(caseload, case_id, "case_worker")) == {"k6"}
    assert history(caseload, case_id, "training_officer") == {}
    assert "answers" not in repr(history(caseload, case_id))


def test_old_results_stay_bound_to_the_version_that_scored_them(caseload: Caseload, case_id: int) -> None:
    first = bundled_catalogue().find("k6")
    assert isinstance(first, Summed)
    stricter = [band.model_copy(update={"start": 3}) if band.code == "moderate" else band for band in first.bands]
    second = first.model_copy(update={"version": 2, "bands": tuple(stricter)})
    both = Catalogue([*bundled_catalogue(), second])
    apply(caseload, case_id, "k6", (1, 1, 1, 1, 0, 0))
    apply(caseload, case_id, "k6", (1, 1, 1, 1, 0, 0), catalogue=both, now=LATER + timedelta(days=1))
    apply(
        caseload, case_id, "k6", (1, 1, 1, 1, 1, 0), catalogue=both, now=LATER + timedelta(days=2), role="coordinator"
    )
    found = history(caseload, case_id)["k6"].results
    assert [(each.version, each.band) for each in found] == [("1", "low"), ("2", "moderate"), ("2", "moderate")]
    assert [each.since_previous for each in found] == [None, None, (1, None, False, None)]
    assert [each.since_first for each in found] == [None] * 3
    kept = caseload.session.scalars(select(InstrumentDefinition).order_by(InstrumentDefinition.version)).all()
    assert [(row.instrument, row.version, row.fingerprint) for row in kept] == [
        ("k6", 1, first.fingerprint),
        ("k6", 2, second.fingerprint),
    ]

    # A version that scored somebody cannot be said anew: its results would no longer mean what they meant.
    changed = Catalogue([first.model_copy(update={"bands": second.bands})])
    with pytest.raises(WrongUse, match=r"Version 1 of k6 says something else"):
        apply(caseload, case_id, "k6", (0,) * 6, catalogue=changed)


def test_results_from_before_definitions_were_kept_are_read_with_the_bundled_one(
    caseload: Caseload, case_id: int
) -> None:
    for instrument in ("who5", "of_old"):
        row = Assessment(
            case_id=case_id,
            instrument=instrument,
            version="1",
            answers={},
            score=13,
            band="adequate",
            assessed_at=START,
        )
        caseload.session.add(row)
    caseload.session.flush()
    found = history(caseload, case_id)
    assert (found["who5"].results[0].percent, found["who5"].results[0].band_title.en) == (52, "adequate")
    assert (found["of_old"].title.fr, found["of_old"].results[0].percent) == ("of_old", None)
    assert set(history(caseload, case_id, "coordinator")) == {"who5"}


def test_an_assessment_that_was_taken_back_is_no_result(caseload: Caseload, case_id: int) -> None:
    apply(caseload, case_id, "k6", (1,) * 6)
    apply(caseload, case_id, "k6", (4,) * 6)
    back = caseload.advance(case_id, "correct", role="coordinator", note="Mauvais dossier", now=LATER)
    assert back.kind is OutcomeKind.MOVED, back.reasons
    assert [each.score for each in history(caseload, case_id)["k6"].results] == [6]
