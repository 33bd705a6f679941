"""The headers that sign an attempt: verified by a library that is not ours, and broken by any change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from edges.test_sharing_cloud_event import CASE, GOLDEN
from edges.webhook_outbox import secret_of
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.webhooks.signatures import signed_headers


@pytest.mark.parametrize("hours", [-8, 0, 5])
def test_the_signature_holds_whatever_the_time_zone_of_the_clock(hours: int) -> None:
    at = datetime.now(timezone(timedelta(hours=hours)))
    headers = signed_headers(secret_of("one"), "evt-1", GOLDEN, at)
    assert headers["webhook-id"] == "evt-1"
    assert Webhook(secret_of("one")).verify(GOLDEN, headers)["subject"] == CASE


def test_the_signature_covers_id_time_and_body() -> None:
    headers = signed_headers(secret_of("one"), "evt-1", GOLDEN, datetime.now(UTC))
    verifier = Webhook(secret_of("one"))
    later = str(int(headers["webhook-timestamp"]) + 1)
    for changed in ({"webhook-id": "evt-2"}, {"webhook-timestamp": later}):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(GOLDEN, {**headers, **changed})
    with pytest.raises(WebhookVerificationError):
        verifier.verify(GOLDEN.replace(b"arrived", b"closed"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of("two")).verify(GOLDEN, headers)
