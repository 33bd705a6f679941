"""The partner API behind a real server on loopback, asked by a generator of requests: whatever comes, no fault of
Segin's, and no answer that the description does not know."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

import httpx
import pytest
import schemathesis
import uvicorn
from api_client import HERE, ApiClient, kind_of, open_api
from fastapi import FastAPI
from hypothesis import HealthCheck, assume, given, settings
from running_processes import wait_until
from schemathesis import Case, GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from sqlalchemy import Engine
from sqlmodel import Session
from synthetic_cases import START

from deployments.web import create_app
from integrations.api.app import api
from models.settings import Settings

TRIES = 25


class Served(NamedTuple):
    """Where the API answers, a token for it, the codes of five referrals, and whoever asks in process."""

    url: str
    token: str
    codes: list[str]
    client: ApiClient


@pytest.fixture
def served(session: Session, engine: Engine) -> Iterator[Served]:
    """A second goes by with each request: the limits of a token let all of them through."""
    client, codes = open_api(session, engine, referrals=5)
    numbers = count(1)

    def clock() -> datetime:
        return START + timedelta(seconds=next(numbers))

    app = FastAPI()
    app.mount("/v1", api(engine, HERE, clock=clock, new_id=lambda: f"api-{next(numbers)}", readiness=lambda: "ready"))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the server of the API")
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", client.tokens["clinique"], codes, client)
    server.should_exit = True
    thread.join()


def document(served: Served) -> dict[str, object]:
    return dict(httpx.get(f"{served.url}/v1/openapi.json").json())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_is_answered_as_described(served: Served, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(document(served))
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 8
    if mode is GenerationMode.NEGATIVE:  # what takes nothing can be given nothing wrong
        operations = [each for each in operations if each.definition.raw.keys() & {"parameters", "requestBody"}]
        assert len(operations) >= 5
    for operation in operations:
        about = {"code": served.codes[0]} if "{code}" in operation.path and mode is GenerationMode.POSITIVE else None

        @settings(
            max_examples=TRIES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=about))
        def ask(case: Case) -> None:
            # A line break in a path is no path of the API: the application around it says that there is nothing there.
            assume("\n" not in "".join(map(str, case.path_parameters.values())))
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
