"""Reads a reintegration plan that somebody wrote in a file, YAML or JSON, for `segin plan draft` and `revise`.

What it says of the person is their own words: an error names the place in the file by the names of a plan, never what
stands there, which may be a key.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from sqlmodel import Session

from models.errors import WrongUse
from models.referral_list import find_partner
from states.casework.plans import PlannedItem
from states.pathways.problems import FileProblems
from states.pathways.source import read_yaml

_MODEL = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ItemOfFile(BaseModel):
    """One thing to do, as in `states.casework.plans.PlannedItem`; the partner by its code."""

    model_config = _MODEL

    level: Name
    dimension: Name
    goal: Annotated[str, Field(min_length=1, max_length=2_000)]
    service: Name
    need: Name | None = None
    mode: Name = "direct"
    partner: Name | None = None
    provider: Name | None = None
    referral: Name | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class PlanOfFile(BaseModel):
    """A plan: the care states that it asks for, what is new in it, and the codes of earlier items that it drops."""

    model_config = _MODEL

    needs: tuple[Name, ...]
    items: Annotated[tuple[ItemOfFile, ...], Field(max_length=100)] = ()
    drop: tuple[Name, ...] = ()


_NAMES = PlanOfFile.model_fields.keys() | ItemOfFile.model_fields.keys()
_UNKNOWN_KEY = ("unknown key", "clé inconnue")


def read_plan(session: Session, text: str, name: str) -> dict[str, Any]:
    """The `needs`, `items` and `drop` of a draft. Raises WrongUse for what is no plan and for an unknown partner."""
    try:
        plan = PlanOfFile.model_validate(read_yaml(text, name).value)
    except FileProblems as error:
        raise _wrong(name, f"line {error.line}", f"ligne {error.line}") from None
    except ValidationError as error:
        wrong = error.errors(include_input=False)
        at, at_fr = (", ".join(dict.fromkeys(_place(each, key) for each in wrong)) for key in _UNKNOWN_KEY)
        raise _wrong(name, at, at_fr) from None
    return {"needs": plan.needs, "items": tuple(_item(session, each) for each in plan.items), "drop": plan.drop}


def _place(error: ErrorDetails, unknown_key: str) -> str:
    """Where the error is. A key that no plan has is left out: without its quotes, what a person said is a key."""
    place = ".".join(str(part) for part in error["loc"] if isinstance(part, int) or part in _NAMES)
    return f"{place} ({unknown_key})".lstrip() if error["type"] == "extra_forbidden" else place


def _item(session: Session, item: ItemOfFile) -> PlannedItem:
    said = item.model_dump(exclude={"partner"})
    partner_id = None if item.partner is None else find_partner(session, item.partner).id
    return PlannedItem(**said, partner_id=partner_id)


def _wrong(name: str, at: str, at_fr: str) -> WrongUse:
    return WrongUse(
        f"{name} is no plan: {at}.",
        f"{name} n'est pas un plan : {at_fr}.",
        remedy="A plan has `needs`, `items` (level, dimension, goal, service, ...) and `drop`: see docs/cli.md.",
        remedy_fr="Un plan a `needs`, `items` (level, dimension, goal, service, ...) et `drop` : voir docs/cli.md.",
    )
