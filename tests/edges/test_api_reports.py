"""What partners report of people whom they took on: attendance, certificates, kits, visits; of nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, get_args

import pytest
from api_client import ApiClient, kind_of, open_api
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select
from supported_cases import approval, budget, in_state, propose, sign, wanted

from integrations.api.attendance import MOST
from integrations.api.reports import VisitBody
from models import (
    Attendance,
    Course,
    Deadline,
    FollowUpVisit,
    GrantPurchase,
    JournalRow,
    LivelihoodGrant,
    TrainingEnrolment,
)
from models.database import read_session
from states.casework.approvals import approve_grants
from states.casework.courses import NewCourse, add_course
from states.casework.livelihood import OnGrant, procure_grants
from states.casework.training import enrol
from states.follow_up_words import (
    CHANGE_WORDS,
    HOUSING_WORDS,
    INCOME_WORDS,
    INTENTION_WORDS,
    OUTCOME_WORDS,
    WELL_BEING_WORDS,
    WHY_WORDS,
)
from states.journal import verify_journal
from states.moves import OutcomeKind

ENGLISH = {"Accept-Language": "en"}
VISIT = {"months": 3, "outcome": "fragile", "income": "irregular", "satisfaction": 4}


@dataclass
class Reports:
    """The API, and `codes`: accepted referrals to the clinic, each of another person in the same state."""

    client: ApiClient
    codes: list[str]
    case_ids: list[int]

    def entry(self, person: int = 0, **changes: Any) -> dict[str, Any]:
        day = {"course": "COUTURE-1", "day": "2024-01-08", "present": True}
        return {"referral": self.codes[person], **day, **changes}

    def sheet(self, *entries: dict[str, Any], **parts: Any) -> Any:
        return self.client.post("/attendance", json={"entries": list(entries)}, headers=ENGLISH, **parts)

    def report(self, kind: str, body: dict[str, Any], person: int = 0, **parts: Any) -> Any:
        return self.client.post(f"/referrals/{self.codes[person]}/{kind}", json=body, **parts)

    def rows(self, table: Any) -> list[Any]:
        with read_session(self.client.engine) as session:
            return list(session.exec(select(table).order_by(table.id)))


def opened(session: Session, engine: Engine, trigger: str, people: int = 1, **referral: Any) -> Reports:
    client, _ = open_api(session, engine)
    cases, codes = client.cases, []
    case_ids = in_state(cases.caseload, trigger, people)
    for cases.case_id in case_ids:
        cases.agree(purpose="sharing", any_partner=True, information=("name", "phone"))
        codes.append(cases.refer(cases.clinic, **referral))
    session.commit()
    for code in codes:
        assert client.post(f"/referrals/{code}/acceptance").status_code == 200
    return Reports(client, codes, case_ids)


def open_course(reports: Reports, code: str = "COUTURE-1", *, mine: bool = True, places: int = 20) -> None:
    """A course of the clinic, or the workshop's, with everybody on it."""
    cases = reports.client.cases
    held_by = cases.clinic if mine else cases.workshop
    made = NewCourse(
        code=code,
        title="couture",
        place="Kayes",
        capacity=places,
        starts_on=date(2024, 1, 2),
        ends_on=date(2024, 6, 1),
        partner_id=held_by,
    )
    add_course(cases.session, made, actor=cases.caseload.staff["coordinator"], now=reports.client.now)
    for case_id in reports.case_ids:
        (outcome,) = enrol(
            cases.session, [wanted(cases.caseload, case_id, f"E-{code}-{case_id}", code)], now=reports.client.now
        )
        assert outcome.kind is OutcomeKind.MOVED
    cases.session.commit()


@pytest.fixture
def training(session: Session, engine: Engine) -> Reports:
    reports = opened(session, engine, "start_training", people=3, services=("training",))
    open_course(reports)
    return reports


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


