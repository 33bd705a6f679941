"""One piece of a simulated working day: the session, the time, and the words in which acts are recorded.

The acts (`arrival`, `planning`, `support`, `life`) get it from `deployments.demo.season`, which commits after each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from deployments.demo.cast import Roster
from deployments.demo.diary import Diary, Todo
from deployments.demo.luck import Luck
from deployments.demo.story import Story
from models import Task
from states.advance import advance_cases
from states.facts import Facts
from states.gather import gather_facts
from states.moves import Actor, Move, Outcome, OutcomeKind


@dataclass(frozen=True)
class Work:
    """Everything that an act needs. `refusals` counts the reasons why something was not possible, by code."""

    session: Session
    now: datetime
    day: date
    story: Story
    luck: Luck
    roster: Roster
    diary: Diary
    refusals: Counter[str]
    helper_partner_id: int
    next_command: Callable[[], str]
    new_code: Callable[[], str]

    def signed(self, todo: Todo) -> dict[str, Any]:
        """What every recorded step carries: case, actor, command id, correlation id."""
        return {
            "case_id": todo.case_id,
            "actor": todo.actor,
            "command_id": self.next_command(),
            "correlation_id": self._correlation_id(todo),
        }

    def move(self, todo: Todo, trigger: str, **parts: Any) -> Move:
        """A move by whoever has this to do."""
        return Move(todo.case_id, trigger, todo.actor, self.next_command(), self._correlation_id(todo), **parts)

    def fire(self, todos: Sequence[Todo], trigger: str, **parts: Any) -> list[Todo]:
        """Fire one trigger on all of the cases, and give those that moved."""
        return self.fire_moves(todos, [self.move(todo, trigger, **parts) for todo in todos])

    def fire_moves(self, todos: Sequence[Todo], moves: Sequence[Move]) -> list[Todo]:
        """Fire a move for each, and give those that moved."""
        return self.moved(todos, advance_cases(self.session, moves, now=self.now))

    def moved(self, todos: Sequence[Todo], outcomes: Sequence[Outcome]) -> list[Todo]:
        """Those that moved; what stood against the others is counted."""
        for outcome in outcomes:
            self.refusals.update(reason.code for reason in outcome.reasons)
        return [todo for todo, outcome in zip(todos, outcomes, strict=True) if outcome.kind is OutcomeKind.MOVED]

    def facts(self, todos: Iterable[Todo], *groups: str) -> dict[int, Facts]:
        """What the files of these cases say."""
        return gather_facts(self.session, {todo.case_id for todo in todos}, groups)

    def records(self, todos: Sequence[Todo]) -> dict[Todo, str]:
        """The code of the record that each one's task is about."""
        query = select(col(Task.id), col(Task.record)).where(col(Task.id).in_([todo.task_id for todo in todos]))
        found = dict(self.session.execute(query).tuples().all())
        return {todo: found.get(todo.task_id) or "" for todo in todos}

    def later(self, key: str, todo: Todo, actor: Actor | None = None, **changes: Any) -> None:
        """Note `key` for the same case, by `actor` or the same person, after the days that the story has for it."""
        days = self.luck.between(self.story.days[key], key, todo.case_id, todo.tries)
        follow_up = Todo(changes.pop("act", key), todo.case_id, actor or todo.actor, **changes)
        self.diary.note(self.day + timedelta(days=days), follow_up)

    def try_again(self, todos: Iterable[Todo]) -> None:
        """Note them for one of the next days."""
        for todo in todos:
            days = self.luck.between(self.story.days["try_again"], "try again", *todo[:2], todo.tries)
            self.diary.note(self.day + timedelta(days=days), todo._replace(tries=todo.tries + 1))

    def happens(self, share: str, todo: Todo, *more: object) -> bool:
        """Whether it happens to this case, by the story's share of that name."""
        return self.luck.happens(self.story.shares[share], share, todo.case_id, *more)

    def colleague(self, role: str, facts: Facts) -> Actor:
        """Who of the role looks after this case in its office."""
        return self.roster.colleague(role, facts.office_id, facts.case_id)

    def _correlation_id(self, todo: Todo) -> str:
        return f"demo-{self.day:%Y%m%d}-{todo.key}"
