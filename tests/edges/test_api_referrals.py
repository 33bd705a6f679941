"""Referrals through the partner API: paged, shown, answered once whatever is repeated, refused in words."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_client import ApiClient, kind_of, open_api
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from integrations.api.requests import forget_requests
from integrations.sharing.pseudonyms import case_code
from models import ApiRequest, JournalRow, Partner, Referral
from models.database import read_session, write_session
from states.journal import verify_journal
from states.moves import OutcomeKind

ANSWERED = ("answered_at", "reason", "progress", "progress_on")


@pytest.fixture
def opened(session: Session, engine: Engine) -> tuple[ApiClient, list[str]]:
    return open_api(session, engine, referrals=5)


def status_of(client: ApiClient, code: str) -> str:
    with read_session(client.engine) as session:
        return session.exec(select(Referral.status).where(Referral.code == code)).one()


def count_of(client: ApiClient, table: Any) -> int:
    with read_session(client.engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_the_list_comes_page_by_page_each_once_in_order(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    found: list[str] = []
    path: str | None = "/referrals?limit=2"
    pages = 0
    while path is not None:
        answer = client.get(path)
        page = answer.json()
        found += [each["code"] for each in page["referrals"]]
        pages += 1
        if page["next"] is None:
            assert "link" not in answer.headers
            path = None
        else:
            target, relation = answer.headers["link"].split("; ")
            assert relation == 'rel="next"'
            assert page["next"] in target
            parts = urlsplit(target.strip("<>"))
            path = f"{parts.path}?{parts.query}"
    assert (found, pages) == (codes, 3)


def test_the_filter_holds_on_every_page_and_others_see_none(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    client.post(f"/referrals/{codes[1]}/acceptance")
    waiting = client.get("/referrals?status=in_progress&limit=1")
    assert "status=in_progress" in waiting.headers["link"]
    accepted = client.get("/referrals?status=accepted").json()["referrals"]
    assert [each["code"] for each in accepted] == [codes[1]]
    assert client.get("/referrals", by="atelier").json() == {"referrals": [], "next": None}


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "cmVmZXJyYWxzOg", "Zm9vOmJhcg", "é", "cmVmZXJyYWxzOjAwMDAtMDAwMC0wMDAwLTA"]
)
def test_a_cursor_that_is_none_is_a_problem(opened: tuple[ApiClient, list[str]], cursor: str) -> None:
    assert kind_of(opened[0].get(f"/referrals?cursor={cursor}")) == "bad_cursor"


def test_anothers_cursor_is_worth_nothing(opened: tuple[ApiClient, list[str]]) -> None:
    client, _ = opened
    following = client.get("/referrals?limit=1").json()["next"]
    assert kind_of(client.get(f"/referrals?cursor={following}", by="atelier")) == "bad_cursor"


def test_a_referral_shows_the_partners_own_code_of_the_case_and_nobodys_name(
    opened: tuple[ApiClient, list[str]],
) -> None:
    client, codes = opened
    shown = client.get(f"/referrals/{codes[0]}").json()
    assert shown.keys() == {"code", "case", "status", "made_at", "due_at", *ANSWERED}
    with read_session(client.engine) as session:
        key = session.exec(select(Partner.pseudonym_key).where(Partner.code == "clinique")).one()
    assert (shown["code"], shown["status"]) == (codes[0], "in_progress")
    assert shown["case"] == case_code(key, client.cases.case_id)
    assert datetime.fromisoformat(shown["due_at"]) > client.now
    assert client.get("/referrals").json()["referrals"][0] == shown


def test_accepted_then_completed_as_the_partner_in_the_journal(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    accepted = client.post(f"/referrals/{codes[0]}/acceptance")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert accepted.headers["etag"] == client.get(f"/referrals/{codes[0]}").headers["etag"]
    client.later(days=3)
    done = client.post(f"/referrals/{codes[0]}/completion")
    assert (done.json()["status"], done.json()["due_at"]) == ("done", None)
    with read_session(client.engine) as session:
        rows = session.exec(select(JournalRow).order_by(col(JournalRow.id).desc()).limit(2)).all()
        assert [(row.trigger, row.role, row.actor_id) for row in rows] == [
            ("complete_referral", "partner", None),
            ("accept_referral", "partner", None),
        ]
        assert rows[1].correlation_id == accepted.headers["x-request-id"]
        assert not verify_journal(session).broken


def test_declined_with_a_reason(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    declined = client.post(f"/referrals/{codes[0]}/rejection", json={"reason": "no_capacity"})
    assert (declined.json()["status"], declined.json()["reason"]) == ("rejected", "no_capacity")


def test_a_refusal_says_why_in_words_and_changes_nothing(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    answer = client.post(f"/referrals/{codes[0]}/completion", headers={"Accept-Language": "en"})
    assert kind_of(answer) == "refused"
    assert [each["code"] for each in answer.json()["reasons"]] == ["wrong_record_state"]
    assert "is not possible at" in answer.json()["reasons"][0]["text"]
    french = client.post(f"/referrals/{codes[0]}/rejection", json={"reason": "too_far"})
    assert kind_of(french) == "refused"
    assert french.headers["content-language"] == "fr"
    assert status_of(client, codes[0]) == "in_progress"


def test_a_refusal_does_not_say_where_the_case_is(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    caseload = client.cases.caseload
    assert caseload.advance(client.cases.case_id, "close", reason="transferred").kind is OutcomeKind.MOVED
    caseload.session.commit()
    answer = client.post(f"/referrals/{codes[0]}/acceptance", headers={"Accept-Language": "fr"})
    assert kind_of(answer) == "refused"
    (reason,) = answer.json()["reasons"]
    assert (reason["code"], reason["text"]) == ("not_possible", "Ce n'est pas possible pour l'instant.")


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    path = f"/referrals/{codes[0]}/acceptance"
    first = client.post(path, key="k1")
    rows = count_of(client, JournalRow)
    client.later(hours=1)
    again = client.post(path, key="k1")
    assert (again.status_code, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert count_of(client, JournalRow) == rows
    refused = client.post(path, key="k2")
    assert kind_of(refused) == "refused"
    replayed = client.post(path, key="k2")
    assert (kind_of(replayed), replayed.content) == ("refused", refused.content)
    assert replayed.headers["vary"] == refused.headers["vary"] == "Accept-Language"


def test_a_key_belongs_to_one_request_of_one_partner(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    client.post(f"/referrals/{codes[0]}/acceptance", key="k1")
    for path in (f"/referrals/{codes[1]}/acceptance", f"/referrals/{codes[0]}/completion"):
        assert kind_of(client.post(path, key="k1")) == "key_reused"
    assert kind_of(client.post(f"/referrals/{codes[0]}/acceptance", key="k1", by="atelier")) == "not_found"
    assert [status_of(client, code) for code in codes[:2]] == ["accepted", "in_progress"]


@pytest.mark.parametrize("key", [None, "é".encode(), "a b", "x" * 256])
def test_a_write_needs_a_key(opened: tuple[ApiClient, list[str]], key: Any) -> None:
    client, codes = opened
    assert kind_of(client.post(f"/referrals/{codes[0]}/acceptance", key=key)) == "key_missing"
    assert status_of(client, codes[0]) == "in_progress"


def test_a_key_is_forgotten_when_its_time_is_over_and_the_move_is_still_made_once(
    opened: tuple[ApiClient, list[str]],
) -> None:
    client, codes = opened
    path = f"/referrals/{codes[0]}/acceptance"
    client.post(path, key="k1")
    client.later(days=31)
    client.post(f"/referrals/{codes[1]}/acceptance", key="k2")
    with write_session(client.engine) as session:
        assert forget_requests(session, before=client.now - timedelta(days=30), limit=10) == 1
        assert session.exec(select(ApiRequest.key)).all() == ["k2"]
        session.commit()
    rows = count_of(client, JournalRow)
    again = client.post(path, key="k1")
    assert (again.status_code, again.json()["status"]) == (200, "accepted")
    assert count_of(client, JournalRow) == rows


def test_a_key_that_was_forgotten_is_free_for_another_request(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    client.post(f"/referrals/{codes[0]}/acceptance", key="k1")
    client.later(days=31)
    with write_session(client.engine) as session:
        assert forget_requests(session, before=client.now, limit=10) == 1
        session.commit()
    assert client.post(f"/referrals/{codes[1]}/acceptance", key="k1").status_code == 200
    assert [status_of(client, code) for code in codes[:2]] == ["accepted", "accepted"]


def test_the_same_key_from_many_at_once_moves_once(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    start = threading.Barrier(6)

    def ask(_number: int) -> int:
        start.wait()
        return client.post(f"/referrals/{codes[0]}/acceptance", key="k1").status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(ask, range(6)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert client.post(f"/referrals/{codes[0]}/acceptance", key="k1").status_code == 200
    with read_session(client.engine) as session:
        moves = session.exec(select(JournalRow.trigger).where(JournalRow.trigger == "accept_referral")).all()
    assert len(moves) == 1


def test_a_stale_version_is_not_answered_and_leaves_the_key_free(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    path = f"/referrals/{codes[0]}"
    seen = client.get(path).headers["etag"]
    client.post(f"{path}/acceptance", headers={"If-Match": seen})
    stale = client.post(f"{path}/completion", key="k9", headers={"If-Match": seen})
    assert kind_of(stale) == "stale"
    assert status_of(client, codes[0]) == "accepted"
    fresh = f'"other", {client.get(path).headers["etag"]}'
    assert client.post(f"{path}/completion", key="k9", headers={"If-Match": fresh}).status_code == 200


def test_a_reason_that_is_malformed_is_a_problem_that_repeats_nothing(opened: tuple[ApiClient, list[str]]) -> None:
    client, codes = opened
    for body in ({"reason": "Secret42 !"}, {"reason": 7}, {"Secret42": "x", "reason": "no_capacity"}, {}, ["Secret42"]):
        answer = client.post(f"/referrals/{codes[0]}/rejection", json=body)
        assert kind_of(answer) == "invalid"
        assert answer.json()["errors"]
        assert "Secret42" not in answer.text
    assert status_of(client, codes[0]) == "in_progress"
    assert count_of(client, ApiRequest) == 0
