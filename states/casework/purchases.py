"""Purchases for approved grants, in kind, each with its proof; never for more than was approved.

The console, the API and the command line call it and commit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, Integer, String
from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.bulk import SetStatement, time_text
from states.casework.business_plan import MOST_XOF
from states.casework.claims import claim_and_move
from states.casework.ledger import Ledger
from states.casework.livelihood import OnGrant
from states.moves import Move, Outcome, Reason


class Purchase(BaseModel):
    """Something bought for a line of the business plan (`position`, from 1), with the reference of its proof (an
    invoice, a receipt) and the SHA-256 of the proof's file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    position: Annotated[int, Field(strict=True, ge=1, le=200)]
    supplier: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    amount_xof: Annotated[int, Field(strict=True, ge=1, le=MOST_XOF)]
    proof: Annotated[str, Field(min_length=1, max_length=200)]
    proof_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases(OnGrant):
    """What was bought for a grant at once."""

    bought: tuple[Purchase, ...]

    @property
    def amount_xof(self) -> int:
        """What it cost in all."""
        return sum(each.amount_xof for each in self.bought)


_INSERT = SetStatement(
    "INSERT INTO grant_purchase (grant_id, position, supplier, quantity, amount_xof, proof, proof_sha256, recorded_by, "
    "recorded_at) SELECT g.id, r.position, r.supplier, r.quantity, r.amount_xof, r.proof, r.proof_sha256, "
    "r.by_id, r.at FROM {rows} JOIN livelihood_grant AS g ON g.code = r.code WHERE true",
    code=String(),
    position=Integer(),
    supplier=String(),
    quantity=Integer(),
    amount_xof=BigInteger(),
    proof=String(),
    proof_sha256=String(),
    by_id=BigId,
    at=UtcDateTime(),
)
_SPEND = SetStatement(
    "UPDATE livelihood_grant SET spent_xof = r.spent_xof FROM {rows} WHERE livelihood_grant.code = r.code",
    code=String(),
    spent_xof=BigInteger(),
)


_LINES = SetStatement(
    "SELECT g.code, l.position FROM livelihood_grant AS g "
    "JOIN grant_line AS l ON l.grant_id = g.id AND l.revision = g.revision WHERE g.code IN (SELECT r.code FROM {rows})",
    code=String(),
)

NO_SUCH_LINE: Final = Reason(
    "no_such_line",
    "Le plan d'affaires n'a pas cette ligne.",
    "The business plan has no such line.",
    "purchase.position",
)


class _Left:
    """The pool that purchases draw on: what is left of their grants. `lines` are those of the newest plans, each with
    its grant's code."""

    def __init__(self, ledger: Ledger, lines: Collection[tuple[str, int]]) -> None:
        self.ledger = ledger
        self._lines = lines
        self._left = {code: grant.left_xof for code, grant in ledger.grants.items()}

    def claim(self, step: Purchases) -> Reason | None:
        if step.grant in self._left and any((step.grant, one.position) not in self._lines for one in step.bought):
            return NO_SUCH_LINE
        left = self._left.get(step.grant, 0)
        if step.amount_xof > left:
            return Reason(
                "over_the_grant",
                f"Il reste {left} F CFA sur cet appui ; ces achats en demandent {step.amount_xof}.",
                f"XOF {left} are left of this grant; these purchases need {step.amount_xof}.",
                "grant.left_xof",
            )
        self._left[step.grant] = left - step.amount_xof
        return None

    def give_back(self, step: Purchases) -> None:
        self._left[step.grant] = self._left.get(step.grant, 0) + step.amount_xof


def record_purchases(session: Session, purchases: Sequence[Purchases], *, now: datetime) -> list[Outcome]:
    """Record what was bought; refused beyond what is left of the approved amount, which the refusal names, and for a
    line that the newest plan does not have."""
    opened: list[_Left] = []

    def pool() -> _Left:
        grants = {each.grant for each in purchases}
        lines = {(code, position) for code, position in _LINES.execute(session, [(code,) for code in sorted(grants)])}
        opened.append(_Left(Ledger(session, grants), lines))
        return opened[0]

    def move(each: Purchases) -> Move:
        return each.fires("record_purchase", record=each.grant, amount_xof=each.amount_xof, items=len(each.bought))

    def write(moved: Sequence[Purchases]) -> None:
        ledger, at = opened[0].ledger, time_text(now)
        rows = [
            (
                *(each.grant, one.position, one.supplier, one.quantity, one.amount_xof, one.proof, one.proof_sha256),
                *(each.actor.id, at),
            )
            for each in moved
            for one in each.bought
        ]
        _INSERT.execute(session, rows)
        for each in moved:
            ledger.spend(each.grant, each.amount_xof, each.actor.id)
        _SPEND.execute(session, [(each.grant, ledger.grants[each.grant].spent_xof) for each in moved])
        ledger.write(now)

    return claim_and_move(session, purchases, pool=pool, move=move, write=write, now=now)
