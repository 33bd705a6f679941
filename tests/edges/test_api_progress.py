"""How far a partner's service is, through the partner API: between its yes and its end, as often as it changes."""

from __future__ import annotations

import pytest
from api_client import ApiClient, kind_of, open_api
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from models import Event, JournalRow
from models.database import read_session
from states.journal import verify_journal
from states.moves import OutcomeKind
from states.referral_words import PROGRESS_WORDS

BEGUN = {"progress": "begun", "on": "2024-01-08"}


@pytest.fixture
def opened(session: Session, engine: Engine) -> tuple[ApiClient, str]:
    client, (code,) = open_api(session, engine, referrals=1)
    client.post(f"/referrals/{code}/acceptance")
    return client, f"/referrals/{code}"


def test_each_report_shows_and_the_referral_stays_accepted(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    accepted = client.get(path).json()
    assert (accepted["progress"], accepted["progress_on"]) == (None, None)
    begun = client.post(f"{path}/progress", json=BEGUN)
    assert begun.json() == accepted | {"progress": "begun", "progress_on": "2024-01-08"}
    client.later(days=2)
    for code in PROGRESS_WORDS:
        assert client.post(f"{path}/progress", json={"progress": code}).json()["progress"] == code
    shown = client.get(path)
    assert shown.json() == accepted | {"progress": code, "progress_on": "2024-01-10"}
    assert client.get("/referrals").json()["referrals"] == [shown.json()]
    assert shown.headers["etag"] != begun.headers["etag"]
    assert client.post(f"{path}/completion").json()["status"] == "done"
    with read_session(client.engine) as session:
        rows = session.exec(select(JournalRow).where(JournalRow.trigger == "progress_referral")).all()
        assert {(row.role, row.actor_id) for row in rows} == {("partner", None)}
        events = session.exec(select(Event).where(Event.type == "referral.progressed")).all()
        assert [event.only_for for event in events] == [[client.cases.clinic]] * (1 + len(PROGRESS_WORDS))
        assert not verify_journal(session).broken


def test_the_same_report_again_is_one(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    first = client.post(f"{path}/progress", key="k1", json=BEGUN)
    again = client.post(f"{path}/progress", key="k1", json=BEGUN)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert kind_of(client.post(f"{path}/progress", key="k1", json={"progress": "begun"})) == "key_reused"
    with read_session(client.engine) as session:
        assert len(session.exec(select(JournalRow).where(JournalRow.trigger == "progress_referral")).all()) == 1


def test_a_stale_version_is_not_reported_on(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    seen = {"If-Match": client.get(path).headers["etag"]}
    assert client.post(f"{path}/progress", json=BEGUN, headers=seen).status_code == 200
    assert kind_of(client.post(f"{path}/progress", json=BEGUN, headers=seen)) == "stale"


def test_no_progress_before_the_yes_nor_after_the_end(session: Session, engine: Engine) -> None:
    client, (code,) = open_api(session, engine, referrals=1)
    before = client.post(f"/referrals/{code}/progress", json=BEGUN)
    for step in ("acceptance", "completion"):
        assert client.post(f"/referrals/{code}/{step}").status_code == 200
    for refused in (before, client.post(f"/referrals/{code}/progress", json=BEGUN)):
        assert kind_of(refused) == "refused"
        assert [each["code"] for each in refused.json()["reasons"]] == ["wrong_record_state"]


@pytest.mark.parametrize(
    "body",
    [{}, {"progress": "Secret42"}, {"progress": 7}, BEGUN | {"on": "hier"}, BEGUN | {"note": "Secret42"}, [BEGUN]],
)
def test_a_report_that_does_not_fit_names_the_field(opened: tuple[ApiClient, str], body: object) -> None:
    client, path = opened
    wrong = client.post(f"{path}/progress", json=body)
    assert kind_of(wrong) == "invalid"
    assert all(each["at"].startswith("body") for each in wrong.json()["errors"])
    assert "Secret42" not in wrong.text


def test_a_code_that_is_none_is_told_the_codes_that_are(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    wrong = client.post(f"{path}/progress", json={"progress": "done"}, headers={"Accept-Language": "en"})
    assert wrong.json()["errors"] == [{"at": "body.progress", "text": f"must be one of: {', '.join(PROGRESS_WORDS)}"}]


def test_a_day_to_come_says_what_to_give_instead(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    wrong = client.post(f"{path}/progress", json=BEGUN | {"on": "2024-01-09"}, headers={"Accept-Language": "en"})
    assert kind_of(wrong) == "invalid"
    assert wrong.json()["errors"] == [{"at": "body.on", "text": "is still to come: give a day that has come"}]


def test_a_report_that_was_taken_back_counts_no_more(opened: tuple[ApiClient, str]) -> None:
    client, path = opened
    client.post(f"{path}/progress", json=BEGUN)
    client.post(f"{path}/progress", json={"progress": "interrupted"})
    cases = client.cases
    assert cases.advance("correct", note="Signalé par erreur").kind is OutcomeKind.MOVED
    cases.session.commit()
    assert client.get(path).json()["progress"] == "begun"
    assert cases.advance("correct", note="Signalé par erreur").kind is OutcomeKind.MOVED
    cases.session.commit()
    assert client.get(path).json()["progress"] is None
    newest = cases.session.exec(select(Event.type).order_by(col(Event.id).desc())).first()
    assert newest == "case.corrected"
