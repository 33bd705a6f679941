"""Simulated acts from the arrival to the end of the screening, each on all of the day's cases at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from deployments.demo.diary import Todo
from deployments.demo.work import Work
from states.casework.act import TaskDone, complete_tasks
from states.casework.consents import ConsentAnswer, record_consents
from states.casework.screening import Assessed, Screened, record_assessments, record_screenings
from states.facts import Facts
from states.instruments.catalogue import bundled_catalogue
from states.instruments.definition import Summed
from states.record_words import VULNERABILITY_WORDS

BURDENS: Final = frozenset({"trafficking", "detention", "distress"})


def confirm_arrival(work: Work, todos: Sequence[Todo]) -> None:
    """An intake officer meets the people; what will happen to each of them later is settled here."""
    came = [todo for todo in todos if not work.happens("never_arrives", todo)]
    moved = work.fire(came, "confirm_arrival")
    facts = work.facts(moved)
    for todo in moved:
        happening = work.luck.pick_by_share(work.story.happenings, "happening", todo.case_id)
        if happening is not None:
            act, _, reason = happening.partition(":")
            role = "coordinator" if act == "close" or reason == "security" else "case_worker"
            work.later("something_happens", todo, work.colleague(role, facts[todo.case_id]), act=act, detail=reason)


def assist(work: Work, todos: Sequence[Todo]) -> None:
    """Post-arrival assistance."""
    complete_tasks(
        work.session, [TaskDone(todo.task_id, todo.actor) for todo in todos if todo.task_id is not None], now=work.now
    )


def interview(work: Work, todos: Sequence[Todo]) -> None:
    """Identity and consent; with consent, screening begins."""
    facts = work.facts(todos, "consents")
    answers, agreed = [], []
    for todo in todos:
        given = not work.happens("refuses_assistance", todo)
        answers.append(ConsentAnswer(**work.signed(todo), code=work.new_code(), purpose="assistance", given=given))
        if "sharing" not in facts[todo.case_id].consents_recorded:
            answers.append(ConsentAnswer(**work.signed(todo), code=work.new_code(), purpose="sharing", given=given))
        if given:
            agreed.append(todo)
        elif work.happens("refusal_leads_to_closure", todo):
            coordinator = work.colleague("coordinator", facts[todo.case_id])
            work.later("withdraw", todo, coordinator, act="close", detail="withdrew")
    record_consents(work.session, answers, now=work.now)
    work.fire(agreed, "begin_screening")


def apply_instrument(work: Work, todos: Sequence[Todo]) -> None:
    """A psychosocial instrument; an answer that asks for help now raises the emergency by itself."""
    kept = [todo for todo in todos if not work.happens("instrument_is_lost", todo)]
    facts = work.facts(kept, "returnee")
    assessed = []
    for todo in kept:
        instrument, answers = _answers(work, todo, facts[todo.case_id])
        assessed.append(Assessed(**work.signed(todo), instrument=instrument, answers=answers))
    record_assessments(work.session, assessed, catalogue=bundled_catalogue(), now=work.now)


def screen(work: Work, todos: Sequence[Todo]) -> None:
    """The vulnerability screening finds what the manifest said, and sometimes more."""
    facts = work.facts(todos, "returnee")
    known = sorted(VULNERABILITY_WORDS)
    screened = []
    for todo in todos:
        found = set(facts[todo.case_id].vulnerabilities)
        if work.luck.happens(0.15, "another vulnerability", todo.case_id):
            found.add(work.luck.pick(known, "which vulnerability", todo.case_id))
        screened.append(Screened(**work.signed(todo), found=tuple(sorted(found))))
    work.moved(todos, record_screenings(work.session, screened, new_code=work.new_code, now=work.now))


def respond(work: Work, todos: Sequence[Todo]) -> None:
    """Somebody sits with the person until the emergency is over."""
    work.fire(todos, "resolve_emergency")


def distress(work: Work, facts: Facts) -> float:
    """How heavy it is for this person, 0 to 1: more after detention, trafficking or distress."""
    calm = work.luck.draw("distress", facts.case_id)
    return math.sqrt(calm) if facts.vulnerabilities & BURDENS else calm * math.sqrt(calm)


def _answers(work: Work, todo: Todo, facts: Facts) -> tuple[str, tuple[int, ...]]:
    burden = distress(work, facts)
    if burden > 0.8 and work.luck.happens(0.7, "fuller instrument", todo.case_id):
        instrument = "phq9"
    else:
        instrument = work.luck.pick(("k6", "k6", "k6", "phq4", "who5"), "instrument", todo.case_id)
    definition = bundled_catalogue().find(instrument)
    assert isinstance(definition, Summed)  # noqa: S101  (all those named here are)
    width = definition.answers.highest - definition.answers.lowest
    weight = 1 - burden if instrument == "who5" else burden
    answers = [
        definition.answers.lowest + round(width * weight * (0.5 + work.luck.draw("item", item, todo.case_id) / 2))
        for item in range(definition.items)
    ]
    if instrument == "phq9":
        answers[8] = int(work.happens("item_nine", todo))
    return instrument, tuple(answers)
