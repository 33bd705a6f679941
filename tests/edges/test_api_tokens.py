"""Tokens of the partner API: shown once, recognised by their digest, ended, replaced, taken back; limits and bodies."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from api_client import ApiClient, kind_of, new_token, open_api
from command_line import CommandLine
from sqlalchemy import Engine
from sqlmodel import Session, select
from starlette.types import Message
from synthetic_cases import START

from integrations.api.gate import BURST, FAILURES_BURST, MOST_BYTES, PUBLIC_BURST
from integrations.api.limits import MOST_KEYS, Buckets
from integrations.api.problems import KINDS, language_of
from integrations.api.scopes import SCOPES
from integrations.api.tokens import list_tokens, recognise, revoke_token, rotate_token
from models import Partner, PartnerToken, WrongUse
from models.database import read_session, write_session

DAY = timedelta(days=1)


@pytest.fixture
def partner(session: Session) -> str:
    session.add(Partner(code="clinique", name="Fictif", created_at=START))
    session.flush()
    return "clinique"


@pytest.fixture
def client(session: Session, engine: Engine) -> ApiClient:
    return open_api(session, engine)[0]


def why(session: Session, token: str, *, after: timedelta = timedelta()) -> str:
    """Whose token it is, or why it does not count."""
    found = recognise(session, token, now=START + after)
    return found if isinstance(found, str) else found.partner


def test_only_the_digest_of_the_secret_is_kept(session: Session, partner: str) -> None:
    token = new_token(session, partner, ["events:read"], seed=1, now=START)
    assert re.fullmatch(r"segin_[a-z2-7]{16}\.[A-Za-z0-9_-]{43}", token)
    prefix, secret = token.split(".")
    row = session.exec(select(PartnerToken)).one()
    assert (row.prefix, row.digest) == (prefix, hashlib.sha256(secret.encode()).hexdigest())
    assert secret not in str(row.model_dump())


def test_a_token_is_recognised_whole_or_not_at_all(session: Session, partner: str) -> None:
    token = new_token(session, partner, ["events:read"], seed=1, now=START)
    other = new_token(session, partner, ["events:read"], seed=2, now=START)
    assert why(session, token) == "clinique"
    mixed = f"{token.split('.')[0]}.{other.split('.')[1]}"
    for wrong in (
        "",
        ".",
        "x",
        mixed,
        token[:-1],
        token + "A",
        token.upper(),
        token + "\n",
        token.replace(".", ""),
        "é",
    ):
        assert why(session, wrong) == "token_unknown"


@pytest.mark.parametrize(
    ("ends", "after", "said"),
    [
        (None, 365 * DAY - timedelta(seconds=1), "clinique"),
        (None, 365 * DAY, "token_expired"),
        (30 * DAY, 29 * DAY, "clinique"),
        (30 * DAY, 30 * DAY, "token_expired"),
    ],
)
def test_it_counts_for_a_year_or_until_it_ends(
    session: Session, partner: str, ends: timedelta | None, after: timedelta, said: str
) -> None:
    expires = None if ends is None else START + ends
    token = new_token(session, partner, ["events:read"], seed=1, now=START, expires_at=expires)
    assert why(session, token, after=after) == said


def test_why_it_does_not_count_is_told_only_to_who_knows_the_secret(session: Session, partner: str) -> None:
    token = new_token(session, partner, ["events:read"], seed=1, now=START)
    prefix = token.split(".")[0]
    first = revoke_token(session, prefix, now=START + DAY).revoked_at
    assert revoke_token(session, prefix, now=START + 2 * DAY).revoked_at == first == START + DAY
    assert why(session, token, after=2 * DAY) == "token_revoked"
    assert why(session, f"{prefix}.{'A' * 43}", after=2 * DAY) == "token_unknown"


@pytest.mark.parametrize("days", [-1, 0, 732])
def test_an_end_in_the_past_or_too_far_is_wrong_use(session: Session, partner: str, days: int) -> None:
    with pytest.raises(WrongUse):
        new_token(session, partner, ["events:read"], seed=1, now=START, expires_at=START + days * DAY)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["events:read", "events:write"]])
def test_scopes_that_do_not_exist_are_wrong_use(session: Session, partner: str, scopes: list[str]) -> None:
    with pytest.raises(WrongUse):
        new_token(session, partner, scopes, seed=1, now=START)
    with pytest.raises(WrongUse):
        new_token(session, "nobody", ["events:read"], seed=1, now=START)


def test_a_replaced_token_counts_for_the_overlap_and_the_new_one_as_long_as_the_old(
    session: Session, partner: str
) -> None:
    old = new_token(session, partner, ["events:read"], seed=1, now=START, expires_at=START + 100 * DAY)
    source = random.Random(2).randbytes
    now = START + 50 * DAY
    new = rotate_token(session, old.split(".")[0], overlap=7 * DAY, random_bytes=source, now=now)
    assert (new.row.scopes, new.row.title, new.row.expires_at) == (["events:read"], "Essai", START + 150 * DAY)
    assert [why(session, each, after=56 * DAY) for each in (old, new.shown)] == ["clinique", "clinique"]
    assert [why(session, each, after=57 * DAY) for each in (old, new.shown)] == ["token_expired", "clinique"]
    lines = list_tokens(session, now=START + 60 * DAY, partner=partner)
    assert [line.status for line in lines] == ["expired", "active"]
    for overlap in (-DAY, 91 * DAY):
        with pytest.raises(WrongUse):
            rotate_token(session, new.row.prefix, overlap=overlap, random_bytes=source, now=now)
    with pytest.raises(WrongUse):
        rotate_token(session, old.split(".")[0], overlap=DAY, random_bytes=source, now=START + 60 * DAY)


def test_the_last_use_is_written_at_most_once_a_minute(client: ApiClient) -> None:
    def used() -> object:
        prefix = client.tokens["clinique"].split(".")[0]
        with read_session(client.engine) as session:
            return session.exec(select(PartnerToken.last_used_at).where(PartnerToken.prefix == prefix)).one()

    assert used() is None
    client.get("/me")
    client.later(seconds=59)
    client.get("/me")
    assert used() == START
    client.later(seconds=1)
    client.get("/me")
    assert used() == START + timedelta(minutes=1)


def test_the_answer_waits_for_nobody_who_writes(client: ApiClient) -> None:
    """Somebody holds the database's write lock until the answer is there; only then is the use noted."""
    with ExitStack() as held:
        held.enter_context(write_session(client.engine))
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                held.close()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        authorization = f"Bearer {client.tokens['clinique']}".encode()
        scope = {"type": "http", "method": "GET", "path": "/me", "headers": [(b"authorization", authorization)]}
        asyncio.run(client.app({**scope, "query_string": b"", "client": ("192.0.2.7", 4711)}, receive, send))
    assert sent[0]["status"] == 200
    with read_session(client.engine) as session:
        assert session.exec(select(PartnerToken.last_used_at).where(PartnerToken.last_used_at == START)).one()


