"""The simulated staff's days: each morning they look at their tasks, and each does as much as a day has room for.

They act through `states.casework` and `states.advance`, as real staff do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Final

from sqlalchemy import Engine, select
from sqlmodel import Session, col

from deployments.demo import arrival, life, livelihood, planning, protection, support, training
from deployments.demo.cast import Roster
from deployments.demo.diary import Diary, Todo
from deployments.demo.luck import Luck
from deployments.demo.story import Story
from deployments.demo.work import Work
from models import Task, TaskStatus
from models.database import read_session, write_session
from states.calendar import Calendar
from states.codes import case_code

Act = Callable[[Work, Sequence[Todo]], None]

ACTS: Final[tuple[tuple[str, Act], ...]] = (
    ("emergency_response", arrival.respond),
    ("resume", life.resume),
    ("trace_person", life.trace),
    ("reopen", life.reopen),
    ("confirm_arrival", arrival.confirm_arrival),
    ("post_arrival_assistance", arrival.assist),
    ("identity_interview", arrival.interview),
    ("vulnerability_emergency", protection.see_to),
    ("vulnerability_urgent", protection.see_to),
    ("find_guardian", protection.find_guardian),
    ("replace_guardian", protection.find_guardian),
    ("psychosocial_instrument", arrival.apply_instrument),
    ("vulnerability_screening", arrival.screen),
    ("vulnerability_normal", protection.see_to),
    ("verify_guardian", protection.verify_guardian),
    ("resolve_vulnerability", protection.resolve),
    ("conclude_screening", protection.conclude),
    ("draft_plan", planning.draft),
    ("rework_plan", planning.rework),
    ("specialised_care", planning.refer_to_specialist),
    ("answer_referral", planning.hear_answer),
    ("approve_plan", planning.approve),
    ("first_session", support.hold_session),
    ("next_session", support.hold_session),
    ("psychosocial_review", support.review),
    ("enrol", training.give_place),
    ("answer_offer", training.answer_offer),
    ("confirm_attendance", training.confirm_attendance),
    ("record_certificate", training.record_certificate),
    ("business_plan", livelihood.plan_business),
    ("revise_business_plan", livelihood.revise),
    ("approve_grant", livelihood.approve),
    ("confirm_grant", livelihood.confirm),
    ("procure_kit", livelihood.procure),
    ("deliver_kit", livelihood.deliver),
    ("verify_kit", livelihood.verify),
    ("visit_3", life.visit),
    ("visit_6", life.visit),
    ("visit_12", life.visit),
    ("start_support", planning.go_on),
    ("go_on", planning.go_on),
    ("hold", life.hold),
    ("review_hold", life.review_hold),
    ("close", life.close),
    ("find_another_service", planning.look_further),
)
"""What is done on a day, in this order, ten minutes apart. Whatever is not here nobody does."""

OPENING: Final = time(8, 30)
BETWEEN_ACTS: Final = timedelta(minutes=10)
PARTS_OF_THE_DAY: Final = (range(9), range(9, 23), range(23, len(ACTS)))
"""Each part is one transaction: thousands of simulated people would otherwise wait for the disk one after the other."""


class Season:
    """All working days of the demonstration's staff."""

    def __init__(
        self, engine: Engine, calendar: Calendar, story: Story, luck: Luck, roster: Roster, helper_partner_id: int
    ) -> None:
        self._engine = engine
        self._calendar = calendar
        self._story = story
        self._luck = luck
        self._roster = roster
        self._helper_partner_id = helper_partner_id
        self._diary = Diary()
        self._last_task = 0
        self._unassigned: set[int] = set()
        self._commands = count(1)
        self._codes = Random(luck.seed)  # noqa: S311  (nobody has to be kept from guessing a synthetic code)
        self.refusals: Counter[str] = Counter()

    def work_day(self, day: date) -> int:
        """Do this day's work, if it is a working day; how many acts."""
        if not self._calendar.is_working(day):
            return 0
        self._look_at_tasks(day)
        if day == self._story.eligibility_review.start:
            with write_session(self._engine) as session:
                life.begin_eligibility_review(self._work(session, day, 0))
                session.commit()
        todos = self._still_open(day, self._diary.take(day, self._story.acts_a_day))
        by_key: dict[str, list[Todo]] = defaultdict(list)
        for todo in todos:
            by_key[todo.key].append(todo)
        for part in PARTS_OF_THE_DAY:
            with write_session(self._engine) as session:
                for place in part:
                    key, act = ACTS[place]
                    if wanted := _one_a_case(by_key[key]):
                        act(self._work(session, day, place), wanted)
                session.commit()
        return len(todos)

    def _work(self, session: Session, day: date, place: int) -> Work:
        opening = datetime.combine(day, OPENING, self._calendar.timezone).astimezone(UTC)
        return Work(
            session=session,
            now=opening + place * BETWEEN_ACTS,
            day=day,
            story=self._story,
            luck=self._luck,
            roster=self._roster,
            diary=self._diary,
            refusals=self.refusals,
            helper_partner_id=self._helper_partner_id,
            next_command=lambda: f"demo-{next(self._commands)}",
            new_code=lambda: case_code(self._codes.randbytes),
        )

    def _look_at_tasks(self, day: date) -> None:
        """Everybody sees the tasks that are new to them, and means to turn to each after a while."""
        with read_session(self._engine) as session:
            for task_id, case_id, key, staff_id, priority in _new_tasks(session, self._last_task, self._unassigned):
                self._last_task = max(self._last_task, task_id)
                if staff_id is None:
                    self._unassigned.add(task_id)
                    continue
                self._unassigned.discard(task_id)
                if key in self._story.days:
                    days = self._luck.between(self._story.days[key], key, case_id, task_id)
                    pressing = priority != "normal"
                    ready = day + timedelta(days=days // 3 if pressing else days)
                    self._diary.note(
                        ready, Todo(key, case_id, self._roster.by_id[staff_id], task_id, pressing=pressing)
                    )

    def _still_open(self, day: date, todos: Sequence[Todo]) -> list[Todo]:
        """Those whose task is open; a task on hold is looked at again in a week, one that has ended is forgotten."""
        with read_session(self._engine) as session:
            status = _statuses(session, [todo.task_id for todo in todos if todo.task_id is not None])
        for todo in todos:
            if todo.task_id is not None and status[todo.task_id] == TaskStatus.HELD:
                self._diary.note(day + timedelta(days=7), todo)
        return [todo for todo in todos if todo.task_id is None or status[todo.task_id] == TaskStatus.OPEN]


def _new_tasks(session: Session, last: int, unassigned: set[int]) -> list[tuple[int, int, str, int | None, str]]:
    query = select(col(Task.id), col(Task.case_id), col(Task.key), col(Task.staff_id), col(Task.priority)).order_by(
        col(Task.id)
    )
    new = (col(Task.id) > last) | col(Task.id).in_(sorted(unassigned))
    to_do = col(Task.status).in_((TaskStatus.OPEN, TaskStatus.HELD))
    return [tuple(row) for row in session.execute(query.where(to_do, new))]


def _statuses(session: Session, task_ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(select(col(Task.id), col(Task.status)).where(col(Task.id).in_(task_ids)))
    return dict(rows.tuples().all())


def _one_a_case(todos: Sequence[Todo]) -> list[Todo]:
    """The first of each case: a batch has at most one act on a case."""
    return list({todo.case_id: todo for todo in reversed(todos)}.values())[::-1]
