"""The journal proves itself: every kind of tampering is found, named by case code and seq, and nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select, update
from synthetic_cases import START, Caseload, open_caseload, person

from models import Case, JournalRow
from states.bulk import time_text
from states.chain import COVERED, GENESIS, row_hash
from states.journal import FAULTS, Broken, verify_journal

ADVANCES = (
    ("confirm_arrival", {}),
    ("begin_screening", {"note": "une note"}),
    ("begin_planning", {}),
    ("hold", {"reason": "medical"}),
    ("resume", {}),
    ("start_training", {"data": {"cours": "couture"}}),
)


@pytest.fixture
def caseload(session: Session) -> Caseload:
    """Three cases with seven rows each."""
    opened = open_caseload(session)
    for number in range(3):
        (made,) = opened.register(person(number))
        opened.record_everything(made.case_id)
        for day, (trigger, parts) in enumerate(ADVANCES):
            opened.advance(made.case_id, trigger, now=START + timedelta(days=day), **parts)
    session.commit()
    return opened


def the_case(caseload: Caseload) -> Case:
    """The case in the middle: nothing may be found in its neighbours."""
    return caseload.session.exec(select(Case).order_by(col(Case.id)).offset(1).limit(1)).one()


def row(caseload: Caseload, seq: int) -> JournalRow:
    case = the_case(caseload)
    return caseload.session.exec(select(JournalRow).where(JournalRow.case_id == case.id, JournalRow.seq == seq)).one()


def without_references(session: Session, statement: str) -> None:
    """Run a statement as somebody would who gets around the foreign keys."""
    if session.connection().dialect.name == "sqlite":
        session.commit()
        connection = session.connection()
        raw = connection.connection.driver_connection
        assert raw is not None
        session.commit()
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute(statement)
        raw.execute("PRAGMA foreign_keys=ON")
    else:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))
    session.expire_all()


def forge(found: JournalRow) -> None:
    """Give a changed row the hash that it would have had."""
    values = found.model_dump() | {"at": time_text(found.at)}
    found.hash = row_hash(values[name] for name in COVERED)


def test_a_whole_journal_has_nothing_broken(caseload: Caseload) -> None:
    report = verify_journal(caseload.session)
    assert (report.cases, report.transitions, report.broken) == (3, 21, [])


def test_an_empty_database_has_nothing_broken(session: Session) -> None:
    report = verify_journal(session)
    assert (report.cases, report.transitions, report.broken) == (0, 0, [])


def test_the_size_of_the_chunks_changes_nothing(caseload: Caseload) -> None:
    row(caseload, 3).note = "une autre"
    caseload.session.flush()
    for chunk in (1, 2, 3, 4):
        report = verify_journal(caseload.session, chunk=chunk)
        assert (report.cases, report.transitions) == (3, 21)
        assert report.broken == [Broken(the_case(caseload).code, 3, "note")]


CHANGES: dict[str, object] = {
    "at": START + timedelta(days=9),
    "trigger": "raise_urgent",
    "from_state": "planning",
    "to_state": "closed",
    "actor_id": None,
    "role": "system",
    "reason": "safety",
    "note_digest": GENESIS,
    "data": {"cours": "soudure"},
    "command_id": "another",
    "correlation_id": "another",
    "previous_hash": GENESIS,
    "hash": GENESIS,
}


def test_a_change_of_any_column_is_found(caseload: Caseload) -> None:
    code = the_case(caseload).code
    for column, value in CHANGES.items():
        setattr(row(caseload, 4), column, value)
        caseload.session.flush()
        broken = verify_journal(caseload.session).broken
        assert broken[0] == Broken(code, 4, "changed"), column
        assert {found.case_code for found in broken} == {code}, column
        caseload.session.rollback()
    # The others cannot be changed alone: they say whose row it is and where it stands; see the tests below.
    assert CHANGES.keys() | {"case_id", "seq", "pathway_version_id"} == {*COVERED, "hash"}


def test_a_row_moved_to_another_case_is_found_in_both(caseload: Caseload) -> None:
    first, second, _ = caseload.session.exec(select(Case).order_by(col(Case.id))).all()
    moved = row(caseload, 7)
    moved.case_id, moved.seq = first.id or 0, 8
    caseload.session.flush()
    assert set(verify_journal(caseload.session).broken) >= {
        Broken(first.code, 8, "changed"),
        Broken(second.code, 7, "cut_off"),
    }


def test_a_changed_row_with_a_matching_hash_breaks_the_chain(caseload: Caseload) -> None:
    found = row(caseload, 4)
    found.correlation_id = "another"
    forge(found)
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(the_case(caseload).code, 5, "chain")]


def test_a_changed_last_row_with_a_matching_hash_is_not_the_one_that_the_case_knows(caseload: Caseload) -> None:
    found = row(caseload, 7)
    found.correlation_id = "another"
    forge(found)
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(the_case(caseload).code, 7, "head")]


def test_a_removed_row_is_found(caseload: Caseload) -> None:
    code = the_case(caseload).code
    for seq, broken in ((1, (2, "gap")), (4, (5, "gap")), (7, (7, "cut_off"))):
        caseload.session.delete(row(caseload, seq))
        caseload.session.flush()
        assert verify_journal(caseload.session).broken == [Broken(code, *broken)]
        caseload.session.rollback()


def test_a_tail_cut_off_is_found_although_what_remains_is_whole(caseload: Caseload) -> None:
    for seq in (5, 6, 7):
        caseload.session.delete(row(caseload, seq))
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(the_case(caseload).code, 7, "cut_off")]


def test_a_row_added_behind_the_case_s_back_is_found(caseload: Caseload) -> None:
    last = row(caseload, 7)
    added = JournalRow(
        **last.model_dump(exclude={"id", "seq", "command_id", "previous_hash", "hash"}),
        seq=8,
        command_id="added",
        previous_hash=last.hash,
        hash="",
    )
    added.trigger, added.from_state, added.to_state = "return_to_planning", "training", "planning"
    forge(added)
    caseload.session.add(added)
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(the_case(caseload).code, 7, "head")]


def test_a_changed_case_is_found(caseload: Caseload) -> None:
    code = the_case(caseload).code
    for column, value, seq, what in (
        ("state", "closed", 7, "state"),
        ("previous_state", "planning", 7, "previous_state"),
        ("version", 9, 9, "cut_off"),
        ("version", 6, 6, "head"),
        ("journal_head", GENESIS, 7, "head"),
    ):
        setattr(the_case(caseload), column, value)
        caseload.session.flush()
        assert verify_journal(caseload.session).broken == [Broken(code, seq, what)], column
        caseload.session.rollback()


def test_a_case_without_a_journal_is_found(caseload: Caseload) -> None:
    case = the_case(caseload)
    for found in caseload.session.exec(select(JournalRow).where(JournalRow.case_id == case.id)):
        caseload.session.delete(found)
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(case.code, None, "no_journal")]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_journal_of_a_missing_case_is_found(caseload: Caseload, place: int) -> None:
    case = caseload.session.exec(select(Case).order_by(col(Case.id)).offset(place).limit(1)).one()
    without_references(caseload.session, f'DELETE FROM "case" WHERE id = {case.id}')
    for chunk in (1, 2, 1000):
        report = verify_journal(caseload.session, chunk=chunk)
        assert (report.cases, report.transitions, report.broken) == (2, 21, [Broken(None, 1, "no_case")])


def rewrite(caseload: Caseload, change: Callable[[JournalRow], None], seq: int) -> None:
    """Change a row, and forge all hashes from there to the case's head: only the pathway can tell now."""
    case, head = the_case(caseload), None
    for number in range(seq, 8):
        found = row(caseload, number)
        if head is None:
            change(found)
        else:
            found.previous_hash = head
        forge(found)
        head = found.hash
    case.journal_head = head or ""
    caseload.session.flush()


