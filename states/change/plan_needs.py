"""The states that the plans of moved cases ask for: renamed with the states, and back when a wave is taken back.

`states.change.carrying` and `states.change.undo` call it for the cases that moved, whose rows are locked by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId, Json
from states.bulk import SetStatement, as_json
from states.change.mapping import Names
from states.fact_rows import of_cases

_PLANS = of_cases("id, needs", "case_plan")
_ITEMS = of_cases("id, need", "plan_item", "AND need IS NOT NULL ORDER BY case_id, id")
_SET_PLANS = SetStatement(
    "UPDATE case_plan SET needs = r.needs FROM {rows} WHERE case_plan.id = r.id", id=BigId, needs=Json
)
_SET_ITEMS = SetStatement(
    "UPDATE plan_item SET need = r.need FROM {rows} WHERE plan_item.id = r.id", id=BigId, need=String()
)

Image = dict[str, list[list[Any]]]
"""The plans (id, needs) and their items (id, need) of one case that another name changes, as they were."""


def rename_needs(session: Session, names: Names, case_ids: Collection[int]) -> Mapping[int, Image]:
    """Call what the plans of these cases ask for as the new version does, in every revision, and give back what that
    changed. The number of statements is constant; none when no state has another name."""
    if not names.states:
        return {}
    ids = [(id_,) for id_ in case_ids]
    images: dict[int, Image] = defaultdict(dict)
    plans: list[tuple[int, list[str]]] = []
    for case_id, id_, written in _PLANS.execute(session, ids):
        needs = as_json(written)
        if (renamed := names.needs(needs)) != needs:
            images[case_id].setdefault("plans", []).append([id_, needs])
            plans.append((id_, renamed))
    items: list[tuple[int, str]] = []
    for case_id, id_, need in _ITEMS.execute(session, ids):
        if names.state(need) != need:
            images[case_id].setdefault("items", []).append([id_, need])
            items.append((id_, names.state(need)))
    _SET_PLANS.execute(session, plans)
    _SET_ITEMS.execute(session, items)
    return images


def restore_needs(session: Session, images: Iterable[Image]) -> None:
    """Let plans ask for what they asked for before, in two statements at most."""
    plans, items = [], []
    for image in images:
        plans += image.get("plans", [])
        items += image.get("items", [])
    if plans:
        _SET_PLANS.execute(session, plans)
    if items:
        _SET_ITEMS.execute(session, items)
