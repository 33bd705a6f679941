"""Simulated acts on the plan, and the way from one support to the next, each on all of the day's cases at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from deployments.demo.arrival import distress
from deployments.demo.diary import Todo
from deployments.demo.work import Work
from states.casework.act import TaskDone, complete_tasks
from states.casework.consents import ConsentAnswer, record_consents
from states.casework.plans import (
    PlanDraft,
    PlannedItem,
    PlanStep,
    approve_plans,
    draft_plans,
    return_plans,
    revise_plans,
    submit_plans,
)
from states.casework.referrals import ReferralAnswer, ReferralRequest, answer_referrals, make_referrals
from states.facts import Facts

BANDS_THAT_CALL_FOR_CARE = frozenset({"moderate", "moderately_severe", "severe", "high", "very_high", "poor"})
SESSIONS_WANTED = (2, 4)
PLANNED_ITEMS: Final = {
    "psychosocial": PlannedItem(
        level="individual",
        dimension="psychosocial",
        need="psychosocial",
        goal="Retrouver le sommeil et des proches à qui parler",
        service="psychosocial",
    ),
    "training": PlannedItem(
        level="individual",
        dimension="economic",
        need="training",
        goal="Apprendre un métier demandé dans la région",
        service="training",
        mode="referral",
    ),
    "livelihood": PlannedItem(
        level="community",
        dimension="economic",
        need="livelihood",
        goal="Vivre d'une activité au village",
        service="livelihood",
    ),
}
INFORMATION: Final = ("name", "phone", "needs")
STATES_OF_THE_PLAN = frozenset({"planning", "psychosocial", "training", "livelihood"})


def draft(work: Work, todos: Sequence[Todo]) -> None:
    """The plan is drafted with the returnee and submitted; medical needs are referred to a partner."""
    facts = work.facts(todos, "returnee", "assessments")
    authors = [
        todo._replace(actor=work.colleague("coordinator", facts[todo.case_id]))
        if work.happens("drafted_by_coordinator", todo)
        else todo
        for todo in todos
    ]
    drafts = [
        PlanDraft(
            **work.signed(todo), plan=work.new_code(), needs=needs, items=tuple(PLANNED_ITEMS[need] for need in needs)
        )
        for todo in authors
        for needs in [_needs(work, todo, facts[todo.case_id])]
    ]
    drafted = work.moved(authors, draft_plans(work.session, drafts, new_code=work.new_code, now=work.now))
    plans = {each.case_id: each.plan for each in drafts}
    asked = [PlanStep(**work.signed(todo), plan=plans[todo.case_id]) for todo in drafted]
    moved = work.moved(drafted, submit_plans(work.session, asked, now=work.now))
    _refer(work, [todo for todo in moved if "medical" in facts[todo.case_id].vulnerabilities])


def approve(work: Work, todos: Sequence[Todo]) -> None:
    """A coordinator approves; whoever wrote the plan passes it on to a colleague."""
    plans = {case_id: _plan_in(facts, "submitted") for case_id, facts in work.facts(todos, "records").items()}
    waiting = [todo for todo in todos if plans[todo.case_id]]
    sent_back = [todo for todo in waiting if work.happens("plan_is_returned", todo, plans[todo.case_id])]
    why = "Dire qui donne la formation, et jusqu'à quand."
    returns = [PlanStep(**work.signed(todo), plan=plans[todo.case_id], note=why) for todo in sent_back]
    work.moved(sent_back, return_plans(work.session, returns, now=work.now))
    todos = [todo for todo in waiting if todo not in sent_back]
    steps = [PlanStep(**work.signed(todo), plan=plans[todo.case_id]) for todo in todos]
    outcomes = approve_plans(work.session, steps, now=work.now)
    work.moved(todos, outcomes)
    for todo, outcome in zip(todos, outcomes, strict=True):
        if "plan_approver_differs" in [reason.code for reason in outcome.reasons]:
            colleague = work.roster.somebody_else(todo.actor)
            if colleague != todo.actor:
                work.try_again([todo._replace(actor=colleague)])


def rework(work: Work, todos: Sequence[Todo]) -> None:
    """A plan that was returned is changed and submitted again."""
    found = work.facts(todos, "records", "plan")
    plans = {case_id: _plan_in(facts, "returned") for case_id, facts in found.items()}
    here = [todo for todo in todos if plans[todo.case_id]]
    drafts = []
    for todo in here:
        plan = found[todo.case_id].plan
        needs = tuple(sorted(plan.needs)) if plan else ()
        drafts.append(PlanDraft(**work.signed(todo), plan=plans[todo.case_id], needs=needs))
    changed = work.moved(here, revise_plans(work.session, drafts, new_code=work.new_code, now=work.now))
    asked = [PlanStep(**work.signed(todo), plan=plans[todo.case_id]) for todo in changed]
    work.moved(changed, submit_plans(work.session, asked, now=work.now))


def refer_to_specialist(work: Work, todos: Sequence[Todo]) -> None:
    """A result asked for specialised care: the person is asked, and the partner."""
    _refer(work, todos, "mental_health")
    done = [TaskDone(todo.task_id, todo.actor) for todo in todos if todo.task_id is not None]
    complete_tasks(work.session, done, now=work.now)


def _plan_in(facts: Facts, status: str) -> str:
    """The code of the case's plan that is there; empty when none is."""
    found = [each.code for each in facts.records.values() if (each.kind, each.status) == ("plan", status)]
    return found[-1] if found else ""


