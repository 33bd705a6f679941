"""Cases through the partner API: what agreement and consent let a partner see now, each look in the person's ledger."""

from __future__ import annotations

import json

import pytest
from api_client import ApiClient, kind_of, open_api
from edges.stream_rows import agree_with, owe_events
from sqlalchemy import Engine
from sqlmodel import Session, select

from integrations.api.pages import cursor_of
from integrations.sharing.ledger import sharing_ledger
from models import Case, Consent, Disclosure, PartnerCase, SharingAgreement
from models.database import read_session, write_session


@pytest.fixture
def client(session: Session, engine: Engine) -> ApiClient:
    """The clinic was shown an event of the case, the workshop was not."""
    opened, _ = open_api(session, engine)
    agree_with(session, "clinique", "atelier", fields=["region", "district", "family_name", "sex"])
    owe_events(opened, 1, "clinique")
    return opened


def code_of(client: ApiClient, by: str = "clinique") -> str:
    return str(client.get("/events", by=by).json()["events"][0]["subject"])


def looks(client: ApiClient) -> list[Disclosure]:
    with read_session(client.engine) as session:
        return list(session.exec(select(Disclosure).order_by(Disclosure.id)).all())  # type: ignore[arg-type]


def change(client: ApiClient, what: type[Consent | SharingAgreement | Case], **values: object) -> None:
    with write_session(client.engine) as session:
        for row in session.exec(select(what)):
            for name, value in values.items():
                setattr(row, name, value)
        session.commit()


def test_a_look_shows_what_agreement_and_consent_allow_and_is_in_the_ledger(client: ApiClient) -> None:
    code = code_of(client)
    answer = client.get(f"/cases/{code}")
    with read_session(client.engine) as session:
        case = session.get_one(Case, client.cases.case_id)
        assert answer.json().keys() == {"code", "state", "details"}
        assert answer.json()["code"] == code
        assert answer.json()["details"]["region"] == case.region_pcode
        assert list(answer.json()["details"]) == ["region", "family_name"], "sex is not in the consent"
        entry = sharing_ledger(session, client.cases.case_id)[-1]
    assert (entry.way, entry.what, entry.partner, entry.at) == ("look", "case", "clinique", client.now)
    assert entry.fields == ["region", "family_name"]
    assert (entry.agreement, entry.withheld) == ("with-clinique", None)
    assert entry.consent


def test_the_state_is_in_the_language_of_the_answer_and_only_for_whoever_is_told_of_each(client: ApiClient) -> None:
    code = code_of(client)
    french = client.get(f"/cases/{code}", headers={"Accept-Language": "fr"})
    english = client.get(f"/cases/{code}", headers={"Accept-Language": "en"})
    assert french.json()["state"]["code"] == english.json()["state"]["code"] == "registered"
    assert french.json()["state"]["title"] != english.json()["state"]["title"]
    assert (english.headers["content-language"], english.headers["vary"]) == ("en", "Accept-Language")
    change(client, SharingAgreement, event_types=["case.closed"])
    assert client.get(f"/cases/{code}").json().keys() == {"code", "details"}


def test_whoever_has_it_already_has_not_looked_again(client: ApiClient) -> None:
    path = f"/cases/{code_of(client)}"
    etag = client.get(path).headers["etag"]
    again = client.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert len(looks(client)) == 1
    change(client, Case, region_pcode="ML08")
    newer = client.get(path, headers={"If-None-Match": etag})
    assert (newer.status_code, newer.json()["details"]["region"]) == (200, "ML08")
    assert len(looks(client)) == 2


def test_what_is_not_allowed_any_more_is_as_unknown_as_what_never_was(client: ApiClient) -> None:
    code = code_of(client)
    unknown = client.get(f"/cases/c-{'a' * 26}")
    assert kind_of(unknown) == "not_found"
    for what, no, yes in (
        (Consent, {"status": "revoked"}, {"status": "given"}),
        (SharingAgreement, {"ended_at": client.now}, {"ended_at": None}),
        (SharingAgreement, {"regions": ["ML09"]}, {"regions": []}),
        (SharingAgreement, {"programmes": ["other"]}, {"programmes": []}),
    ):
        change(client, what, **no)
        answer = client.get(f"/cases/{code}")
        assert answer.json() | {"code": ""} == unknown.json() | {"code": ""}
        assert client.get("/cases").json() == {"cases": [], "next": None}
        change(client, what, **yes)
    assert looks(client) == []
    assert client.get(f"/cases/{code}").status_code == 200


def test_a_case_is_there_under_the_partners_own_code_alone_and_once_it_was_shown_something(client: ApiClient) -> None:
    code = code_of(client)
    assert kind_of(client.get(f"/cases/{code}", by="atelier")) == "not_found"
    assert client.get("/cases", by="atelier").json() == {"cases": [], "next": None}
    owe_events(client, 1, "atelier")
    other = code_of(client, "atelier")
    assert other != code
    assert client.get(f"/cases/{other}", by="atelier").status_code == 200
    assert kind_of(client.get(f"/cases/{other}")) == "not_found"
    with read_session(client.engine) as session:
        real = session.get_one(Case, client.cases.case_id).code
    assert kind_of(client.get(f"/cases/{real}")) == "invalid"


def test_the_list_comes_page_by_page_with_a_look_at_each(client: ApiClient) -> None:
    first = code_of(client)
    codes = [first, *_more_cases(client, 4)]
    found, answer = [], client.get("/cases?limit=2")
    while True:
        found += answer.json()["cases"]
        if answer.json()["next"] is None:
            break
        answer = client.get(answer.headers["link"].split("; ")[0].strip("<>"))
    assert [each["code"] for each in found] == codes
    assert [row.fields for row in looks(client)] == [list(each["details"]) for each in found]
    assert client.get(f"/cases/{first}").json() == found[0]
    etag = client.get("/cases?limit=2").headers["etag"]
    assert client.get("/cases?limit=2", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("place", ["", "x", f"c-{'a' * 26}"])
def test_a_cursor_that_is_none_is_a_problem(client: ApiClient, place: str) -> None:
    assert kind_of(client.get("/cases", params={"cursor": cursor_of("cases", place)})) == "bad_cursor"


def test_no_answer_names_the_case_or_the_person_otherwise(client: ApiClient) -> None:
    text = client.get(f"/cases/{code_of(client)}").text
    with read_session(client.engine) as session:
        case = session.get_one(Case, client.cases.case_id)
        assert case.code not in text
    assert set(json.loads(text)["details"]) <= {"region", "district", "family_name"}


def _more_cases(client: ApiClient, count: int) -> list[str]:
    """The clinic's codes of so many more cases, of people who share as well."""
    with write_session(client.engine) as session:
        caseload = client.cases.caseload
        caseload.session = session
        ids = caseload.register_many(count)
        caseload.agree(ids, purpose="sharing", any_partner=True, information=("name",))
        codes = [f"c-{chr(97 + number) * 26}" for number in range(count)]
        session.add_all(
            PartnerCase(partner_id=client.cases.clinic, case_id=id_, code=code, events=1)
            for id_, code in zip(ids, codes, strict=True)
        )
        session.commit()
    return codes
