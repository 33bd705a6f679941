"""Leases: who may do a piece of work until when, with a token that fences whoever wakes up late.

Runs that nobody watches take one first and renew it in the same transaction as each change that they commit.
`now` is the caller's clock, not business time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from models.errors import LockedByAnotherRun
from models.runs import Lease


class LeaseLost(LockedByAnotherRun):
    """The lease ran out and another run took it over, so nothing more may be changed under the old one."""


def take(
    session: Session, name: str, holder: str, *, now: datetime, ttl: timedelta, gone: str | None = None
) -> int | None:
    """The token of the lease now held by `holder` until `now + ttl`, or none while somebody else holds it.

    `gone` names a holder known to be dead: its lease is taken over at once. One statement decides, so of any number
    of takers one gets it.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    free = or_(col(Lease.holder).is_(None), col(Lease.until) <= now)
    if gone is not None:
        free = or_(free, col(Lease.holder) == gone)
    statement = insert(Lease).values(name=name, token=1, holder=holder, until=now + ttl)
    taken = session.execute(
        statement.on_conflict_do_update(
            index_elements=[col(Lease.name)],
            set_={"token": col(Lease.token) + 1, "holder": holder, "until": now + ttl},
            where=free,
        ).returning(col(Lease.token))
    )
    return taken.scalar_one_or_none()


def holder_of(session: Session, name: str) -> str | None:
    """Who took the lease last and has not given it back, whether it ran out or not."""
    return session.scalar(select(col(Lease.holder)).where(col(Lease.name) == name))


def renew(session: Session, name: str, token: int, *, now: datetime, ttl: timedelta) -> None:
    """Hold the lease until `now + ttl`. Raises LeaseLost when it has been taken over.

    The row stays locked until the transaction ends: nobody can take the lease over before the changes that
    follow in the same transaction are committed or gone.
    """
    held = session.execute(
        update(Lease)
        .where(col(Lease.name) == name, col(Lease.token) == token, col(Lease.holder).is_not(None))
        .values(until=now + ttl)
        .execution_options(synchronize_session=False)
        .returning(col(Lease.token))
    )
    if held.scalar_one_or_none() is None:
        raise LeaseLost(
            f"Another run took over the work called {name}; this one stopped without changing anything more.",
            f"Une autre exécution a repris le travail « {name} » ; celle-ci s'est arrêtée sans rien changer de plus.",
        )


def release(session: Session, name: str, token: int) -> None:
    """Give the lease back, unless it has been taken over meanwhile."""
    session.execute(
        update(Lease)
        .where(col(Lease.name) == name, col(Lease.token) == token)
        .values(holder=None, until=None)
        .execution_options(synchronize_session=False)
    )
