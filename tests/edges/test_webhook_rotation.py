"""New secrets and keys: while the old ones overlap, whoever has either can verify, and afterwards only the new."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from edges.receivers.sink import Request, Sink
from edges.webhook_outbox import NOW, Clock, connect, fill, secret_of, send, statements, subscribe
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.webhooks.claim import due_endpoints
from integrations.webhooks.rotation import LONGEST_OVERLAP, rotate_key, rotate_secret
from integrations.webhooks.signatures import PRIVATE_PREFIX, PUBLIC_PREFIX, new_private_key, public_key
from integrations.webhooks.subscriptions import UnknownSubscription
from models import Subscription
from models.database import write_session
from models.errors import WrongUse
from models.partner_access import SigningSecret

OVERLAP = timedelta(days=7)
Rotate = Callable[..., str]


def bytes_of(seed: str) -> Callable[[int], bytes]:
    return lambda size: hashlib.sha512(seed.encode()).digest()[:size]


def rotated(engine: Engine, rotate: Rotate, seed: str, *, overlap: timedelta = OVERLAP, now: Clock) -> str:
    with write_session(engine) as session:
        (subscription_id,) = session.exec(select(Subscription.id)).all()
        shown = rotate(session, subscription_id, random_bytes=bytes_of(seed), overlap=overlap, now=now.now)
        session.commit()
    return shown


def next_request(engine: Engine, sink: Sink, clock: Clock) -> Request:
    fill(engine, cases=1, events=1)
    sink.requests.clear()
    send(engine, clock)
    (request,) = sink.requests
    return request


def verifies(secret: str, request: Request) -> bool:
    try:
        Webhook(secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


def verify_asymmetric(public: str, request: Request, *, body: bytes | None = None) -> None:
    """As a receiver would, from the text of the specification: any `v1a` signature that holds is enough."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + (body or request.body)
    for each in headers["webhook-signature"].split(" "):
        scheme, _, signature = each.partition(",")
        if scheme == "v1a":
            try:
                return key.verify(base64.b64decode(signature), signed)
            except InvalidSignature:
                continue
    raise InvalidSignature


def schemes(request: Request) -> list[str]:
    return [each.partition(",")[0] for each in request.headers["webhook-signature"].split(" ")]


def test_during_the_overlap_both_secrets_verify_and_afterwards_only_the_new_one(engine: Engine) -> None:
    clock, old = Clock(), secret_of("ngo")
    with Sink() as sink:
        connect(engine, ngo=sink)
        before = next_request(engine, sink, clock)
        assert (schemes(before), verifies(old, before)) == (["v1"], True)
        new = rotated(engine, rotate_secret, "second", now=clock)
        assert new != old
        assert not verifies(new, before)

        clock.now += OVERLAP - timedelta(seconds=1)
        during = next_request(engine, sink, clock)
        assert schemes(during) == ["v1", "v1"]
        assert verifies(old, during)
        assert verifies(new, during)
        current = during.headers["webhook-signature"].split(" ")[0]
        only_first = Request(during.path, {**during.headers, "webhook-signature": current}, during.body)
        assert (verifies(new, only_first), verifies(old, only_first)) == (True, False), "the current one comes first"

        clock.forward(seconds=1)
        after = next_request(engine, sink, clock)
        assert (schemes(after), verifies(new, after), verifies(old, after)) == (["v1"], True, False)


def test_a_second_rotation_keeps_what_still_overlaps_and_forgets_what_does_not(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        secrets = [secret_of("ngo")]
        secrets += [rotated(engine, rotate_secret, seed, now=clock) for seed in ("second", "third")]
        request = next_request(engine, sink, clock)
        assert len(schemes(request)) == 3
        assert all(verifies(secret, request) for secret in secrets)
        clock.now += OVERLAP
        secrets.append(rotated(engine, rotate_secret, "fourth", overlap=timedelta(0), now=clock))
        request = next_request(engine, sink, clock)
        assert [verifies(secret, request) for secret in secrets] == [False, False, False, True]
    with write_session(engine) as session:
        assert session.exec(select(SigningSecret)).all() == []


def test_an_asymmetric_signature_verifies_with_the_public_key_alone(engine: Engine) -> None:
    clock = Clock()
    with Sink() as sink:
        connect(engine, ngo=sink)
        first = rotated(engine, rotate_key, "one", now=clock)
        assert first.startswith(PUBLIC_PREFIX)
        request = next_request(engine, sink, clock)
        assert schemes(request) == ["v1", "v1a"]
        verify_asymmetric(first, request)
        assert verifies(secret_of("ngo"), request), "the symmetric signature is there as before"
        with pytest.raises(InvalidSignature):
            verify_asymmetric(first, request, body=request.body.replace(b"case", b"Case"))

        second = rotated(engine, rotate_key, "two", now=clock)
        clock.now += OVERLAP - timedelta(seconds=1)
        request = next_request(engine, sink, clock)
        verify_asymmetric(first, request)
        verify_asymmetric(second, request)
        clock.forward(seconds=1)
        request = next_request(engine, sink, clock)
        verify_asymmetric(second, request)
        with pytest.raises(InvalidSignature):
            verify_asymmetric(first, request)


def test_the_private_half_is_the_seed_and_the_public_half_the_key_of_rfc_8032() -> None:
    """Its first test vector."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    private = new_private_key(lambda size: seed[:size])
    assert private == PRIVATE_PREFIX + base64.b64encode(seed).decode()
    known = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert public_key(private) == PUBLIC_PREFIX + base64.b64encode(known).decode()


@given(st.binary(min_size=32, max_size=32))
def test_the_public_half_tells_nothing_of_the_private_one(seed: bytes) -> None:
    private = new_private_key(lambda size: seed[:size])
    assert base64.b64encode(seed).decode() not in public_key(private)


def test_all_secrets_are_read_in_one_statement(engine: Engine) -> None:
    connect(engine, **{f"partner-{number}": f"https://partner{number}.example.org/" for number in range(4)})
    fill(engine, cases=2, events=1)
    with write_session(engine) as session:
        ids = session.exec(select(Subscription.id).order_by(col(Subscription.id))).all()
        for id_ in ids[:2]:
            for seed in ("a", "b"):
                rotate_secret(session, id_ or 0, random_bytes=bytes_of(f"{id_}{seed}"), overlap=OVERLAP, now=NOW)
        session.commit()
        with statements(engine) as executed:
            endpoints = due_endpoints(session, now=NOW)
        assert len([sql for sql in executed if sql.startswith("SELECT")]) == 1
    assert [(each.subscription_id, len(each.others)) for each in endpoints] == list(zip(ids, (2, 2, 0, 0), strict=True))
    assert "whsec" not in repr(endpoints)


@pytest.mark.parametrize("rotate", [rotate_secret, rotate_key])
@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), LONGEST_OVERLAP + timedelta(seconds=1)])
def test_what_is_refused(session: Session, rotate: Rotate, overlap: timedelta) -> None:
    subscription = subscribe(session, "ngo", "https://partner.example.org/")
    with pytest.raises(WrongUse) as refused:
        rotate(session, subscription.id, random_bytes=bytes_of("x"), overlap=overlap, now=NOW)
    assert refused.value.remedy_fr
    assert subscription.secret == secret_of("ngo")
    with pytest.raises(UnknownSubscription):
        rotate(session, 999, random_bytes=bytes_of("x"), overlap=OVERLAP, now=NOW)
