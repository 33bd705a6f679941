"""Writes under idempotency keys: the first one is carried out, the same again gets the answer that was given.

`integrations.api.calls` uses it, in the transaction of the write itself: what failed leaves no key behind.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final, NamedTuple, cast

from sqlalchemy import String, delete, select
from sqlmodel import Session, col

from integrations.api.problems import Problem
from models.partner_access import ApiRequest
from models.types import BigId, Json, UtcDateTime
from states.bulk import SetStatement, time_text


class Answer(NamedTuple):
    """What was answered: status, JSON text, and the headers that belong to it."""

    status: int
    body: str
    headers: dict[str, str]


class Claim(NamedTuple):
    """The row of a key. `fresh`: nobody used the key before, and `keep` gives the row its answer."""

    row: ApiRequest
    fresh: bool


# On PostgreSQL this waits for another transaction that has just taken the same key.
_CLAIM: Final = SetStatement(
    "INSERT INTO api_request (partner_id, key, digest, headers, created_at) "
    "SELECT r.partner_id, r.key, r.digest, r.headers, r.created_at FROM {rows} WHERE true "
    "ON CONFLICT (partner_id, key) DO NOTHING RETURNING id",
    partner_id=BigId,
    key=String(),
    digest=String(),
    headers=Json,
    created_at=UtcDateTime(),
)


def digest_of(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same one, in hex."""
    return hashlib.sha256(b"\n".join([method.encode(), path.encode(), body])).hexdigest()


def claim(session: Session, *, partner_id: int, key: str, digest: str, now: datetime) -> Claim:
    """Take the key for this request, or find who took it before.

    Raises `still_running` when somebody had taken it and it is forgotten at this very moment: again, and it is free.
    """
    taken = _CLAIM.execute(session, [(partner_id, key, digest, {}, time_text(now))]).all()
    query = select(ApiRequest).where(col(ApiRequest.partner_id) == partner_id, col(ApiRequest.key) == key)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Problem("still_running", headers={"Retry-After": "1"})
    return Claim(row, bool(taken))


def keep(session: Session, row: ApiRequest, answer: Answer) -> None:
    """Keep what was answered."""
    row.status_code, row.body, row.headers = answer.status, answer.body, answer.headers
    session.add(row)


def answer_of(row: ApiRequest) -> Answer:
    """What was answered then: a row that somebody else finds has its answer."""
    return Answer(cast(int, row.status_code), row.body or "", dict(row.headers))


def forget_requests(session: Session, *, before: datetime, limit: int) -> int:
    """Remove up to `limit` keys, with their answers, that were used before that instant; return how many."""
    old = select(col(ApiRequest.id)).where(col(ApiRequest.created_at) < before)
    removed = session.execute(
        delete(ApiRequest)
        .where(col(ApiRequest.id).in_(old.order_by(col(ApiRequest.id)).limit(limit)))
        .returning(col(ApiRequest.id))
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
