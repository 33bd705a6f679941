"""What a move to another version changed of a case, as it was before: kept with the wave, so that it can be taken back.

`states.change.carrying` keeps it, `states.change.undo` writes it back. Times are texts, as in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from states.bulk import as_time
from states.change.caseload import Running
from states.change.passage import clock_as_it_is, task_as_it_is
from states.moves import (
    Effect,
    EndDeadline,
    EndTask,
    OpenTask,
    RewriteDeadline,
    RewriteTask,
    SetDeadline,
    SetRecord,
)


def image_of(running: Running, effects: Iterable[Effect]) -> dict[str, list[list[Any]]]:
    """The tasks, clocks and records that the effects change, as they are, and the keys of what the effects begin; under
    `case` the state that it is in and the one that it would go back to. `states.change.plan_needs` adds the plans."""
    tasks = {task.id: task for task in running.tasks}
    clocks = {clock.id: clock for clock in running.clocks}
    image: dict[str, list[list[Any]]] = {"case": [[running.case.state, running.case.previous_state]]}
    for effect in effects:
        if isinstance(effect, RewriteTask):
            _add(image, "tasks", [task_as_it_is(tasks[effect.id])])
        elif isinstance(effect, RewriteDeadline):
            _add(image, "clocks", [clock_as_it_is(clocks[effect.id])])
        elif isinstance(effect, EndTask):
            ended = (task for task in running.tasks if (task.key, task.record) == (effect.key, effect.record))
            _add(image, "tasks", map(task_as_it_is, ended))
        elif isinstance(effect, EndDeadline):
            stopped = (clock for clock in running.clocks if (clock.key, clock.record) == (effect.key, effect.record))
            _add(image, "clocks", map(clock_as_it_is, stopped))
        elif isinstance(effect, SetRecord):
            _add(image, "records", [effect])
        elif isinstance(effect, OpenTask):
            _add(image, "opened", [(effect.key,)])
        elif isinstance(effect, SetDeadline):
            _add(image, "set", [(effect.key,)])
    return image


def effects_of_image(image: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[Effect]:
    """What puts everything back as the image has it, and cancels what had begun."""
    for (key,) in image.get("opened", ()):
        yield EndTask(key, done=False)
    for (key,) in image.get("set", ()):
        yield EndDeadline(key, met=False)
    for *task, due_at, first_due_at in image.get("tasks", ()):
        yield RewriteTask._make((*task, as_time(due_at), as_time(first_due_at)))
    for id_, key, state, status, due_at, first_due_at, next_at, level, overdue_at, escalated_at in image.get(
        "clocks", ()
    ):
        yield RewriteDeadline(
            *(id_, key, state, status, as_time(due_at), as_time(first_due_at), as_time(next_at)),
            *(level, as_time(overdue_at), as_time(escalated_at)),
        )
    for kind, code, before, after in image.get("records", ()):
        yield SetRecord(kind, code, after, before)


def _add(image: dict[str, list[list[Any]]], what: str, rows: Iterable[Sequence[Any]]) -> None:
    image.setdefault(what, []).extend([_plain(value) for value in row] for row in rows)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
