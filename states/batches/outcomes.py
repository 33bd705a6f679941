"""What became of each case of a batch, or would: by the same decision, over the same cases, and counted.

The command line foresees an order before it is confirmed, and reads the report afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from models.batches import Batch, BatchCase
from models.case import Case
from models.caseload import CaseFilter, conditions
from states.advance import foresee_cases
from states.batches.order import Order, check_order, move_of, order_of
from states.moves import OutcomeKind, Reason


class Line(NamedTuple):
    """What became of one case, or would; `kind` none: not yet decided."""

    code: str
    kind: OutcomeKind | None
    reasons: tuple[Reason, ...]


@dataclass
class Tally:
    """Outcomes counted by kind, and refusals by reason with the codes of the first few cases of each."""

    shown: int = 5
    outcomes: Counter[str] = field(default_factory=Counter)
    cases: Counter[Reason] = field(default_factory=Counter)
    codes: dict[Reason, list[str]] = field(default_factory=dict)

    def add(self, lines: Sequence[Line]) -> None:
        """Count these too."""
        for line in lines:
            self.outcomes[line.kind or "waiting"] += 1
            for reason in line.reasons:
                self.cases[reason] += 1
                if len(codes := self.codes.setdefault(reason, [])) < self.shown:
                    codes.append(line.code)

    @property
    def total(self) -> int:
        return self.outcomes.total()

    @property
    def moved(self) -> int:
        return self.outcomes[OutcomeKind.MOVED] + self.outcomes[OutcomeKind.ALREADY_DONE]


def foresee(
    session: Session, wanted: CaseFilter, order: Order, *, now: datetime, size: int = 1000
) -> Iterator[list[Line]]:
    """What the order would do to every case that the filter finds, in chunks; nothing is written.

    Raises WrongUse for an order that cannot be kept, an unknown office or person.
    """
    check_order(order)
    found = conditions(session, wanted)
    after = 0
    while cases := _page(session, select(col(Case.id), col(Case.code)).where(*found), after, size):
        yield _foreseen(session, order, "none", [(case.id, case.code, None) for case in cases], now)
        after = cases[-1].id


def foresee_batch(session: Session, batch: Batch, *, now: datetime, size: int = 1000) -> Iterator[list[Line]]:
    """What the rest of a batch would do now, in chunks; nothing is written."""
    order = order_of(session, batch)
    after = 0
    waiting = (
        select(col(Case.id), col(Case.code), col(BatchCase.expected_version))
        .join(BatchCase, col(BatchCase.case_id) == col(Case.id))
        .where(col(BatchCase.batch_id) == batch.id, col(BatchCase.outcome).is_(None))
    )
    while rows := _page(session, waiting, after, size):
        chunk = [(row.id, row.code, None if batch.any_version else row.expected_version) for row in rows]
        yield _foreseen(session, order, batch.uid, chunk, now)
        after = rows[-1].id


def batch_lines(session: Session, batch: Batch, *, size: int = 1000) -> Iterator[list[Line]]:
    """What became of every case of the batch, in chunks: exactly `batch.total` lines."""
    every = (
        select(col(Case.id), col(Case.code), col(BatchCase.outcome), col(BatchCase.reasons))
        .join(BatchCase, col(BatchCase.case_id) == col(Case.id))
        .where(col(BatchCase.batch_id) == batch.id)
    )
    after = 0
    while rows := _page(session, every, after, size):
        yield [
            Line(
                row.code,
                None if row.outcome is None else OutcomeKind(row.outcome),
                tuple(Reason(**reason) for reason in row.reasons),
            )
            for row in rows
        ]
        after = rows[-1].id


def _page(session: Session, query: Any, after: int, size: int) -> Sequence[Any]:
    """The cases of a query behind the one with the id `after`, in order of registration."""
    return session.execute(query.where(col(Case.id) > after).order_by(col(Case.id)).limit(size)).all()


def _foreseen(
    session: Session, order: Order, uid: str, chunk: Sequence[tuple[int, str, int | None]], now: datetime
) -> list[Line]:
    moves = [move_of(order, uid, case_id, version) for case_id, _, version in chunk]
    outcomes = foresee_cases(session, moves, now=now)
    return [Line(code, each.kind, each.reasons) for (_, code, _), each in zip(chunk, outcomes, strict=True)]
