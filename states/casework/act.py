"""How staff's records reach a case: the act, and the way in which a record and the move that it allows are one thing.

The other `states.casework` files use it; here too is what every role records: tasks that are done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from sqlmodel import Session

from models.types import BigId, UtcDateTime
from states.advance import advance_cases
from states.bulk import SetStatement, time_text
from states.gather import load_cases
from states.moves import Actor, EndTask, Move, Outcome, OutcomeKind, Reason
from states.pathway import Pathway
from states.pathways.shelf import pathways_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody records something about a case."""

    case_id: int
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Act):
    """An act that fires a trigger of the pathway as well. The same `command_id` again changes nothing."""

    command_id: str
    correlation_id: str

    def fires(self, trigger: str, *, record: str | None = None, **data: Any) -> Move:
        """The move that goes with the act; `record` is the code of the record that it makes or takes a step on."""
        return Move(
            *(self.case_id, trigger, self.actor, self.command_id, self.correlation_id),
            data=data,
            record=record,
            details=True,
        )


S = TypeVar("S", bound=Step)


class TaskDone(NamedTuple):
    """Somebody says that they did a task."""

    task_id: int
    actor: Actor


_TASKS = SetStatement(
    'SELECT t.id, t.case_id, t.key, t.role, t.status, c.pathway_version_id FROM task AS t JOIN "case" AS c '
    "ON c.id = t.case_id WHERE t.id IN (SELECT r.id FROM {rows})",
    id=BigId,
)
_END_TASKS = SetStatement(
    "UPDATE task SET status = 'done', closed_at = r.at, done_by = r.done_by FROM {rows} "
    "WHERE task.id = r.id AND task.status = 'open'",
    id=BigId,
    at=UtcDateTime(),
    done_by=BigId,
)

NO_SUCH_TASK: Final = Reason("no_such_task", "Cette tâche n'existe pas.", "There is no such task.")
NOT_OPEN: Final = Reason(
    "task_not_open", "Cette tâche n'est pas ouverte.", "This task is not open.", missing="task.status"
)
ANOTHER_ROLE: Final = Reason(
    "role_not_allowed", "Cette tâche revient à un autre rôle.", "This task is another role's.", missing="actor.role"
)
ENDS_WITH_A_MOVE: Final = Reason(
    "ends_with_a_move",
    "Cette tâche se termine par l'action du parcours qu'elle demande.",
    "This task ends with the move of the pathway that it asks for.",
    missing="trigger",
)


def complete_tasks(session: Session, done: Sequence[TaskDone], *, now: datetime) -> list[Reason | None]:
    """End the tasks that no transition ends, such as post-arrival assistance; for each: None, or why not."""
    found = {row.id: row for row in _TASKS.execute(session, [(each.task_id,) for each in done])}
    load_cases(session, {row.case_id for row in found.values()}, lock=True)
    found = {row.id: row for row in _TASKS.execute(session, [(task_id,) for task_id in found])}
    pathways = pathways_of(session, {row.pathway_version_id for row in found.values()})

    def objection(task_id: int, actor: Actor) -> Reason | None:
        task = found.get(task_id)
        if task is None:
            return NO_SUCH_TASK
        if task.status != "open":
            return NOT_OPEN
        if task.role != actor.role:
            return ANOTHER_ROLE
        return ENDS_WITH_A_MOVE if task.key in _ended_by_moves(pathways[task.pathway_version_id]) else None

    answers = [objection(*each) for each in done]
    ended = [(task_id, time_text(now), actor.id) for (task_id, actor), no in zip(done, answers, strict=True) if not no]
    if ended:
        _END_TASKS.execute(session, ended)
    return answers


def move_and_write(
    session: Session,
    steps: Sequence[S],
    *,
    move: Callable[[S], Move],
    write: Callable[[Sequence[S]], object],
    now: datetime,
) -> list[Outcome]:
    """Fire the move of each step, then `write` what goes with those that moved; one outcome a step, in order.

    All in the caller's transaction: the pathway decides first, and nothing is written for what it refused. Steps on
    the same case are taken one after the other, each with all that the one before has written.
    """

    def write_steps(moved: Sequence[tuple[S, int]]) -> None:
        write([step for step, _ in moved])

    return move_and_detail(session, steps, move=move, write=write_steps, now=now)


def move_and_detail(
    session: Session,
    steps: Sequence[S],
    *,
    move: Callable[[S], Move],
    write: Callable[[Sequence[tuple[S, int]]], object],
    now: datetime,
) -> list[Outcome]:
    """As `move_and_write`, for details that name their row of the journal: `write` gets each step with its `seq`."""
    outcomes: dict[int, Outcome] = {}
    for turn in turns_of(steps):
        answers = advance_cases(session, [move(step) for _, step in turn], now=now)
        outcomes |= {place: answer for (place, _), answer in zip(turn, answers, strict=True)}
        moved = [
            (step, answer.seq)
            for (_, step), answer in zip(turn, answers, strict=True)
            if answer.kind is OutcomeKind.MOVED and answer.seq is not None
        ]
        if moved:
            write(moved)
    return [outcomes[place] for place in range(len(steps))]


def turns_of(steps: Sequence[S]) -> list[list[tuple[int, S]]]:
    """The steps with their places, in turns in each of which no case comes twice; all cases are in the first."""
    turns: list[list[tuple[int, S]]] = []
    seen: Counter[int] = Counter()
    for place, step in enumerate(steps):
        turn = seen[step.case_id]
        seen[step.case_id] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append((place, step))
    return turns


@lru_cache(maxsize=16)
def _ended_by_moves(pathway: Pathway) -> frozenset[str]:
    """The tasks that some transition completes."""
    branches = chain.from_iterable(transition.branches.values() for transition in pathway.table.values())
    effects = chain.from_iterable((*branch.fixed, *(rule.effect for rule in branch.ends)) for branch in branches)
    return frozenset(effect.key for effect in effects if isinstance(effect, EndTask) and effect.done)
