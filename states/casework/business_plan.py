"""The business plan of a grant, as whole francs: what is to be bought, at which price, and what the person brings.

`states.casework.livelihood` takes it from the edges. Amounts are integers and nothing else: no float, no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from models import Project
from models.errors import WrongUse

MOST_XOF: Final = 10**12
"""No amount is larger; sums of a plan stay far below the 64 bits that the databases have."""

Xof = Annotated[int, Field(strict=True, ge=0, le=MOST_XOF)]
"""An amount in whole francs."""

GrantKind = Literal["individual", "collective", "community"]


class PlanLine(BaseModel):
    """One item of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    item: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    unit_price_xof: Xof

    @property
    def amount_xof(self) -> int:
        """What the item costs."""
        return self.quantity * self.unit_price_xof


class BusinessPlan(BaseModel):
    """An activity and what it needs to start. `market` is a code of the programme for what it sells to whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    kind: GrantKind = "individual"
    activity: Annotated[str, Field(min_length=1, max_length=200)]
    market: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] | None = None
    lines: Annotated[tuple[PlanLine, ...], Field(min_length=1, max_length=200)]
    own_xof: Xof = 0

    @property
    def total_xof(self) -> int:
        """What all of it costs."""
        return sum(line.amount_xof for line in self.lines)

    @property
    def amount_xof(self) -> int:
        """What the programme is asked for."""
        return self.total_xof - self.own_xof


def check_plans(session: Session, plans: Sequence[tuple[BusinessPlan, str | None]], *, new: bool = True) -> None:
    """Raises WrongUse for a plan that the person pays alone, is too large, or belongs to no project though several
    people share it. Each plan comes with the code of its project; one that is not `new` keeps the project it has."""
    for plan, project in plans:
        if not 0 < plan.amount_xof <= MOST_XOF:
            raise WrongUse(
                "A business plan asks for something, and its items cost more than the own contribution.",
                "Un plan d'affaires demande un appui : ses articles coûtent plus que l'apport personnel.",
            )
        if new and (plan.kind == "individual") != (project is None):
            raise WrongUse(
                "A collective or community grant belongs to a project, an individual one to none.",
                "Un appui collectif ou communautaire appartient à un projet, un appui individuel à aucun.",
            )
    named = sorted({project for _, project in plans if project is not None})
    known = set(session.scalars(select(col(Project.code)).where(col(Project.code).in_(named)))) if named else set()
    for code in named:
        if code not in known:
            raise WrongUse(
                f"There is no project {code}.",
                f"Le projet {code} n'existe pas.",
                remedy="See `segin project list`.",
                remedy_fr="Voyez `segin project list`.",
            )
