"""January 2019: an eligibility review holds 1,500 cases at once. Their clocks stand still and go on to the second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from synthetic_cases import Caseload, open_caseload, person

from models import Deadline, Notice, Office, Task
from models.database import write_session
from states.journal import verify_journal
from states.moves import OutcomeKind
from states.releases import release_notices
from states.reminders import arm_reminders
from states.sweep import sweep_deadlines

NUMBER = 1500
ARRIVED = datetime(2018, 12, 17, 8, tzinfo=UTC)
HELD = datetime(2019, 1, 4, 15, 30, tzinfo=UTC)
FIRST_BACK = datetime(2019, 1, 28, 9, 12, 30, tzinfo=UTC)
SECOND_BACK = datetime(2019, 2, 21, 17, tzinfo=UTC)
DAY = timedelta(days=1)


def _register(caseload: Caseload, offices: Sequence[int | None]) -> list[int]:
    """Cases that arrived on ten different days, so that each stands elsewhere on its way when all are held."""
    ids = []
    for offset in range(10):
        at = ARRIVED + offset * DAY + timedelta(minutes=37 * offset)
        people = [
            person(1000 * offset + number, arrival_date=date(2018, 12, 16) + offset * DAY,
                   office_id=offices[number % len(offices)])
            for number in range(NUMBER // 10)
        ]  # fmt: skip
        made = [each.case_id for each in caseload.register(*people, now=at)]
        outcomes = caseload.advance_all(made, "confirm_arrival", role="intake_officer", now=at + timedelta(hours=1))
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}
        arm_reminders(caseload.session, case_ids=made, now=at + timedelta(hours=1))
        ids += made
    return ids


def _dues(session: Session, case_ids: Sequence[int], kind: type[Deadline] | type[Task]) -> dict[int, datetime]:
    rows = session.exec(
        select(kind.id, kind.due_at).where(  # type: ignore[call-overload]
            col(kind.case_id).in_(case_ids), col(kind.status).in_(["open", "held"]), col(kind.due_at).is_not(None),
            col(kind.key).not_in(["hold_review", "review_hold", "trace_person"]),
        )
    )  # fmt: skip
    return dict(rows.all())


def _night(session: Session, at: datetime) -> int:
    while sweep_deadlines(session, as_of=at, limit=2000).seen:
        pass
    return sum(iter(lambda: release_notices(session, now=at, day=at.date(), limit=5000).sent, 0))


def _told_of(session: Session, case_ids: Sequence[int]) -> set[tuple[str, datetime]]:
    """What was said about these cases, but for the review of the hold itself."""
    rows = session.exec(
        select(Deadline.key, Notice.sent_at)
        .join(Notice, col(Notice.deadline_id) == col(Deadline.id))
        .where(col(Notice.case_id).in_(case_ids), col(Notice.sent_at).is_not(None), Deadline.key != "hold_review")
    )
    return {(key, at) for key, at in rows if at is not None}


def test_un_reexamen_suspend_1500_dossiers_et_chacun_reprend_avec_ses_echeances(engine: Engine) -> None:
    with write_session(engine) as session:
        caseload = open_caseload(session)
        rows = [Office(code="KY", name="Kayes"), Office(code="GA", name="Gao")]
        session.add_all(rows)
        session.flush()
        ids = _register(caseload, [rows[0].id, rows[1].id, None])
        _night(session, HELD.replace(hour=2, minute=0))
        session.commit()
        deadlines, tasks = _dues(session, ids, Deadline), _dues(session, ids, Task)
        assert len(set(deadlines.values())) > 15
        assert len(tasks) >= NUMBER
        told = _told_of(session, ids)

        held = caseload.advance_all(ids, "hold", reason="eligibility_review", now=HELD)
        assert [outcome.kind for outcome in held] == [OutcomeKind.MOVED] * NUMBER
        session.commit()
        arm_reminders(session, case_ids=ids, now=HELD)
        for number in range(1, 24):
            _night(session, HELD.replace(hour=2, minute=0) + number * DAY)
        session.commit()
        assert _told_of(session, ids) == told, "nobody hears of a case that stands still"
        assert _dues(session, ids, Deadline) == deadlines

        first, second = ids[: NUMBER // 3], ids[NUMBER // 3 :]
        for group, back in ((first, FIRST_BACK), (second, SECOND_BACK)):
            outcomes = caseload.advance_all(group, "resume", now=back)
            assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MOVED] * len(group)
            session.commit()
            stood = back - HELD
            for before, kind in ((deadlines, Deadline), (tasks, Task)):
                after = _dues(session, group, kind)
                assert after == {id_: before[id_] + stood for id_ in after}
                assert after
            _check_clocks(session, group, stood, back)
        assert verify_journal(session).broken == []


def _check_clocks(session: Session, case_ids: Sequence[int], stood: timedelta, back: datetime) -> None:
    """Every clock runs again, none keeps an old date, and reminders follow the new due time."""
    query = select(Deadline).where(col(Deadline.case_id).in_(case_ids), Deadline.status == "open")
    clocks = session.exec(query.execution_options(populate_existing=True)).all()
    assert {clock.due_at - clock.first_due_at for clock in clocks} == {stood}
    assert all(clock.next_at == clock.due_at for clock in clocks if clock.overdue_at is None)
    assert arm_reminders(session, case_ids=case_ids, now=back) > 0
    waiting = session.exec(
        select(Notice.send_at, Deadline.due_at, Deadline.first_due_at)
        .join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .where(col(Notice.case_id).in_(case_ids), Notice.kind == "reminder")
        .where(col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None))
    ).all()
    assert waiting
    assert all(back - 40 * DAY < send_at < due_at for send_at, due_at, _ in waiting)
    assert {due_at - first for _, due_at, first in waiting} == {stood}
