"""Simulated acts of psychosocial care, each on all of the day's cases at once."""

from __future__ import annotations

from collections.abc import Sequence

from deployments.demo.diary import Todo
from deployments.demo.planning import sessions_wanted
from deployments.demo.work import Work
from states.casework.sessions import SessionHeld, record_sessions


def hold_session(work: Work, todos: Sequence[Todo]) -> None:
    """A session; after enough of them the care is reviewed and the case worker goes on with the plan."""
    facts = work.facts(todos, "sessions")
    here = [todo for todo in todos if facts[todo.case_id].state == "psychosocial"]
    for todo in todos:
        if facts[todo.case_id].state == "on_hold":
            work.later("next_session", todo, tries=todo.tries + 1)
    came = {todo.case_id for todo in here if work.happens("attends_session", todo, work.day)}
    held = [
        SessionHeld(
            **work.signed(todo),
            code=work.new_code(),
            kind="group" if work.happens("group_session", todo, work.day) else "individual",
            held_at=work.now,
            attended=todo.case_id in came,
        )
        for todo in here
    ]
    record_sessions(work.session, held, seal=None, now=work.now)
    enough = []
    for todo in here:
        attended = facts[todo.case_id].sessions_attended + (todo.case_id in came)
        if attended >= sessions_wanted(work, todo.case_id):
            enough.append(todo)
        else:
            work.later("next_session", todo, tries=todo.tries + 1)
    for todo in work.fire(enough, "review_psychosocial"):
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))


def review(work: Work, todos: Sequence[Todo]) -> None:
    """The review that is due after 90 days for whoever is still in care."""
    work.fire(todos, "review_psychosocial")
