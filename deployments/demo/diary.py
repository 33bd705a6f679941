"""What the simulated staff mean to do and when: their tasks, once they turn to them, and what they noted themselves."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from typing import NamedTuple

from states.moves import Actor


class Todo(NamedTuple):
    """One act on one case by one person. `key` names a task of the pathway or an act of the demonstration; `detail`
    is a reason or the like; `tries` counts the times that it did not work out; `pressing` goes first."""

    key: str
    case_id: int
    actor: Actor
    task_id: int | None = None
    detail: str = ""
    tries: int = 0
    pressing: bool = False


class Diary:
    """Everything that is to be done, by the day from which somebody turns to it."""

    def __init__(self) -> None:
        self._entries: list[tuple[date, bool, int, Todo]] = []
        self._numbers = count()

    def note(self, day: date, todo: Todo) -> None:
        """Put it down for this day; on a day off it waits for the next working day."""
        heapq.heappush(self._entries, (day, not todo.pressing, next(self._numbers), todo))

    def take(self, day: date, acts_a_day: Mapping[str, int]) -> list[Todo]:
        """What people get done on this day, the pressing first; what is too much stays for the next."""
        due = []
        while self._entries and self._entries[0][0] <= day:
            due.append(heapq.heappop(self._entries))
        done: Counter[int | None] = Counter()
        taken = []
        for _, calm, number, todo in sorted(due, key=lambda entry: entry[1:3]):
            if done[todo.actor.id] < acts_a_day[todo.actor.role]:
                done[todo.actor.id] += 1
                taken.append(todo)
            else:
                heapq.heappush(self._entries, (day + timedelta(days=1), calm, number, todo))
        return taken
