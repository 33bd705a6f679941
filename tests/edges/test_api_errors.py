"""What goes wrong inside is a problem outside, which says nothing of what was at hand: no name and no statement."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from api_client import ApiClient, kind_of, open_api
from sqlalchemy import Engine
from sqlmodel import Session

from models import LockedByAnotherRun, SeginError, WrongUse
from models.database import create_engine_for, write_session

AWAY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def client(session: Session, sqlite_engine: Engine) -> ApiClient:
    return open_api(session, sqlite_engine)[0]


@pytest.fixture
def session(sqlite_engine: Engine) -> Iterator[Session]:
    """Which database it is makes no difference here."""
    with write_session(sqlite_engine) as opened:
        yield opened


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("Famille1"), "failed"),
        (RecursionError("Famille1"), "failed"),
        (WrongUse("This is not it.", "Ce n'est pas cela."), "wrong_use"),
        (LockedByAnotherRun("Somebody is at work.", "Quelqu'un est à l'œuvre."), "unavailable"),
        (SeginError("This cannot be done.", "Ceci est impossible."), "refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_becomes_a_problem_in_words(client: ApiClient, error: Exception, kind: str) -> None:
    def fails() -> None:
        raise error

    client.app.add_api_route("/fails", fails)
    with structlog.testing.capture_logs() as logged:
        answer = client.get("/fails", headers={"Accept-Language": "en"})
    assert kind_of(answer) == kind
    assert "Famille1" not in answer.text
    if isinstance(error, SeginError):
        assert answer.json()["detail"] == error.message_en
    faults = [entry for entry in logged if entry["log_level"] == "error"]
    assert [entry["event"] for entry in faults] == (["api.failed"] if kind == "failed" else [])
    (line,) = [entry for entry in logged if entry["event"] == "api.answered"]
    assert (line["route"], line["status_code"]) == ("/fails", answer.status_code)


def test_a_database_that_is_away_is_unavailable_for_now(client: ApiClient) -> None:
    engine = create_engine_for(AWAY)
    away = ApiClient(engine, client.cases, client.tokens)
    answer = away.get("/me")
    engine.dispose()
    assert kind_of(answer) == "unavailable"
    assert answer.headers["retry-after"] == "2"
    assert not any(word in answer.text for word in ("nobody", "127.0.0.1", "partner_token"))


def test_the_log_names_the_route_and_never_the_path(client: ApiClient) -> None:
    with structlog.testing.capture_logs() as logged:
        client.get("/referrals/0000-0000-0000-0?x=Famille1")
    assert [entry["route"] for entry in logged] == ["/referrals/{code}"]
    assert "0000-0000" not in str(logged)
    assert "Famille1" not in str(logged)
