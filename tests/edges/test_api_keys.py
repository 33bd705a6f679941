"""Idempotency keys where two meet, and what is kept under one when the work ends in an error. All of it synthetic."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Annotated, Any

import pytest
from api_client import ApiClient, kind_of, open_api
from fastapi import Depends, Response
from sqlalchemy import Engine, event, text
from sqlmodel import Session, col, select
from synthetic_cases import START

from integrations.api.calls import Write, writes
from integrations.api.problems import Problem
from integrations.api.requests import Answer, answer_of, claim, keep
from models import ApiRequest, Partner, SeginError, WrongUse
from models.database import read_session, write_session

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")


@pytest.fixture
def partner_id(session: Session) -> int:
    partner = Partner(code="clinique", name="Fictif", created_at=START)
    session.add(partner)
    session.commit()
    return partner.id or 0


def taken(session: Session, partner_id: int) -> tuple[ApiRequest, bool]:
    return claim(session, partner_id=partner_id, key="k1", digest="d", now=START)


@pytest.mark.parametrize("kept", [True, False])
def test_of_two_processes_with_one_key_the_second_waits_for_what_becomes_of_the_first(
    engine: Engine, partner_id: int, kept: bool
) -> None:
    found: list[tuple[bool, Any]] = []

    def second() -> None:
        with write_session(engine) as session:
            row, fresh = taken(session, partner_id)
            found.append((fresh, None if fresh else answer_of(row)))

    given = Answer(200, "{}", {"ETag": '"x"'})
    thread = Thread(target=second)
    with write_session(engine) as session:
        row, fresh = taken(session, partner_id)
        assert fresh
        keep(session, row, given)
        session.flush()
        thread.start()
        if engine.dialect.name == "postgresql":
            while thread.is_alive() and not session.connection().scalar(WAITING):
                thread.join(timeout=0.01)  # until it waits for this one, or has passed
        assert found == []
        if kept:
            session.commit()
    thread.join(timeout=60)
    assert found == [(False, given) if kept else (True, None)]


@pytest.mark.postgres
def test_a_key_that_is_forgotten_while_it_is_asked_for_is_to_be_asked_for_again(
    postgres_engine: Engine,
) -> None:
    with write_session(postgres_engine) as session:
        session.add(partner := Partner(code="clinique", name="Fictif", created_at=START))
        session.flush()
        partner_id = partner.id or 0
        row, _ = taken(session, partner_id)
        keep(session, row, Answer(200, "{}", {}))
        session.commit()

    @event.listens_for(postgres_engine, "after_cursor_execute")
    def forgets(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO api_request"):
            with postgres_engine.begin() as other:
                other.execute(text("DELETE FROM api_request"))

    with write_session(postgres_engine) as session, pytest.raises(Problem) as raised:
        taken(session, partner_id)
    assert (raised.value.kind, raised.value.headers) == ("still_running", {"Retry-After": "1"})


def refused_problem() -> None:
    raise Problem("refused")


def refused_error() -> None:
    raise SeginError("This cannot be done.", "Ceci est impossible.")


def wrong_use() -> None:
    raise WrongUse("This is not it.", "Ce n'est pas cela.")


@pytest.mark.parametrize(
    ("fails", "kind", "kept"),
    [
        (refused_problem, "refused", True),
        (refused_error, "refused", True),
        (wrong_use, "wrong_use", False),
    ],
)
def test_what_is_refused_is_kept_and_its_work_is_undone(
    sqlite_engine: Engine, fails: Callable[[], None], kind: str, kept: bool
) -> None:
    with write_session(sqlite_engine) as opened:
        client: ApiClient = open_api(opened, sqlite_engine)[0]

    def work(inner: Session) -> Answer:
        inner.exec(select(Partner).where(Partner.code == "clinique")).one().name = "Half done"
        inner.flush()
        fails()
        return Answer(200, "{}", {})

    def tries(write: Annotated[Write, Depends(writes("reports:write"))]) -> Response:
        return write.once(work)

    client.app.add_api_route("/tries", tries, methods=["POST"])
    first = client.post("/tries", key="k1")
    again = client.post("/tries", key="k1")
    assert kind_of(first) == kind_of(again) == kind
    assert ("idempotent-replayed" in again.headers) is kept
    assert (again.content == first.content) is kept
    with read_session(sqlite_engine) as looking:
        assert looking.exec(select(Partner.name).where(Partner.code == "clinique")).one() == "Fictif"
        assert looking.exec(select(col(ApiRequest.key))).all() == (["k1"] if kept else [])
