"""Manifests into the database: the demonstration's seven months, what is written, and that nothing counts twice."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from manifest_files import AWA, DEMO, HEADER, MOUSSA, csv_text, xlsx
from manifest_intake import MALI, NOW, IntakeDesk, open_desk
from sqlalchemy import Engine, event, func, select
from sqlmodel import Session, SQLModel, col

from integrations.manifests.intake import IntakeSummary
from integrations.manifests.known import KnownPeople
from integrations.manifests.unreadable import UnreadableManifest
from models.case import Case, JournalRow
from models.consents import Consent
from models.database import read_session, write_session
from models.households import Household
from models.manifest import DuplicateCandidate, Manifest, ManifestRow
from models.returnee import Returnee
from models.staff import Office

EXPECTED = json.loads((DEMO / "EXPECTED.json").read_text(encoding="utf-8"))
FILES = [DEMO / entry["file"] for entry in EXPECTED["files"]]
OUTCOMES = ("registered", "rejected", "already_known", "waiting")


def counted(session: Session, model: type[SQLModel]) -> int:
    return session.execute(select(func.count()).select_from(model)).scalar_one()


def all_counts(engine: Engine) -> dict[str, int]:
    """The number of rows in every table."""
    with read_session(engine) as session:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


@pytest.fixture
def desk(engine: Engine) -> IntakeDesk:
    return open_desk(engine)


@pytest.fixture
def seven_months(engine: Engine, desk: IntakeDesk) -> tuple[IntakeDesk, list[IntakeSummary]]:
    """All 53 manifests, taken in in order as a folder."""
    desk.people = KnownPeople(MALI)
    return desk, desk.take_all(engine, FILES)


def test_the_53_manifests(engine: Engine, seven_months: tuple[IntakeDesk, list[IntakeSummary]]) -> None:
    desk, summaries = seven_months
    totals = {name: sum(getattr(summary, name) for summary in summaries) for name in ("rows", *OUTCOMES)}
    assert totals["rows"] == 5684 + 33 + 56 + 39
    assert totals["rejected"] == 33
    assert totals["already_known"] == 56
    assert totals["registered"] + totals["waiting"] == 5723
    for summary, entry in zip(summaries, EXPECTED["files"], strict=True):
        assert (summary.file, summary.layout, summary.rows) == (entry["file"], entry["layout"], entry["rows"])
        assert Counter(summary.reasons) == Counter(entry["rejected"])
        assert summary.already_known == len(entry["listed_again"])

    with read_session(engine) as session:
        known = select(col(ManifestRow.reason), col(Returnee.reference), col(Manifest.filename)).where(
            col(ManifestRow.outcome) == "already_known",
            col(ManifestRow.case_id) == col(Case.id),
            col(Case.returnee_id) == col(Returnee.id),
            col(Manifest.id) == col(ManifestRow.manifest_id),
        )
        again = Counter((file, reference) for _, reference, file in session.execute(known))
        expected_again = Counter((entry["file"], ref) for entry in EXPECTED["files"] for ref in entry["listed_again"])
        assert again == expected_again

        originals: dict[str, set[str]] = {}
        pairs = select(col(ManifestRow.raw), col(Returnee.reference)).where(
            col(DuplicateCandidate.manifest_row_id) == col(ManifestRow.id),
            col(DuplicateCandidate.returnee_id) == col(Returnee.id),
        )
        for raw, reference in session.execute(pairs):
            originals.setdefault(raw["reference"], set()).add(reference)
        found = [pair for pair in EXPECTED["possible_duplicate_pairs"] if pair[0] in originals.get(pair[1], ())]
        wrongly = originals.keys() - {again for _, again in EXPECTED["possible_duplicate_pairs"]}
        assert len(found) >= 37
        assert len(wrongly) <= 25

        assert counted(session, Case) == counted(session, Returnee) == totals["registered"]
        origins = session.execute(select(col(Case.departure_country), func.count()).group_by(Case.departure_country))
        assert {country for country, _ in origins} == {"LBY", "NER", "DZA"}

    before = all_counts(engine)
    again_summaries = IntakeDesk(desk.caseload).take_all(engine, FILES)
    assert all_counts(engine) == before
    assert all(summary.seen_before for summary in again_summaries)
    assert sum(summary.registered + summary.waiting for summary in again_summaries) == 0
    assert sum(summary.already_known for summary in again_summaries) == totals["rows"] - 33
    assert [summary.reasons for summary in again_summaries] == [dict(summary.reasons) for summary in summaries]


def test_a_file_is_written_as_it_says(engine: Engine, desk: IntakeDesk) -> None:
    header = (
        *HEADER,
        "Référence cas",
        "Région",
        "Cercle",
        "Taille du ménage",
        "Consentement partage",
        "Vulnérabilités",
    )
    moussa = (*MOUSSA, "ML-1", "Kayes", "Kita", 4, "Oui", "Handicap; sans papiers")
    awa = (*AWA, "ML-2", "Atlantis", None, None, "Non", None)
    data = xlsx([header, moussa, awa, (*MOUSSA[:2], "X9", *moussa[3:]), moussa, (), ("TOTAL", None, 4)])
    with write_session(engine) as session:
        session.add_all([Office(code="KAY", name="Bureau fictif de Kayes", regions=["ML01"])])
        summary = desk.take(session, data)
        session.commit()
    assert [getattr(summary, name) for name in ("rows", *OUTCOMES)] == [4, 2, 1, 1, 0]
    assert summary.skipped == {"blank": 1, "total": 1, "repeated_header": 0, "note": 0}

    with read_session(engine) as session:
        manifest = session.execute(select(Manifest)).scalar_one()
        assert (manifest.checksum, manifest.layout, manifest.received_at) == (summary.checksum, "oim", NOW)
        assert manifest.received_by == desk.caseload.staff["intake_officer"].id
        rows = session.execute(select(ManifestRow).order_by(col(ManifestRow.line))).scalars().all()
        assert [(row.line, row.outcome, row.reason) for row in rows] == [
            (2, "registered", None),
            (3, "registered", None),
            (4, "rejected", "bad_sex"),
            (5, "already_known", "already_registered"),
        ]
        assert [row.warnings for row in rows] == [[], ["unknown_place: Région"], [], []]
        assert (rows[2].column, rows[2].found) == ("Sexe", "X9")
        assert rows[2].raw is not None
        assert rows[2].raw["cells"][:3] == ["Traoré", "Moussa", "X9"]
        assert rows[0].raw is None
        cases = session.execute(select(Case).order_by(col(Case.manifest_line))).scalars().all()
        assert [row.case_id for row in rows] == [cases[0].id, cases[1].id, None, cases[0].id]
        first, second = session.execute(select(Returnee).order_by(col(Returnee.reference))).scalars().all()
        assert (first.family_name, first.name_key, first.sex) == ("Traoré", "moussa traore", "male")
        assert (first.birth_date, first.birth_precision) == (date(1990, 5, 12), "exact")
        assert (first.phone, first.vulnerabilities, first.remarks) == ("+22376000001", ["disability"], "sans papiers")
        assert second.remarks == "Région: Atlantis"
        assert [case.region_pcode for case in cases] == ["ML01", None]
        assert [case.district_pcode for case in cases] == ["ML0105", None]
        assert cases[0].office_id == session.execute(select(col(Office.id))).scalar_one()
        assert (cases[0].departure_country, cases[0].arrival_date) == ("LBY", date(2024, 1, 5))
        assert session.execute(select(col(Household.size))).scalars().all() == [4]
        given = select(col(Consent.case_id), col(Consent.purpose), col(Consent.status), col(Consent.source))
        assert {tuple(row) for row in session.execute(given)} == {
            (cases[0].id, "sharing", "given", "manifest"),
            (cases[1].id, "sharing", "refused", "manifest"),
        }
        triggers = session.execute(select(col(JournalRow.trigger)).order_by(col(JournalRow.id))).scalars().all()
        assert triggers == ["register", "register", "identify_vulnerability"]


def test_a_year_of_birth_stays_a_year(engine: Engine, desk: IntakeDesk) -> None:
    with write_session(engine) as session:
        desk.take(session, xlsx([HEADER, (*MOUSSA[:3], 1990, *MOUSSA[4:])]))
        returnee = session.execute(select(Returnee)).scalar_one()
        assert (returnee.birth_date, returnee.birth_precision) == (date(1990, 1, 1), "year")


def test_the_same_people_in_another_file_open_no_second_case(engine: Engine, desk: IntakeDesk) -> None:
    desk.people = KnownPeople(MALI)
    with write_session(engine) as session:
        desk.take(session, xlsx([HEADER, MOUSSA, AWA]))
        session.commit()
    for people in (desk.people, None):
        desk.people = people
        with write_session(engine) as session:
            summary = desk.take(session, csv_text([HEADER, AWA, MOUSSA] if people else [HEADER, MOUSSA]).encode())
            session.commit()
        assert (summary.registered, summary.already_known, summary.seen_before) == (0, summary.rows, False)
    with read_session(engine) as session:
        assert counted(session, Case) == 2


def test_somebody_listed_twice_in_one_file_is_found(engine: Engine, desk: IntakeDesk) -> None:
    misspelt = ("Traore", "Mousa", *MOUSSA[2:])
    with write_session(engine) as session:
        summary = desk.take(session, xlsx([HEADER, MOUSSA, AWA, MOUSSA, misspelt]))
        session.commit()
        assert (summary.registered, summary.already_known, summary.waiting) == (2, 1, 1)
        candidate = session.execute(select(DuplicateCandidate)).scalar_one()
        assert session.get_one(Returnee, candidate.returnee_id).family_name == "Traoré"


def test_somebody_who_waits_already_does_not_wait_twice(engine: Engine, desk: IntakeDesk) -> None:
    header = (*HEADER, "Référence cas")
    misspelt = ("Traore", "Mousa", *MOUSSA[2:], "ML-2")
    for rows in ([(*MOUSSA, "ML-1")], [misspelt], [misspelt, (*AWA, "ML-3")]):
        with write_session(engine) as session:
            summary = desk.take(session, xlsx([header, *rows]))
            session.commit()
    assert (summary.registered, summary.already_known, summary.waiting) == (1, 1, 0)
    with read_session(engine) as session:
        rows_of = select(ManifestRow).where(col(ManifestRow.reason) == "already_waiting")
        assert session.execute(rows_of).scalar_one().case_id is None


def test_a_file_that_cannot_be_read_changes_nothing(engine: Engine, desk: IntakeDesk) -> None:
    before = all_counts(engine)
    for data in (b"PK\x03\x04", csv_text([HEADER, MOUSSA]).replace("M;", "\x00;").encode(), b"", xlsx([MOUSSA, AWA])):
        with write_session(engine) as session:
            with pytest.raises(UnreadableManifest):
                desk.take(session, data)
            session.commit()
    assert all_counts(engine) == before


def test_the_caller_commits(engine: Engine, desk: IntakeDesk) -> None:
    before = all_counts(engine)
    with write_session(engine) as session:
        assert desk.take(session, xlsx([HEADER, MOUSSA])).registered == 1
        session.rollback()
    assert all_counts(engine) == before


def test_a_file_without_people_is_written_down(engine: Engine, desk: IntakeDesk) -> None:
    with write_session(engine) as session:
        summary = desk.take(session, xlsx([HEADER]))
        session.commit()
        assert summary.rows == 0
        assert counted(session, Manifest) == 1


def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(engine: Engine, desk: IntakeDesk) -> None:
    statements: list[int] = []
    number = 0

    @event.listens_for(engine, "before_cursor_execute")
    def count(*_arguments: Any) -> None:
        nonlocal number
        number += 1

    lines = (DEMO / "002-2024-01-05-NER.csv").read_text("cp1252").splitlines()
    header, people = lines[0], lines[1:]
    bad = people[0].replace(";M;", ";X9;")
    for first, last in ((0, 3), (3, 140)):
        number = 0
        misspelt = people[first].replace("ML24-", "ML25-")
        rows = [header, *people[first:last], bad, people[first], misspelt]
        with write_session(engine) as session:
            summary = desk.take(session, "\n".join(rows).encode(), f"{first}.csv")
            session.commit()
        assert [getattr(summary, name) for name in OUTCOMES] == [last - first, 1, 1, 1]
        statements.append(number)
    assert statements[0] == statements[1] > 0


def test_one_file_taken_in_by_several_at_once_is_taken_in_once(
    engine: Engine, desk: IntakeDesk, tmp_path: Path
) -> None:
    data = xlsx([HEADER, MOUSSA, AWA])

    def take(_number: int) -> IntakeSummary:
        with write_session(engine) as session:
            summary = desk.take(session, data)
            session.commit()
            return summary

    with ThreadPoolExecutor(4) as pool:
        summaries = list(pool.map(take, range(4)))
    assert sorted(summary.registered for summary in summaries) == [0, 0, 0, 2]
    with read_session(engine) as session:
        assert counted(session, Case) == 2


def test_summaries_hold_no_personal_data(engine: Engine, desk: IntakeDesk) -> None:
    with write_session(engine) as session:
        summary = desk.take(session, xlsx([HEADER, MOUSSA, (*AWA[:2], "X9", *AWA[3:])]))
    assert not [text for text in ("Traor", "Moussa", "05/1990", "76 00", "Keï", "Awa") if text in repr(summary)]


def test_lines_are_kept_in_order(engine: Engine, desk: IntakeDesk) -> None:
    with write_session(engine) as session:
        desk.take(session, xlsx([HEADER, AWA, (*MOUSSA[:2], "X9", *MOUSSA[3:]), MOUSSA, AWA]))
        lines = session.execute(select(col(ManifestRow.line)).order_by(col(ManifestRow.id))).scalars().all()
    assert all(first < second for first, second in pairwise(lines))