def test_what_is_public_is_not_asked_for_without_end(client: ApiClient) -> None:
    answers = [client.get("/health/live", by=None) for _ in range(PUBLIC_BURST)]
    assert {each.status_code for each in answers} == {200}
    over = client.get("/health/live", by=None)
    assert kind_of(over) == "too_many"
    assert client.get("/me").status_code == 200
    client.later(seconds=float(over.headers["retry-after"]))
    assert client.get("/health/live", by=None).status_code == 200


def test_tokens_that_somebody_has_do_not_count_as_guesses(client: ApiClient) -> None:
    """A partner whose token has ended may share its address with others."""
    client.later(days=366)
    kinds = [kind_of(client.get("/me")) for _ in range(FAILURES_BURST + 1)]
    assert set(kinds) == {"token_expired"}


@pytest.mark.parametrize("sent", ["Basic abc", "Bearer", "Bearer ", "segin_x.y"])
def test_what_is_no_bearer_token_is_none(client: ApiClient, sent: str) -> None:
    assert kind_of(client.get("/me", by=None, headers={"Authorization": sent})) == "token_missing"


def test_a_token_that_does_not_count_is_told_apart_from_none(client: ApiClient) -> None:
    wrong = client.get("/me", by="x")
    assert kind_of(wrong) == "token_unknown"
    assert wrong.headers["www-authenticate"] == 'Bearer realm="segin", error="invalid_token"'
    client.later(days=366)
    assert kind_of(client.get("/me")) == "token_expired"


def test_each_answer_carries_its_id_its_limits_and_is_kept_by_nobody(client: ApiClient) -> None:
    answer = client.get("/me")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"].startswith("api-test-")
    assert answer.headers["ratelimit-limit"] == "600"
    assert answer.headers["ratelimit-remaining"] == str(BURST - 1)
    assert answer.headers["ratelimit-reset"] == "1"
    assert "cache-control" in client.get("/me", by=None).headers


