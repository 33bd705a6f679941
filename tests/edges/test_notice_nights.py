"""Handing over to partners without a system at night, by several at once, in several messages, and cut off anywhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count as counting
from pathlib import Path

import pytest
from edges.hand_overs import (
    NIGHT,
    a_partner,
    attached,
    hand_over,
    happen,
    more,
    said,
    standing,
    ways_through,
)
from edges.mail_server import MailServer
from edges.sharing_rows import consent
from edges.test_notice_tables import read_csv
from edges.webhook_outbox import open_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from flows.hand_over import LEASE, TTL
from flows.night_receipts import NightsReport
from flows.night_steps import NightOptions
from flows.nights import run_nights
from integrations.notices.drop import make_folder
from integrations.notices.hand_over import Transactions, Ways
from integrations.notices.hand_over import hand_over as hand_over_all
from models import Channel, NightlyRun, PartnerEvent
from models.database import read_session, write_session
from models.errors import LockedByAnotherRun
from states import leases

COUNTS = ("messages_sent", "files_put_down", "events_handed_over", "hand_overs_failed")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def ways(server: MailServer, tmp_path: Path) -> Ways:
    return ways_through(server, tmp_path)


def test_two_at_once_hand_over_once(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        for code in ("clinic", "workshop"):
            happen(session, a_partner(session, code), count=3)
        session.commit()
    locked: list[LockedByAnotherRun] = []
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        try:
            hand_over(engine, ways)
        except LockedByAnotherRun as error:
            locked.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(len(attached(server, place)) for place in range(len(server.taken))) == [3, 3]
    assert standing(engine) == [(3, None, False)] * 2
    assert all(error.remedy and error.remedy_fr for error in locked)


def test_another_run_at_work_is_left_alone_until_it_is_done(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        happen(session, a_partner(session, "clinic"))
        leases.take(session, LEASE, "elsewhere:1:1:x", now=NIGHT, ttl=TTL)
        session.commit()
    with pytest.raises(LockedByAnotherRun):
        hand_over(engine, ways)
    assert server.taken == []
    with write_session(engine) as session:
        leases.release(session, LEASE, 1)
        session.commit()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 1)]


def test_a_night_ends_with_the_hand_over_and_counts_it(engine: Engine, ways: Ways, server: MailServer) -> None:
    assert ways.drop_dir is not None
    make_folder(ways.drop_dir, "shelter")
    server.refuses = {"workshop@partner.example.org"}
    with write_session(engine) as session:
        partners = [a_partner(session, code) for code in ("clinic", "workshop")]
        partners.append(a_partner(session, "shelter", Channel.DROP))
        (case,) = open_cases(session, 1)
        consent(session, case)
        more(session, case, count=2)
        session.commit()

    def night(*, dry_run: bool = False) -> NightsReport:
        return run_nights(
            engine,
            NIGHT.date(),
            clock=lambda: NIGHT,
            tz=ways.timezone,
            options=NightOptions(ways=ways),
            dry_run=dry_run,
        )

    assert "events_handed_over" not in night(dry_run=True).nights[0].changes
    assert server.connections == 0
    (receipt,) = night().nights
    counts = {name: count for name, count in receipt.changes.items() if name in COUNTS}
    assert counts == dict(zip(COUNTS, (1, 2, 4, 1), strict=True))
    assert night().already_done
    assert len(server.taken) == 1
    with read_session(engine) as session:
        assert session.exec(select(NightlyRun.changes)).one() == receipt.changes


def test_a_night_beside_a_hand_over_leaves_it_alone(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        happen(session, a_partner(session, "clinic"))
        leases.take(session, LEASE, "elsewhere:1:1:x", now=NIGHT, ttl=TTL)
        session.commit()
    (receipt,) = run_nights(
        engine, NIGHT.date(), clock=lambda: NIGHT, tz=ways.timezone, options=NightOptions(ways=ways)
    ).nights
    assert not receipt.changes.keys() & set(COUNTS)
    assert server.taken == []


def transactions(engine: Engine) -> Transactions:
    @contextmanager
    def transaction() -> Iterator[Session]:
        with write_session(engine) as session:
            yield session
            session.commit()

    return transaction


def test_more_than_one_message_holds_goes_in_several(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        happen(session, a_partner(session, "clinic"), count=5)
        session.commit()
    done = hand_over_all(transactions(engine), ways, clock=lambda: NIGHT, most_at_once=2)
    assert said(list(done)) == [("clinic", "ok", 3, 5)]
    sent = [[row["position"] for row in attached(server, place)] for place in range(3)]
    assert sent == [["1", "2"], ["3", "4"], ["5"]]
    assert len({taken.message["Message-ID"] for taken in server.taken}) == 3


class _Cut(BaseException):
    """The power went."""


@pytest.mark.parametrize("at", range(8))
def test_a_cut_anywhere_loses_nothing_and_repeats_nothing_but_whole(
    sqlite_engine: Engine, ways: Ways, server: MailServer, at: int
) -> None:
    """What went twice went under the same Message-ID, or into a file that was left as it was."""
    assert ways.drop_dir is not None
    make_folder(ways.drop_dir, "shelter")
    with write_session(sqlite_engine) as session:
        both = [a_partner(session, "clinic"), a_partner(session, "shelter", Channel.DROP)]
        case = happen(session, *both, count=2)
        session.commit()
    calls = counting()

    def clock() -> datetime:
        if next(calls) == at:
            raise _Cut
        return NIGHT

    with pytest.raises(_Cut):
        list(hand_over_all(transactions(sqlite_engine), ways, clock=clock))
    with write_session(sqlite_engine) as session:
        more(session, case, *both)
        session.commit()
    hand_over(sqlite_engine, ways)
    sent = {
        taken.message["Message-ID"]: tuple(row["event"] for row in attached(server, place))
        for place, taken in enumerate(server.taken)
    }
    tables = [read_csv(file.read_bytes()) for file in sorted((ways.drop_dir / "shelter").glob("*.csv"))]
    in_files = [row["event"] for table in tables for row in table]
    with read_session(sqlite_engine) as session:
        owed = select(PartnerEvent.uid, PartnerEvent.partner_id).order_by(col(PartnerEvent.position))
        rows = session.exec(owed).all()
    assert sorted(uid for uids in sent.values() for uid in uids) == sorted(u for u, to in rows if to == both[0].id)
    assert in_files == [uid for uid, to in rows if to == both[1].id]
    assert standing(sqlite_engine) == [(3, None, False)] * 2
