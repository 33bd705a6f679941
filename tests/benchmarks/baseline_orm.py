"""One transaction a move through the ORM (SQLModel) with `transitions`, written as well as one writes such a loop.

One machine for all cases, on a throwaway token; guards that ask the database for what they need and no more; one
UPDATE for all tasks that end alike; what is new in one flush. What a move writes, hashes and due times included, is
given: it would only be slower if it had to work that out.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, update
from sqlmodel import Session, col, func, select
from transitions import EventData, Machine
from written import MoveRows

from models import (
    Assessment,
    Case,
    CasePlan,
    Consent,
    Deadline,
    Event,
    JournalRow,
    LivelihoodGrant,
    PsychosocialSession,
    Task,
    TrainingEnrolment,
)
from models.database import write_session

STATES = ("registered", "arrived", "screening", "planning", "psychosocial", "training", "follow_up")


@dataclass(slots=True)
class Token:
    """Stands for a case while the machine moves it."""

    state: str
    case_id: int
    actor_id: int | None
    session: Session


class OrmLoop:
    """Moves one case in one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._machine = Machine(
            model=None, states=list(STATES), initial="registered", auto_transitions=False, send_event=True
        )
        for trigger, source, dest, conditions in (
            ("confirm_arrival", "registered", "arrived", []),
            ("begin_screening", "arrived", "screening", [consent_given]),
            ("begin_planning", "screening", "planning", [assessed]),
            ("start_psychosocial", "planning", "psychosocial", [plan_asks_for("psychosocial")]),
            ("review_psychosocial", "psychosocial", None, [session_attended]),
            ("start_training", "psychosocial", "training", [plan_asks_for("training")]),
            ("start_follow_up", "training", "follow_up", [needs_are_served]),
        ):
            self._machine.add_transition(trigger, source, dest, conditions=conditions)

    def move(self, rows: MoveRows) -> None:
        with write_session(self._engine) as session:
            case = session.exec(select(Case).where(Case.id == rows.case_id).with_for_update(key_share=True)).one()
            token = Token(case.state, rows.case_id, rows.journal["actor_id"], session)
            if not self._machine.events[rows.step.trigger].trigger(token):
                raise SystemExit("a move of the ORM loop was not made")
            if case.version != rows.journal["seq"] - 1 or token.state != rows.case["state"]:
                raise SystemExit("a case of the ORM loop is not where it should be")
            for name, value in rows.case.items():
                setattr(case, name, value)
            for model, ended in ((Task, rows.ended_tasks), (Deadline, rows.ended_deadlines)):
                for values, keys in ended:
                    session.execute(
                        update(model)
                        .where(
                            col(model.case_id) == rows.case_id,
                            col(model.key).in_(keys),
                            col(model.status).in_(("open", "held")),
                        )
                        .values(**values)
                        .execution_options(synchronize_session=False)
                    )
            session.add(JournalRow(**rows.journal))
            session.add_all([Task(**values) for values in rows.tasks])
            session.add_all([Deadline(**values) for values in rows.deadlines])
            session.add_all([Event(**values) for values in rows.events])
            session.commit()


def consent_given(event: EventData) -> bool:
    query = select(Consent.status).where(Consent.case_id == event.model.case_id, Consent.purpose == "assistance")
    return event.model.session.exec(query.order_by(col(Consent.id).desc()).limit(1)).first() == "given"


def assessed(event: EventData) -> bool:
    query = select(Assessment.instrument).where(Assessment.case_id == event.model.case_id)
    found = set(event.model.session.exec(query))
    return "vulnerability" in found and bool(found & {"k6", "phq4", "who5", "phq9", "k10", "rhs13"})


def session_attended(event: EventData) -> bool:
    case_id, attended = event.model.case_id, col(PsychosocialSession.attended)
    query = select(func.count()).where(PsychosocialSession.case_id == case_id, attended)
    return bool(event.model.session.exec(query).one() > 0)


def plan_asks_for(need: str):  # type: ignore[no-untyped-def]
    def asks(event: EventData) -> bool:
        plan = _plan(event)
        return plan is not None and plan.status == "approved" and need in plan.needs

    return asks


def needs_are_served(event: EventData) -> bool:
    plan, session, case_id = _plan(event), event.model.session, event.model.case_id
    if plan is None or plan.status != "approved":
        return False
    sessions = select(func.count()).where(PsychosocialSession.case_id == case_id, col(PsychosocialSession.attended))
    enrolment = select(TrainingEnrolment.certificate_at).where(TrainingEnrolment.case_id == case_id)
    grant = select(LivelihoodGrant.status).where(LivelihoodGrant.case_id == case_id)
    return (
        ("psychosocial" not in plan.needs or session.exec(sessions).one() > 0)
        and ("training" not in plan.needs or session.exec(enrolment.order_by(col(TrainingEnrolment.id).desc())).first())
        and (
            "livelihood" not in plan.needs
            or session.exec(grant.order_by(col(LivelihoodGrant.id).desc())).first() == "verified"
        )
    )


def _plan(event: EventData) -> CasePlan | None:
    query = select(CasePlan).where(CasePlan.case_id == event.model.case_id).order_by(col(CasePlan.revision).desc())
    return event.model.session.exec(query.limit(1)).first()  # type: ignore[no-any-return]
