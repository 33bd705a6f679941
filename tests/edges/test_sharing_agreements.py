"""Agreements: what their files may say, their versions, and which are in force."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from edges.sharing_rows import partner
from edges.webhook_outbox import NOW, open_cases, statements
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.sharing.agreement_file import Agreement, parse_agreement, read_agreement
from integrations.sharing.agreements import (
    agreement_versions,
    agreements_in_force,
    end_agreement,
    list_agreements,
    record_agreement,
)
from integrations.sharing.covering import Reason
from models import Partner, SharingAgreement, WrongUse
from models.database import write_session
from models.shared_fields import SHARED_FIELDS
from states.moves import Actor
from states.pathways.problems import FileProblems
from states.pathways.source import MAX_BYTES

TODAY = date(2024, 3, 5)
DOCS = Path(__file__).parents[2] / "docs" / "sharing.md"
FILE = """\
code: clinic-health
partner: clinic
title: Soins (fictif)
purpose: sharing
event_types: [referral.made, case.closed]
regions: [ML02, ML01]
programmes: [test]
fields: [region, family_name]
sensitive_fields: [referral_reason]
valid_from: 2024-01-01
valid_until: 2024-12-31
"""


@pytest.fixture
def clinic(session: Session) -> Partner:
    """The partner of the file; the pathway `test` is published."""
    open_cases(session, 1)
    return partner(session, "clinic")


def add(session: Session, text: str = FILE, **days: int) -> tuple[SharingAgreement, bool]:
    return record_agreement(
        session,
        parse_agreement(text, "clinic.yaml"),
        regions={"ML01", "ML02", "ML03"},
        actor=Actor(role="coordinator"),
        now=NOW + timedelta(**days),
    )


def codes(session: Session, *partners: Partner, day: date = TODAY) -> list[int]:
    return [each.agreement_id for each in agreements_in_force(session, [each.id or 0 for each in partners], day)]


def test_a_file_becomes_the_first_version_and_the_same_again_no_other(session: Session, clinic: Partner) -> None:
    first, new = add(session)
    assert (new, first.version, first.partner_id, first.regions) == (True, 1, clinic.id, ["ML01", "ML02"])
    assert (first.acknowledge_within, first.valid_until, first.created_at) == ("P3D", date(2024, 12, 31), NOW)
    again, new = add(session, FILE.replace("[ML02, ML01]", "[ML01, ML02]"))
    assert (new, again.id) == (False, first.id)
    second, new = add(session, FILE.replace("[region, family_name]", "[region]"))
    assert (new, second.version) == (True, 2)
    (terms,) = agreements_in_force(session, [clinic.id or 0], TODAY)
    assert (terms.agreement_id, terms.fields) == (second.id, ("region", "referral_reason"))
    assert terms.event_types == {"referral.made", "case.closed"}
    assert [(each.version, each.in_force) for each in agreement_versions(session, "clinic-health", TODAY)] == [
        *((2, True), (1, False)),
    ]
    (line,) = list_agreements(session, TODAY)
    assert (line.version, line.partner, line.in_force) == (2, "clinic", True)


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2023, 12, 31), 0), (date(2024, 1, 1), 1), (date(2024, 12, 31), 1), (date(2025, 1, 1), 0)],
)
def test_an_agreement_is_in_force_from_its_first_day_to_its_last(
    session: Session, clinic: Partner, day: date, count: int
) -> None:
    add(session)
    assert len(codes(session, clinic, day=day)) == count
    assert [each.in_force for each in list_agreements(session, day)] == [count == 1]


def test_what_is_ended_is_in_force_no_more_until_it_is_added_again(session: Session, clinic: Partner) -> None:
    first, _ = add(session)
    ended = [end_agreement(session, "clinic-health", actor=Actor("chief", id_), now=NOW) for id_ in (None, 4711)]
    assert ended == [True, False]
    assert codes(session, clinic) == []
    assert [each.in_force for each in list_agreements(session, TODAY)] == [False]
    second, new = add(session)
    assert (new, second.version, codes(session, clinic)) == (True, 2, [second.id])
    assert session.get_one(SharingAgreement, first.id, populate_existing=True).ended_at == NOW


def test_a_newer_version_that_begins_later_leaves_nothing_in_force_until_then(
    session: Session, clinic: Partner
) -> None:
    add(session)
    later, _ = add(session, FILE.replace("2024-01-01", "2024-06-01"))
    assert codes(session, clinic) == []
    assert codes(session, clinic, day=date(2024, 6, 1)) == [later.id]


def test_agreements_of_many_partners_take_one_statement(engine: Engine) -> None:
    with write_session(engine) as session:
        open_cases(session, 1)
        names = [f"clinic-{number}" for number in range(30)]
        for name in names:
            partner(session, name)
            add(session, FILE.replace("partner: clinic", f"partner: {name}").replace("clinic-health", name))
        session.commit()
    with write_session(engine) as session:
        partners = session.exec(select(Partner).order_by(col(Partner.id))).all()
        with statements(engine) as seen:
            assert len(codes(session, *partners)) == len(names)
        assert len(seen) == 1
        assert codes(session, *partners[:2]) == codes(session, *partners)[:2]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("partner: clinic", "partner: nobody", 2, "no partner has the code 'nobody'"),
        ("ML01", "ML99", 6, "there is no 'ML99'"),
        ("[test]", "[tset]", 7, "there is no 'tset'"),
    ],
)
def test_what_only_the_database_knows_is_refused_with_its_line(
    session: Session, clinic: Partner, old: str, new: str, line: int, said: str
) -> None:
    with pytest.raises(FileProblems) as refused:
        add(session, FILE.replace(old, new))
    (problem,) = refused.value.problems
    assert (problem.line, said in problem.what.en) == (line, True)
    assert problem.what.fr != problem.what.en
    assert session.exec(select(SharingAgreement)).all() == []


def test_a_code_stays_with_its_partner(session: Session, clinic: Partner) -> None:
    add(session)
    partner(session, "other")
    with pytest.raises(FileProblems, match="another partner"):
        add(session, FILE.replace("partner: clinic", "partner: other"))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("case.closed", "case.vanished", 5, "there is no 'case.vanished'"),
        ("family_name]", "shoe_size]", 8, "there is no 'shoe_size'"),
        ("family_name]", "vulnerabilities]", 8, "List it under sensitive_fields"),
        ("family_name]", "region]", 8, "twice"),
        ("[referral_reason]", "[referral_reason, region]", 9, "twice"),
        ("case.closed", "referral.made", 5, "twice"),
        ("2024-12-31", "2023-12-31", 11, "end before it begins"),
        ("2024-12-31", "20241231", 11, "a date like 2024-12-25"),
        ("2024-12-31", "2024-02-31", 11, "valid_until"),
        ("purpose: sharing", "purpose: curiosity", 4, "'assistance' or 'sharing'"),
        ("title: Soins (fictif)", "title: ''", 3, "title"),
        ("[ML02, ML01]", "[]", 6, "at least 1"),
        ("[test]", "[]", 7, "at least 1"),
        ("partner: clinic\n", "", 1, "'partner' is missing"),
        ("partner: clinic", "partner: clinic\nshares: all", 3, "docs/sharing.md"),
        ("code: clinic-health", "code: Clinic Health", 1, "cannot stand here"),
        *(
            ("programmes: [test]", f"acknowledge_within: {duration}", 7, "no duration")
            for duration in ("3 days", "P0D", "14 working days", "P1DT1H", "7", "-P1D")
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(FileProblems) as refused:
        parse_agreement(FILE.replace(old, new), "clinic.yaml")
    assert [each.line for each in refused.value.problems] == [line]
    (problem,) = refused.value.problems
    assert said in str(problem)
    assert problem.in_("fr") != problem.in_("en")
    assert "pathway.md" not in problem.in_("fr")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = (
        FILE.replace("case.closed", "case.vanished").replace("family_name]", "priority]").replace("2024-12", "2020-12")
    )
    with pytest.raises(FileProblems) as refused:
        parse_agreement(text, "clinic.yaml")
    assert [each.code for each in refused.value.problems] == ["unknown", "sensitive", "ends_first"]


@pytest.mark.parametrize("hostile", ["&a [*a]", "!!python/object:os.system ls", "[" * 100, "a: b: c", "\x00"])
def test_hostile_files_are_refused_in_words(hostile: str) -> None:
    with pytest.raises(FileProblems):
        parse_agreement(f"code: {hostile}\n", "clinic.yaml")


def test_files_are_read_no_further_than_they_may_be_long(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(FileProblems, match="large"):
        read_agreement(large)
    with pytest.raises(WrongUse, match="cannot be read"):
        read_agreement(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(FILE.replace("Soins", "Santé").encode("latin-1"))
    with pytest.raises(FileProblems):
        read_agreement(latin)


def test_an_unknown_agreement_is_told(session: Session) -> None:
    with pytest.raises(WrongUse, match="no agreement none"):
        end_agreement(session, "none", actor=Actor("coordinator"), now=NOW)
    with pytest.raises(WrongUse, match="no agreement none"):
        agreement_versions(session, "none", TODAY)


def test_the_guide_has_every_key_field_and_reason_and_its_example_is_read() -> None:
    text = DOCS.read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    assert parse_agreement(example[1], "example.yaml").agreement.model_fields_set == set(Agreement.model_fields)
    assert set(yaml.safe_load(example[1])) == set(Agreement.model_fields)
    for name, field in SHARED_FIELDS.items():
        information = f"`{field.information}`" if field.information else "–"
        assert f"| `{name}` | {field.en} | {information} | {'yes' if field.sensitive else ''} |" in text
    documented = re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \|", text, re.MULTILINE)
    known = {*Agreement.model_fields, *SHARED_FIELDS, *(each.value for each in Reason)}
    assert {name for row in documented for name in row if name} == known
