"""Messages and files to partners without a system: each event once, nobody held up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from edges.hand_overs import (
    NIGHT,
    a_partner,
    attached,
    hand_over,
    happen,
    more,
    received,
    said,
    standing,
    subscribe,
    ways_through,
)
from edges.mail_server import MailServer
from edges.test_notice_tables import read_csv
from edges.webhook_outbox import NOW
from sqlalchemy import Engine
from sqlmodel import col, select

from integrations.notices import outcomes
from integrations.notices.drop import make_folder
from integrations.notices.hand_over import Ways
from models import Case, Channel, Consent, Event, PartnerEvent, Subscription
from models.database import read_session, write_session


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def ways(server: MailServer, tmp_path: Path) -> Ways:
    return ways_through(server, tmp_path)


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
