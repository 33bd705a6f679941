"""A small caseload on the pathway of `nights_pathway.yaml`, made and moved through the real writers. All synthetic."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlmodel import Session, col, select

from models.case import Case
from models.partner import Partner, Subscription
from models.staff import Office, Staff
from models.work import Deadline, Notice
from states.advance import advance_cases
from states.codes import case_code
from states.moves import SYSTEM, Actor, Move, Outcome, OutcomeKind
from states.pathways.shelf import publish
from states.registration import Registration, register_cases

PATHWAY = Path(__file__).with_name("nights_pathway.yaml")
ARRIVAL = datetime(2024, 1, 5, 10, tzinfo=UTC)


class NightCases:
    """Publishes the pathway, opens an office with one person of each role, registers and moves cases."""

    def __init__(self, session: Session, seed: int = 1) -> None:
        self.session = session
        self.version = publish(session, PATHWAY.read_text(encoding="utf-8"), ARRIVAL)
        self.office = Office(code="BKO", name="Bamako")
        session.add(self.office)
        session.flush()
        self.staff = {role: self._staff(role, f"{role}1") for role in ("case_worker", "coordinator", "manager")}
        self._commands = count(1)
        self._random = random.Random(seed)

    def register(self, number: int = 1, *, at: datetime = ARRIVAL) -> list[int]:
        """Ids of new cases of the office."""
        people = [
            Registration(
                family_name="Synthetic",
                given_names=f"Number {index}",
                name_key=f"synthetic number {index}",
                sex="F",
                birth_date=date(1990, 1, 1),
                birth_precision="exact",
                arrival_date=at.date(),
                departure_country="DZA",
                region_pcode="ML01",
                office_id=self.office.id,
            )
            for index in range(number)
        ]
        made = register_cases(
            self.session,
            people,
            pathway_version_id=self.version.id or 0,
            now=at,
            actor=SYSTEM,
            correlation_id="test",
            new_code=lambda: case_code(self._random.randbytes),
        )
        return [case.case_id for case in made]

    def move(self, case_ids: Sequence[int], trigger: str, at: datetime, reason: str | None = None) -> list[Outcome]:
        """Fire a trigger on cases, by the person whose role may; every one must move."""
        role = "case_worker" if trigger == "start_care" else "coordinator"
        actor = Actor(role, self.staff[role].id, self.office.id)
        moves = [
            Move(case_id, trigger, actor, f"test:{next(self._commands)}", "test", reason=reason) for case_id in case_ids
        ]
        outcomes = advance_cases(self.session, moves, now=at)
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}
        return outcomes

    def clock(self, case_id: int, key: str) -> Deadline:
        """The newest clock of that key, as it is in the database now."""
        query = select(Deadline).where(Deadline.case_id == case_id, Deadline.key == key)
        return (
            self.session.exec(query.order_by(col(Deadline.id).desc()).execution_options(populate_existing=True)).first()
            or Deadline()
        )

    def case(self, case_id: int) -> Case:
        return self.session.get_one(Case, case_id, populate_existing=True)

    def notices(self) -> list[tuple[str, str, int]]:
        """(kind, role, step) of every notice, in the order of writing."""
        found = self.session.exec(select(Notice).order_by(col(Notice.id)).execution_options(populate_existing=True))
        return [(notice.kind, notice.role, notice.step) for notice in found]

    def _staff(self, role: str, login: str) -> Staff:
        person = Staff(login=login, name="Synthetic", role=role, office_id=self.office.id, created_at=ARRIVAL)
        self.session.add(person)
        self.session.flush()
        return person


def open_nights(session: Session, number: int = 10) -> NightCases:
    """Cases as they arrived, but one in ten in care, one in ten on hold; a partner, who hears of everything."""
    cases = NightCases(session)
    ids = cases.register(number)
    cases.move(ids[0::10], "start_care", ARRIVAL + timedelta(days=1))
    cases.move(ids[1::10], "hold", ARRIVAL + timedelta(days=1), reason="medical")
    partner = Partner(code="SYN", name="Synthetic", pseudonym_key="0" * 64, created_at=ARRIVAL)
    session.add(partner)
    session.flush()
    session.add(Subscription(partner_id=partner.id or 0, url="http://127.0.0.1:9/", secret="", created_at=ARRIVAL))
    session.commit()
    return cases
