"""People whom the clinic took on, and what it reports of them through the partner API. All of it is made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from api_client import ApiClient, open_api
from sqlalchemy import Engine
from sqlmodel import Session, select
from supported_cases import in_state, wanted

from models.database import read_session
from states.casework.courses import NewCourse, add_course
from states.casework.training import enrol
from states.moves import OutcomeKind

ENGLISH = {"Accept-Language": "en"}


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


def on_a_course(session: Session, engine: Engine) -> Reports:
    """Three people on a course of the clinic, referred to it for that."""
    reports = opened(session, engine, "start_training", people=3, services=("training",))
    open_course(reports)
    return reports
