"""One digest for each person and day: a night of a thousand overdue deadlines floods nobody, and nothing repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from night_cases import ARRIVAL, NightCases
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from flows.night_steps import NightOptions
from flows.nights import run_nights
from models import Deadline, Digest, Notice, Task
from models.database import write_session
from states.assignment import assign_tasks
from states.digests import Heading, Recipient, digest_of
from states.releases import Released, release_notices, release_urgent, urgent_lines_wait
from states.reminders import arm_reminders
from states.sweep import sweep_deadlines

BAMAKO = ZoneInfo("Africa/Bamako")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DUE = datetime(2024, 1, 16, tzinfo=UTC)
NIGHT = DUE + 2 * HOUR
"""The night after `begin` was due for cases that arrived on 5 January."""


@pytest.fixture
def cases(session: Session) -> NightCases:
    return NightCases(session)


def _release(session: Session, now: datetime, limit: int = 10_000) -> Released:
    return release_notices(session, now=now, day=now.date(), limit=limit)


def _digests(session: Session) -> list[tuple[str, date, bool, int]]:
    rows = session.exec(select(Digest).order_by(col(Digest.id)).execution_options(populate_existing=True))
    return [(row.recipient, row.day, row.urgent, row.lines) for row in rows]


def _sent(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Notice).where(col(Notice.sent_at).is_not(None))).one()


def _night(engine: Engine, day: date, chunk: int = 300) -> dict[str, int]:
    report = run_nights(
        engine, day, clock=lambda: datetime(2030, 1, 1, tzinfo=UTC), tz=BAMAKO, options=NightOptions(chunk=chunk)
    )
    return {name: count for night in report.nights for name, count in night.changes.items()}


def test_a_thousand_overdue_deadlines_in_one_night_are_one_digest_a_person(engine: Engine) -> None:
    with write_session(engine) as session:
        cases = NightCases(session)
        cases.register(1000)
        session.commit()
        worker, coordinator = cases.staff["case_worker"].id, cases.staff["coordinator"].id
        day = date(2024, 1, 17)
    changes = _night(engine, day)
    assert changes["deadlines_overdue"] == 2000
    assert changes["digests_sent"] == 2, "in many chunks, and still one each"
    with write_session(engine) as session:
        assert sorted(_digests(session)) == [
            ("role:coordinator:1", day, False, 2000),
            (f"staff:{worker}", day, False, 2000),
        ]
        view = digest_of(session, Recipient(worker), day, BAMAKO)
        assert {group.heading: (group.total, len(group.lines)) for group in view.groups} == {
            Heading.EMERGENCIES: (1000, 10), Heading.OVERDUE: (1000, 10), Heading.ASSIGNED: (1000, 10),
        }  # fmt: skip
        assert [(fold.key, fold.more) for group in view.groups for fold in group.folded] == [
            ("emergency", 990), ("begin", 990), ("interview", 990),
        ]  # fmt: skip
        assert view.sent_at == datetime(2024, 1, 17, 2, tzinfo=UTC)
        assert digest_of(session, Recipient(coordinator), day, BAMAKO).groups == ()
        office = digest_of(session, Recipient(None, "coordinator", 1), day, BAMAKO)
        assert [(group.heading, group.total) for group in office.groups] == [
            (Heading.EMERGENCIES, 1000), (Heading.ESCALATIONS, 1000),
        ]  # fmt: skip
    assert _night(engine, day) == {}, "the same night once more tells nobody anything"
    assert _night(engine, day + DAY).get("notices_sent", 0) == 0, "and the night after has nothing new"


def test_what_comes_up_after_the_digest_waits_for_the_next_day(cases: NightCases, session: Session) -> None:
    first, second = cases.register(2)
    assign_tasks(session, case_ids=None, now=ARRIVAL, limit=10)
    arm_reminders(session, case_ids=[first], now=ARRIVAL)
    reminder = DUE - 3 * DAY
    assert _release(session, reminder + 2 * HOUR) == Released(sent=1, digests=1)
    arm_reminders(session, case_ids=[second], now=reminder + 3 * HOUR)
    assert _release(session, reminder + 9 * HOUR) == Released(), "the person has had the digest of the day"
    worker = Recipient(cases.staff["case_worker"].id)
    assert digest_of(session, worker, reminder.date(), BAMAKO).waiting == 1
    assert _release(session, reminder + DAY + 2 * HOUR) == Released(sent=1, digests=1)
    assert len({day for _, day, _, _ in _digests(session)}) == 2


def test_a_run_that_was_killed_goes_on_with_the_same_digest(cases: NightCases, session: Session) -> None:
    cases.register(5)
    sweep_deadlines(session, as_of=NIGHT, limit=100)
    assert _release(session, NIGHT, limit=3).sent == 3
    session.commit()
    while any(_release(session, NIGHT, limit=3)):
        session.commit()
    assert sorted(_digests(session)) == [
        ("role:case_worker:1", NIGHT.date(), False, 10), ("role:coordinator:1", NIGHT.date(), False, 5),
    ]  # fmt: skip


def test_only_what_is_urgent_goes_out_by_day_and_whoever_had_a_digest_gets_it_too(
    cases: NightCases, session: Session
) -> None:
    case_ids = cases.register(3)
    assign_tasks(session, case_ids=None, now=ARRIVAL, limit=10)
    arm_reminders(session, case_ids=case_ids, now=ARRIVAL)
    noon = DUE - 3 * DAY + 12 * HOUR
    assert not urgent_lines_wait(session, now=noon), "three reminders that are not urgent"
    assert release_urgent(session, now=noon, day=noon.date(), limit=100) == Released()
    assert _release(session, noon).sent == 3
    assert sweep_deadlines(session, as_of=noon + HOUR, limit=100, urgent_only=True).overdue == 3
    assert urgent_lines_wait(session, now=noon + HOUR)
    assert release_urgent(session, now=noon + HOUR, day=noon.date(), limit=100) == Released(sent=6, digests=2)
    worker = cases.staff["case_worker"].id
    view = digest_of(session, Recipient(worker), noon.date(), BAMAKO)
    assert (view.sent_at, view.urgent) == (noon, 1)
    assert [(group.heading, group.total) for group in view.groups[:2]] == [
        (Heading.EMERGENCIES, 3), (Heading.REMINDERS, 3),
    ]  # fmt: skip


def test_one_deadline_has_one_line_a_day_and_the_strongest_counts(cases: NightCases, session: Session) -> None:
    case_ids = cases.register(1)
    sweep_deadlines(session, as_of=NIGHT, limit=100)
    sweep_deadlines(session, as_of=NIGHT + 4 * DAY, limit=100)
    sweep_deadlines(session, as_of=NIGHT + 8 * DAY, limit=100)
    _release(session, NIGHT + 8 * DAY)
    view = digest_of(session, Recipient(None, "manager", cases.office.id), (NIGHT + 8 * DAY).date(), BAMAKO)
    ((group),) = view.groups
    assert (group.heading, group.total, group.lines[0].level) == (Heading.ESCALATIONS, 1, 3)
    assert group.lines[0].case_code == cases.case(case_ids[0]).code


def _steps(session: Session, cases: NightCases, nights: Sequence[datetime]) -> list[tuple[str, str, int]]:
    """Run the sweep and the digests of these nights; what was sent, in order."""
    for night in nights:
        while sweep_deadlines(session, as_of=night, limit=100).seen:
            pass
        _release(session, night)
    session.flush()
    rows = session.exec(
        select(Notice.kind, Notice.role, Notice.step)
        .join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
        .where(Deadline.key == "begin", col(Notice.sent_at).is_not(None))
        .order_by(col(Notice.id))
    )
    return [(kind, role, step) for kind, role, step in rows]


def test_a_ladder_climbs_to_its_end_and_is_silent_for_ever_after(cases: NightCases, session: Session) -> None:
    cases.register(1)
    nights = [NIGHT + number * DAY for number in range(60)]
    assert _steps(session, cases, nights) == [
        ("overdue", "case_worker", 0),
        ("escalation", "coordinator", 1),
        ("escalation", "manager", 2),
        ("escalation", "manager", 3),
    ]


@pytest.mark.parametrize("end", ["start_care", "close"])
def test_a_ladder_stops_by_itself_when_the_thing_is_done_or_the_case_closed(
    cases: NightCases, session: Session, end: str
) -> None:
    (case_id,) = cases.register(1)
    told = _steps(session, cases, [NIGHT, NIGHT + 2 * DAY])
    assert told == [("overdue", "case_worker", 0), ("escalation", "coordinator", 1)]
    sweep_deadlines(session, as_of=NIGHT + 3 * DAY, limit=100)
    cases.move([case_id], end, NIGHT + 3 * DAY + HOUR, reason="no_show" if end == "close" else None)
    nights = [NIGHT + number * DAY for number in range(4, 100)]
    assert _steps(session, cases, nights) == told, "the step that waited is not told either"
    waiting = select(Notice.kind).join(Deadline, col(Deadline.id) == col(Notice.deadline_id))
    waiting = waiting.where(Deadline.key == "begin", col(Notice.sent_at).is_(None), col(Notice.cancelled_at).is_(None))
    assert session.exec(waiting).all() == []


def test_nothing_is_told_while_a_case_is_on_hold_and_all_that_still_holds_afterwards(
    cases: NightCases, session: Session
) -> None:
    (case_id,) = cases.register(1)
    sweep_deadlines(session, as_of=NIGHT, limit=100)
    cases.move([case_id], "hold", NIGHT + HOUR, reason="medical")
    before = _sent(session)
    for number in range(1, 29):
        assert _release(session, NIGHT + number * DAY) == Released()
    assert _sent(session) == before
    cases.move([case_id], "resume", NIGHT + 29 * DAY)
    assert _release(session, NIGHT + 29 * DAY + HOUR).sent == 3, "two overdue lines and the escalation of one"
    assert _release(session, NIGHT + 60 * DAY) == Released()


def test_a_closed_case_is_never_spoken_of_again(cases: NightCases, session: Session) -> None:
    """Practitioners complain of follow-up that keeps coming after its period has ended."""
    (case_id,) = cases.register(1)
    cases.move([case_id], "start_care", ARRIVAL + DAY)
    arm_reminders(session, case_ids=[case_id], now=ARRIVAL + DAY)
    cases.move([case_id], "close", ARRIVAL + 2 * DAY, reason="no_show")
    for number in range(3, 400):
        night = ARRIVAL + number * DAY
        while sweep_deadlines(session, as_of=night, limit=100).seen:
            pass
        arm_reminders(session, case_ids=[case_id], now=night)
        assert _release(session, night).sent == 0
    open_tasks = session.exec(select(Task.key).where(Task.case_id == case_id, Task.status == "open")).all()
    assert open_tasks == []
