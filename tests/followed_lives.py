"""People in follow-up, for the stories that begin there. All people are synthetic."""

from __future__ import annotations

from typing import Any

from life import Life

from models import CasePlan


def in_follow_up(life: Life, number: int, **said: Any) -> int:
    """Somebody whose approved plan asks for nothing more, in follow-up from today."""
    case_id = life.arrives(number, given_names=f"Personne fictive {number}", **said)
    life.does(case_id, "confirm_arrival", "intake_officer")
    life.caseload.agree([case_id], now=life.now)
    life.does(case_id, "begin_screening", "case_worker")
    life.caseload.screen([case_id], now=life.now)
    life.does(case_id, "begin_planning", "case_worker")
    staff = life.caseload.staff
    plan = CasePlan(
        code=life.caseload.new_code(),
        case_id=case_id,
        status="approved",
        author_id=staff["case_worker"].id,
        drafted_at=life.now,
        approver_id=staff["coordinator"].id,
        approved_at=life.now,
    )
    life.session.add(plan)
    life.session.flush()
    life.does(case_id, "start_follow_up", "case_worker")
    return case_id
