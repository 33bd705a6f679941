"""The reintegration plan: drafted with the returnee, revised, approved by another person than its author, and carried
out item by item.

The console, the API and the command line call it and commit. Source of the parts: IOM Reintegration Handbook, Annex 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import String
from sqlmodel import Session

from models.errors import WrongUse
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, insert_into, time_text
from states.casework.act import Step, move_and_detail, move_and_write
from states.casework.codes import known
from states.gather import load_cases
from states.moves import Move, Outcome
from states.pathways.shelf import pathways_of
from states.plan_words import DIMENSION_WORDS, LEVEL_WORDS, MODE_WORDS
from states.referral_words import SERVICE_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One thing to do: its level and dimension, what is to be reached (`goal`, free text), the service, and who gives
    it: directly, or by a referral (`partner_id`, or `provider` for one that Segin does not know)."""

    level: str
    dimension: str
    goal: str
    service: str
    need: str | None = None
    mode: str = "direct"
    partner_id: int | None = None
    provider: str | None = None
    referral: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep(Step):
    """Somebody takes the plan with this code a step on; `note` says why, where the pathway asks for it."""

    plan: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft(PlanStep):
    """A new revision: `plan` is its new code, `needs` the care states that it asks for, `items` what is new in it. What
    earlier revisions meant to do goes on, but for the items of `drop`."""

    needs: tuple[str, ...]
    items: tuple[PlannedItem, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStep(Step):
    """An item of the plan takes a step on; whoever drops it says why, with a code of the pathway's."""

    item: str
    reason: str | None = None


_DRAFT = SetStatement(
    "INSERT INTO case_plan (code, case_id, revision, status, needs, author_id, drafted_at) SELECT r.code, r.case_id, "
    "1 + COALESCE((SELECT MAX(p.revision) FROM case_plan AS p WHERE p.case_id = r.case_id), 0), "
    "'draft', r.needs, r.author_id, r.at FROM {rows} WHERE true",
    code=String(),
    case_id=BigId,
    needs=Json,
    author_id=BigId,
    at=UtcDateTime(),
)
_REVISE = SetStatement(
    "UPDATE case_plan SET needs = r.needs, author_id = r.author_id, drafted_at = r.at FROM {rows} "
    "WHERE case_plan.code = r.code",
    code=String(),
    case_id=BigId,
    needs=Json,
    author_id=BigId,
    at=UtcDateTime(),
)
_ITEMS_OF = SetStatement(
    "SELECT code, case_id FROM plan_item WHERE taken_back_at IS NULL AND code IN (SELECT r.code FROM {rows})",
    code=String(),
)
_IDS = SetStatement("SELECT code, id FROM case_plan WHERE code IN (SELECT r.code FROM {rows})", code=String())
_ITEMS = insert_into(
    "plan_item",
    *("code", "case_id", "plan_id", "level", "dimension", "need", "goal", "service", "mode", "partner_id", "provider"),
    *("referral", "starts_on", "ends_on", "status", "seq"),
)
_SUBMITTED = SetStatement(
    "UPDATE case_plan SET submitted_at = r.at FROM {rows} WHERE case_plan.code = r.code",
    code=String(),
    at=UtcDateTime(),
)
_APPROVED = SetStatement(
    "UPDATE case_plan SET approver_id = r.approver_id, approved_at = r.at FROM {rows} WHERE case_plan.code = r.code",
    code=String(),
    approver_id=BigId,
    at=UtcDateTime(),
)
_DROPPED = SetStatement(
    "UPDATE plan_item SET reason = r.reason FROM {rows} WHERE plan_item.code = r.code", code=String(), reason=String()
)
REVISED: Final = "plan_revised"
"""Why an item is dropped that a new draft leaves out."""

ItemMove = Literal["start_plan_item", "finish_plan_item", "drop_plan_item"]


def draft_plans(
    session: Session, drafts: Sequence[PlanDraft], *, new_code: Callable[[], str], now: datetime
) -> list[Outcome]:
    """Write each as the next revision of its case's plan; refused while another one waits for approval.

    `new_code` gives the codes of the items. Raises WrongUse for a need, level, dimension, service or mode that is not
    known, for an item without a goal or with its dates the wrong way round, and for one to drop that is not there.
    """
    return _draft(session, "draft_plan", _DRAFT, drafts, new_code, now)


def revise_plans(
    session: Session, drafts: Sequence[PlanDraft], *, new_code: Callable[[], str], now: datetime
) -> list[Outcome]:
    """Change drafts, and plans that were returned; whoever changes one is its author from then on. As `draft_plans`."""
    return _draft(session, "revise_plan", _REVISE, drafts, new_code, now)


def submit_plans(session: Session, steps: Sequence[PlanStep], *, now: datetime) -> list[Outcome]:
    """Ask for approval."""

    def write(moved: Sequence[PlanStep]) -> None:
        _SUBMITTED.execute(session, [(step.plan, time_text(now)) for step in moved])

    return move_and_write(session, steps, move=lambda step: _fires(step, "submit_plan"), write=write, now=now)


def approve_plans(session: Session, steps: Sequence[PlanStep], *, now: datetime) -> list[Outcome]:
    """Put revisions in force; refused when the author asks."""

    def write(moved: Sequence[PlanStep]) -> None:
        _APPROVED.execute(session, [(step.plan, step.actor.id, time_text(now)) for step in moved])

    return move_and_write(session, steps, move=lambda step: _fires(step, "approve_plan"), write=write, now=now)


def return_plans(session: Session, steps: Sequence[PlanStep], *, now: datetime) -> list[Outcome]:
    """Send plans back to their authors, with a note that says what is missing."""
    return move_and_write(session, steps, move=lambda step: _fires(step, "return_plan"), write=lambda _: None, now=now)


def advance_items(session: Session, trigger: ItemMove, steps: Sequence[ItemStep], *, now: datetime) -> list[Outcome]:
    """Start, finish or drop items of plans."""

    def write(moved: Sequence[ItemStep]) -> None:
        _DROPPED.execute(session, [(step.item, step.reason) for step in moved if step.reason is not None])

    return move_and_write(session, steps, move=lambda step: _item_move(step, trigger), write=write, now=now)


def _draft(
    session: Session,
    trigger: str,
    statement: SetStatement,
    drafts: Sequence[PlanDraft],
    new_code: Callable[[], str],
    now: datetime,
) -> list[Outcome]:
    _check(session, drafts)

    def write(moved: Sequence[tuple[PlanDraft, int]]) -> None:
        at = time_text(now)
        rows = [(each.plan, each.case_id, list(dict.fromkeys(each.needs)), each.actor.id, at) for each, _ in moved]
        statement.execute(session, rows)
        ids = dict(map(tuple, _IDS.execute(session, [(each.plan,) for each, _ in moved])))
        items = [_item_row(each, ids[each.plan], item, new_code(), seq) for each, seq in moved for item in each.items]
        if items:
            _ITEMS.execute(session, items)

    outcomes = move_and_detail(session, drafts, move=lambda each: _fires(each, trigger), write=write, now=now)
    moved = {outcome.command_id for outcome in outcomes if outcome.kind == "moved"}
    dropped = [
        ItemStep(
            case_id=each.case_id,
            actor=each.actor,
            command_id=f"{each.command_id}:drop:{item}",
            correlation_id=each.correlation_id,
            item=item,
            reason=REVISED,
        )
        for each in drafts
        if each.command_id in moved
        for item in each.drop
    ]
    if dropped:
        advance_items(session, "drop_plan_item", dropped, now=now)
    return outcomes


def _fires(step: PlanStep, trigger: str) -> Move:
    return replace(step.fires(trigger, record=step.plan), note=step.note)


def _item_move(step: ItemStep, trigger: str) -> Move:
    return replace(step.fires(trigger, record=step.item), reason=step.reason)


def _check(session: Session, drafts: Sequence[PlanDraft]) -> None:
    cases = load_cases(session, {draft.case_id for draft in drafts})
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    there = {tuple(row) for row in _ITEMS_OF.execute(session, [(code,) for draft in drafts for code in draft.drop])}
    for draft in drafts:
        case = cases.get(draft.case_id)
        states = pathways[case.pathway_version_id].states if case else {}
        named = [*draft.needs, *(item.need for item in draft.items if item.need is not None)]
        if case and (unknown := [need for need in named if need not in states]):
            raise WrongUse(
                f"A plan cannot ask for {unknown[0]!r}: the pathway has no such state.",
                f"Un plan ne peut pas demander {unknown[0]!r} : le parcours n'a pas cette étape.",
                remedy=f"Its states are {', '.join(states)}.",
                remedy_fr=f"Ses étapes sont {', '.join(states)}.",
            )
        if any((code, draft.case_id) not in there for code in draft.drop):
            raise WrongUse(
                "A plan cannot drop an item that the case does not have.",
                "Un plan ne peut pas abandonner un élément que le dossier n'a pas.",
                remedy="`segin plan show CASE` has the codes of the items.",
                remedy_fr="`segin plan show DOSSIER` donne les codes des éléments.",
            )
        for item in draft.items:
            _check_item(item)


def _check_item(item: PlannedItem) -> None:
    known("level", [item.level], LEVEL_WORDS)
    known("dimension", [item.dimension], DIMENSION_WORDS)
    known("service", [item.service], SERVICE_WORDS)
    known("mode", [item.mode], MODE_WORDS)
    if not item.goal.strip():
        raise WrongUse(
            "An item of the plan needs a goal.",
            "Un élément du plan doit avoir un objectif.",
            remedy="Say in the returnee's words what is to be reached.",
            remedy_fr="Dites avec les mots de la personne ce qui doit être atteint.",
        )
    if item.starts_on is not None and item.ends_on is not None and item.ends_on < item.starts_on:
        raise WrongUse(
            "An item of the plan ends before it starts.",
            "Un élément du plan finit avant de commencer.",
            remedy="Correct one of its two dates.",
            remedy_fr="Corrigez l'une des deux dates.",
        )


def _item_row(draft: PlanDraft, plan_id: int, item: PlannedItem, code: str, seq: int) -> tuple[object, ...]:
    return (
        *(code, draft.case_id, plan_id, item.level, item.dimension, item.need, item.goal, item.service, item.mode),
        *(item.partner_id, item.provider, item.referral, item.starts_on, item.ends_on, "planned", seq),
    )
