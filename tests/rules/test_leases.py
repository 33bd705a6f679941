"""Leases: of any number of takers one gets the work, and whoever wakes up late changes nothing more."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.database import write_session
from states import leases

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
TTL = timedelta(minutes=5)


def _take(session: Session, holder: str, now: datetime = NOON, gone: str | None = None) -> int | None:
    return leases.take(session, "nightly", holder, now=now, ttl=TTL, gone=gone)


def test_a_second_taker_waits_until_the_lease_runs_out(session: Session) -> None:
    assert _take(session, "first") == 1
    assert _take(session, "second", NOON + TTL - timedelta(seconds=1)) is None
    assert _take(session, "first", NOON) is None, "not even its holder takes it twice"
    assert _take(session, "second", NOON + TTL) == 2


def test_a_lease_given_back_is_free_at_once(session: Session) -> None:
    token = _take(session, "first")
    assert token == 1
    leases.release(session, "nightly", token)
    assert leases.holder_of(session, "nightly") is None
    assert _take(session, "second") == 2


def test_a_lease_renewed_holds_longer(session: Session) -> None:
    token = _take(session, "first")
    assert token is not None
    leases.renew(session, "nightly", token, now=NOON + timedelta(minutes=4), ttl=TTL)
    assert _take(session, "second", NOON + TTL) is None
    assert _take(session, "second", NOON + timedelta(minutes=9)) == 2


def test_a_holder_known_to_be_dead_is_replaced_at_once_and_nobody_else_is(session: Session) -> None:
    _take(session, "dead")
    assert _take(session, "second", gone="somebody else") is None
    assert _take(session, "second", gone="dead") == 2
    assert _take(session, "third", gone="dead") is None


def test_whoever_wakes_up_late_is_stopped(session: Session) -> None:
    late = _take(session, "orphan")
    assert late is not None
    current = _take(session, "successor", NOON + TTL)
    assert current is not None
    with pytest.raises(leases.LeaseLost, match="took over"):
        leases.renew(session, "nightly", late, now=NOON + TTL, ttl=TTL)
    leases.release(session, "nightly", late)
    assert leases.holder_of(session, "nightly") == "successor"
    leases.release(session, "nightly", current)
    with pytest.raises(leases.LeaseLost):
        leases.renew(session, "nightly", current, now=NOON, ttl=TTL)


def test_a_lease_that_ran_out_but_was_not_taken_over_can_be_renewed(session: Session) -> None:
    token = _take(session, "slow")
    assert token is not None
    leases.renew(session, "nightly", token, now=NOON + 2 * TTL, ttl=TTL)
    assert _take(session, "second", NOON + 2 * TTL) is None


def test_leases_of_other_names_are_apart(session: Session) -> None:
    assert _take(session, "first") == 1
    assert leases.take(session, "backup", "second", now=NOON, ttl=TTL) == 1


def test_eight_at_once_give_one_holder(engine: Engine) -> None:
    ready = threading.Barrier(8)
    tokens: list[int | None] = []

    def try_it(number: int) -> None:
        with write_session(engine) as session:
            ready.wait()
            tokens.append(_take(session, f"holder-{number}"))
            session.commit()

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert [token for token in tokens if token is not None] == [1]
