"""The partner's own stream through the API: whole, in order, the bytes that were shown, and noted once it was read."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from api_client import ApiClient, kind_of, open_api
from edges.api_server import serve
from edges.receivers.sink import Sink
from edges.stream_rows import agree_with, owe_events
from edges.webhook_outbox import NOW, Clock, connect, fill, send, statements
from running_processes import wait_until
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from integrations.api import events
from integrations.api.pages import cursor_of
from models import Consent, PartnerEvent
from models.database import read_session, write_session


@pytest.fixture
def client(session: Session, engine: Engine) -> ApiClient:
    opened, _ = open_api(session, engine)
    agree_with(session, "clinique", "atelier")
    return opened


def rows_of(client: ApiClient, partner_id: int | None = None) -> list[PartnerEvent]:
    with read_session(client.engine) as session:
        query = select(PartnerEvent).where(PartnerEvent.partner_id == (partner_id or client.cases.clinic))
        return list(session.exec(query.order_by(col(PartnerEvent.event_id))).all())


def bodies_in(page: httpx.Response) -> list[bytes]:
    """The bytes of each event of a page, cut out of it without reading them."""
    assert page.status_code == 200, page.text
    raw, decoder, found = page.text, json.JSONDecoder(), []
    assert raw.startswith('{"events":[')
    place = len('{"events":[')
    while raw[place] != "]":
        _, end = decoder.raw_decode(raw, place)
        found.append(raw[place:end].encode())
        place = end + (raw[end] == ",")
    return found


def read_all(client: ApiClient, limit: int, **parts: Any) -> list[httpx.Response]:
    """Page after page as the Link header leads, and the empty one that tells that the last was kept."""
    pages = [client.get(f"/events?limit={limit}", **parts)]
    while "link" in pages[-1].headers:
        target, relation = pages[-1].headers["link"].split("; ")
        assert relation == 'rel="next"'
        pages.append(client.get(target.strip("<>"), **parts))
    return [*pages, client.get(f"/events?limit={limit}&after={pages[-1].json()['next']}", **parts)]


def say_no(client: ApiClient) -> None:
    """The person takes back the consent to share."""
    with write_session(client.engine) as session:
        for given in session.exec(select(Consent).where(Consent.purpose == "sharing")):
            given.status, given.revoked_at = "revoked", client.now
        session.commit()


def test_a_partner_that_was_away_for_a_week_catches_up_alone(client: ApiClient) -> None:
    owe_events(client, 1000, "clinique")
    client.later(days=7)
    *pages, last = read_all(client, 300)
    found = [body for page in pages for body in bodies_in(page)]
    rows = rows_of(client)
    assert [len(bodies_in(page)) for page in pages] == [300, 300, 300, 100]
    assert found == [(row.body or "").encode() for row in rows]
    assert [row.position for row in rows] == list(range(1, 1001))
    assert (bodies_in(last), last.json()["next"]) == ([], pages[-1].json()["next"])
    assert {row.received_at for row in rows} == {client.now}
    assert [row.shown_at for row in rows] == [client.now] * 1000


def test_a_page_is_received_once_more_is_asked_for_and_not_before(client: ApiClient) -> None:
    owe_events(client, 3, "clinique")
    first = client.get("/events?limit=2")
    assert [row.received_at for row in rows_of(client)] == [None] * 3
    client.later(hours=1)
    again = client.get("/events?limit=2")
    assert bodies_in(again) == bodies_in(first)
    second = client.get(f"/events?after={again.json()['next']}")
    at = client.now
    assert [row.received_at for row in rows_of(client)] == [at, at, None]
    client.later(hours=1)
    client.get(f"/events?after={first.json()['next']}")
    assert [row.received_at for row in rows_of(client)] == [at, at, None]
    client.get(f"/events?after={second.json()['next']}")
    assert [(row.received_at, row.received_by) for row in rows_of(client)] == [
        *((at, "feed"), (at, "feed"), (client.now, "feed")),
    ]


def test_what_somebody_else_shows_meanwhile_is_on_the_page(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quicker reader shows all that waits after this one has looked and before it has the lock."""
    owe_events(client, 3, "clinique")

    def late(engine: Engine) -> Session:
        monkeypatch.setattr(events, "write_session", write_session)
        with ThreadPoolExecutor(1) as quicker:
            assert quicker.submit(client.get, "/events").result().status_code == 200
        return write_session(engine)

    monkeypatch.setattr(events, "write_session", late)
    assert len(bodies_in(client.get("/events"))) == 3


