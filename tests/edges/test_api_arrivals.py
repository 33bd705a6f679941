"""Arrivals through the partner API: announced or sent as a file, taken in once, rejected by number; who is known, the
sender does not learn. Everybody is made up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from api_client import ApiClient, kind_of, open_api
from manifest_files import AWA, HEADER, MOUSSA, csv_text, xlsx
from sqlalchemy import Engine
from sqlmodel import Session, func, select

from integrations.api import arrivals
from integrations.api.arrivals import FILES, MOST, PersonBody
from integrations.manifests.headers import FIELDS
from models import Case, JournalRow, Manifest, ManifestRow, Returnee
from models.database import read_session
from states.journal import verify_journal

CSV, XLSX = FILES
ENGLISH = {"Accept-Language": "en"}
PERSON: dict[str, Any] = {
    "family_name": "Traoré",
    "given_names": "Moussa",
    "sex": "M",
    "birth_date": "1990-05-12",
    "departure_country": "LBY",
    "arrival_date": "2024-01-05",
    "phone": "76 00 00 01",
    "household_size": 3,
    "vulnerabilities": ["medical"],
    "consent": True,
}
OTHER = PERSON | {"family_name": "Keïta", "given_names": "Awa", "sex": "F", "birth_date": "1995", "phone": None}


@pytest.fixture
def client(session: Session, engine: Engine) -> ApiClient:
    client, _ = open_api(session, engine)
    return client


def announce(client: ApiClient, *people: dict[str, Any], **parts: Any) -> Any:
    return client.post("/arrivals", json={"people": list(people)}, headers=ENGLISH, **parts)


def upload(client: ApiClient, content: bytes, media: str = CSV, **parts: Any) -> Any:
    return client.post("/manifests", content=content, headers=ENGLISH | {"Content-Type": media}, **parts)


def count(client: ApiClient, table: Any) -> int:
    with read_session(client.engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def sheet(*rows: Any) -> bytes:
    return csv_text([HEADER, *rows]).encode()


def test_people_are_taken_in_as_a_manifest_would_be(client: ApiClient) -> None:
    before = count(client, Case)
    given = announce(client, PERSON, OTHER)
    assert given.json() == {"people": 2, "taken": 2, "rejected": 0, "rejections": []}
    with read_session(client.engine) as session:
        cases = session.exec(select(Case).order_by(Case.id)).all()[before:]  # type: ignore[arg-type]
        assert [case.departure_country for case in cases] == ["LBY", "LBY"]
        person = session.get_one(Returnee, cases[0].returnee_id)
        assert (person.family_name, person.sex, person.birth_precision) == ("Traoré", "male", "exact")
        other = session.get_one(Returnee, cases[1].returnee_id)
        assert other.birth_precision == "year"
        manifest = session.exec(select(Manifest)).one()
        assert manifest.filename == f"clinique {given.headers['x-request-id']}"
        assert (manifest.rows, manifest.registered, manifest.layout) == (2, 2, "announcement")
        row = session.exec(select(JournalRow).where(JournalRow.case_id == cases[0].id)).first()
        assert row is not None
        assert (row.role, row.correlation_id) == ("partner", given.headers["x-request-id"])
        assert not verify_journal(session).broken


def test_who_cannot_be_taken_in_is_told_by_number_and_keeps_nobody_out(client: ApiClient) -> None:
    nameless = PERSON | {"family_name": None, "given_names": "  ", "sex": "Secret42"}
    given = announce(client, PERSON, nameless, OTHER | {"arrival_date": "Secret42"})
    assert (given.json()["taken"], given.json()["rejected"]) == (1, 2)
    told = {each["number"]: [reason["code"] for reason in each["reasons"]] for each in given.json()["rejections"]}
    assert told == {1: ["no_name", "bad_sex"], 2: ["bad_date"]}
    bad_date = given.json()["rejections"][1]["reasons"][0]
    assert bad_date["text"] == "This date does not exist or is not understood."
    assert bad_date["expected"].startswith("dd/mm/yyyy")
    for said in ("Secret42", "Keïta", "Moussa"):
        assert said not in given.text


def test_the_same_list_again_changes_nothing_and_has_the_same_answer(client: ApiClient) -> None:
    people = [PERSON, OTHER, PERSON | {"sex": None}]
    first = announce(client, *people)
    cases, rows = count(client, Case), count(client, ManifestRow)
    assert announce(client, *people).json() == first.json()
    assert (count(client, Case), count(client, ManifestRow)) == (cases, rows)


def test_whether_somebody_is_known_the_sender_does_not_learn(client: ApiClient) -> None:
    announce(client, PERSON, by="atelier")
    cases = count(client, Case)
    likely = OTHER | {"family_name": "Keita", "reference": "X-1"}
    announce(client, OTHER, by="atelier")
    known, stranger = announce(client, PERSON), announce(client, likely | {"birth_date": "1971"})
    assert known.json() == stranger.json() == {"people": 1, "taken": 1, "rejected": 0, "rejections": []}
    assert known.headers.keys() == stranger.headers.keys()
    assert count(client, Case) == cases + 2


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_taken_in_once(client: ApiClient, kind: str) -> None:
    rows = (MOUSSA, AWA, (*AWA[:2], "?", *AWA[3:]))
    content = sheet(*rows) if kind == CSV else xlsx([HEADER, *rows])
    before = count(client, Case)
    first = upload(client, content, kind)
    assert (first.json()["people"], first.json()["taken"], first.json()["rejected"]) == (3, 2, 1)
    ((rejection,),) = [first.json()["rejections"]]
    assert (rejection["number"], [each["code"] for each in rejection["reasons"]]) == (4, ["bad_sex"])
    assert upload(client, content, kind).json() == first.json()
    assert upload(client, content, kind, by="atelier").json() == first.json()
    assert (count(client, Case), count(client, Manifest)) == (before + 2, 1)
    assert "Keïta" not in first.text


def test_the_same_request_again_gets_the_same_answer(client: ApiClient) -> None:
    files = [upload(client, sheet(MOUSSA), key="k1") for _ in range(2)]
    lists = [announce(client, OTHER, key="k2") for _ in range(2)]
    for first, again in (files, lists):
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert kind_of(upload(client, sheet(AWA), key="k1")) == "key_reused"
    assert count(client, Manifest) == 2


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty", "Ask the sender"),
        (b"\x89PNG Secret42", "other_format", "the content is PNG"),
        (b"Secret42;Traore\nMoussa;M\n", "no_header", "The table must have the columns"),
        (b"Nom;Sexe;Pays de d\xc3\xa9part;Secret42\nA;M;Niger;x\n", "missing_columns", "Prénom(s)"),
        (xlsx([HEADER, MOUSSA], [HEADER, AWA]), "several_tables", "in a file of its own"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do_and_repeats_nothing(
    client: ApiClient, content: bytes, code: str, said: str
) -> None:
    wrong = upload(client, content)
    assert kind_of(wrong) == "invalid"
    (error,) = wrong.json()["errors"]
    assert error["at"] == f"body.{code}"
    assert said in error["text"]
    assert not re.search(r"Secret42|Traore|Moussa|Sheet|[{}]", error["text"])
    assert count(client, Manifest) == 0
    assert upload(client, sheet(MOUSSA), key="k1").status_code == 200


def test_a_file_of_another_type_or_size_is_not_read(client: ApiClient) -> None:
    json_sent = upload(client, b"{}", "application/json")
    assert kind_of(json_sent) == "unsupported_type"
    assert CSV in json_sent.json()["detail"]
    assert kind_of(announce_as(client, CSV)) == "unsupported_type"
    assert kind_of(upload(client, b"x" * 1_000_001)) == "too_large"


def announce_as(client: ApiClient, media: str) -> Any:
    body = b'{"people": [{"family_name": "Traor"}]}'
    return client.post("/arrivals", content=body, headers={"Content-Type": media})


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"Secret42": "x"}, "body.people.1"),
        ({"sex": 7}, "body.people.1.sex"),
        ({"household_size": "3"}, "body.people.1.household_size"),
        ({"consent": "oui"}, "body.people.1.consent"),
        ({"family_name": "Secret42" * 100}, "body.people.1.family_name"),
    ],
)
def test_a_person_who_is_malformed_is_told_by_number_and_nobody_is_taken_in(
    client: ApiClient, changes: dict[str, Any], at: str
) -> None:
    wrong = announce(client, PERSON, OTHER | changes)
    assert kind_of(wrong) == "invalid"
    assert [each["at"] for each in wrong.json()["errors"]] == [at]
    assert "Secret42" not in wrong.text
    assert count(client, Manifest) == 0


def test_while_another_list_is_taken_in_the_next_is_asked_to_wait(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_PATIENCE", 0.01)
    with arrivals._one_list():
        waiting = announce(client, PERSON, key="k1")
    assert kind_of(waiting) == "unavailable"
    assert waiting.headers["retry-after"] == "5"
    assert announce(client, PERSON, key="k1").json()["taken"] == 1


def test_a_list_has_an_end(client: ApiClient) -> None:
    assert kind_of(announce(client)) == "invalid"
    assert kind_of(announce(client, *[{"sex": "M"}] * (MOST + 1))) == "invalid"


def test_a_person_has_the_fields_of_a_manifest() -> None:
    assert tuple(PersonBody.model_fields) == FIELDS
