"""Sheets of attendance through the partner API: each entry by itself, of people whom the partner took on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from api_client import kind_of
from reporting_partners import Reports, on_a_course, open_course, opened
from sqlalchemy import Engine, event
from sqlmodel import Session, select

from integrations.api.attendance import MOST
from models import (
    Attendance,
    Course,
    JournalRow,
    TrainingEnrolment,
)
from models.database import read_session
from states.journal import verify_journal


@pytest.fixture
def training(session: Session, engine: Engine) -> Reports:
    return on_a_course(session, engine)


def test_a_sheet_is_recorded_by_each_entry(training: Reports) -> None:
    early = training.entry(0, day="2024-01-04")
    absent, later = training.entry(1, present=False), training.entry(2)
    given = training.sheet(early, training.entry(0), absent, later)
    assert given.json() == {
        "recorded": 4,
        "refused": 0,
        "results": [{"entry": number, "status": "recorded", "reasons": []} for number in range(4)],
    }
    attended = sorted(training.rows(Attendance), key=lambda row: (row.enrolment_id, row.day))
    assert [(row.day.isoformat(), row.present, row.recorded_by) for row in attended] == [
        ("2024-01-04", True, None),
        ("2024-01-08", True, None),
        ("2024-01-08", False, None),
        ("2024-01-08", True, None),
    ]
    assert [(row.status, row.days_attended) for row in training.rows(TrainingEnrolment)] == [
        ("attending", 2),
        ("attending", 0),
        ("attending", 1),
    ]
    with read_session(training.client.engine) as session:
        journalled = session.exec(select(JournalRow).where(JournalRow.trigger == "confirm_attendance")).all()
        assert {(row.role, row.correlation_id) for row in journalled} == {("partner", given.headers["x-request-id"])}
        assert not verify_journal(session).broken


def test_entries_that_cannot_be_are_told_by_number_field_and_remedy_and_keep_no_other_out(training: Reports) -> None:
    sheet = [
        training.entry(0),
        training.entry(0, referral="0000-0000-0000-0"),
        training.entry(0, course="CUISINE-9"),
        training.entry(0, day="2024-01-01"),
        training.entry(0, day="2024-01-09"),
        training.entry(0, present=False),
        training.entry(1),
    ]
    answer = training.sheet(*sheet).json()
    assert (answer["recorded"], answer["refused"]) == (2, 5)
    told = {each["entry"]: each["reasons"] for each in answer["results"] if each["status"] == "refused"}
    assert {number: [(each["code"], each["field"]) for each in reasons] for number, reasons in told.items()} == {
        1: [("not_found", "referral")],
        2: [("no_such_enrolment", "course")],
        3: [("not_a_day_of_the_course", "day")],
        4: [("not_a_day_of_the_course", "day")],
        5: [("named_twice", "day")],
    }
    assert "check `course`" in told[2][0]["text"]
    assert len(training.rows(Attendance)) == 2


def test_of_anothers_person_or_course_nothing_is_recorded_or_told(training: Reports) -> None:
    open_course_of_another(training)
    another = training.sheet(training.entry(0), by="atelier").json()
    unknown = training.sheet(training.entry(0, referral="0000-0000-0000-0"), by="atelier").json()
    assert another == unknown
    foreign = training.sheet(training.entry(0, course="AUTRE-1")).json()
    nowhere = training.sheet(training.entry(0, course="NULLE-PART")).json()
    assert foreign == nowhere
    assert foreign["refused"] == 1
    for code in ("AUTRE-1", "NULLE-PART"):
        refused = training.report("certificate", {"course": code, "number": "7"})
        assert [each["code"] for each in refused.json()["reasons"]] == ["no_such_enrolment"]
    assert training.rows(Attendance) == []


def open_course_of_another(training: Reports) -> None:
    """The person is on a course of the workshop as well, of which the clinic knows nothing."""
    cases = training.client.cases
    with cases.session as session:
        other = Course(
            code="AUTRE-1",
            title="autre",
            place="Ségou",
            capacity=1,
            partner_id=cases.workshop,
            starts_on=date(2024, 1, 2),
            ends_on=date(2024, 6, 1),
            created_at=training.client.now,
        )
        session.add(other)
        session.flush()
        session.add(
            TrainingEnrolment(
                code="E-AUTRE",
                case_id=training.case_ids[0],
                course_id=other.id,
                course="autre",
                partner_id=cases.workshop,
                status="attending",
                asked_at=training.client.now,
            )
        )
        session.commit()


def test_a_day_again_is_corrected_and_the_same_request_is_one(training: Reports) -> None:
    first = training.sheet(training.entry(0), key="k1")
    again = training.sheet(training.entry(0), key="k1")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert training.sheet(training.entry(0, present=False)).json()["recorded"] == 1
    assert [row.present for row in training.rows(Attendance)] == [False]
    assert training.rows(TrainingEnrolment)[0].days_attended == 0


def test_entries_that_do_not_fit_are_told_by_number_and_nothing_is_recorded(training: Reports) -> None:
    wrong = training.sheet(
        training.entry(0), training.entry(1, day="hier"), training.entry(2, present="oui", note="Secret42")
    )
    assert kind_of(wrong) == "invalid"
    assert [(each["at"], each["text"]) for each in wrong.json()["errors"]] == [
        ("body.entries.1.day", "must be a date: 2026-11-24"),
        ("body.entries.2.present", "must be true or false"),
        ("body.entries.2", "has a field that is not known"),
    ]
    assert training.rows(Attendance) == []
    for entries in ([], [training.entry(0)] * (MOST + 1)):
        assert kind_of(training.sheet(*entries)) == "invalid"


@pytest.mark.slow
def test_a_sheet_of_500_takes_the_same_number_of_statements_as_a_small_one(session: Session, engine: Engine) -> None:
    reports = opened(session, engine, "start_training", people=50, services=("training",))
    open_course(reports, places=50)
    reports.client.later(days=20)
    counts: list[int] = []
    days = [f"2024-01-{day:02}" for day in range(8, 18)]
    for people, on in ((2, days[:1]), (50, days)):
        seen: list[str] = []

        def note(_c: Any, _cu: Any, statement: str, *_rest: Any, seen: list[str] = seen) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        sheet = [reports.entry(person, day=day) for person in range(people) for day in on]
        assert reports.sheet(*sheet).json()["recorded"] == len(sheet)
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[1] <= counts[0]