def test_each_reads_its_own_stream_and_two_readers_read_the_same(client: ApiClient) -> None:
    owe_events(client, 120, "clinique", "atelier")
    start = threading.Barrier(4)

    def read(number: int) -> list[bytes]:
        start.wait()
        pages = read_all(client, 25, by=("clinique", "atelier")[number % 2])
        return [body for page in pages for body in bodies_in(page)]

    with ThreadPoolExecutor(4) as threads:
        clinic, workshop, *others = threads.map(read, range(4))
    assert others == [clinic, workshop]
    assert clinic == [(row.body or "").encode() for row in rows_of(client)]
    assert workshop == [(row.body or "").encode() for row in rows_of(client, client.cases.workshop)]
    for name in ("id", "subject"):
        told = [{json.loads(body)[name] for body in bodies} for bodies in (clinic, workshop)]
        assert not told[0] & told[1]


def test_what_the_person_took_back_before_it_was_read_is_left_out_and_never_noted(client: ApiClient) -> None:
    owe_events(client, 2, "clinique")
    first = client.get("/events?limit=1")
    (shown,) = bodies_in(first)
    client.later(hours=1)
    second = client.get(f"/events?limit=1&after={first.json()['next']}")
    client.later(hours=1)
    say_no(client)
    owe_events(client, 1, "clinique", event_type="consent.revoked")
    hidden = rows_of(client)[1]
    assert kind_of(client.get(f"/events/{hidden.uid}")) == "not_found"
    page = client.get("/events")
    assert [json.loads(body)["type"] for body in bodies_in(page)] == ["case.advanced", "consent.revoked"]
    assert bodies_in(page)[0] == shown
    client.get(f"/events?after={page.json()['next']}")
    assert [row.received_at is not None for row in rows_of(client)] == [True, False, True]
    client.get(f"/events?after={second.json()['next']}")
    assert rows_of(client)[1].received_at == client.now, "it was on that page, before the person said no"


def test_what_nothing_allows_is_withheld_and_tells_nothing(client: ApiClient) -> None:
    say_no(client)
    owe_events(client, 250, "clinique")
    assert client.get("/events?limit=1").json() == {"events": [], "next": None}
    assert {(row.status, row.reason, row.position) for row in rows_of(client)} == {("withheld", "no_consent", None)}


def test_nothing_is_written_when_there_is_nothing_to_write(client: ApiClient) -> None:
    owe_events(client, 2, "clinique")
    following = client.get("/events").json()["next"]
    client.get(f"/events?after={following}")
    with statements(client.engine) as seen:
        assert bodies_in(client.get(f"/events?after={following}")) == []
    assert not [each for each in seen if each.lstrip().upper().startswith(("UPDATE", "INSERT"))]
    assert not [each for each in seen if "IMMEDIATE" in each or "FOR NO KEY" in each]


@pytest.mark.parametrize("place", ["", "evt-x.0.0", f"evt-{'a' * 26}.0.0", f"evt-{'a' * 26}", "12", "١.0.0"])
def test_a_cursor_that_is_none_is_a_problem(client: ApiClient, place: str) -> None:
    assert kind_of(client.get("/events", params={"after": cursor_of("events", place)})) == "bad_cursor"


def test_a_cursor_of_another_list_of_another_partner_or_that_was_changed_is_a_problem(client: ApiClient) -> None:
    owe_events(client, 2, "clinique", "atelier")
    following = client.get("/events?limit=1").json()["next"]
    uid = client.get("/events?limit=1").json()["events"][0]["id"]
    assert kind_of(client.get(f"/events?after={following}", by="atelier")) == "bad_cursor"
    assert kind_of(client.get("/events", params={"after": cursor_of("referrals", f"{uid}.0.0")})) == "bad_cursor"
    assert kind_of(client.get("/events", params={"after": cursor_of("events", f"{uid}.1.0")})) == "bad_cursor"
    for asked in ("limit=0", "limit=501", "wait=26", "wait=-1", "limit=x"):
        assert kind_of(client.get(f"/events?{asked}")) == "invalid"


