"""Simulated acts of psychosocial care, training and livelihood, each on all of the day's cases at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deployments.demo.diary import Todo
from deployments.demo.planning import sessions_wanted
from deployments.demo.work import Work
from states.casework.act import Step
from states.casework.support import (
    Attendance,
    DropOut,
    Enrolment,
    GrantProposal,
    GrantStep,
    SessionHeld,
    advance_grants,
    certify,
    drop_out,
    enrol,
    propose_grants,
    record_attendance,
    record_sessions,
)

COURSES: Final = ("couture", "mécanique moto", "soudure", "maraîchage", "maçonnerie", "électricité", "coiffure")
ACTIVITIES: Final = ("élevage de moutons", "petit commerce", "maraîchage", "atelier de couture", "moto-taxi", "moulin")


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
            case_id=todo.case_id,
            actor=todo.actor,
            kind="group" if work.happens("group_session", todo, work.day) else "individual",
            held_at=work.now,
            attended=todo.case_id in came,
        )
        for todo in here
    ]
    record_sessions(work.session, held, now=work.now)
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


def give_place(work: Work, todos: Sequence[Todo]) -> None:
    """A place on a course."""
    wanted = [Enrolment(**work.signed(todo), course=work.luck.pick(COURSES, "course", todo.case_id)) for todo in todos]
    work.moved(todos, enrol(work.session, wanted, now=work.now))


def confirm_attendance(work: Work, todos: Sequence[Todo]) -> None:
    """Most attend; some have dropped out. Some begin something else while the course goes on."""
    facts = work.facts(todos)
    left = [todo for todo in todos if work.happens("drops_out", todo)]
    attend = [todo for todo in todos if todo not in left]
    days = [work.luck.between((8, 20), "days attended", todo.case_id) for todo in attend]
    attendances = [Attendance(**work.signed(todo), days=number) for todo, number in zip(attend, days, strict=True)]
    for todo in work.moved(attend, record_attendance(work.session, attendances, now=work.now)):
        if work.happens("goes_on_during_training", todo):
            work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))
    drop_outs = [DropOut(**work.signed(todo), reason="family") for todo in left]
    for todo in work.moved(left, drop_out(work.session, drop_outs, now=work.now)):
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))


def record_certificate(work: Work, todos: Sequence[Todo]) -> None:
    """The course is over; whoever's attendance is not recorded yet gets the certificate later."""
    facts = work.facts(todos)
    moved = work.moved(todos, certify(work.session, [Step(**work.signed(todo)) for todo in todos], now=work.now))
    for todo in moved:
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))
    work.try_again(todo for todo in todos if todo not in moved and todo.tries < 5)


def plan_business(work: Work, todos: Sequence[Todo]) -> None:
    """A business plan is drafted with the returnee and submitted."""
    proposals = [
        GrantProposal(
            **work.signed(todo),
            activity=work.luck.pick(ACTIVITIES, "activity", todo.case_id),
            amount_xof=25_000 * work.luck.between((8, 30), "amount", todo.case_id),
        )
        for todo in todos
    ]
    work.moved(todos, propose_grants(work.session, proposals, now=work.now))


def approve_grant(work: Work, todos: Sequence[Todo]) -> None:
    """A coordinator approves the grant."""
    _grant(work, todos, "approved")


def procure(work: Work, todos: Sequence[Todo]) -> None:
    """The kit is bought."""
    _grant(work, todos, "procured")


def deliver(work: Work, todos: Sequence[Todo]) -> None:
    """The kit is handed over; the plan goes on meanwhile."""
    facts = work.facts(todos)
    for todo in _grant(work, todos, "delivered"):
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))


def verify(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody looks on site how the kit is used; then the plan goes on."""
    for todo in _grant(work, todos, "verified"):
        work.later("go_on", todo)


def _grant(work: Work, todos: Sequence[Todo], step: GrantStep) -> list[Todo]:
    steps = [Step(**work.signed(todo)) for todo in todos]
    return work.moved(todos, advance_grants(work.session, step, steps, now=work.now))