def test_a_certificate_ends_the_course_of_who_came_to_it(training: Reports) -> None:
    body = {"course": "COUTURE-1", "number": "CAP-2024-0117"}
    early = training.report("certificate", body)
    assert kind_of(early) == "refused"
    assert [each["code"] for each in early.json()["reasons"]] == ["wrong_record_state"]
    training.sheet(training.entry(0))
    given = training.report("certificate", body, key="k1")
    assert given.json() | {"recorded_at": ""} == {
        "referral": training.codes[0],
        "report": "certificate",
        "recorded_at": "",
    }
    assert training.report("certificate", body, key="k1").content == given.content
    assert kind_of(training.report("certificate", body)) == "refused"
    first = training.rows(TrainingEnrolment)[0]
    assert (first.status, first.certificate_number) == ("completed", "CAP-2024-0117")
    assert [row.status for row in training.rows(TrainingEnrolment)[1:]] == ["enrolled", "enrolled"]


def test_who_was_not_taken_on_is_not_reported_of(session: Session, engine: Engine) -> None:
    client, (code,) = open_api(session, engine, referrals=1)
    reports = Reports(client, [code], [client.cases.case_id])
    sheet = reports.sheet(reports.entry()).json()
    assert [each["code"] for each in sheet["results"][0]["reasons"]] == ["referral_not_accepted"]
    for kind, body in (
        ("certificate", {"course": "COUTURE-1", "number": "7"}),
        ("delivery", {"reference": "BL-1"}),
        ("visit", VISIT),
    ):
        refused = reports.report(kind, body)
        assert kind_of(refused) == "refused"
        assert [each["code"] for each in refused.json()["reasons"]] == ["referral_not_accepted"]


def test_a_kit_is_handed_over_once_it_was_bought(session: Session, engine: Engine) -> None:
    reports = opened(session, engine, "start_livelihood", services=("livelihood",))
    body = {"reference": "BL-2024-0031"}
    cases, case_id, now = reports.client.cases, reports.case_ids[0], reports.client.now
    caseload = cases.caseload
    nothing = reports.report("delivery", body)
    budget(caseload, 1_000_000)
    propose(caseload, case_id, "G1", 300_000)
    approve_grants(session, [approval(caseload, case_id, "G1")], now=now)
    session.commit()
    not_bought = reports.report("delivery", body)
    grant_id = session.exec(select(LivelihoodGrant.id)).one() or 0
    session.add(
        GrantPurchase(
            grant_id=grant_id,
            position=1,
            supplier="Fictif",
            quantity=1,
            amount_xof=300_000,
            proof="F-1",
            proof_sha256="0" * 64,
            recorded_at=now,
        )
    )
    session.exec(select(LivelihoodGrant)).one().spent_xof = 300_000
    session.flush()
    (bought,) = procure_grants(session, [OnGrant(**sign(caseload, case_id), grant="G1")], now=now)
    assert bought.kind is OutcomeKind.MOVED
    session.commit()
    assert reports.report("delivery", body).json()["report"] == "delivery"
    # Where the grant is, a partner does not learn from a refusal.
    again = reports.report("delivery", body)
    for refused in (nothing, not_bought, again):
        assert kind_of(refused) == "refused"
        assert [each["code"] for each in refused.json()["reasons"]] == ["not_possible"]
    (grant,) = reports.rows(LivelihoodGrant)
    assert (grant.status, grant.delivery_reference) == ("delivered", "BL-2024-0031")


def test_a_kit_is_not_handed_over_by_who_was_asked_for_something_else(session: Session, engine: Engine) -> None:
    reports = opened(session, engine, "start_livelihood", services=("health",))
    refused = reports.report("delivery", {"reference": "BL-1"})
    assert [each["code"] for each in refused.json()["reasons"]] == ["another_service"]


@pytest.fixture
def followed(session: Session, engine: Engine) -> Reports:
    reports = opened(session, engine, "start_training")
    cases = reports.client.cases
    waived = {"waived": ["training", "livelihood"]}
    assert cases.advance("start_follow_up", note="Servi ailleurs", data=waived).kind is OutcomeKind.MOVED
    session.commit()
    return reports