def test_each_token_has_a_bucket_that_fills_again(client: ApiClient) -> None:
    answers = [client.get("/no-such-thing") for _ in range(BURST)]
    assert {each.status_code for each in answers} == {404}
    over = client.get("/me")
    assert kind_of(over) == "too_many"
    assert (over.headers["retry-after"], over.headers["ratelimit-remaining"]) == ("1", "0")
    assert client.get("/me", by="atelier").status_code == 200
    client.later(seconds=1)
    assert client.get("/me").status_code == 200


def test_an_address_that_guesses_has_to_wait(client: ApiClient) -> None:
    kinds = {kind_of(client.get("/me", by=f"guess-{number}")) for number in range(FAILURES_BURST)}
    assert kinds == {"token_unknown"}
    blocked = client.get("/me", by="one-more")
    assert kind_of(blocked) == "too_many"
    client.later(seconds=float(blocked.headers["retry-after"]))
    assert client.get("/me").status_code == 200


def test_buckets_forget_whoever_is_full_again_and_stay_small() -> None:
    buckets = Buckets(60, 2)
    for number in range(MOST_KEYS + 10):
        buckets.take(str(number), number * 0.001)
    assert len(buckets._kept) <= MOST_KEYS
    buckets.take("late", 0.0)
    assert buckets.take("late", -5.0).remaining == 0, "a clock that goes back gives nothing"
    assert not buckets.take("late", 0.5).allowed
    assert buckets.take("late", 2.0).allowed


def test_a_body_that_is_too_large_is_not_read(client: ApiClient) -> None:
    path = "/referrals/0000-0000-0000-0/rejection"
    assert kind_of(client.post(path, content=b"x" * (MOST_BYTES + 1))) == "too_large"

    async def drops():  # type: ignore[no-untyped-def]
        for _ in range(200):
            yield b"x" * 10_000

    assert kind_of(client.post(path, content=drops())) == "too_large"


def test_what_is_no_json_is_a_problem(client: ApiClient) -> None:
    path = "/referrals/0000-0000-0000-0/rejection"
    json = {"Content-Type": "application/json"}
    for body in (b"{", b"\xff", b'{"reason": "\xff"}'):
        assert kind_of(client.post(path, content=body, headers=json)) == "bad_json"
    for media in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        answer = client.post(path, content=b"reason", headers={"Content-Type": media})
        assert kind_of(answer) == "unsupported_type"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("de", "fr"),
        ("*", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-ML, en;q=0.8", "fr"),
        ("en;q=0.5, fr;q=0.4", "en"),
        ("en;q=x, fr;q=0.1", "fr"),
        ("EN", "en"),
        ("en, fr", "fr"),
    ],
)
def test_the_language_is_the_one_that_is_asked_for(accepted: str | None, language: str) -> None:
    assert language_of(accepted) == language


def test_each_kind_of_problem_is_said_in_both_languages() -> None:
    texts = [text for kind in KINDS.values() for pair in (kind.title, kind.detail) for text in pair]
    assert all(texts)
    assert all(kind.detail.fr != kind.detail.en for kind in KINDS.values())


def test_the_documentation_lists_each_scope_and_each_kind_of_problem() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in (*SCOPES, *(kind.replace("_", "-") for kind in KINDS)) if f"| `{name}` |" not in page]
    assert missing == []


def test_from_the_command_line_to_a_request_that_is_let_in(tmp_path: Path) -> None:
    """`segin token`: made, seen in the list without its secret, replaced, revoked."""
    line = CommandLine(tmp_path / "data")
    line.json("partner", "add", "clinique", "Fictif", "--url", "https://partner.example.org/events")
    made = line.json("token", "add", "clinique", "--scope", "referrals:read", "--title", "Essai")
    assert made["token"].startswith(f"{made['prefix']}.")
    listed = line.text("token", "list", "--json")
    assert made["prefix"] in listed
    assert made["token"].split(".")[1] not in listed
    new = line.json("token", "rotate", made["prefix"], "--overlap", "0")
    assert (new["replaces"], new["scopes"]) == (made["prefix"], ["referrals:read"])
    revoked = line.json("token", "revoke", new["prefix"])
    assert revoked["prefix"] == new["prefix"]
    tokens = line.json("token", "list", "--partner", "clinique")["tokens"]
    assert [each["status"] for each in tokens] == ["expired", "revoked"]
    assert "scope" in line.error("token", "add", "clinique", "--scope", "all", code=2)
    assert "prefix" in line.error("token", "revoke", "segin_x", code=2)
    assert "montré cette seule fois" in line.text("token", "add", "clinique", "--scope", "events:read")
