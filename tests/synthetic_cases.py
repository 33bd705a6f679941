"""Synthetic people, staff and records for the tests and benchmarks of the rules: nobody in here exists.

A `Caseload` is the `mali` pathway published in a session, with one member of staff for each role.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlmodel import Session

from models import (
    Assessment,
    Case,
    CasePlan,
    Consent,
    ContactAttempt,
    ExitInterview,
    FollowUpVisit,
    LivelihoodGrant,
    PsychosocialSession,
    Staff,
    TrainingEnrolment,
)
from states.advance import advance_case, advance_cases
from states.casework.consents import ConsentAnswer, record_consents
from states.casework.screening import Assessed, Screened, record_assessments, record_screenings
from states.codes import case_code
from states.instruments import bundled_catalogue
from states.moves import SYSTEM, Actor, Move, Outcome, OutcomeKind
from states.pathway import Pathway
from states.pathways.loader import bundled_pathway
from states.pathways.shelf import pathways_of, publish
from states.registration import Registered, Registration, register_cases

START = datetime(2024, 1, 8, 8, tzinfo=UTC)
ARRIVAL = date(2024, 1, 7)


def person(number: int, **changes: Any) -> Registration:
    """A registration that differs from every other number's."""
    given: dict[str, Any] = {
        "family_name": f"Famille{number}",
        "given_names": f"Prénom{number}",
        "name_key": f"famille{number} prenom{number}",
        "sex": "F" if number % 4 == 0 else "M",
        "birth_date": date(1980 + number % 25, 1 + number % 12, 1 + number % 28),
        "birth_precision": "exact",
        "arrival_date": ARRIVAL,
        "departure_country": ("Algeria", "Libya", "Niger")[number % 3],
        "region_pcode": f"ML0{1 + number % 8}",
    }
    return Registration(**(given | changes))


