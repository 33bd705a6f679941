"""Anchors: what the journal was at the end of each night, kept in the night's receipt.

A journal whose end was cut off together with the case's own pointers to it looks whole by itself; it no longer fits the
anchors. The nightly run makes them, `segin journal verify` compares.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col

from models.case import JournalRow
from models.runs import NightlyRun

RECEIPT_KEY = "journal"
"""Where an anchor stands in a receipt's counts after the night."""


class Anchor(NamedTuple):
    """The journal up to the row `last_id`: how many rows, and a digest (hex) over the anchor before and the hashes of
    the rows since."""

    last_id: int
    rows: int
    digest: str


START = Anchor(0, 0, "0" * 64)


def last_anchor(session: Session, before: date) -> Anchor:
    """The anchor of the last night before that date."""
    receipts = session.scalars(
        select(col(NightlyRun.after))
        .where(col(NightlyRun.as_of) < before, col(NightlyRun.status) == "done")
        .order_by(col(NightlyRun.as_of).desc())
    )
    return next((Anchor(**after[RECEIPT_KEY]) for after in receipts if RECEIPT_KEY in after), START)


def anchor_journal(session: Session, previous: Anchor) -> Anchor | None:
    """The anchor that follows `previous` now; none when somebody was writing all the while, and a later night has to.

    On PostgreSQL rows become visible in another order than that of their ids, so it waits for a moment without writers.
    """
    if session.connection().dialect.name == "postgresql":
        try:
            with session.begin_nested():
                session.execute(text("SET LOCAL lock_timeout = '2s'"))
                session.execute(text("LOCK TABLE journal IN SHARE MODE"))
        except OperationalError:
            return None
    return _follow(session, previous, until=None)


def broken_anchors(session: Session) -> list[date]:
    """The nights whose anchor the journal no longer fits: rows that were there have been changed or removed since."""
    receipts = session.execute(
        select(col(NightlyRun.as_of), col(NightlyRun.after))
        .where(col(NightlyRun.status) == "done")
        .order_by(col(NightlyRun.as_of))
    ).all()
    broken, previous = [], START
    for as_of, after in receipts:
        if RECEIPT_KEY in after:
            anchor = Anchor(**after[RECEIPT_KEY])
            if _follow(session, previous, until=anchor.last_id) != anchor:
                broken.append(as_of)
            previous = anchor
    return broken


def _follow(session: Session, previous: Anchor, until: int | None) -> Anchor:
    query: Any = (
        select(col(JournalRow.id), col(JournalRow.hash))
        .where(col(JournalRow.id) > previous.last_id)
        .order_by(col(JournalRow.id))
    )
    if until is not None:
        query = query.where(col(JournalRow.id) <= until)
    digest, last_id, rows = hashlib.sha256(previous.digest.encode()), previous.last_id, previous.rows
    for id_, row_hash in session.execute(query.execution_options(yield_per=10_000)):
        digest.update(row_hash.encode())
        last_id, rows = id_, rows + 1
    return Anchor(last_id, rows, digest.hexdigest())
