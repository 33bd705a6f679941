"""Partners and subscriptions: what is refused, and that a secret is never shown again."""

from __future__ import annotations

import base64

import pytest
from edges.webhook_outbox import NOW, secret_of, subscribe
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session
from standardwebhooks.webhooks import Webhook

from integrations.webhooks.addresses import RefusedUrl
from integrations.webhooks.subscriptions import (
    UnknownPartner,
    UnknownSubscription,
    add_partner,
    add_subscription,
    list_subscriptions,
    new_secret,
    pause,
    resume,
)
from models.errors import WrongUse

URL = "https://partner.example.org/events"


def test_a_subscription_is_listed_without_its_secret(session: Session) -> None:
    add_partner(session, code="ministry", name=" Ministry of Return ", now=NOW)
    made = add_subscription(
        session,
        partner="ministry",
        url=URL,
        secret=secret_of("ministry"),
        event_types=["case.closed", "case.arrived", "case.closed"],
        regions=["ML01"],
        now=NOW,
    )
    (line,) = list_subscriptions(session)
    assert (line.id, line.partner, line.partner_name, line.url) == (made.id, "ministry", "Ministry of Return", URL)
    assert (line.event_types, line.regions, line.status) == (["case.arrived", "case.closed"], ["ML01"], "active")
    assert secret_of("ministry") not in repr(line)


def test_pausing_and_resuming(session: Session) -> None:
    subscription = subscribe(session, "ngo", URL)
    pause(session, subscription.id or 0)
    assert list_subscriptions(session)[0].status == "paused"
    subscription.status, subscription.status_reason = "disabled", "gone"
    subscription.failing_since = subscription.not_before = NOW
    resume(session, subscription.id or 0, now=NOW)
    (line,) = list_subscriptions(session)
    assert (line.status, line.status_reason, line.failing_since, line.not_before) == ("active", None, None, None)
    with pytest.raises(UnknownSubscription):
        pause(session, 999)


@pytest.mark.parametrize("code", ["", "Ministry", "a b", "-a", "a-", "é", "a" * 41, "a/b", "a\n"])
def test_a_bad_code_is_refused(session: Session, code: str) -> None:
    with pytest.raises(WrongUse):
        add_partner(session, code=code, name="Partner", now=NOW)


def test_a_code_that_is_taken_and_a_missing_name_are_refused(session: Session) -> None:
    add_partner(session, code="ngo", name="One", now=NOW)
    with pytest.raises(WrongUse, match="ngo already"):
        add_partner(session, code="ngo", name="Two", now=NOW)
    with pytest.raises(WrongUse):
        add_partner(session, code="other", name="  ", now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_types": ["case.deleted"]},
        {"event_types": ["case.*"]},
        {"regions": ["Kayes"]},
        {"regions": ["ml01"]},
        {"secret": "whsec_"},
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "whsec_not base64"},
        {"secret": base64.b64encode(b"x" * 32).decode()},
        {"secret": "whsec_" + base64.b64encode(b"x" * 65).decode()},
    ],
)
def test_filters_and_secrets_are_checked(session: Session, wrong: dict[str, object]) -> None:
    add_partner(session, code="ngo", name="One", now=NOW)
    given_secret = str(wrong.get("secret", ""))
    with pytest.raises(WrongUse) as refused:
        add_subscription(
            session,
            **{"partner": "ngo", "url": URL, "secret": secret_of("ngo"), "now": NOW, **wrong},  # type: ignore[arg-type]
        )
    assert refused.value.message_fr != refused.value.message_en
    assert len(given_secret) < 7 or given_secret not in f"{refused.value.message_en}{refused.value.remedy}"


def test_unknown_partner_refused_url_and_the_same_url_twice(session: Session) -> None:
    with pytest.raises(UnknownPartner):
        add_subscription(session, partner="nobody", url=URL, secret=secret_of("x"), now=NOW)
    subscribe(session, "ngo", URL)
    for url in ("http://partner.example.org/", "http://127.0.0.1/", "https://10.0.0.1/"):
        with pytest.raises(RefusedUrl):
            add_subscription(session, partner="ngo", url=url, secret=secret_of("x"), now=NOW)
    with pytest.raises(WrongUse, match="twice"):
        add_subscription(session, partner="ngo", url=URL, secret=secret_of("x"), now=NOW)


@given(st.binary(min_size=32, max_size=32))
def test_a_new_secret_is_one_that_standard_webhooks_takes(random: bytes) -> None:
    secret = new_secret(lambda size: random[:size])
    assert secret.startswith("whsec_")
    assert Webhook(secret)
