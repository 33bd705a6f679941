"""The partner API keeps its doors: every route asks for a token and its scope, and what is another's is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from api_client import HERE, ApiClient, kind_of, open_api
from edges.stream_rows import agree_with, owe_events
from sqlalchemy import Engine
from sqlmodel import Session, select

from integrations.api.app import api
from integrations.api.gate import PUBLIC, is_public
from integrations.api.scopes import SCOPES
from models import ApiRequest, Partner, PartnerEvent, Referral
from models.database import read_session, write_session

BODIES: dict[str, Any] = {
    "reject_referral": {"reason": "no_capacity"},
    "progress_referral": {"progress": "begun"},
    "report_attendance": {
        "entries": [{"referral": "0000-0000-0000-0", "course": "C-1", "day": "2024-01-08", "present": True}]
    },
    "report_certificate": {"course": "C-1", "number": "7"},
    "report_delivery": {"reference": "BL-1"},
    "report_visit": {"months": 3, "outcome": "well"},
    "announce_arrivals": {"people": [{"sex": "M"}]},
}


class Operation(NamedTuple):
    """A route as the OpenAPI document has it."""

    name: str
    method: str
    path: str
    scopes: list[str]
    statuses: set[str]


def _operations() -> list[Operation]:
    schema = api(None, HERE, clock=None, new_id=None, readiness=None).openapi()  # type: ignore[arg-type]
    return [
        Operation(
            said["operationId"],
            method.upper(),
            path,
            [scope for each in said.get("security", ()) for scope in each["HTTPBearer"]],
            set(said["responses"]),
        )
        for path, methods in schema["paths"].items()
        for method, said in methods.items()
    ]


OPERATIONS = _operations()
GUARDED = [each for each in OPERATIONS if not is_public(each.path)]
NAMES = [each.name for each in GUARDED]
OF_ONE = [each for each in GUARDED if "{" in each.path]


class Door(NamedTuple):
    """The API, and one thing of the clinic in each room that has any: what stands for it in the room's paths."""

    client: ApiClient
    things: dict[str, str]

    def try_(self, operation: Operation, **parts: Any) -> httpx.Response:
        thing = self.things.get(operation.path.split("/")[1], "")
        path = operation.path.format(code=thing, id=thing)
        if operation.method == "GET":
            return self.client.get(path, **parts)
        if operation.name == "upload_manifest":
            csv = "Nom,Prénom,Sexe,Date de naissance,Pays de départ,Date d'arrivée\n"
            return self.client.post(path, content=csv, headers={"Content-Type": "text/csv"}, **parts)
        return self.client.post(path, json=BODIES.get(operation.name), **parts)


NOTHING = {"referrals": "0000-0000-0000-0", "events": f"evt-{'a' * 26}", "cases": f"c-{'a' * 26}"}


@pytest.fixture
def door(session: Session, sqlite_engine: Engine) -> Door:
    client, (code,) = open_api(session, sqlite_engine, referrals=1)
    agree_with(session, "clinique")
    owe_events(client, 1, "clinique")
    (event,) = client.get("/events").json()["events"]
    return Door(client, {"referrals": code, "events": event["id"], "cases": event["subject"]})


@pytest.fixture
def session(sqlite_engine: Engine) -> Iterator[Session]:
    """Which database it is makes no difference here."""
    with write_session(sqlite_engine) as opened:
        yield opened


def test_the_walk_sees_every_route() -> None:
    assert {"list_events", "show_event", "acknowledge_event", "list_cases", "show_case"} <= {*NAMES}
    assert {"me", "list_referrals", "show_referral", "accept_referral", "reject_referral", "complete_referral"} <= {
        *NAMES
    }
    assert {each.path for each in OPERATIONS} >= PUBLIC


