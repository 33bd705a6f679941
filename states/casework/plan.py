"""The reintegration plan: drafted with the returnee, approved by another person than its author.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.act import Act, Step, lock_cases, record_and_move
from states.gather import load_cases
from states.moves import Outcome, Reason
from states.pathways.shelf import pathways_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft(Act):
    """A plan: the states that it asks for, and its items (section, what, by when, referral or not)."""

    needs: tuple[str, ...]
    items: tuple[Mapping[str, Any], ...] = ()


_DRAFT = SetStatement(
    "INSERT INTO case_plan (case_id, revision, status, needs, items, author_id, drafted_at) "
    "SELECT r.case_id, 1 + COALESCE((SELECT MAX(p.revision) FROM case_plan AS p WHERE p.case_id = r.case_id), 0), "
    "'draft', r.needs, r.items, r.author_id, r.at FROM {rows} WHERE true",
    case_id=BigId,
    needs=Json,
    items=Json,
    author_id=BigId,
    at=UtcDateTime(),
)
_APPROVE = SetStatement(
    "UPDATE case_plan SET status = 'approved', approver_id = r.approver_id, approved_at = r.at FROM {rows} "
    "WHERE case_plan.case_id = r.case_id AND case_plan.status = 'draft' AND case_plan.revision = "
    "(SELECT MAX(p.revision) FROM case_plan AS p WHERE p.case_id = r.case_id) RETURNING case_plan.case_id",
    case_id=BigId,
    approver_id=BigId,
    at=UtcDateTime(),
)
NO_DRAFT: Final = Reason(
    "no_draft",
    "La dernière version du plan n'est pas un projet à approuver.",
    "The newest version of the plan is not a draft to approve.",
    missing="plan.status",
)


def draft_plans(session: Session, drafts: Sequence[PlanDraft], *, now: datetime) -> None:
    """Write each as the next revision of its case's plan. Raises WrongUse for an unknown case or need."""
    lock_cases(session, drafts)
    cases = load_cases(session, {draft.case_id for draft in drafts})
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    for draft in drafts:
        states = pathways[cases[draft.case_id].pathway_version_id].states
        if unknown := [need for need in draft.needs if need not in states]:
            raise WrongUse(
                f"A plan cannot ask for {unknown[0]!r}: the pathway has no such state.",
                f"Un plan ne peut pas demander {unknown[0]!r} : le parcours n'a pas cette étape.",
                remedy=f"Its states are {', '.join(states)}.",
                remedy_fr=f"Ses étapes sont {', '.join(states)}.",
            )
    _DRAFT.execute(
        session,
        [
            (draft.case_id, list(dict.fromkeys(draft.needs)), list(draft.items), draft.actor.id, time_text(now))
            for draft in drafts
        ],
    )


def approve_plans(session: Session, approvals: Sequence[Step], *, now: datetime) -> list[Outcome]:
    """Approve the newest draft of each case; refused when its author asks, or when there is no draft."""

    def record(steps: Sequence[Step]) -> set[int]:
        rows = [(step.case_id, step.actor.id, time_text(now)) for step in steps]
        return {case_id for (case_id,) in _APPROVE.execute(session, rows)}

    return record_and_move(
        session, approvals, record=record, move=lambda step: step.fires("approve_plan"), missing=NO_DRAFT, now=now
    )
