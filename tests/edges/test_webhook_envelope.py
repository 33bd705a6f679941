"""The bytes that a partner gets: the same for the same event, thin, and read by libraries that are not ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from edges.webhook_outbox import NOW, secret_of
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from integrations.webhooks.envelope import CONTENT_TYPE, EventNotInCatalogue, envelope, signed_headers
from models.events import EVENT_TYPES


@dataclass(frozen=True)
class Announced:
    uid: str = "evt_0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    type: str = "deadline.overdue"
    occurred_at: datetime = NOW
    sequence: int = 7
    correlation_id: str = "corr-1"
    data: dict[str, Any] = field(
        default_factory=lambda: {"deadline": "screening_begun", "case": "7K3M-9QX2", "state": "arrived"}
    )


GOLDEN = (
    b'{"specversion": "1.0", "id": "evt_0f1e2d3c4b5a69788796a5b4c3d2e1f0", "source": "urn:segin:cases", '
    b'"type": "deadline.overdue", "subject": "7K3M-9QX2", "time": "2024-03-05T08:00:00Z", '
    b'"datacontenttype": "application/json", "sequence": "0000000007", "sequencetype": "Integer", '
    b'"correlationid": "corr-1", '
    b'"data": {"case": "7K3M-9QX2", "state": "arrived", "deadline": "screening_begun"}}'
)


def test_the_bytes_are_these_and_stay_these() -> None:
    """A partner that was offline gets an old event again: an update of ours must not have changed a byte of it."""
    assert envelope(Announced()) == GOLDEN


@given(st.permutations(sorted(Announced().data.items())), st.integers(-14, 14))
def test_neither_the_order_of_keys_nor_the_time_zone_shows(items: list[tuple[str, Any]], hours: int) -> None:
    moved = NOW.astimezone(timezone(timedelta(hours=hours)))
    assert envelope(Announced(data=dict(items), occurred_at=moved)) == GOLDEN


def test_a_cloudevents_library_reads_it() -> None:
    event = from_http(HTTPMessage({"content-type": CONTENT_TYPE}, envelope(Announced())), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_subject()) == (
        "evt_0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "deadline.overdue",
        "7K3M-9QX2",
    )
    assert event.get_time() == NOW
    assert event.get_extension("correlationid") == "corr-1"
    assert event.get_data() == {"case": "7K3M-9QX2", "state": "arrived", "deadline": "screening_begun"}


@given(st.lists(st.integers(1, 2**31 - 1), min_size=2))
def test_the_sequence_sorts_as_text_and_as_a_number(sequences: list[int]) -> None:
    written = [from_sequence(number) for number in sequences]
    assert sorted(written) == [from_sequence(number) for number in sorted(sequences)]


def from_sequence(number: int) -> str:
    event = JSONFormat().read(None, envelope(Announced(sequence=number)))
    return str(event.get_extension("sequence"))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_no_event_type_can_carry_more_than_the_catalogue_lists(event_type: str) -> None:
    full = dict.fromkeys(EVENT_TYPES[event_type].model_fields, "x")
    assert envelope(Announced(type=event_type, data=full))
    with pytest.raises(EventNotInCatalogue) as refused:
        envelope(Announced(type=event_type, data={**full, "family_name": "KEITA"}))
    assert "KEITA" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(EventNotInCatalogue):
        envelope(Announced(type="case.deleted"))


@pytest.mark.parametrize("hours", [-8, 0, 5])
def test_the_signature_holds_whatever_the_time_zone_of_the_clock(hours: int) -> None:
    at = datetime.now(timezone(timedelta(hours=hours)))
    headers = signed_headers(secret_of("one"), "evt_1", GOLDEN, at)
    assert headers["webhook-id"] == "evt_1"
    assert Webhook(secret_of("one")).verify(GOLDEN, headers)["subject"] == "7K3M-9QX2"


def test_the_signature_covers_id_time_and_body() -> None:
    headers = signed_headers(secret_of("one"), "evt_1", GOLDEN, datetime.now(UTC))
    verifier = Webhook(secret_of("one"))
    later = str(int(headers["webhook-timestamp"]) + 1)
    for changed in ({"webhook-id": "evt_2"}, {"webhook-timestamp": later}):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(GOLDEN, {**headers, **changed})
    with pytest.raises(WebhookVerificationError):
        verifier.verify(GOLDEN.replace(b"arrived", b"closed"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of("two")).verify(GOLDEN, headers)