def in_time(reports: Reports) -> Reports:
    """It is three months later, and the visit has opened."""
    session = reports.client.cases.session
    opens = session.exec(select(Deadline).where(Deadline.key == "visit_3_opens")).one()
    reports.client.now = opens.due_at + timedelta(days=1)
    opens.status = "met"
    session.commit()
    return reports


def test_a_visit_is_recorded_when_it_is_due_and_once(followed: Reports) -> None:
    early = followed.report("visit", VISIT)
    in_time(followed)
    before = len(followed.rows(FollowUpVisit))
    asked = VISIT | {"intention": "yes", "why": ["debt"], "could_change": ["debt_relief"]}
    assert followed.report("visit", asked).json()["report"] == "visit"
    again = followed.report("visit", asked)
    for refused in (early, again):
        assert [each["code"] for each in refused.json()["reasons"]] == ["not_possible"]
    *_, visit = followed.rows(FollowUpVisit)
    assert len(followed.rows(FollowUpVisit)) == before + 1
    assert (visit.months, visit.outcome, visit.satisfaction, visit.why) == (3, "fragile", 4, ["debt"])
    assert (visit.staff_id, visit.note) == (None, None)
    with read_session(followed.client.engine) as session:
        row = session.exec(select(JournalRow).order_by(col(JournalRow.id).desc())).first()
        assert row is not None
        assert (row.trigger, row.role) == ("record_visit", "partner")


def test_who_means_to_leave_is_asked_why(followed: Reports) -> None:
    wrong = followed.report("visit", VISIT | {"intention": "yes"}, headers=ENGLISH)
    assert kind_of(wrong) == "invalid"
    assert [each["at"] for each in wrong.json()["errors"]] == ["body.why", "body.could_change"]


@pytest.mark.parametrize(
    ("changes", "at", "text"),
    [
        ({"outcome": "Secret42"}, "body.outcome", "must be one of: well, fragile, struggling"),
        ({"months": 4}, "body.months", "must be one of: 3, 6, 12"),
        ({"satisfaction": 9}, "body.satisfaction", "too large"),
        ({"why": ["Secret42"]}, "body.why.0", "must be one of: " + ", ".join(WHY_WORDS)),
        ({"note": "Secret42"}, "body", "has a field that is not known"),
    ],
)
def test_a_value_that_does_not_fit_names_field_and_remedy(
    training: Reports, changes: dict[str, Any], at: str, text: str
) -> None:
    wrong = training.report("visit", VISIT | changes, headers=ENGLISH)
    assert kind_of(wrong) == "invalid"
    assert wrong.json()["errors"] == [{"at": at, "text": text}]
    assert "Secret42" not in wrong.text


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


def test_a_stale_version_of_the_referral_is_not_reported_on(training: Reports) -> None:
    training.sheet(training.entry(0))
    path = f"/referrals/{training.codes[0]}"
    seen = {"If-Match": training.client.get(path).headers["etag"]}
    training.client.post(f"{path}/completion")
    body = {"course": "COUTURE-1", "number": "7"}
    assert kind_of(training.report("certificate", body, headers=seen)) == "stale"
    # Served, and still to be reported of.
    assert training.report("certificate", body).status_code == 200


def test_the_codes_are_those_of_the_programme() -> None:
    kinds = VisitBody.model_fields
    for name, words in (
        ("outcome", OUTCOME_WORDS),
        ("income", INCOME_WORDS),
        ("housing", HOUSING_WORDS),
        ("well_being", WELL_BEING_WORDS),
        ("intention", INTENTION_WORDS),
    ):
        kind: Any = kinds[name].annotation
        codes = next((each for each in get_args(kind) if get_args(each)), kind)
        assert set(get_args(codes)) == words.keys()
    for name, words in (("why", WHY_WORDS), ("could_change", CHANGE_WORDS)):
        (codes,) = get_args(kinds[name].annotation)
        assert list(get_args(codes)) == list(words)


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
