"""Rows for tests of what happens around a case: offices, staff, cases, tasks, deadlines. Every person is synthetic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel

from models.case import Case, PathwayVersion
from models.returnee import Returnee
from models.staff import Office, Staff
from models.work import Deadline, Task

Row = TypeVar("Row", bound=SQLModel)
THEN = datetime(2024, 1, 5, 10, tzinfo=UTC)


class SyntheticRows:
    """Adds one row at a time, flushed, and returns it; whatever a test does not name has a plausible value."""

    def __init__(self, session: Session, pathway_version_id: int | None = None) -> None:
        self._session = session
        self._pathway_version_id = pathway_version_id
        self._numbers = count(1)

    def office(self) -> Office:
        number = next(self._numbers)
        return self._add(Office(code=f"OFF{number}", name=f"Office {number}"))

    def staff(self, role: str = "case_worker", office: Office | None = None, active: bool = True) -> Staff:
        number = next(self._numbers)
        return self._add(
            Staff(
                login=f"staff{number}",
                name=f"Synthetic {number}",
                role=role,
                office_id=office.id if office else None,
                active=active,
                created_at=THEN,
            )
        )

    def case(self, office: Office | None = None, state: str = "arrived", **columns: Any) -> Case:
        number = next(self._numbers)
        returnee = self._add(
            Returnee(
                code=f"R{number}",
                family_name="Synthetic",
                given_names=f"Number {number}",
                name_key=f"synthetic number {number}",
                sex="F",
                created_at=THEN,
            )
        )
        columns = {
            "entered_state_at": THEN,
            "version": 1,
            "journal_head": "0" * 64,
            "arrival_date": date(2024, 1, 5),
            "departure_country": "DZA",
            "registered_at": THEN,
            "pathway_version_id": self._pathway_version(),
        } | columns
        return self._add(
            Case(
                code=f"C{number:07}",
                returnee_id=returnee.id,
                state=state,
                office_id=office.id if office else None,
                **columns,
            )
        )

    def task(self, case: Case, role: str = "case_worker", **columns: Any) -> Task:
        number = next(self._numbers)
        columns = {"key": f"task{number}", "opened_at": THEN, "office_id": case.office_id} | columns
        return self._add(Task(case_id=case.id, seq=1, role=role, **columns))

    def deadline(self, case: Case, key: str, due_at: datetime, **columns: Any) -> Deadline:
        columns = {"seq": 1, "next_at": due_at, "first_due_at": due_at} | columns
        return self._add(Deadline(case_id=case.id, key=key, due_at=due_at, **columns))

    def _pathway_version(self) -> int | None:
        if self._pathway_version_id is None:
            self._pathway_version_id = self._add(
                PathwayVersion(name="synthetic", version=1, content_hash="none", body="", published_at=THEN)
            ).id
        return self._pathway_version_id

    def _add(self, row: Row) -> Row:
        self._session.add(row)
        self._session.flush()
        return row
