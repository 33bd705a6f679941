"""Simulated acts of training, each on all of the day's cases at once: a place or the wait for one, then the course."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlmodel import col

from deployments.demo.diary import Todo
from deployments.demo.work import Work
from models import Course, Office, TrainingEnrolment
from states.casework.training import (
    AttendanceSheet,
    Certificate,
    EndOfEnrolment,
    OnEnrolment,
    PlaceWanted,
    accept_offers,
    certify,
    drop_out,
    enrol,
    join_waiting_list,
    leave_waiting_list,
    record_attendance,
)

REASONS: Final = ("lack_of_interest", "family_issues", "family_issues", "critical_illness", "other")
LEFT_OF_A_COURSE: Final = timedelta(weeks=12)
"""Nobody begins a course with less of it to come."""


def give_place(work: Work, todos: Sequence[Todo]) -> None:
    """A place on a course of the office; whoever finds none free waits for one."""
    courses = _courses(work, todos)
    wanted = [
        PlaceWanted(**work.signed(todo), code=work.new_code(), course=courses[todo.case_id])
        for todo in todos
        if todo.case_id in courses
    ]
    enrolled = enrol(work.session, wanted, now=work.now)
    full = {"course_full", "others_wait"}
    left = [
        each
        for each, outcome in zip(wanted, enrolled, strict=True)
        if full & {reason.code for reason in outcome.reasons}
    ]
    waiting = [
        PlaceWanted(
            case_id=each.case_id,
            actor=each.actor,
            command_id=work.next_command(),
            correlation_id=each.correlation_id,
            code=each.code,
            course=each.course,
        )
        for each in left
    ]
    join_waiting_list(work.session, waiting, now=work.now)
    work.refusals.update(reason.code for outcome in enrolled for reason in outcome.reasons)
    work.try_again(todo for todo in todos if todo.case_id not in courses and todo.tries < 5)


def answer_offer(work: Work, todos: Sequence[Todo]) -> None:
    """The offer is put to the person, who mostly takes it."""
    codes = work.records(todos)
    takes = [todo for todo in todos if work.happens("takes_offer", todo)]
    others = [todo for todo in todos if todo not in takes]
    accepted = [OnEnrolment(**work.signed(todo), enrolment=codes[todo]) for todo in takes]
    work.moved(takes, accept_offers(work.session, accepted, now=work.now))
    declined = [EndOfEnrolment(**work.signed(todo), enrolment=codes[todo], reason="declined") for todo in others]
    work.moved(others, leave_waiting_list(work.session, declined, now=work.now))


def confirm_attendance(work: Work, todos: Sequence[Todo]) -> None:
    """Most attend; some have dropped out. Some begin something else while the course goes on."""
    facts, codes = work.facts(todos), work.records(todos)
    left = [todo for todo in todos if work.happens("drops_out", todo)]
    since = _since(work, [codes[todo] for todo in todos if todo not in left])
    days = {todo: _days(work, todo, since[codes[todo]]) for todo in todos if todo not in left}
    attend = [todo for todo, sheet in days.items() if sheet]
    work.try_again(todo for todo, sheet in days.items() if not sheet)
    sheets = [AttendanceSheet(**work.signed(todo), enrolment=codes[todo], days=days[todo]) for todo in attend]
    for todo in work.moved(attend, record_attendance(work.session, sheets, now=work.now)):
        if work.happens("goes_on_during_training", todo):
            work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))
    drop_outs = [
        EndOfEnrolment(
            **work.signed(todo), enrolment=codes[todo], reason=work.luck.pick(REASONS, "drops out", todo.case_id)
        )
        for todo in left
    ]
    for todo in work.moved(left, drop_out(work.session, drop_outs, now=work.now)):
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))


def record_certificate(work: Work, todos: Sequence[Todo]) -> None:
    """The course is over; whoever's attendance is not recorded yet gets the certificate later."""
    facts, codes = work.facts(todos), work.records(todos)
    certificates = [
        Certificate(**work.signed(todo), enrolment=codes[todo], number=f"CERT-{work.day:%Y}-{codes[todo][:9]}")
        for todo in todos
    ]
    moved = work.moved(todos, certify(work.session, certificates, now=work.now))
    for todo in moved:
        work.later("go_on", todo, work.colleague("case_worker", facts[todo.case_id]))
    work.try_again(todo for todo in todos if todo not in moved and todo.tries < 5)


def _courses(work: Work, todos: Sequence[Todo]) -> dict[int, str]:
    """By case: a course of its office (or, for want of one, of any) that begins soon or has not long begun."""
    query = select(col(Course.code), col(Course.region_pcode)).where(
        col(Course.status) == "open",
        col(Course.starts_on) <= work.day + timedelta(days=20),
        col(Course.ends_on) >= work.day + LEFT_OF_A_COURSE,
    )
    by_region: dict[str | None, list[str]] = defaultdict(list)
    for code, region in work.session.execute(query.order_by(col(Course.code))):
        by_region[region].append(code)
    regions = {office.id: office.regions for office in work.session.scalars(select(Office))}
    everywhere = [code for codes in by_region.values() for code in codes]
    found = {}
    for case_id, facts in work.facts(todos).items():
        near = [code for region in regions.get(facts.office_id, ()) for code in by_region.get(region, ())]
        if near or everywhere:
            found[case_id] = work.luck.pick(near or everywhere, "course", case_id)
    return found


def _since(work: Work, codes: Sequence[str]) -> dict[str, date]:
    """By enrolment: from which day the person can have come."""
    query = (
        select(col(TrainingEnrolment.code), col(TrainingEnrolment.enrolled_at), col(Course.starts_on))
        .join(Course, col(Course.id) == col(TrainingEnrolment.course_id))
        .where(col(TrainingEnrolment.code).in_(codes))
    )
    return {code: max(enrolled_at.date(), starts) for code, enrolled_at, starts in work.session.execute(query)}


def _days(work: Work, todo: Todo, since: date) -> tuple[tuple[date, bool], ...]:
    """The weekdays of the course so far, at most 20; the person came on most of them."""
    number = (work.day - since).days
    days = [day for day in (since + timedelta(days=day) for day in range(number)) if day.weekday() < 5][-20:]
    return tuple((day, work.luck.happens(0.9, "comes", todo.case_id, day)) for day in days)