def test_a_forged_journal_must_still_be_one_that_the_pathway_allows(caseload: Caseload) -> None:
    code = the_case(caseload).code

    def other_trigger(found: JournalRow) -> None:
        found.trigger = "raise_urgent"

    def other_role(found: JournalRow) -> None:
        found.role = "training_officer"

    def other_way_back(found: JournalRow) -> None:
        found.to_state = "follow_up"

    rewrite(caseload, other_role, 3)
    assert verify_journal(caseload.session).broken == [Broken(code, 3, "illegal")]
    caseload.session.rollback()
    rewrite(caseload, other_trigger, 2)
    assert verify_journal(caseload.session).broken == [Broken(code, 2, "illegal")]
    caseload.session.rollback()
    rewrite(caseload, other_way_back, 6)
    assert Broken(code, 6, "illegal") in verify_journal(caseload.session).broken


def test_a_forged_journal_must_go_on_where_it_was(caseload: Caseload) -> None:
    def jump(found: JournalRow) -> None:
        found.from_state = "livelihood"

    rewrite(caseload, jump, 7)
    assert verify_journal(caseload.session).broken == [Broken(the_case(caseload).code, 7, "from_state")]


def test_a_pathway_version_that_is_not_published_allows_nothing(caseload: Caseload) -> None:
    found_id = row(caseload, 7).id
    without_references(caseload.session, f"UPDATE journal SET pathway_version_id = 999 WHERE id = {found_id}")
    again = row(caseload, 7)
    forge(again)
    case = the_case(caseload)
    case.journal_head = again.hash
    caseload.session.flush()
    assert verify_journal(caseload.session).broken == [Broken(case.code, 7, "illegal")]


def test_values_that_no_row_can_hold_are_a_changed_row_and_not_a_crash(sqlite_engine: object) -> None:
    """SQLite keeps any value in any column."""
    with Session(sqlite_engine) as session:  # type: ignore[call-overload]
        opened = open_caseload(session)
        (made,) = opened.register(person(1))
        opened.advance(made.case_id, "confirm_arrival")
        for column, value in (("data", "'{not json'"), ("seq", "'two'"), ("role", "x'00'"), ("at", "17")):
            session.commit()
            session.execute(text(f"UPDATE journal SET {column} = {value} WHERE case_id = {made.case_id} AND seq = 2"))
            assert next(found.what for found in verify_journal(session).broken) == "changed"
            session.rollback()


def test_an_erased_note_is_no_fault_and_the_dispatch_is_not_covered(caseload: Caseload) -> None:
    caseload.session.execute(update(JournalRow).values(note=None))
    assert verify_journal(caseload.session).broken == []


def test_every_fault_has_its_text_in_both_languages() -> None:
    assert all(french and english for french, english in FAULTS.values())