def go_on(work: Work, todos: Sequence[Todo]) -> None:
    """The next support of the plan begins, or follow-up when all of it is served; else the case worker waits."""
    facts = work.facts(todos, "plan", "sessions", "enrolment", "grant")
    starts: list[tuple[Todo, str]] = []
    waived: list[Todo] = []
    for todo in todos:
        case = facts[todo.case_id]
        if case.state not in STATES_OF_THE_PLAN:
            if case.state == "on_hold":
                work.later("go_on", todo, tries=todo.tries + 1)
            continue
        left = [need for need in _in_order(work, case) if not _served(work, case, need)]
        to_begin = [need for need in left if not _under_way(case, need) and need != case.state]
        if to_begin:
            starts.append((todo, f"start_{to_begin[0]}"))
        elif not left:
            starts.append((todo, "start_follow_up"))
        elif left == ["training"] and case.enrolment is not None and case.enrolment.status == "dropped_out":
            waived.append(todo._replace(actor=work.colleague("coordinator", case)))
        else:
            work.later("go_on", todo, tries=todo.tries + 1)
    tried = [todo for todo, _ in starts]
    moved = {todo.case_id for todo in work.fire_moves(tried, [work.move(todo, trigger) for todo, trigger in starts])}
    for todo in tried:
        if todo.case_id not in moved and todo.tries < 12:
            work.later("go_on", todo, tries=todo.tries + 1)
    work.fire(waived, "start_follow_up", data={"waived": ["training"]}, note="Formation abandonnée, besoin levé.")


def sessions_wanted(work: Work, case_id: int) -> int:
    """How many psychosocial sessions this person needs."""
    return work.luck.between(SESSIONS_WANTED, "sessions wanted", case_id)


def _needs(work: Work, todo: Todo, facts: Facts) -> tuple[str, ...]:
    bands = {each.band for name, each in facts.assessments.items() if name != "vulnerability"}
    grown = facts.birth_date is None or facts.birth_date <= _years_before(work.day, 18)
    can_train = facts.birth_date is None or facts.birth_date <= _years_before(work.day, 15)
    needs = []
    if bands & BANDS_THAT_CALL_FOR_CARE or work.happens("needs_psychosocial", todo) or distress(work, facts) > 0.9:
        needs.append("psychosocial")
    if can_train and work.happens("needs_training", todo):
        needs.append("training")
    if grown and work.happens("needs_livelihood", todo):
        needs.append("livelihood")
    return tuple(needs)


def _years_before(day: date, years: int) -> date:
    return day - timedelta(days=round(365.25 * years))


def _in_order(work: Work, facts: Facts) -> list[str]:
    """Care comes first; training and livelihood in an order that differs from person to person."""
    needs = facts.plan.needs if facts.plan is not None else frozenset()
    return sorted(
        needs, key=lambda need: -1.0 if need == "psychosocial" else work.luck.draw("order", need, facts.case_id)
    )


def _served(work: Work, facts: Facts, need: str) -> bool:
    if need == "psychosocial":
        return facts.sessions_attended >= sessions_wanted(work, facts.case_id)
    if need == "training":
        return facts.enrolment is not None and facts.enrolment.certified
    return facts.grant is not None and facts.grant.status == "verified"


def _under_way(facts: Facts, need: str) -> bool:
    if need == "training":
        return facts.enrolment is not None
    return need == "livelihood" and facts.grant is not None


def _refer(work: Work, todos: Sequence[Todo], service: str = "health") -> None:
    """Ask the person, then the partner, for the service. Without a consent that names it nothing goes out."""
    asked = [
        ConsentAnswer(
            **work.signed(todo),
            code=work.new_code(),
            purpose="sharing",
            given=work.happens("lets_partner_know", todo),
            partner_id=work.helper_partner_id,
            information=INFORMATION,
        )
        for todo in todos
    ]
    record_consents(work.session, asked, now=work.now)
    facts = work.facts(todos)
    requests = [
        ReferralRequest(
            **work.signed(todo),
            code=work.new_code(),
            partner_id=work.helper_partner_id,
            services=(service,),
            information=INFORMATION,
            priority="urgent" if facts[todo.case_id].priority != "normal" else "normal",
            channel="phone",
        )
        for todo in todos
    ]
    codes = {request.case_id: request.code for request in requests}
    for todo in work.moved(todos, make_referrals(work.session, requests, now=work.now)):
        if work.happens("partner_answers", todo):
            work.later("answer_referral", todo, detail=codes[todo.case_id])


def hear_answer(work: Work, todos: Sequence[Todo]) -> None:
    """The partner answers by telephone, and the case worker writes it down; what it accepts it does later."""
    answers = [ReferralAnswer(**work.signed(todo), referral=todo.detail, **_answer(work, todo)) for todo in todos]
    moved = work.moved(todos, answer_referrals(work.session, answers, now=work.now))
    accepted = {answer.referral for answer in answers if answer.answer == "accepted"}
    for todo in moved:
        if todo.detail in accepted:
            work.later("referral_done", todo, act="answer_referral", detail=todo.detail, tries=1)


def look_further(work: Work, todos: Sequence[Todo]) -> None:
    """A referral led nowhere; the case worker sees what else there is."""
    complete_tasks(
        work.session, [TaskDone(todo.task_id, todo.actor) for todo in todos if todo.task_id is not None], now=work.now
    )


def _answer(work: Work, todo: Todo) -> dict[str, Any]:
    if todo.tries:
        return {"answer": "done"}
    if work.happens("partner_accepts", todo):
        return {"answer": "accepted"}
    return {"answer": "rejected", "reason": "no_capacity"}
