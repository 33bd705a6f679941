"""Messages and files to partners without a system: each event once, nobody held up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count as counting
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from edges.mail_server import MailServer
from edges.sharing_rows import URL, agree, consent, owe, partner
from edges.test_notice_tables import read_csv
from edges.webhook_outbox import NOW, announce, open_cases
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from flows.hand_over import LEASE, TTL, run_hand_over
from flows.night_receipts import NightsReport
from flows.night_steps import NightOptions
from flows.nights import run_nights
from integrations.notices import outcomes
from integrations.notices.drop import make_folder
from integrations.notices.email import MailServer as Address
from integrations.notices.hand_over import HandedOver, Transactions, Ways
from integrations.notices.hand_over import hand_over as hand_over_all
from models import Case, Channel, Consent, Event, NightlyRun, Partner, PartnerEvent, Subscription
from models.database import read_session, write_session
from models.errors import LockedByAnotherRun
from states import leases

COUNTS = ("messages_sent", "files_put_down", "events_handed_over", "hand_overs_failed")
NIGHT = datetime(2024, 3, 6, 2, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def ways(server: MailServer, tmp_path: Path) -> Ways:
    (tmp_path / "drop").mkdir()
    return Ways(
        timezone=ZoneInfo("Africa/Bamako"),
        public_url=URL,
        mail=Address(host="127.0.0.1", port=server.port, sender="segin@example.org", allow_plain_loopback=True),
        drop_dir=tmp_path / "drop",
    )


def hand_over(engine: Engine, ways: Ways) -> list[HandedOver]:
    return list(run_hand_over(engine, ways, clock=lambda: NIGHT))


def said(done: list[HandedOver]) -> list[tuple[str, str, int, int]]:
    return [(each.partner, each.outcome, each.parcels, each.events) for each in done]


def subscribe(session: Session, to: Partner, channel: Channel = Channel.EMAIL, **given: Any) -> int:
    url = f"mailto:{to.code}@partner.example.org" if channel == Channel.EMAIL else to.code
    row = Subscription(**{"partner_id": to.id, "url": url, "channel": channel, "secret": "", "created_at": NOW} | given)
    session.add(row)
    session.flush()
    return row.id or 0


def a_partner(session: Session, code: str, channel: Channel = Channel.EMAIL, **given: Any) -> Partner:
    """One that may see everything, with a subscription."""
    made = partner(session, code)
    agree(session, made, event_types=["case.arrived", "case.advanced", "case.closed", "referral.made"])
    subscribe(session, made, channel, **given)
    return made


def happen(session: Session, *to: Partner, count: int = 1, event_type: str = "case.advanced", **given: Any) -> Case:
    """So many events of a new case, whose person consents, in line for these partners."""
    (case,) = open_cases(session, 1)
    consent(session, case)
    more(session, case, *to, count=count, event_type=event_type, **given)
    return case


def more(
    session: Session, case: Case, *to: Partner, count: int = 1, event_type: str = "case.advanced", **given: Any
) -> list[Event]:
    events = [announce(session, case, event_type, **given) for _ in range(count)]
    for each in to:
        owe(session, *events, to=each)
    return events


def attached(server: MailServer, place: int = -1) -> list[dict[str, str]]:
    (file,) = server.taken[place].message.iter_attachments()
    return read_csv(file.get_payload(decode=True))  # type: ignore[arg-type]


def standing(engine: Engine) -> list[tuple[int, int | None, bool]]:
    with read_session(engine) as session:
        rows = session.exec(select(Subscription).order_by(col(Subscription.id))).all()
        return [(row.cursor, row.offered, row.failing_since is not None) for row in rows]


def received(engine: Engine) -> list[datetime | None]:
    with read_session(engine) as session:
        return list(session.exec(select(PartnerEvent.received_at).order_by(col(PartnerEvent.id))).all())


def test_a_message_has_what_happened_since_the_last_one(engine: Engine, server: MailServer, ways: Ways) -> None:
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic")
        case = happen(session, clinic, count=2)
        session.commit()
        assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 2)]
        more(session, case, clinic)
        session.commit()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 1)]
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 0, 0)]
    assert [taken.to for taken in server.taken] == [["clinic@partner.example.org"]] * 2
    assert [row["position"] for place in (0, 1) for row in attached(server, place)] == ["1", "2", "3"]
    with read_session(engine) as session:
        uids = session.exec(select(PartnerEvent.uid).order_by(col(PartnerEvent.position))).all()
        assert set(session.exec(select(PartnerEvent.received_by)).all()) == {"email"}
    assert [row["event"] for place in (0, 1) for row in attached(server, place)] == uids
    assert {row["family_name"] for row in attached(server)} == {"KEITA"}
    assert standing(engine) == [(3, None, False)]
    assert received(engine) == [NIGHT] * 3


def test_files_are_put_down_for_a_partner_who_takes_files(engine: Engine, ways: Ways, server: MailServer) -> None:
    assert ways.drop_dir is not None
    make_folder(ways.drop_dir, "shelter")
    with write_session(engine) as session:
        shelter = a_partner(session, "shelter", Channel.DROP, language="en")
        happen(session, shelter, count=3)
        session.commit()
    assert said(hand_over(engine, ways)) == [("shelter", "ok", 1, 3)]
    assert said(hand_over(engine, ways)) == [("shelter", "ok", 0, 0)]
    files = sorted((ways.drop_dir / "shelter").iterdir())
    assert [file.name for file in files] == ["2024-03-06-1-3.csv", "2024-03-06-1-3.xlsx"]
    assert [row["sequence"] for row in read_csv(files[0].read_bytes())] == ["1", "2", "3"]
    assert server.taken == []
    assert received(engine) == [NIGHT] * 3


def test_filters_hold_but_for_what_is_meant_for_this_partner(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic", event_types=["case.closed"], regions=["ML01"])
        case = happen(session, clinic)
        (closed,) = more(session, case, clinic, event_type="case.closed")
        more(session, case, clinic, event_type="case.closed", region_pcode="ML02")
        more(session, case, clinic, event_type="case.arrived", only_for=[clinic.id])
        (unseen,) = session.exec(select(Event.uid).where(Event.sequence == 1)).all()
        for corrected in (unseen, closed.uid):
            more(
                session,
                case,
                clinic,
                event_type="case.corrected",
                corrects=corrected,
                data=_data(case, corrected),
            )
        session.commit()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 3)]
    assert [(row["position"], row["type"]) for row in attached(server)] == [
        ("2", "case.closed"),
        ("4", "case.arrived"),
        ("6", "case.corrected"),
    ]
    assert [at is not None for at in received(engine)] == [False, True, False, True, False, True]
    assert standing(engine) == [(6, None, False)]


def _data(case: Case, corrects: str) -> dict[str, str]:
    return {"case": case.code, "corrects": corrects}


def test_what_is_meant_for_this_partner_goes_where_it_asked_for_it(engine: Engine, ways: Ways) -> None:
    """Another of its subscriptions wants the event: it has it by that way."""
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic", event_types=["case.closed"])
        subscribe(session, clinic, Channel.FEED, event_types=["case.arrived"])
        happen(session, clinic, event_type="case.arrived", only_for=[clinic.id])
        session.commit()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 0, 0)]


def test_what_was_taken_back_before_it_left_does_not_leave(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic")
        happen(session, clinic)
        silent = happen(session, clinic)
        server.refuses = {"clinic@partner.example.org"}
        session.commit()
        hand_over(engine, ways)
        for row in session.exec(select(Consent).where(Consent.case_id == silent.id)):
            row.status, row.revoked_at = "revoked", NOW
        session.commit()
    server.refuses = set()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 1)]
    assert [row["position"] for row in attached(server)] == ["1"]
    assert received(engine) == [NIGHT, None]
    assert standing(engine) == [(2, None, False)]


def test_who_is_paused_or_gone_gets_nothing_and_all_of_it_later(engine: Engine, ways: Ways, server: MailServer) -> None:
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic", status="paused")
        gone = a_partner(session, "gone")
        gone.active = False
        happen(session, clinic, gone)
        session.commit()
        assert hand_over(engine, ways) == []
        session.exec(select(Subscription).where(Subscription.partner_id == clinic.id)).one().status = "active"
        session.commit()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 1)]
    assert len(server.taken) == 1


def test_a_refused_address_leaves_its_events_and_holds_nobody_up(
    engine: Engine, ways: Ways, server: MailServer
) -> None:
    server.refuses = {"clinic@partner.example.org"}
    with write_session(engine) as session:
        both = [a_partner(session, code) for code in ("clinic", "workshop")]
        case = happen(session, *both)
        session.commit()
        assert said(hand_over(engine, ways)) == [("clinic", "recipient_refused", 0, 0), ("workshop", "ok", 1, 1)]
        assert standing(engine) == [(0, None, True), (1, None, False)]
        more(session, case, *both)
        session.commit()
    server.refuses = set()
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 1, 2), ("workshop", "ok", 1, 1)]
    assert standing(engine) == [(2, None, False), (2, None, False)]


def test_a_server_that_is_away_is_asked_once_and_files_are_put_down_all_the_same(
    engine: Engine, ways: Ways, server: MailServer
) -> None:
    assert ways.drop_dir is not None
    make_folder(ways.drop_dir, "shelter")
    server.answers = {"greeting": "421 not today"}
    with write_session(engine) as session:
        mailed = [a_partner(session, code) for code in ("clinic", "workshop")]
        happen(session, *mailed, a_partner(session, "shelter", Channel.DROP))
        session.commit()
    assert said(hand_over(engine, ways)) == [
        ("clinic", "connection_failed", 0, 0),
        ("workshop", "connection_failed", 0, 0),
        ("shelter", "ok", 1, 1),
    ]
    assert server.connections == 1
    server.answers = {}
    assert [each.events for each in hand_over(engine, ways)] == [1, 1, 0]


def test_a_message_of_which_nobody_knows_goes_again_under_its_own_id(
    engine: Engine, ways: Ways, server: MailServer
) -> None:
    server.hangs_up_at = "message"
    with write_session(engine) as session:
        clinic = a_partner(session, "clinic")
        case = happen(session, clinic, count=2)
        session.commit()
        assert said(hand_over(engine, ways)) == [("clinic", "not_sure", 0, 0)]
        assert standing(engine) == [(0, 2, True)]
        assert received(engine) == [None, None]
        more(session, case, clinic)
        session.commit()
    server.hangs_up_at = None
    assert said(hand_over(engine, ways)) == [("clinic", "ok", 2, 3)]
    first, again, new = (taken.message for taken in server.taken)
    assert first["Message-ID"] == again["Message-ID"] != new["Message-ID"]
    assert server.taken[0].content == server.taken[1].content
    assert [row["position"] for row in attached(server)] == ["3"]
    assert standing(engine) == [(3, None, False)]


def test_a_folder_that_was_deleted_is_an_error_until_it_is_there_again(engine: Engine, ways: Ways) -> None:
    with write_session(engine) as session:
        happen(session, a_partner(session, "shelter", Channel.DROP))
        session.commit()
    assert said(hand_over(engine, ways)) == [("shelter", "folder_missing", 0, 0)]
    assert standing(engine) == [(0, None, True)]
    assert ways.drop_dir is not None
    make_folder(ways.drop_dir, "shelter")
    assert said(hand_over(engine, ways)) == [("shelter", "ok", 1, 1)]


def test_without_a_server_or_a_folder_all_of_it_stays(engine: Engine, ways: Ways) -> None:
    with write_session(engine) as session:
        happen(session, a_partner(session, "clinic"), a_partner(session, "shelter", Channel.DROP))
        session.commit()
    done = hand_over(engine, replace(ways, mail=None, drop_dir=None))
    assert [each.outcome for each in done] == [outcomes.NO_SERVER, outcomes.NO_FOLDER]
    assert received(engine) == [None, None]


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
