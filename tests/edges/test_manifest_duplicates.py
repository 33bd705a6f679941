"""Rows that wait: shown beside their candidates, decided once by a person, found again under their own reference."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from manifest_files import HEADER, MOUSSA, xlsx
from manifest_intake import NOW, IntakeDesk, open_desk
from sqlalchemy import Engine, event, func, select
from sqlmodel import Session, col

from integrations.manifests.duplicates import (
    Decided,
    DecidedOtherwise,
    NotWaiting,
    decide_different,
    decide_returned_again,
    decide_same,
)
from integrations.manifests.waiting import WaitingRow, list_waiting
from models.case import Case
from models.database import read_session, write_session
from models.manifest import Manifest, ManifestRow
from models.returnee import Returnee

COLUMNS = (*HEADER, "Référence cas")
KNOWN = (*MOUSSA, "ML-1")
MISSPELT = ("Traore", "Mousa", *MOUSSA[2:5], "06/06/2024", MOUSSA[6], "ML-2")


@pytest.fixture
def desk(engine: Engine) -> IntakeDesk:
    """A desk with somebody known, and somebody very like them who waits."""
    desk = open_desk(engine)
    for row in (KNOWN, MISSPELT):
        take(engine, desk, row)
    return desk


def take(engine: Engine, desk: IntakeDesk, *rows: tuple[Any, ...]) -> dict[str, int]:
    with write_session(engine) as session:
        summary = desk.take(session, xlsx([COLUMNS, *rows]))
        session.commit()
    return {name: getattr(summary, name) for name in ("registered", "already_known", "waiting")}


def waiting(engine: Engine) -> list[WaitingRow]:
    with read_session(engine) as session:
        return list_waiting(session)


def counts(engine: Engine) -> tuple[int, int]:
    """Cases and people."""
    with read_session(engine) as session:
        cases, people = (
            session.execute(select(func.count()).select_from(model)).scalar_one() for model in (Case, Returnee)
        )
    return cases, people


def same(session: Session, desk: IntakeDesk, row_id: int, rank: int = 1) -> Decided:
    return decide_same(session, row_id, rank=rank, now=NOW, actor=desk.caseload.staff["coordinator"])


def test_a_waiting_row_stands_beside_its_candidates(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)
    assert (row.file, row.received_at, row.arrival.line, row.arrival.reference) == ("list.xlsx", NOW, 2, "ML-2")
    (candidate,) = row.candidates
    assert (candidate.rank, candidate.reference, candidate.family_name, candidate.departure_country) == (
        1,
        "ML-1",
        "Traoré",
        "LBY",
    )
    assert 0 < candidate.score <= 100
    assert {"same_birth", "same_phone"} <= set(candidate.why)
    assert "Traor" not in repr(row)
    assert "+223" not in repr(row)


def test_the_same_person_gets_no_second_case(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)
    before = counts(engine)
    with write_session(engine) as session:
        decided = same(session, desk, row.row_id)
        session.commit()
    assert (decided.decision, decided.case_code, decided.changed) == ("same", row.candidates[0].case_code, True)
    assert counts(engine) == before
    assert waiting(engine) == []
    with read_session(engine) as session:
        kept = session.get_one(ManifestRow, row.row_id)
        assert (kept.outcome, kept.decision, kept.decided_at) == ("already_known", "same", NOW)
        assert (kept.decided_by, kept.case_id) == (desk.caseload.staff["coordinator"].id, decided.case_id)
        manifest = session.get_one(Manifest, kept.manifest_id)
        assert (manifest.waiting, manifest.already_known, manifest.registered) == (0, 1, 0)


def test_somebody_else_is_registered_from_the_row(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)
    with write_session(engine) as session:
        decided = decide_different(session, row.row_id, registrar=desk.registrar("coordinator"))
        session.commit()
    assert counts(engine) == (2, 2)
    with read_session(engine) as session:
        kept = session.get_one(ManifestRow, row.row_id)
        assert (kept.outcome, kept.decision, kept.raw) == ("registered", "different", None)
        case = session.get_one(Case, decided.case_id)
        assert (case.code, case.manifest_line) == (decided.case_code, 2)
        assert session.get_one(Returnee, case.returnee_id).family_name == "Traore"
        manifest = session.get_one(Manifest, kept.manifest_id)
        assert (manifest.waiting, manifest.already_known, manifest.registered) == (0, 0, 1)
        assert manifest.checksum == case.manifest_checksum


def test_somebody_known_who_returned_again_gets_a_new_case(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)
    with write_session(engine) as session:
        decided = decide_returned_again(session, row.row_id, rank=1, registrar=desk.registrar("coordinator"))
        session.commit()
    assert counts(engine) == (2, 1)
    with read_session(engine) as session:
        case = session.get_one(Case, decided.case_id)
        assert (case.returnee_id, case.arrival_date.month) == (row.candidates[0].returnee_id, 6)


def test_the_same_decision_again_changes_nothing_and_another_is_refused(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)
    with write_session(engine) as session:
        first = same(session, desk, row.row_id)
        session.commit()
    with write_session(engine) as session:
        assert same(session, desk, row.row_id) == first._replace(changed=False)
        for other in (
            lambda: decide_different(session, row.row_id, registrar=desk.registrar("coordinator")),
            lambda: decide_returned_again(session, row.row_id, rank=1, registrar=desk.registrar("coordinator")),
        ):
            with pytest.raises(DecidedOtherwise, match=first.case_code):
                other()
    assert counts(engine) == (1, 1)


def test_a_different_person_decided_twice_is_registered_once(engine: Engine, desk: IntakeDesk) -> None:
    (row,) = waiting(engine)

    def decide(_number: int) -> Decided:
        with write_session(engine) as session:
            decided = decide_different(session, row.row_id, registrar=desk.registrar("coordinator"))
            session.commit()
            return decided

    with ThreadPoolExecutor(3) as pool:
        decisions = list(pool.map(decide, range(3)))
    assert sorted(decided.changed for decided in decisions) == [False, False, True]
    assert len({decided.case_id for decided in decisions}) == 1
    assert counts(engine) == (2, 2)


@pytest.mark.parametrize("rank", [0, 2])
def test_a_candidate_that_is_not_there_is_refused(engine: Engine, desk: IntakeDesk, rank: int) -> None:
    (row,) = waiting(engine)
    with write_session(engine) as session, pytest.raises(NotWaiting, match=f"no candidate {rank}") as raised:
        same(session, desk, row.row_id, rank)
    assert raised.value.remedy_fr


def test_a_row_that_does_not_wait_is_refused(engine: Engine, desk: IntakeDesk) -> None:
    with write_session(engine) as session:
        registered = session.execute(select(col(ManifestRow.id)).where(col(ManifestRow.outcome) == "registered"))
        for row_id in (registered.scalar_one(), 999_999):
            with pytest.raises(NotWaiting, match=str(row_id)):
                decide_different(session, row_id, registrar=desk.registrar("coordinator"))


@pytest.mark.parametrize("decision", ["same", "different", "returned_again"])
def test_once_decided_its_reference_is_recognised(engine: Engine, desk: IntakeDesk, decision: str) -> None:
    (row,) = waiting(engine)
    with write_session(engine) as session:
        if decision == "same":
            same(session, desk, row.row_id)
        elif decision == "different":
            decide_different(session, row.row_id, registrar=desk.registrar("coordinator"))
        else:
            decide_returned_again(session, row.row_id, rank=1, registrar=desk.registrar("coordinator"))
        session.commit()
    before = counts(engine)
    again = ("TRAORE", "Moussa", *MISSPELT[2:6], None, "ml-2")
    assert take(engine, desk, again) == {"registered": 0, "already_known": 1, "waiting": 0}
    assert counts(engine) == before


def test_listing_takes_two_statements_however_many_wait(engine: Engine, desk: IntakeDesk) -> None:
    take(engine, desk, *((*MISSPELT[:7], f"ML-{number}") for number in range(3, 23)))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    rows = waiting(engine)
    assert len(rows) == 21
    assert all(row.candidates for row in rows)
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2
