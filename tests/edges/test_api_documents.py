"""What is served without a token: the schema that each event names, the types of events, and both descriptions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_client import HERE, ApiClient, kind_of, open_api
from edges.stream_rows import agree_with, owe_events
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator
from sqlalchemy import Engine
from sqlmodel import Session

from integrations.catalogue.asyncapi import asyncapi
from integrations.catalogue.schemas import published
from models.database import write_session
from models.events import CATALOGUE


@pytest.fixture
def client(session: Session, sqlite_engine: Engine) -> ApiClient:
    return open_api(session, sqlite_engine)[0]


@pytest.fixture
def session(sqlite_engine: Engine) -> Iterator[Session]:
    """Nothing of it is in the database."""
    with write_session(sqlite_engine) as opened:
        yield opened


def path_of(address: str) -> str:
    """The path of the API that has this address."""
    assert address.startswith(f"{HERE.public_url}/v1/")
    return address.removeprefix(f"{HERE.public_url}/v1")


def test_an_event_names_the_schema_that_takes_it(client: ApiClient, session: Session) -> None:
    agree_with(session, "clinique")
    owe_events(client, 1, "clinique")
    (event,) = client.get("/events").json()["events"]
    address, _, pointer = event["dataschema"].partition("#")
    answer = client.get(path_of(address), by=None)
    assert answer.headers["content-type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$id"] == address
    Draft202012Validator(schema).validate(event)
    part = schema
    for step in pointer.split("/")[1:]:
        part = part[step]
    Draft202012Validator(part).validate(event["data"])


def test_each_version_of_each_type_has_its_schema_and_nothing_else_has(client: ApiClient) -> None:
    for event_type, version in published():
        schema = client.get(f"/schemas/{event_type}/{version}", by=None).json()
        assert path_of(schema["$id"]) == f"/schemas/{event_type}/{version}"
        client.later(minutes=1)
    for nothing in ("case.deleted/1", "case.arrived/99"):
        assert kind_of(client.get(f"/schemas/{nothing}", by=None)) == "not_found"
    assert kind_of(client.get("/schemas/case.arrived/0", by=None)) == "invalid"
    assert kind_of(client.get("/schemas/", by=None)) == "not_found"
    assert kind_of(client.get("/schemas/../me", by=None)) == "token_missing"


def test_the_types_of_events_are_listed_in_the_language_that_is_asked_for(client: ApiClient) -> None:
    french, english = (
        client.get("/event-types", by=None, headers={"Accept-Language": language}) for language in ("fr", "en")
    )
    for answer, titles in (
        (french, [kind.fr for kind in CATALOGUE.values()]),
        (english, [kind.en for kind in CATALOGUE.values()]),
    ):
        said = answer.json()["event_types"]
        assert [each["type"] for each in said] == list(CATALOGUE)
        assert [each["title"] for each in said] == titles
        assert [(each["asks"], each["takes_back"]) for each in said] == [
            (kind.asks, kind.takes_back) for kind in CATALOGUE.values()
        ]
        assert answer.headers["vary"] == "Accept-Language"
    assert french.headers["etag"] != english.headers["etag"]


def test_both_descriptions_are_whole(client: ApiClient) -> None:
    document = client.get("/openapi.json", by=None).json()
    assert list(document["webhooks"]) == list(CATALOGUE)
    assert "/events" in document["paths"]
    described = OpenAPI.model_validate(document)
    assert described.webhooks is not None
    names = [
        said["operationId"]
        for part in ("paths", "webhooks")
        for item in document[part].values()
        for said in item.values()
    ]
    assert len(set(names)) == len(names)
    assert client.get("/asyncapi.json", by=None).json() == asyncapi(HERE.public_url)


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/event-types", "/schemas/case.arrived/1"])
def test_a_document_may_be_kept_and_is_not_sent_again(client: ApiClient, path: str) -> None:
    first = client.get(path, by=None)
    assert (first.status_code, first.headers["cache-control"]) == (200, "public, max-age=3600")
    again = client.get(path, by=None, headers={"If-None-Match": f"W/{first.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/me").headers["cache-control"] == "no-store"
    assert client.get("/me", by=None).headers["cache-control"] == "no-store"
