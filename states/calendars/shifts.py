"""Works out which clocks and tasks a change of a calendar moves, and to when. `states.calendars.moving` moves them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, select
from sqlmodel import Session, col

from models.calendars import Waiver
from models.case import Case, JournalRow
from models.work import Deadline, DeadlineStatus, Task, TaskStatus
from states.calendar import Calendar, Span
from states.calendars.offices import OfficeDays
from states.moves import Effect, RewriteDeadline, RewriteTask
from states.pathway import DeadlineTemplate, Pathway
from states.pathways.shelf import pathways_of


class Moved(NamedTuple):
    """A deadline, timer or task (`what`) of a case that is due at another instant. `stands` is set while it is held."""

    case_id: int
    code: str
    office_id: int | None
    version_id: int
    what: str
    key: str
    old: datetime
    new: datetime
    stands: bool


class Shift(NamedTuple):
    """What a change does to one case: what moves, and the effects that make it so."""

    moved: tuple[Moved, ...]
    effects: tuple[Effect, ...]


class Counted(NamedTuple):
    """The templates of a pathway that count working days: tasks, clocks by their due time or ladder, and clocks that
    are only reminded by them."""

    tasks: frozenset[str]
    clocks: frozenset[str]
    reminded: frozenset[str]


def shifts(
    session: Session,
    before: OfficeDays,
    after: OfficeDays,
    *,
    now: datetime,
    case_ids: Collection[int],
) -> dict[int, Shift]:
    """What a change from `before` to `after` does to these cases, by id; those that it leaves alone are not there.

    Only what is counted in working days moves, and only while it stands where its template and the calendar put it: not
    what somebody waived, nor what was left where it was on the way to another version of the pathway. It moves by as
    much as its first due time does; what it is due later, because its case stood still, stays added. A deadline that
    was overdue and no longer is begins anew: it can become overdue again, and is told again. One that still is stays
    as it was told. Four statements.
    """
    cases = _cases(session, case_ids)
    pathways = pathways_of(session, {case.pathway_version_id for case in cases.values()})
    counted = {id_: counted_in(pathway) for id_, pathway in pathways.items()}
    found: dict[int, Shift] = {}
    deadlines = session.execute(_deadlines(cases, {key for each in counted.values() for key in each.clocks})).all()
    tasks = session.execute(_tasks(cases, {key for each in counted.values() for key in each.tasks})).all()
    own_deadlines = {key: list(rows) for key, rows in groupby(deadlines, key=attrgetter("case_id"))}
    own_tasks = {key: list(rows) for key, rows in groupby(tasks, key=attrgetter("case_id"))}
    for case_id, case in cases.items():
        pathway = pathways[case.pathway_version_id]
        old = pathway.calendar.locally(before.of(case.office_id))
        new = pathway.calendar.locally(after.of(case.office_id))
        moved: list[Moved] = []
        effects: list[Effect] = []
        for row in own_deadlines.get(case_id, ()):
            _move_deadline(case, row, pathway.deadlines.get(row.key), (old, new), case.held_at or now, moved, effects)
        for row in own_tasks.get(case_id, ()):
            template = pathway.tasks.get(row.key)
            if template is None or row.first_due_at is None:
                continue
            was, is_ = (template.due_from(each, row.opened_at, case.arrival_date) for each in (old, new))
            if was == row.first_due_at and is_ is not None and was is not None and is_ != was:
                due_at = row.due_at + (is_ - was)
                effects.append(
                    RewriteTask(
                        *(row.id, row.key, row.state, row.role, row.staff_id, row.priority, row.status),
                        due_at=due_at,
                        first_due_at=is_,
                    )
                )
                moved.append(_moved(case, "task", row, due_at))
        if effects:
            found[case_id] = Shift(tuple(moved), tuple(effects))
    return found


def counted_in(pathway: Pathway) -> Counted:
    """The templates of a pathway that a change of a calendar can move."""
    clocks = pathway.deadlines.values()
    return Counted(
        frozenset(each.key for each in pathway.tasks.values() if _by_working_days(each.due)),
        frozenset(
            each.key
            for each in clocks
            if _by_working_days(each.due, each.before, *(step.after for step in each.ladder))
        ),
        frozenset(each.key for each in clocks if _by_working_days(*each.reminders)),
    )


def _by_working_days(*spans: Span | None) -> bool:
    return any(span is not None and span.working_days for span in spans)


def _move_deadline(
    case: Row[Any],
    row: Row[Any],
    template: DeadlineTemplate | None,
    calendars: tuple[Calendar, Calendar],
    reference: datetime,
    moved: list[Moved],
    effects: list[Effect],
) -> None:
    """Note what becomes of one clock; `reference` is the instant at which it is now, or stood still."""
    if template is None:
        return
    was, is_ = (template.due_from(each, row.started_at, case.arrival_date) for each in calendars)
    due_at, first_due_at = row.due_at, row.first_due_at
    if was == first_due_at and is_ != was and row.waived is None:
        due_at, first_due_at = due_at + (is_ - was), is_
    level, overdue_at, next_at = row.level, row.overdue_at, row.next_at
    if template.kind == "timer":
        next_at = due_at if row.next_at == row.due_at else next_at
    elif overdue_at is None or due_at > reference:
        next_at = due_at if overdue_at is not None or row.next_at == row.due_at else next_at
        level, overdue_at = (0, None) if overdue_at is not None else (level, None)
    else:
        steps_before, steps_after = (
            _next_step(template, calendar, due, level)
            for calendar, due in zip(calendars, (row.due_at, due_at), strict=True)
        )
        next_at = steps_after if steps_before == row.next_at else next_at
    if (due_at, first_due_at, next_at) == (row.due_at, row.first_due_at, row.next_at):
        return
    effects.append(
        RewriteDeadline(
            *(row.id, row.key, row.state, row.status, due_at, first_due_at, next_at, level, overdue_at),
            escalated_at=row.escalated_at,
        )
    )
    if due_at != row.due_at:
        moved.append(_moved(case, template.kind, row, due_at))


def _next_step(template: DeadlineTemplate, calendar: Calendar, due_at: datetime, level: int) -> datetime | None:
    """When the ladder's next step is reached."""
    return min((calendar.add(due_at, step.after) for step in template.ladder[level:]), default=None)


