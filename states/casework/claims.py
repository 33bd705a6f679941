"""What several cases draw on at once, such as the places of a course or the money of a budget: claimed under a lock.

`states.casework.training`, `approvals` and `purchases` use it. The pathway decides about each case; what is left of the
thing itself stands against a move as one more objection, and whoever is refused takes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar

from sqlmodel import Session

from states.advance import advance_cases
from states.casework.act import Step, turns_of
from states.gather import load_cases
from states.moves import Move, Outcome, OutcomeKind, Reason

S = TypeVar("S", bound=Step)
T = TypeVar("T", bound=Step, contravariant=True)


class Pool(Protocol[T]):
    """What is left of something, locked until the commit."""

    def claim(self, step: T) -> Reason | None:
        """Take what the step asks for, or say why it cannot be had."""

    def give_back(self, step: T) -> None:
        """The step came to nothing: what it claimed is there again."""


def claim_and_move(
    session: Session,
    steps: Sequence[S],
    *,
    pool: Callable[[], Pool[S]],
    move: Callable[[S], Move],
    write: Callable[[Sequence[S]], object],
    now: datetime,
) -> list[Outcome]:
    """Fire the move of each step that gets what it claims, then `write` what goes with those that moved.

    Gives one outcome a step, in order; first come, first served. All in the caller's transaction: cases are locked
    first, then what `pool` opens, so that no two writers wait for each other. What a refused step had claimed goes to
    those after it that had been left with nothing.
    """
    load_cases(session, {step.case_id for step in steps}, lock=True)
    claims = pool()
    outcomes: dict[int, Outcome] = {}
    for turn in turns_of(steps):
        answers = _take_turn(session, turn, claims, move, now)
        outcomes |= answers
        moved = [step for place, step in turn if answers[place].kind is OutcomeKind.MOVED]
        if moved:
            write(moved)
    return [outcomes[place] for place in range(len(steps))]


def _take_turn(
    session: Session, turn: Sequence[tuple[int, S]], claims: Pool[S], move: Callable[[S], Move], now: datetime
) -> dict[int, Outcome]:
    """The outcomes, by place, of steps on different cases."""
    outcomes: dict[int, Outcome] = {}
    waiting = list(turn)
    while waiting:
        objections = [claims.claim(step) for _, step in waiting]
        moves = [
            replace(move(step), objections=() if objection is None else (objection,))
            for (_, step), objection in zip(waiting, objections, strict=True)
        ]
        short, freed = [], False
        answers = advance_cases(session, moves, now=now)
        for (place, step), objection, outcome in zip(waiting, objections, answers, strict=True):
            outcomes[place] = outcome
            if objection is not None:
                if outcome.reasons == (objection,):
                    short.append((place, step))
            elif outcome.kind is not OutcomeKind.MOVED:
                claims.give_back(step)
                freed = True
        waiting = short if freed else []
    return outcomes