@dataclass
class Caseload:
    """The pathway `mali`, staff by role, and a supply of codes and command ids that is the same in every run."""

    session: Session
    version_id: int
    pathway: Pathway
    staff: dict[str, Actor]
    _random: random.Random = field(default_factory=partial(random.Random, 1))
    _numbers: count[int] = field(default_factory=partial(count, 1))

    def new_code(self) -> str:
        return case_code(self._random.randbytes)

    def register(self, *people: Registration, now: datetime = START) -> list[Registered]:
        return register_cases(
            self.session,
            people,
            pathway_version_id=self.version_id,
            now=now,
            actor=self.staff["intake_officer"],
            correlation_id="intake",
            new_code=self.new_code,
        )

    def register_many(self, number: int, now: datetime = START) -> list[int]:
        """Ids of so many new cases."""
        return [made.case_id for made in self.register(*(person(next(self._numbers)) for _ in range(number)), now=now)]

    def move(self, case_id: int, trigger: str, role: str = "coordinator", **parts: Any) -> Move:
        """A move with a command id of its own, unless one is given."""
        actor = SYSTEM if role == "system" else self.staff[role]
        return Move(
            case_id,
            trigger,
            actor,
            parts.pop("command_id", None) or f"test-{next(self._numbers)}",
            parts.pop("correlation_id", "test"),
            **parts,
        )

    def advance(self, case_id: int, trigger: str, *, now: datetime = START, **parts: Any) -> Outcome:
        return advance_case(self.session, self.move(case_id, trigger, **parts), now=now)

    def advance_all(self, case_ids: list[int], trigger: str, *, now: datetime = START, **parts: Any) -> list[Outcome]:
        return advance_cases(self.session, [self.move(id_, trigger, **parts) for id_ in case_ids], now=now)

    def agree(self, case_ids: Sequence[int], *, now: datetime = START, **answer: Any) -> None:
        """Each of these people agrees: to assistance, unless another answer is given."""
        given = {"purpose": "assistance", "given": True, **answer}
        answers = [
            ConsentAnswer(
                **{"code": self.new_code(), **given},
                case_id=case_id,
                actor=self.staff["case_worker"],
                command_id=f"test-{next(self._numbers)}",
                correlation_id="test",
            )
            for case_id in case_ids
        ]
        outcomes = record_consents(self.session, answers, now=now)
        assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MOVED}, outcomes

    def signed(self, case_id: int, role: str) -> dict[str, Any]:
        """What every act of staff carries: case, actor, command id, correlation id."""
        move = self.move(case_id, "", role)
        return {
            "case_id": case_id,
            "actor": move.actor,
            "command_id": move.command_id,
            "correlation_id": move.correlation_id,
        }

    def screen(self, case_ids: Sequence[int], *found: str, now: datetime = START) -> None:
        """Each of these people is screened, with these vulnerabilities and a calm K6."""
        screened = [Screened(**self.signed(id_, "vulnerability_focal_point"), found=found) for id_ in case_ids]
        outcomes = record_screenings(self.session, screened, new_code=self.new_code, now=now)
        assessed = [
            Assessed(**self.signed(id_, "psychosocial_worker"), instrument="k6", answers=(1, 2, 0, 1, 0, 0))
            for id_ in case_ids
        ]
        recorded = record_assessments(self.session, assessed, catalogue=bundled_catalogue(), now=now)
        outcomes += [each.outcome for each in recorded]
        assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MOVED}, outcomes

    def record_everything(self, case_id: int, now: datetime = START) -> None:
        """Every record that a guard of the pathway may ask for."""
        worker, coordinator = self.staff["case_worker"].id, self.staff["coordinator"].id
        needs = ["psychosocial", "training", "livelihood"]
        at = now - timedelta(hours=1)
        self.session.add_all(
            [
                Consent(code=self.new_code(), case_id=case_id, purpose="assistance", recorded_at=at),
                *(
                    ExitInterview(
                        case_id=case_id, about=about, why=["unknown"], could_change=["nothing"], recorded_at=at
                    )
                    for about in ("withdrew", "re_migrated")
                ),
                *(
                    ContactAttempt(case_id=case_id, at=at - timedelta(days=days), channel=channel, result="not_reached")
                    for days, channel in ((40, "phone"), (20, "visit"), (0, "phone"))
                ),
                *(
                    Assessment(case_id=case_id, instrument=name, version="1", answers={}, assessed_at=at)
                    for name in ("vulnerability", "k6")
                ),
                CasePlan(
                    code=self.new_code(),
                    case_id=case_id,
                    status="approved",
                    needs=needs,
                    author_id=worker,
                    drafted_at=at,
                    approver_id=coordinator,
                    approved_at=at,
                ),
                PsychosocialSession(code=self.new_code(), case_id=case_id, occasion="S", held_at=at),
                TrainingEnrolment(
                    code=self.new_code(),
                    case_id=case_id,
                    course="couture",
                    status="completed",
                    asked_at=at,
                    enrolled_at=at,
                    certificate_at=at,
                ),
                LivelihoodGrant(
                    code=self.new_code(),
                    case_id=case_id,
                    activity="élevage",
                    amount_xof=500_000,
                    status="verified",
                    proposed_by=worker,
                    proposed_at=at,
                    approved_by=coordinator,
                    approved_at=at,
                ),
                *(
                    FollowUpVisit(
                        case_id=case_id, occasion=self.new_code(), months=months, visited_at=at, outcome="well"
                    )
                    for months in (3, 6, 12)
                ),
            ]
        )

    def case(self, case_id: int) -> Case:
        """The case as it stands in the database."""
        return self.session.get_one(Case, case_id, populate_existing=True)


def open_caseload(session: Session, now: datetime = START) -> Caseload:
    """Publish the pathway and hire the staff; the caller commits."""
    version_id = publish(session, bundled_pathway("mali"), now).id
    assert version_id is not None
    pathway = pathways_of(session, [version_id])[version_id]
    rows = [
        Staff(login=role, name=f"Personnel fictif {role}", role=role, created_at=now)
        for role in pathway.roles
        if role != "system"
    ]
    session.add_all(rows)
    session.flush()
    return Caseload(session, version_id, pathway, {row.role: Actor(row.role, row.id) for row in rows})