@pytest.mark.parametrize("operation", GUARDED, ids=NAMES)
def test_without_a_token_nothing_is_to_be_had(door: Door, operation: Operation) -> None:
    answer = door.try_(operation, by=None)
    assert kind_of(answer) == "token_missing"
    assert answer.headers["www-authenticate"] == 'Bearer realm="segin"'


@pytest.mark.parametrize("operation", GUARDED, ids=NAMES)
def test_a_token_without_the_scope_is_refused(door: Door, operation: Operation) -> None:
    others = [scope for scope in SCOPES if scope not in operation.scopes]
    answer = door.try_(operation, by=door.client.token("clinique", others))
    if operation.scopes:
        assert kind_of(answer) == "scope_missing"
    else:
        assert answer.status_code == 200
    right = door.try_(operation, by=door.client.token("clinique", operation.scopes or others))
    assert right.status_code in (200, 409)


@pytest.mark.parametrize("operation", OF_ONE, ids=[each.name for each in OF_ONE])
def test_what_is_another_partners_is_as_unknown_as_what_does_not_exist(door: Door, operation: Operation) -> None:
    others = door.try_(operation, by="atelier")
    nobodys = Door(door.client, NOTHING).try_(operation, by="atelier")
    assert kind_of(others) == kind_of(nobodys) == "not_found"
    assert others.json() | {"code": ""} == nobodys.json() | {"code": ""}
    with read_session(door.client.engine) as session:
        assert session.exec(select(Referral.status)).all() == ["in_progress"]
        assert session.exec(select(ApiRequest)).all() == []
        assert session.exec(select(PartnerEvent.acknowledged_at)).all() == [None]


@pytest.mark.parametrize("operation", GUARDED, ids=NAMES)
def test_a_paused_partner_is_told_so(door: Door, session: Session, operation: Operation) -> None:
    session.exec(select(Partner).where(Partner.code == "clinique")).one().active = False
    session.commit()
    assert kind_of(door.try_(operation)) == "partner_paused"


@pytest.mark.parametrize("operation", GUARDED, ids=NAMES)
def test_each_route_documents_what_any_route_can_answer(operation: Operation) -> None:
    assert {"200", "400", "401", "403", "413", "422", "429", "500", "503"} <= operation.statuses
    if operation.method != "GET":
        assert {"409", "412", "415"} <= operation.statuses


def test_a_path_that_does_not_exist_says_nothing_to_strangers_and_404_to_partners(door: Door) -> None:
    assert kind_of(door.client.get("/cases", by=None)) == "token_missing"
    assert kind_of(door.client.get("/no-such-thing")) == "not_found"
    wrong = door.client.call("DELETE", "/me")
    assert kind_of(wrong) == "method_not_allowed"
    assert wrong.headers["allow"] == "GET"


def test_me_says_whose_token_it_is(door: Door) -> None:
    said = door.client.get("/me").json()
    assert said["partner"] == {"code": "clinique", "name": "Fictif"}
    assert said["token"]["scopes"] == sorted(SCOPES)
    assert said["token"]["prefix"] == door.client.tokens["clinique"].partition(".")[0]
    assert said["token"]["expires_at"].startswith("2025-01-07")


def test_health_needs_no_token_and_says_one_word(door: Door) -> None:
    assert door.client.get("/health/live", by=None).json() == {"status": "alive"}
    for word, status in (("ready", 200), ("degraded", 200), ("unready", 503)):
        door.client.readiness = word
        answer = door.client.get("/health/ready", by=None)
        assert (answer.status_code, answer.json()) == (status, {"status": word})


def test_the_description_is_openapi_3_1_and_names_the_scope_of_each_route(door: Door) -> None:
    document = door.client.get("/openapi.json", by=None).json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/v1"}]
    accept = document["paths"]["/referrals/{code}/acceptance"]["post"]
    assert accept["security"] == [{"HTTPBearer": ["referrals:write"]}]
    assert {each["name"].lower() for each in accept["parameters"]} == {"code", "idempotency-key", "if-match"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
