"""The partner API behind a real server on loopback, asked by a generator of requests: whatever comes, no fault of
Segin's, and no answer that the description does not know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple
from urllib.parse import unquote

import httpx
import pytest
import schemathesis
from api_client import ApiClient, kind_of, open_api
from edges.api_server import serve
from edges.stream_rows import agree_with, owe_events
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from sqlalchemy import Engine
from sqlmodel import Session
from synthetic_cases import START

from deployments.web import create_app
from models.settings import Settings

TRIES = 25


class Served(NamedTuple):
    """Where the API answers, a token for it, the codes of five referrals, an event, and whoever asks in process."""

    url: str
    token: str
    codes: list[str]
    event: dict[str, str]
    client: ApiClient

    def thing_in(self, path: str) -> dict[str, str] | None:
        """What there is of it in the room of this path, if the path asks for one."""
        things = {"referrals": self.codes[0], "events": self.event["id"], "cases": self.event["subject"]}
        thing = things.get(path.split("/")[1], "")
        return {name: thing for name in ("code", "id") if f"{{{name}}}" in path} or None


@pytest.fixture
def served(session: Session, engine: Engine) -> Iterator[Served]:
    """A second goes by with each request: the limits of a token let all of them through."""
    client, codes = open_api(session, engine, referrals=5)
    numbers = count(1)

    def clock() -> datetime:
        return START + timedelta(seconds=next(numbers))

    agree_with(session, "clinique")
    owe_events(client, 1, "clinique")  # whoever waits has something at once
    (event,) = client.get("/events").json()["events"]
    with serve(engine, clock) as serving:
        yield Served(serving.url.removesuffix("/v1"), client.tokens["clinique"], codes, event, client)


def document(served: Served) -> dict[str, object]:
    return dict(httpx.get(f"{served.url}/v1/openapi.json").json())


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_is_answered_as_described(served: Served, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(document(served))
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 8
    if mode is GenerationMode.NEGATIVE:  # what takes nothing can be given nothing wrong
        operations = [each for each in operations if each.definition.raw.keys() & {"parameters", "requestBody"}]
        assert len(operations) >= 5
    for operation in operations:
        about = served.thing_in(operation.path) if mode is GenerationMode.POSITIVE else None

        @settings(
            max_examples=TRIES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=about))
        def ask(case: Case) -> None:
            # A line break in a path is no path of the API: the application around it says that there is nothing there.
            assume("\n" not in unquote("".join(map(str, case.path_parameters.values()))))
            case.call_and_validate(
                base_url=f"{served.url}/v1",
                headers={"Authorization": f"Bearer {served.token}"},
                # A referral is accepted once, however well it is asked; a parameter that nobody knows is let be.
                excluded_checks=[positive_data_acceptance, negative_data_rejection],
            )

        ask()


def test_a_real_client_works_through_its_referrals(served: Served) -> None:
    with httpx.Client(base_url=f"{served.url}/v1", headers={"Authorization": f"Bearer {served.token}"}) as client:
        page = client.get("/referrals", params={"status": "in_progress", "limit": 3})
        following = client.get(page.links["next"]["url"].removeprefix("/v1")).json()
        codes = [each["code"] for each in (*page.json()["referrals"], *following["referrals"])]
        assert codes == served.codes
        for number, code in enumerate(codes):
            version = client.get(f"/referrals/{code}").headers["etag"]
            key = {"Idempotency-Key": f"accept-{number}", "If-Match": version}
            assert client.post(f"/referrals/{code}/acceptance", headers=key).json()["status"] == "accepted"
        assert client.get("/referrals", params={"status": "in_progress"}).json()["referrals"] == []


def test_a_request_that_breaks_off_or_is_too_large_leaves_the_server_well(served: Served) -> None:
    path = f"{served.url}/v1/referrals/{served.codes[0]}/rejection"
    headers = {"Authorization": f"Bearer {served.token}", "Idempotency-Key": "k"}

    def breaks_off() -> Iterator[bytes]:
        yield b'{"reason":'
        raise ConnectionError

    with pytest.raises(ConnectionError):
        httpx.post(path, headers=headers, content=breaks_off())
    huge = httpx.post(path, headers=headers, content=b"x" * 1_000_001)
    assert kind_of(huge) == "too_large"
    assert httpx.get(f"{served.url}/v1/health/live").json() == {"status": "alive"}


def test_the_web_process_serves_it_beside_its_own_pages(session: Session, engine: Engine) -> None:
    client, _ = open_api(session, engine)
    client.app = create_app(Settings(), engine)
    assert kind_of(client.get("/v1/me", by=None)) == "token_missing"
    assert client.get("/v1/health/live", by=None).json() == {"status": "alive"}
    assert client.get("/openapi.json", by=None).status_code == 404
    # The token of 2024 has come to its end on this machine's clock.
    assert kind_of(client.get("/v1/me")) == "token_expired"