def _moved(case: Row[Any], what: str, row: Row[Any], due_at: datetime) -> Moved:
    held = row.status in (DeadlineStatus.HELD, TaskStatus.HELD)
    return Moved(case.id, case.code, case.office_id, case.pathway_version_id, what, row.key, row.due_at, due_at, held)


def _cases(session: Session, case_ids: Collection[int]) -> dict[int, Row[Any]]:
    query = select(
        *(
            col(Case.id),
            col(Case.code),
            col(Case.office_id),
            col(Case.pathway_version_id),
            col(Case.arrival_date),
            col(Case.held_at),
        )
    ).where(col(Case.id).in_(case_ids))
    return {row.id: row for row in session.execute(query.order_by(col(Case.id)))}


def _deadlines(case_ids: Iterable[int], keys: Collection[str]) -> Select[*tuple[Any, ...]]:
    waived = select(col(Waiver.id)).where(col(Waiver.deadline_id) == col(Deadline.id)).limit(1)
    return (
        select(
            *(col(Deadline.id), col(Deadline.case_id), col(Deadline.key), col(Deadline.state), col(Deadline.status)),
            *(col(Deadline.due_at), col(Deadline.first_due_at), col(Deadline.next_at), col(Deadline.level)),
            *(col(Deadline.overdue_at), col(Deadline.escalated_at), col(JournalRow.at).label("started_at")),
            waived.scalar_subquery().label("waived"),
        )
        .join(
            JournalRow,
            and_(col(JournalRow.case_id) == col(Deadline.case_id), col(JournalRow.seq) == col(Deadline.seq)),
        )
        .where(
            col(Deadline.case_id).in_(list(case_ids)),
            col(Deadline.key).in_(sorted(keys)),
            col(Deadline.status).in_([DeadlineStatus.OPEN, DeadlineStatus.HELD]),
        )
        .order_by(col(Deadline.case_id), col(Deadline.id))
    )


def _tasks(case_ids: Iterable[int], keys: Collection[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(col(Task.id), col(Task.case_id), col(Task.key), col(Task.state), col(Task.role), col(Task.staff_id)),
            *(col(Task.priority), col(Task.status), col(Task.opened_at), col(Task.due_at), col(Task.first_due_at)),
        )
        .where(
            col(Task.case_id).in_(list(case_ids)),
            col(Task.key).in_(sorted(keys)),
            col(Task.status).in_([TaskStatus.OPEN, TaskStatus.HELD]),
            col(Task.due_at).is_not(None),
        )
        .order_by(col(Task.case_id), col(Task.id))
    )
