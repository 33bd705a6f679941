"""Moves in, outcomes out: what `advance_cases` answers and writes, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col, select
from synthetic_cases import START, Caseload, open_caseload

from models import Case, Deadline, Event, JournalRow, Task
from states.advance import advance_case, advance_cases
from states.journal import verify_journal
from states.moves import OutcomeKind

LATER = START + timedelta(hours=2)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    opened = open_caseload(session)
    session.commit()
    return opened


def counts(session: Session) -> dict[str, int]:
    """Rows of every table that the writer writes."""
    tables = [SQLModel.metadata.tables[name] for name in ("journal", "task", "deadline", "event", "case")]
    return {table.name: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def rows_of(session: Session, model: Any, case_id: int) -> list[Any]:
    return list(session.exec(select(model).where(model.case_id == case_id).order_by(model.id)))


def test_a_move_writes_the_case_the_journal_the_tasks_the_deadlines_and_the_event(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    worker = caseload.staff["case_worker"]
    move = caseload.move(case_id, "confirm_arrival", "case_worker", correlation_id="request-7", note="à l'heure")

    outcome = advance_case(session, move, now=LATER)

    assert (outcome.kind, outcome.case_id, outcome.command_id) == (OutcomeKind.MOVED, case_id, move.command_id)
    assert (outcome.version, outcome.seq) == (2, 2)
    assert (outcome.from_state, outcome.to_state) == ("registered", "arrived")
    case = caseload.case(case_id)
    assert (case.state, case.version, case.events, case.entered_state_at) == ("arrived", 2, 2, LATER)
    first, second = rows_of(session, JournalRow, case_id)
    assert (second.seq, second.at, second.trigger) == (2, LATER, "confirm_arrival")
    assert (second.from_state, second.to_state) == ("registered", "arrived")
    assert (second.actor_id, second.role, second.note, second.reason) == (worker.id, "case_worker", "à l'heure", None)
    assert (second.command_id, second.correlation_id) == (move.command_id, "request-7")
    assert second.pathway_version_id == caseload.version_id
    assert second.dispatch_id is None
    assert (second.previous_hash, case.journal_head) == (first.hash, second.hash)
    tasks = {task.key: task for task in rows_of(session, Task, case_id)}
    assert (tasks["confirm_arrival"].status, tasks["confirm_arrival"].closed_seq) == ("done", 2)
    assert tasks["confirm_arrival"].done_by == worker.id
    assert tasks["confirm_arrival"].closed_at == LATER
    assert (tasks["identity_interview"].status, tasks["identity_interview"].seq) == ("open", 2)
    assert tasks["identity_interview"].opened_at == LATER
    deadlines = {deadline.key: deadline for deadline in rows_of(session, Deadline, case_id)}
    assert (deadlines["no_show"].status, deadlines["no_show"].closed_seq) == ("cancelled", 2)
    assert (deadlines["screening_begun"].status, deadlines["screening_begun"].state) == ("open", "arrived")
    assert deadlines["screening_begun"].due_at == deadlines["screening_begun"].first_due_at
    announced = rows_of(session, Event, case_id)[-1]
    assert (announced.type, announced.sequence, announced.seq) == ("case.arrived", 2, 2)
    assert announced.data == {"case": case.code, "state": "arrived"}
    assert (announced.occurred_at, announced.correlation_id) == (LATER, "request-7")
    assert announced.region_pcode == case.region_pcode
    assert announced.uid.startswith("evt_")
    assert len(announced.uid) == 36


def test_a_deadline_met_in_time_is_kept_and_after_its_time_late(caseload: Caseload) -> None:
    session = caseload.session
    in_time, too_late = caseload.register_many(2)
    for case_id in (in_time, too_late):
        caseload.record_everything(case_id)
        caseload.advance(case_id, "confirm_arrival")
    screening = next(row for row in rows_of(session, Deadline, in_time) if row.key == "screening_begun")
    caseload.advance(in_time, "begin_screening", now=screening.due_at)
    caseload.advance(too_late, "begin_screening", now=screening.due_at + timedelta(microseconds=1))
    statuses = {
        case_id: next(row.status for row in rows_of(session, Deadline, case_id) if row.key == "screening_begun")
        for case_id in (in_time, too_late)
    }
    assert statuses == {in_time: "kept", too_late: "late"}


def test_the_same_command_id_moves_once_and_answers_the_same(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    caseload.record_everything(case_id)
    move = caseload.move(case_id, "confirm_arrival", expected_version=1)
    first = advance_case(session, move, now=LATER)
    caseload.advance(case_id, "begin_screening")
    before = counts(session)

    again = advance_case(session, move, now=LATER + timedelta(days=1))

    assert again.kind is OutcomeKind.ALREADY_DONE
    assert (again.seq, again.from_state, again.to_state) == (first.seq, first.from_state, first.to_state)
    assert again.version == 3
    assert counts(session) == before


@pytest.mark.parametrize("same_batch", [True, False])
def test_a_command_id_is_refused_for_another_case_or_trigger(caseload: Caseload, same_batch: bool) -> None:
    session = caseload.session
    one, other = caseload.register_many(2)
    first = caseload.move(one, "confirm_arrival", command_id="mine")
    elsewhere = caseload.move(other, "confirm_arrival", command_id="mine")
    otherwise = caseload.move(one, "raise_urgent", command_id="mine")
    if same_batch:
        moved, *answers = advance_cases(session, [first, elsewhere, otherwise], now=LATER)
    else:
        moved = advance_case(session, first, now=LATER)
        answers = [advance_case(session, move, now=LATER) for move in (elsewhere, otherwise)]
    assert moved.kind is OutcomeKind.MOVED
    assert [answer.kind for answer in answers] == [OutcomeKind.REFUSED] * 2
    assert {reason.code for answer in answers for reason in answer.reasons} == {"command_id_reused"}
    assert (caseload.case(other).version, caseload.case(one).version) == (1, 2)


def test_stale_unknown_and_refused_moves_write_nothing(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    before = counts(session)
    stale, unknown, wrong_state, no_trigger = advance_cases(
        session,
        [
            caseload.move(case_id, "confirm_arrival", expected_version=7),
            caseload.move(case_id + 1000, "confirm_arrival"),
            caseload.move(case_id, "begin_planning"),
            caseload.move(case_id, "fly"),
        ],
        now=LATER,
    )
    assert (stale.kind, stale.version) == (OutcomeKind.STALE, 1)
    assert (unknown.kind, unknown.version, unknown.case_id) == (OutcomeKind.UNKNOWN, None, case_id + 1000)
    assert [reason.code for reason in wrong_state.reasons] == ["wrong_state"]
    assert [reason.code for reason in no_trigger.reasons] == ["unknown_trigger"]
    assert counts(session) == before
    assert caseload.case(case_id).version == 1


@pytest.mark.parametrize(
    "parts", [{"note": "a\0b"}, {"note": "\ud800"}, {"data": {"x": 0.5}}, {"data": {"x": 2**63}}, {"reason": "\0"}]
)
def test_what_neither_database_would_give_back_alike_is_refused(caseload: Caseload, parts: dict[str, Any]) -> None:
    bad, good = caseload.register_many(2)
    answers = advance_cases(
        caseload.session,
        [caseload.move(bad, "confirm_arrival", **parts), caseload.move(good, "confirm_arrival")],
        now=LATER,
    )
    assert [answer.kind for answer in answers] == [OutcomeKind.REFUSED, OutcomeKind.MOVED]
    assert [reason.code for reason in answers[0].reasons] == ["not_storable"]


def test_data_is_journalled_as_it_came(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    data = {"texte": "« é » 100 % \\ \"'", "n": 2**62, "yes": True, "none": None, "list": [1, ["a"], {"b": {}}]}
    caseload.advance(case_id, "confirm_arrival", data=data)
    assert rows_of(caseload.session, JournalRow, case_id)[-1].data == data
    assert verify_journal(caseload.session).broken == []


def test_outcomes_come_in_the_order_of_the_moves_also_when_a_case_moves_often(caseload: Caseload) -> None:
    session = caseload.session
    first, second = caseload.register_many(2)
    caseload.record_everything(first)
    moves = [
        caseload.move(first, "confirm_arrival", command_id="a"),
        caseload.move(second, "confirm_arrival", expected_version=1),
        caseload.move(first, "begin_screening", expected_version=2),
        caseload.move(first, "confirm_arrival", command_id="a"),
        caseload.move(second, "confirm_arrival"),
        caseload.move(first, "begin_planning", expected_version=2),
        caseload.move(first, "begin_planning", expected_version=3),
    ]
    outcomes = advance_cases(session, moves, now=LATER)
    assert [outcome.command_id for outcome in outcomes] == [move.command_id for move in moves]
    assert [outcome.kind.value for outcome in outcomes] == [
        *("moved", "moved", "moved", "already_done", "refused", "stale", "moved")
    ]
    assert [outcome.seq for outcome in outcomes] == [2, 2, 3, 2, None, None, 4]
    assert [row.seq for row in rows_of(session, JournalRow, first)] == [1, 2, 3, 4]
    assert caseload.case(first).state == "planning"
    assert verify_journal(session).broken == []


def test_an_empty_batch_has_no_outcomes(caseload: Caseload) -> None:
    assert advance_cases(caseload.session, [], now=LATER) == []


def test_whoever_lost_the_version_after_the_decision_is_stale_and_the_others_move(caseload: Caseload) -> None:
    """Locks prevent this. Should they ever fail, the compare-and-set does not: here another write slips in between."""
    session = caseload.session
    loser, winner = caseload.register_many(2)
    session.commit()
    connection = session.connection()
    bumped: list[str] = []

    def slip_in(_c: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith('UPDATE "case" SET pathway_version_id') and not bumped:
            bumped.append(statement)
            cursor.execute(f'UPDATE "case" SET version = version + 1 WHERE id = {loser}')

    event.listen(connection, "before_cursor_execute", slip_in)
    outcomes = advance_cases(
        session, [caseload.move(loser, "confirm_arrival"), caseload.move(winner, "confirm_arrival")], now=LATER
    )
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.STALE, OutcomeKind.MOVED]
    assert [outcome.version for outcome in outcomes] == [2, 2]
    assert len(rows_of(session, JournalRow, loser)) == 1
    assert [task.status for task in rows_of(session, Task, loser)] == ["open"]
    assert len(rows_of(session, Event, loser)) == 1
    assert len(rows_of(session, JournalRow, winner)) == 2


def test_a_failing_statement_leaves_nothing_half_done(caseload: Caseload) -> None:
    session = caseload.session
    ids = caseload.register_many(3)
    # An event of the last case is in the way, so that the last of the statements fails.
    session.execute(
        text(
            "INSERT INTO event (uid, case_id, sequence, seq, type, occurred_at, data, correlation_id) "
            "SELECT 'evt_in_the_way', case_id, 2, 1, type, occurred_at, data, correlation_id FROM event "
            "WHERE case_id = :case_id"
        ),
        {"case_id": ids[-1]},
    )
    session.commit()
    before = counts(session)
    session.commit()
    with pytest.raises(DBAPIError):
        caseload.advance_all(ids, "confirm_arrival")
    session.rollback()
    assert counts(session) == before
    assert {caseload.case(id_).version for id_ in ids} == {1}
    assert verify_journal(session).broken == []


def test_rows_that_the_session_holds_as_objects_are_not_left_behind(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    case = session.get_one(Case, case_id)
    task = session.exec(select(Task).where(Task.case_id == case_id)).one()
    assert (case.state, task.status) == ("registered", "open")
    caseload.advance(case_id, "confirm_arrival")
    assert (case.state, task.status) == ("arrived", "done")


def test_records_added_to_the_session_count_before_they_are_flushed(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    assert caseload.advance(case_id, "begin_screening").kind is OutcomeKind.REFUSED
    with caseload.session.no_autoflush:
        caseload.record_everything(case_id)
        assert caseload.advance(case_id, "begin_screening").kind is OutcomeKind.MOVED


def test_priority_closure_and_reopening_show_on_the_case(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival")
    caseload.advance(case_id, "raise_emergency", role="medical_focal_point")
    assert caseload.case(case_id).priority == "emergency"
    entered = caseload.case(case_id).entered_state_at
    closed_at = START + timedelta(days=3)
    caseload.advance(case_id, "close", reason="deceased", now=closed_at)
    case = caseload.case(case_id)
    assert (case.state, case.previous_state) == ("closed", "arrived")
    assert (case.closure_reason, case.closed_at, case.entered_state_at) == ("deceased", closed_at, closed_at)
    open_rows = [
        row
        for model in (Task, Deadline)
        for row in rows_of(caseload.session, model, case_id)
        if row.status in ("open", "held")
    ]
    assert open_rows == []
    caseload.advance(case_id, "reopen", note="erreur sur la personne", now=closed_at + timedelta(days=1))
    case = caseload.case(case_id)
    assert (case.state, case.previous_state, case.closure_reason, case.closed_at) == ("arrived", None, None, None)
    assert case.entered_state_at > entered
    open_deadlines = select(Deadline.key).where(Deadline.case_id == case_id, col(Deadline.status) == "open")
    assert caseload.session.exec(open_deadlines).all() == ["screening_begun_again"]
    assert verify_journal(caseload.session).broken == []
