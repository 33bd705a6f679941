"""Simulated acts for what life brings: visits, holds, people traced, cases closed and opened again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import col

from deployments.demo.diary import Todo
from deployments.demo.work import Work
from models import Case
from states.casework.follow_up import (
    Attempt,
    ExitTalk,
    Visit,
    record_attempts,
    record_exit_talks,
    record_visits,
)

NOTES: Final = {
    "withdrew": "Souhaite quitter le programme ; services alternatifs proposés.",
    "ineligible": "Ne remplit pas les critères après réexamen.",
    "security": "Zone inaccessible.",
}

LEAVING: Final = {"withdrew": "person", "re_migrated": "relative"}
"""Who can say why somebody leaves."""


def visit(work: Work, todos: Sequence[Todo]) -> None:
    """A follow-up visit; whoever is not found is held as unreachable."""
    missed = [todo for todo in todos if work.happens("not_found_at_visit", todo)]
    found = [todo for todo in todos if todo not in missed]
    visits = [
        Visit(
            **work.signed(todo),
            occasion=work.new_code(),
            months=int(todo.key.removeprefix("visit_")),
            **_found(work, todo),
        )
        for todo in found
    ]
    work.moved(found, record_visits(work.session, visits, now=work.now))
    _try(work, missed, "visit")
    work.fire(missed, "hold", reason="unreachable")


def _found(work: Work, todo: Todo) -> dict[str, Any]:
    """What the person says; whoever struggles more often means to leave again."""
    outcome = work.luck.pick(("well", "well", "struggling"), "visit", todo.key, todo.case_id)
    stays = outcome == "well" or work.luck.happens(0.7, "means to stay", todo.key, todo.case_id)
    why = () if stays else (work.luck.pick(("no_income", "debt", "support_late"), "why", todo.case_id),)
    return {
        "outcome": outcome,
        "income": "regular" if outcome == "well" else "irregular",
        "intention": "no" if stays else "unsure",
        "why": why,
        "could_change": () if stays else ("income_activity",),
    }


def _try(work: Work, todos: Sequence[Todo], channel: str, result: str = "not_reached") -> None:
    """Write down that somebody tried to reach these people."""
    attempts = [Attempt(**work.signed(todo), channel=channel, result=result) for todo in todos]
    work.moved(todos, record_attempts(work.session, attempts, now=work.now))


def hold(work: Work, todos: Sequence[Todo]) -> None:
    """Cases are put on hold, each for its reason; some of the reasons pass by themselves."""
    moves = [work.move(todo, "hold", reason=todo.detail, note=NOTES.get(todo.detail)) for todo in todos]
    for todo in work.fire_moves(todos, moves):
        if todo.detail in ("medical", "security"):
            work.later(f"resume_{todo.detail}", todo, act="resume")


def trace(work: Work, todos: Sequence[Todo]) -> None:
    """The case worker looks for the person; who is found goes on."""
    found = [todo for todo in todos if work.happens("is_traced", todo)]
    _try(work, found, "phone", "reached")
    _try(work, [todo for todo in todos if todo not in found], "phone")
    work.fire(found, "resume")


def review_hold(work: Work, todos: Sequence[Todo]) -> None:
    """A coordinator looks at a hold. Whoever is not found is looked for once more; contact counts as lost when there
    were tries enough. A few of those come back; the others wait on."""
    given_up = [
        todo for todo in todos if not work.happens("is_traced", todo) and work.happens("lost_contact_is_closed", todo)
    ]
    _try(work, given_up, "relative")
    closed = work.fire(given_up, "close", reason="lost_contact")
    for todo in closed:
        if work.happens("comes_back", todo):
            work.later("reopen", todo)
    work.fire([todo for todo in todos if todo not in closed], "review_hold")


def resume(work: Work, todos: Sequence[Todo]) -> None:
    """What stood against the case has passed."""
    work.fire(todos, "resume")


def close(work: Work, todos: Sequence[Todo]) -> None:
    """Cases are closed, each for its reason; whoever leaves by themselves is asked why first."""
    leaving = [todo for todo in todos if todo.detail in LEAVING]
    talks = [
        ExitTalk(
            **work.signed(todo),
            about=todo.detail,
            heard_from=LEAVING[todo.detail],
            why=(work.luck.pick(("no_income", "family_pressure", "other_plans", "unknown"), "why", todo.case_id),),
            could_change=(work.luck.pick(("earlier_support", "income_activity", "nothing"), "change", todo.case_id),),
        )
        for todo in leaving
    ]
    work.moved(leaving, record_exit_talks(work.session, talks, now=work.now))
    work.fire_moves(
        todos, [work.move(todo, "close", reason=todo.detail, note=NOTES.get(todo.detail)) for todo in todos]
    )


def reopen(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody who was lost is back."""
    work.fire(todos, "reopen", note="La personne s'est présentée au bureau.")


def begin_eligibility_review(work: Work) -> None:
    """The coordination holds a batch of cases at once, and notes when each goes on or ends."""
    review = work.story.eligibility_review
    batch = work.session.execute(
        select(col(Case.id), col(Case.office_id))
        .where(col(Case.departure_country) == review.country, col(Case.state).in_(review.states))
        .order_by(col(Case.id))
        .limit(review.most)
    ).all()
    todos = [
        Todo("hold", case_id, work.roster.colleague("coordinator", office_id, case_id), detail="eligibility_review")
        for case_id, office_id in batch
    ]
    for todo in work.fire(todos, "hold", reason="eligibility_review"):
        stays = work.happens("sits_out_review", todo)
        again = todo._replace(key="resume" if stays else "close", detail="" if stays else "ineligible", pressing=True)
        work.diary.note(review.end + timedelta(days=todo.case_id % 3), again)
