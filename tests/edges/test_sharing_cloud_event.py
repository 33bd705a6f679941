"""The bytes that a partner gets of an event: the same for ever, and read by a library that is not ours."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.formats.json import JSONFormat
from edges.webhook_outbox import NOW, PUBLIC_URL
from hypothesis import given
from hypothesis import strategies as st

from integrations.catalogue.schemas import CONTENT_TYPE
from integrations.sharing.cloud_event import OwedEvent, cloud_event, thin_data
from models.events import EVENT_TYPES

UID, CASE = "evt-voipkzmyvjpfprupggzfnorr4l", "c-tphblsd7kw3uoa6iascnnkulim"
TYPE = "deadline.overdue"
ANNOUNCED = {"deadline": "screening_begun", "case": "7K3M-9QX2-AB4D-C", "state": "arrived"}

GOLDEN = (
    b'{"specversion": "1.0", "id": "evt-voipkzmyvjpfprupggzfnorr4l", "source": "urn:segin:cases", '
    b'"type": "deadline.overdue", "subject": "c-tphblsd7kw3uoa6iascnnkulim", "time": "2024-03-05T08:00:00Z", '
    b'"datacontenttype": "application/json", '
    b'"dataschema": "https://segin.example.org/v1/schemas/deadline.overdue/1#/properties/data", '
    b'"sequence": "0000000007", "sequencetype": "Integer", '
    b'"data": {"case": "c-tphblsd7kw3uoa6iascnnkulim", "state": "arrived", "deadline": "screening_begun", '
    b'"details": {"region": "ML01"}}}'
)


def body(*, announced: dict[str, Any] = ANNOUNCED, at: datetime = NOW, sequence: int = 7) -> bytes:
    thin = thin_data(TYPE, announced)
    assert thin is not None
    owed = OwedEvent(UID, TYPE, CASE, sequence, at, thin)
    return cloud_event(owed, {"region": "ML01"}, public_url=PUBLIC_URL)


def test_the_bytes_are_these() -> None:
    assert body() == GOLDEN


@given(st.permutations(sorted(ANNOUNCED.items())), st.integers(-14, 14), st.integers(0, 999_999))
def test_neither_the_order_of_keys_nor_the_time_zone_nor_less_than_a_second_shows(
    items: list[tuple[str, Any]], hours: int, microseconds: int
) -> None:
    moved = NOW.astimezone(timezone(timedelta(hours=hours))) + timedelta(microseconds=microseconds)
    assert body(announced=dict(items), at=moved) == GOLDEN


def test_a_cloudevents_library_reads_it() -> None:
    event = from_http(HTTPMessage({"content-type": CONTENT_TYPE}, body()), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_subject()) == (UID, TYPE, CASE)
    assert event.get_time() == NOW
    assert event.get_data() == {
        "case": CASE,
        "state": "arrived",
        "deadline": "screening_begun",
        "details": {"region": "ML01"},
    }


@given(st.lists(st.integers(1, 2**31 - 1), min_size=2))
def test_the_sequence_sorts_as_text_and_as_a_number(sequences: list[int]) -> None:
    def written(number: int) -> str:
        return str(JSONFormat().read(None, body(sequence=number)).get_extension("sequence"))

    assert sorted(map(written, sequences)) == [written(number) for number in sorted(sequences)]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_no_event_type_can_carry_more_than_the_catalogue_lists(event_type: str) -> None:
    full = dict.fromkeys(EVENT_TYPES[event_type].model_fields, "x")
    assert thin_data(event_type, full) is not None
    assert thin_data(event_type, {**full, "family_name": "KEITA"}) is None


def test_an_unknown_type_has_no_data() -> None:
    assert thin_data("case.deleted", ANNOUNCED) is None
