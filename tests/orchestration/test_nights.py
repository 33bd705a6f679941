"""Nights: each once, whatever was missed, with a receipt; the second run says so and changes nothing."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from database_content import content, twin_of
from night_cases import ARRIVAL, NightCases, open_nights
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from flows.night_receipts import NightReceipt, NightsReport, Progress
from flows.night_steps import STEPS, NightOptions
from flows.night_watch import night_instant
from flows.nights import LEASE, TTL, run_nights
from models.case import Case, JournalRow
from models.database import read_session, write_session
from models.errors import LockedByAnotherRun, WrongUse
from models.partner import Attempt, Delivery, Event
from models.runs import Dispatch, NightlyRun
from models.staff import Staff
from models.work import Deadline, Notice, Task
from states import leases
from states.anchors import broken_anchors
from states.journal import Broken, verify_journal

BAMAKO = ZoneInfo("Africa/Bamako")
CLOCK = datetime(2024, 8, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHT = date(2024, 1, 17)
"""The night in which the first step of the ladder of `begin` is reached by the cases of 5 January."""


@pytest.fixture
def case_ids(engine: Engine) -> list[int]:
    """Ten cases: the first in care, the second on hold, eight as they arrived, the third with a silent partner."""
    with write_session(engine) as session:
        open_nights(session)
        return list(session.exec(select(Case.id).order_by(col(Case.id))))  # type: ignore[arg-type]


def _run(
    engine: Engine,
    as_of: date = NIGHT,
    *,
    options: NightOptions | None = None,
    dry_run: bool = False,
    seen: list[Progress] | None = None,
) -> NightsReport:
    return run_nights(
        engine,
        as_of,
        clock=lambda: CLOCK,
        tz=BAMAKO,
        options=options,
        flow_run_id="run",
        on_progress=None if seen is None else seen.append,
        dry_run=dry_run,
    )


def _count(session: Session, table: type, *conditions: object) -> int:
    return session.exec(select(func.count()).select_from(table).where(*conditions)).one()  # type: ignore[arg-type]


def test_the_instant_of_a_night_is_local() -> None:
    assert night_instant(NIGHT, BAMAKO) == datetime(2024, 1, 17, 2, tzinfo=UTC)
    assert night_instant(NIGHT, ZoneInfo("Europe/Paris"), 3) == datetime(2024, 1, 17, 2, tzinfo=UTC)


def test_a_night_does_all_its_work_at_its_own_instant(case_ids: list[int], engine: Engine) -> None:
    report = _run(engine)
    (night,) = report.nights
    assert night.changes == {
        "deadlines_overdue": 17,
        "deadlines_escalated": 17,
        "events_announced": 16,
        "notices_written": 34,
        "transitions_dispatched": 12,
        "tasks_assigned": 8,
        "deliveries_made": 28,
        "notices_sent": 34,
        "digests_sent": 3,
    }
    assert report.changed == sum(night.changes.values())
    assert night.before["cases"] == night.after["cases"] == {"arrived": 8, "care": 1, "on_hold": 1}
    assert (night.before["deadlines_overdue"], night.after["deadlines_overdue"]) == (0, 17)
    assert night.after["transitions_waiting"] == night.after["events_waiting"] == night.after["notices_waiting"] == 0

    with read_session(engine) as session:
        _check_night(session, night)


def _check_night(session: Session, night: NightReceipt) -> None:
    instant = night_instant(NIGHT, BAMAKO)
    assert set(session.exec(select(Notice.sent_at)).all()) == {instant}
    assert set(session.exec(select(Deadline.overdue_at).where(col(Deadline.overdue_at).is_not(None))).all()) == {
        instant
    }
    assert _count(session, Task, col(Task.staff_id).is_(None), Task.status == "open") == 0
    row = session.exec(select(NightlyRun)).one()
    assert (row.as_of, row.status, row.started_at, row.finished_at, row.flow_run_id) == (
        NIGHT, "done", CLOCK, CLOCK, "run",
    )  # fmt: skip
    assert row.done_steps == list(STEPS)
    assert (row.before, row.changes, row.after) == (night.before, night.changes, night.after)
    dispatch = session.exec(select(Dispatch)).one()
    assert (dispatch.flow_run_id, dispatch.transitions, dispatch.tasks_assigned) == ("run", 12, 8)


def test_a_second_run_changes_nothing_and_says_so(case_ids: list[int], engine: Engine) -> None:
    _run(engine)
    before = content(engine)
    report = _run(engine)
    assert (report.already_done, report.changed, report.nights) == (True, 0, ())
    assert content(engine) == before


def test_an_earlier_night_is_covered(case_ids: list[int], engine: Engine) -> None:
    _run(engine)
    before = content(engine)
    assert _run(engine, NIGHT - 3 * DAY).already_done
    assert content(engine) == before


def test_missed_nights_are_caught_up_as_if_they_had_been_run(
    case_ids: list[int], engine: Engine, tmp_path: Path
) -> None:
    first = NIGHT - 5 * DAY
    _run(engine, first)
    report = _run(engine, NIGHT)
    assert [night.as_of for night in report.nights] == [first + number * DAY for number in range(1, 6)]
    with read_session(engine) as session:
        overdue = session.exec(select(Deadline.overdue_at).where(Deadline.key == "begin")).all()
    due_night = night_instant(date(2024, 1, 16), BAMAKO)
    assert sorted(map(str, overdue)) == sorted([str(due_night)] * 8 + ["None"] * 2)
    assert {night.as_of: night.changes.get("deadlines_escalated", 0) for night in report.nights} == {
        date(2024, 1, 13): 0,
        date(2024, 1, 14): 1,
        date(2024, 1, 15): 0,
        date(2024, 1, 16): 0,
        date(2024, 1, 17): 8,
    }


def test_catching_up_gives_what_night_after_night_gives(case_ids: list[int], engine: Engine, tmp_path: Path) -> None:
    first = ARRIVAL.date()
    for number in range(40):
        _run(engine, first + number * DAY)
    with twin_of(engine, tmp_path) as twin:
        with write_session(twin) as session:
            open_nights(session)
        _run(twin, first)
        assert len(_run(twin, first + 39 * DAY).nights) == 39
        assert content(twin) == content(engine)


def test_timers_fire_and_what_they_leave_behind_is_carried_out(case_ids: list[int], engine: Engine) -> None:
    report = _run(engine, date(2024, 4, 10))
    changes = report.nights[0].changes
    assert changes["timers_fired"] == 8 + 1 + 1, "eight did not come, a visit is opened, a hold is reviewed"
    assert report.nights[0].after["cases"] == {"care": 1, "closed": 8, "on_hold": 1}
    with read_session(engine) as session:
        visit = session.exec(
            select(Staff.role).join(Task, col(Task.staff_id) == col(Staff.id)).where(Task.key == "visit")
        )
        assert visit.one() == "case_worker"
        assert _count(session, JournalRow, col(JournalRow.dispatch_id).is_(None)) == 0
        assert _count(session, Event, col(Event.fanned_out_at).is_(None)) == 0
        assert verify_journal(session).broken == []


def test_small_chunks_do_together_what_one_does(case_ids: list[int], engine: Engine) -> None:
    seen: list[Progress] = []
    report = _run(engine, options=NightOptions(chunk=3), seen=seen)
    assert report.nights[0].changes["deadlines_overdue"] == 17
    assert len(seen) > 20
    assert [progress.steps_done for progress in seen] == sorted(progress.steps_done for progress in seen)
    assert (seen[0].step, seen[-1].step, seen[-1].changed) == ("deadlines", "receipt", report.changed)
    assert {(progress.night, progress.nights, progress.steps) for progress in seen} == {(1, 1, len(STEPS))}


def test_a_rehearsal_reports_everything_and_changes_nothing(
    case_ids: list[int], engine: Engine, tmp_path: Path
) -> None:
    _run(engine, NIGHT - 2 * DAY)
    before = content(engine)
    rehearsed = _run(engine, options=NightOptions(chunk=3, backup_dir=tmp_path / "backups"), dry_run=True)
    assert rehearsed.dry_run
    assert content(engine) == before
    assert not (tmp_path / "backups").exists()
    done = _run(engine, options=NightOptions(chunk=3))
    assert [night.changes for night in done.nights] == [night.changes for night in rehearsed.nights]
    assert done.changed == rehearsed.changed > 0
    assert _run(engine, dry_run=True).already_done


def test_a_night_to_come_can_only_be_rehearsed(case_ids: list[int], engine: Engine) -> None:
    tomorrow = CLOCK.date() + DAY
    with pytest.raises(WrongUse, match="still to come"):
        _run(engine, tomorrow)
    assert _run(engine, tomorrow, dry_run=True).changed > 0


def test_the_run_that_is_at_work_keeps_others_out(case_ids: list[int], engine: Engine) -> None:
    with write_session(engine) as session:
        assert leases.take(session, LEASE, "elsewhere:1:1:1", now=CLOCK, ttl=TTL)
        session.commit()
    before = content(engine)
    with pytest.raises(LockedByAnotherRun, match="at work"):
        _run(engine)
    assert content(engine) == before


def test_a_run_that_lost_its_lease_changes_nothing_more(case_ids: list[int], engine: Engine) -> None:
    seen: list[Progress] = []

    def lose(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 5:
            with write_session(engine) as session:
                assert leases.take(session, LEASE, "elsewhere:1:1:1", now=CLOCK + TTL, ttl=TTL)
                session.commit()
            seen_then.update(content(engine))

    seen_then: dict[str, object] = {}
    with pytest.raises(leases.LeaseLost):
        run_nights(engine, NIGHT, clock=lambda: CLOCK, tz=BAMAKO, options=NightOptions(chunk=3), on_progress=lose)
    assert len(seen) == 5
    assert content(engine) == seen_then
    with write_session(engine) as session:
        assert leases.holder_of(session, LEASE) == "elsewhere:1:1:1", "it does not give back what is not its own"


def test_a_clock_that_somebody_holds_is_waited_for(postgres_engine: Engine) -> None:
    reports: list[NightsReport] = []
    with write_session(postgres_engine) as session:
        cases = NightCases(session)
        case_ids = cases.register()
        session.commit()
        cases.move(case_ids, "hold", ARRIVAL + 20 * DAY, reason="medical")
        nights = threading.Thread(target=lambda: reports.append(_run(postgres_engine)))
        nights.start()
        nights.join(timeout=1)
        assert nights.is_alive(), "the night waits for whoever moves the case"
        session.rollback()
    nights.join(timeout=30)
    assert reports[0].nights[0].changes["deadlines_overdue"] == 2


def test_people_work_while_the_night_runs(engine: Engine) -> None:
    with write_session(engine) as session:
        cases = open_nights(session, 100)
        arrived = list(session.exec(select(Case.id).where(Case.state == "arrived")))
        session.commit()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                for first in range(0, 40, 2):
                    cases.move([id_ for id_ in arrived[first : first + 2] if id_], "start_care", CLOCK)
                    session.commit()
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                failed.append(error)

        people = threading.Thread(target=work)
        people.start()
        changes = _run(engine, options=NightOptions(chunk=5)).nights[0].changes
        people.join()
    assert failed == []
    with read_session(engine) as session:
        assert verify_journal(session).broken == []
        overdue = _count(session, Deadline, col(Deadline.overdue_at).is_not(None))
        announced = _count(session, Event, Event.type == "deadline.overdue")
        assert (changes.get("deadlines_overdue", 0), changes.get("events_announced", 0)) == (overdue, announced)
        assert _count(session, Notice, Notice.kind == "overdue") == overdue
        left = _count(
            session, Deadline, Deadline.status == "open", col(Deadline.next_at) <= night_instant(NIGHT, BAMAKO)
        )
        assert left == 0


def test_a_delivery_that_stands_still_is_revived(case_ids: list[int], engine: Engine) -> None:
    _run(engine)
    with write_session(engine) as session:
        first = session.exec(select(Delivery).order_by(col(Delivery.id))).first()
        assert first is not None
        first.next_attempt_at = None
        session.commit()
    assert _run(engine, NIGHT + DAY).nights[0].changes["deliveries_revived"] == 1
    with read_session(engine) as session:
        assert session.get_one(Delivery, first.id).next_attempt_at == night_instant(NIGHT + DAY, BAMAKO)


def test_old_technical_traces_are_forgotten(case_ids: list[int], engine: Engine) -> None:
    _run(engine)
    with write_session(engine) as session:
        arrived, dead = session.exec(select(Delivery).where(Delivery.sequence == 1).order_by(col(Delivery.id))).all()[
            :2
        ]
        arrived.status, dead.status = "delivered", "dead"
        arrived.finished_at = dead.finished_at = ARRIVAL
        for delivery in (arrived, dead):
            for number, at in ((1, ARRIVAL - DAY), (2, CLOCK)):
                session.add(
                    Attempt(delivery_id=delivery.id or 0, number=number, started_at=at, duration_ms=1, outcome="ok")
                )
        told = {"case_id": case_ids[0], "role": "coordinator", "send_at": ARRIVAL, "sent_at": ARRIVAL}
        session.add(Notice(kind="timer_refused", **told))
        session.commit()
    options = NightOptions(attempts_kept=timedelta(days=10), notices_kept=timedelta(hours=1))
    changes = _run(engine, NIGHT + DAY, options=options).nights[0].changes
    assert changes["attempts_forgotten"] == 1, "not those of a dead delivery, and not the newer one"
    assert changes["notices_forgotten"] == 1, "the line about the case, not those of deadlines that are open"


def test_the_last_night_makes_the_backup(case_ids: list[int], engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    options = NightOptions(backup_dir=folder, backups_kept=2)
    _run(engine, NIGHT, options=options)
    _run(engine, NIGHT + 3 * DAY, options=options)
    _run(engine, NIGHT + 4 * DAY, options=options)
    assert sorted(path.stem for path in folder.iterdir()) == ["segin-2024-01-20", "segin-2024-01-21"]


def test_a_tail_cut_off_with_its_pointers_no_longer_fits_the_anchors(case_ids: list[int], engine: Engine) -> None:
    _run(engine, NIGHT)
    _run(engine, NIGHT + DAY)
    with write_session(engine) as session:
        anchor = session.exec(select(NightlyRun.after).where(NightlyRun.as_of == NIGHT)).one()["journal"]
        assert (anchor["rows"], len(anchor["digest"])) == (12, 64)
        assert broken_anchors(session) == []
        moved = session.exec(select(JournalRow).where(JournalRow.trigger == "start_care")).one()
        case = session.get_one(Case, moved.case_id)
        case.version, case.journal_head, case.state = 1, moved.previous_hash, "arrived"
        session.delete(moved)
        session.flush()
        assert broken_anchors(session) == [NIGHT]
        assert verify_journal(session).broken == [Broken(None, None, "anchor")], "by itself the journal looks whole"
