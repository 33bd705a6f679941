"""Psychosocial sessions: who came, which level of care they asked for, and notes that only few read. All synthetic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select
from storage.test_advance_statements import statements
from synthetic_cases import START, Caseload, open_caseload

from models import JournalRow, PsychosocialSession, SensitiveRead, Task, WrongUse
from models.seal import Seal, SealError
from states.casework.screening import Assessed, record_assessments
from states.casework.sessions import (
    NoteRefused,
    SessionHeld,
    looks_at,
    read_note,
    record_sessions,
    seal_old_notes,
    sessions_of,
)
from states.gather import gather_facts
from states.instruments import bundled_catalogue
from states.moves import Outcome, OutcomeKind
from states.pathway import Care

LATER = START + timedelta(hours=1)
NOTE = "Elle parle de son frère resté là-bas."
SEAL = Seal([b"k" * 32])


@pytest.fixture
def caseload(session: Session) -> Caseload:
    return open_caseload(session)


def hold(
    caseload: Caseload,
    case_ids: list[int],
    *,
    role: str = "psychosocial_worker",
    seal: Seal | None = SEAL,
    **parts: Any,
) -> list[Outcome]:
    held = [
        SessionHeld(
            **caseload.signed(case_id, role),
            **{"code": f"S{case_id}", "kind": "individual", "held_at": START, **parts},
        )
        for case_id in case_ids
    ]
    return record_sessions(caseload.session, held, seal=seal, now=LATER)


def row(caseload: Caseload, code: str) -> PsychosocialSession:
    caseload.session.expire_all()
    return caseload.session.exec(select(PsychosocialSession).where(PsychosocialSession.code == code)).one()


def test_a_family_s_session_counts_once_for_each_and_is_one_occasion(caseload: Caseload) -> None:
    case_ids = caseload.register_many(3)
    outcomes = hold(caseload, case_ids, kind="family", occasion="O1")
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.MOVED}
    facts = gather_facts(caseload.session, case_ids, ["sessions"])
    assert [facts[case_id].sessions_attended for case_id in case_ids] == [1, 1, 1]
    assert set(caseload.session.exec(select(PsychosocialSession.occasion))) == {"O1"}


def test_who_did_not_come_has_not_attended_and_a_mistake_is_no_session(caseload: Caseload) -> None:
    missed, mistaken = caseload.register_many(2)
    hold(caseload, [missed], attended=False)
    hold(caseload, [mistaken])
    assert caseload.advance(mistaken, "correct", note="Pas cette personne").kind is OutcomeKind.MOVED
    facts = gather_facts(caseload.session, [missed, mistaken], ["sessions"])
    assert [each.sessions_attended for each in facts.values()] == [0, 0]
    assert row(caseload, f"S{mistaken}").taken_back_at is not None


def test_sessions_are_recorded_afterwards_by_those_who_may(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    (refused,) = hold(caseload, [case_id], role="case_worker")
    assert [reason.code for reason in refused.reasons] == ["role_not_allowed"]
    with pytest.raises(WrongUse, match="after it was held"):
        hold(caseload, [case_id], held_at=LATER + timedelta(hours=1))
    with pytest.raises(WrongUse, match="kind of session"):
        hold(caseload, [case_id], kind="telepathy")
    assert caseload.session.exec(select(PsychosocialSession)).all() == []


def test_a_note_is_sealed_for_its_place_and_read_by_few(caseload: Caseload) -> None:
    session = caseload.session
    (case_id,) = caseload.register_many(1)
    hold(caseload, [case_id], note=NOTE)
    written = row(caseload, f"S{case_id}").note_sealed
    assert written is not None
    assert written.startswith("seal1:")
    assert "frère" not in written
    read = {"seal": SEAL, "now": LATER}
    assert read_note(session, f"S{case_id}", reader=caseload.staff["psychosocial_worker"], **read) == NOTE
    for role in ("coordinator", "case_worker", "medical_focal_point"):
        with pytest.raises(NoteRefused) as error:
            read_note(session, f"S{case_id}", reader=caseload.staff[role], **read)
        assert "frère" not in f"{error.value}{error.value.message_fr}"
    looks = looks_at(session, case_id)
    assert [(look.role, look.allowed) for look in looks] == [
        ("medical_focal_point", False),
        ("case_worker", False),
        ("coordinator", False),
        ("psychosocial_worker", True),
    ]
    assert {look.record for look in looks} == {f"S{case_id}"}
    rows = [*session.exec(select(JournalRow)), *session.exec(select(SensitiveRead))]
    assert "frère" not in "".join(str(each.model_dump()) for each in rows)


def test_sessions_are_listed_without_any_note_leaving_the_database(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    hold(caseload, [case_id], note=NOTE)
    with statements(caseload.session) as said:
        (line,) = sessions_of(caseload.session, case_id)
    assert (line.kind, line.attended, line.note) == ("individual", True, True)
    (query,) = said
    assert query.count("note_sealed") == query.count("note_sealed IS NOT NULL") == 1


def test_a_note_cannot_be_moved_to_another_case_or_read_with_another_key(caseload: Caseload) -> None:
    session = caseload.session
    one, two = caseload.register_many(2)
    hold(caseload, [one, two], note=NOTE)
    reader = caseload.staff["psychosocial_worker"]
    row(caseload, f"S{two}").note_sealed = row(caseload, f"S{one}").note_sealed
    session.flush()
    with pytest.raises(SealError, match="not as it was sealed"):
        read_note(session, f"S{two}", reader=reader, seal=SEAL, now=LATER)
    with pytest.raises(SealError, match="key that is not here"):
        read_note(session, f"S{one}", reader=reader, seal=Seal([b"o" * 32]), now=LATER)
    with pytest.raises(WrongUse, match="no key"):
        read_note(session, f"S{one}", reader=reader, seal=None, now=LATER)


def test_without_a_key_no_note_is_written_and_the_session_is(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    with pytest.raises(WrongUse, match="SEGIN_NOTES_KEY"):
        hold(caseload, [case_id], seal=None, note=NOTE)
    assert hold(caseload, [case_id], seal=None)[0].kind is OutcomeKind.MOVED
    reader = caseload.staff["psychosocial_worker"]
    assert read_note(caseload.session, f"S{case_id}", reader=reader, seal=None, now=LATER) is None
    with pytest.raises(WrongUse, match="no such session"):
        read_note(caseload.session, "nowhere", reader=reader, seal=None, now=LATER)


def test_notes_from_before_are_sealed_once(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    old = PsychosocialSession(code="OLD", case_id=case_id, occasion="OLD", held_at=START, note_sealed=NOTE)
    caseload.session.add(old)
    hold(caseload, [case_id], note="nouvelle")
    with pytest.raises(WrongUse, match="1 notes of sessions are in clear"):
        seal_old_notes(caseload.session, lambda: None)
    assert [seal_old_notes(caseload.session, lambda: SEAL) for _ in range(2)] == [1, 0]
    reader = caseload.staff["psychosocial_worker"]
    assert read_note(caseload.session, "OLD", reader=reader, seal=SEAL, now=LATER) == NOTE


def test_a_result_asks_for_the_level_of_care_that_the_programme_set(caseload: Caseload) -> None:
    (case_id,) = caseload.register_many(1)
    caseload.advance(case_id, "confirm_arrival", role="intake_officer")
    caseload.agree([case_id])
    caseload.advance(case_id, "begin_screening", role="intake_officer")
    for answers, level, tasks in (((1, 2, 0, 1, 1, 0), 3, 0), ((3, 3, 2, 2, 2, 1), 4, 1), ((0, 0, 0, 0, 0, 0), 1, 1)):
        signed = caseload.signed(case_id, "psychosocial_worker")
        assessed = Assessed(**signed, instrument="k6", answers=answers)
        record_assessments(caseload.session, [assessed], catalogue=bundled_catalogue(), now=LATER)
        hold(caseload, [case_id], code=f"S{level}")
        assert row(caseload, f"S{level}").level == level
        asked = select(Task.key).where(Task.key == "specialised_care", col(Task.status) == "open")
        assert len(caseload.session.exec(asked).all()) == tasks


def test_the_policy_takes_the_highest_of_what_a_result_says() -> None:
    care = Care({"k6": {"low": 1, "severe": 4}}, {"act_at_once": 3}, frozenset())
    assert care.level("k6", "low", ()) == 1
    assert care.level("k6", "low", ("act_at_once",)) == 3
    assert care.level("k6", "severe", ("act_at_once", "other")) == 4
    assert care.level("k6", "moderate", ()) is None
    assert care.level("phq9", "severe", ()) is None
