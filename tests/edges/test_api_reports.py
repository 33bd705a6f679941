"""What partners report of people whom they took on: attendance, certificates, kits, visits; of nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest
from api_client import kind_of, open_api
from reporting_partners import ENGLISH, Reports, on_a_course, opened
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from supported_cases import approval, budget, propose, sign

from integrations.api.reports import VisitBody
from models import (
    Deadline,
    FollowUpVisit,
    GrantPurchase,
    JournalRow,
    LivelihoodGrant,
    TrainingEnrolment,
)
from models.database import read_session
from states.casework.approvals import approve_grants
from states.casework.livelihood import OnGrant, procure_grants
from states.follow_up_words import (
    CHANGE_WORDS,
    HOUSING_WORDS,
    INCOME_WORDS,
    INTENTION_WORDS,
    OUTCOME_WORDS,
    WELL_BEING_WORDS,
    WHY_WORDS,
)
from states.moves import OutcomeKind

VISIT = {"months": 3, "outcome": "fragile", "income": "irregular", "satisfaction": 4}


@pytest.fixture
def training(session: Session, engine: Engine) -> Reports:
    return on_a_course(session, engine)


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
    yesterday = (followed.client.now - timedelta(days=1)).date().isoformat()
    assert followed.report("visit", asked | {"on": yesterday}).json()["report"] == "visit"
    again = followed.report("visit", asked)
    for refused in (early, again):
        assert [each["code"] for each in refused.json()["reasons"]] == ["not_possible"]
    *_, visit = followed.rows(FollowUpVisit)
    assert len(followed.rows(FollowUpVisit)) == before + 1
    assert visit.visited_at.date().isoformat() == yesterday
    assert (visit.months, visit.outcome, visit.satisfaction, visit.why) == (3, "fragile", 4, ["debt"])
    assert (visit.staff_id, visit.note) == (None, None)
    with read_session(followed.client.engine) as session:
        row = session.exec(select(JournalRow).order_by(col(JournalRow.id).desc())).first()
        assert row is not None
        assert (row.trigger, row.role) == ("record_visit", "partner")


def test_a_visit_was_made_after_the_yes_and_not_in_days_to_come(followed: Reports) -> None:
    tomorrow = followed.report("visit", VISIT | {"on": "2024-01-09"}, headers=ENGLISH)
    assert tomorrow.json()["errors"] == [{"at": "body.on", "text": "is still to come: give a day that has come"}]
    before = followed.report("visit", VISIT | {"on": "2024-01-07"})
    assert [each["code"] for each in before.json()["reasons"]] == ["before_your_answer"]


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