def test_one_event_is_what_the_stream_has_of_it(client: ApiClient) -> None:
    owe_events(client, 2, "clinique")
    waiting = rows_of(client)[0].uid
    assert kind_of(client.get(f"/events/{waiting}")) == "not_found"
    body = bodies_in(client.get("/events"))[0]
    one = client.get(f"/events/{waiting}")
    assert one.content == body
    assert one.headers["content-type"] == "application/cloudevents+json"
    known = client.get(f"/events/{waiting}", headers={"If-None-Match": one.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", one.headers["etag"])
    assert kind_of(client.get(f"/events/{waiting}", by="atelier")) == "not_found"


def test_an_event_is_acknowledged_once_by_whom_it_was_shown_to(client: ApiClient) -> None:
    owe_events(client, 2, "clinique")
    path = f"/events/{rows_of(client)[0].uid}/acknowledgement"
    assert kind_of(client.post(path)) == "not_found"
    etag = client.get(f"/events/{client.get('/events').json()['events'][0]['id']}").headers["etag"]
    assert kind_of(client.post(path, by="atelier")) == "not_found"
    assert kind_of(client.post(path, headers={"If-Match": '"other"'})) == "stale"
    client.later(hours=1)
    first = client.post(path, key="one", headers={"If-Match": etag})
    assert first.json().keys() == {"id", "received_at", "acknowledged_at"}
    at = client.now
    client.later(hours=1)
    assert client.post(path, key="two").content == first.content
    assert client.post(path, key="one").headers["idempotent-replayed"] == "true"
    assert [(row.received_at, row.acknowledged_at) for row in rows_of(client)] == [(at, at), (None, None)]
    assert [row.received_by for row in rows_of(client)] == ["acknowledgement", None]


def test_what_was_taken_back_can_still_be_acknowledged_by_whoever_has_it(client: ApiClient) -> None:
    owe_events(client, 1, "clinique")
    (event,) = client.get("/events").json()["events"]
    say_no(client)
    assert client.post(f"/events/{event['id']}/acknowledgement").status_code == 200
    assert rows_of(client)[0].received_at == client.now


def test_what_is_pushed_and_what_is_read_are_the_same_bytes(client: ApiClient) -> None:
    with Sink() as sink:
        connect(client.engine, ngo=sink)
        fill(client.engine, cases=3, events=4)
        send(client.engine, Clock(NOW))
    client.now = NOW
    page = client.get("/events", by=client.token("ngo"))
    read = {json.loads(body)["id"]: body for body in bodies_in(page)}
    assert len(read) == 12
    with read_session(client.engine) as session:
        assert len(session.exec(select(PartnerEvent.id).where(PartnerEvent.received_by == "push")).all()) == 12
    assert read == {request.headers["webhook-id"]: request.body for request in sink.requests}


def test_whoever_waits_gets_what_comes_and_goes_when_it_likes(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_LOOKS_EVERY", 0.05)
    with write_session(sqlite_engine) as session:
        client, _ = open_api(session, sqlite_engine)
        agree_with(session, "clinique")
    headers = {"Authorization": f"Bearer {client.tokens['clinique']}"}
    with serve(sqlite_engine, lambda: client.now) as serving, ThreadPoolExecutor(1) as threads:

        def ask(**parts: Any) -> httpx.Response:
            return httpx.get(f"{serving.url}/events", params={"wait": 25, **parts}, headers=headers, timeout=60)

        asked = threads.submit(ask)
        wait_until(lambda: events._waiters, "the reader")
        owe_events(client, 1, "clinique")
        page = asked.result()
        assert len(bodies_in(page)) == 1
        assert timedelta() < (rows_of(client)[0].shown_at or client.now) - client.now < timedelta(seconds=26)
        following = page.json()["next"]

        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{serving.url}/events?wait=25&after={following}", headers=headers, timeout=0.5)
        wait_until(lambda: not events._waiters, "the end of the request that was given up")

        asked = threads.submit(ask, after=following)
        wait_until(lambda: events._waiters, "the reader")
        serving.server.should_exit = True
        last = asked.result()
    assert (last.status_code, last.json()) == (200, {"events": [], "next": following})


def test_too_many_that_wait_are_answered_at_once(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 0)
    assert client.get("/events?wait=25").json() == {"events": [], "next": None}
