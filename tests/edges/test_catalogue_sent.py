"""What is sent is what was published: the body of every event that a partner is shown fits its schema and its model."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from edges.catalogue_files import PUBLIC_URL
from edges.webhook_outbox import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import served_schema
from integrations.sharing.cloud_event import ABOUT, OwedEvent, cloud_event, thin_data
from integrations.sharing.covering import NEED_NO_CONSENT
from models.events import CATALOGUE, EVENT_TYPES
from models.shared_fields import SHARED_FIELDS

VALUES = {
    "string": st.text(),
    "date": st.dates().map(lambda day: day.isoformat()),
    "boolean": st.booleans(),
    "integer": st.integers(),
    "list": st.lists(st.text()),
}
DETAILS = st.fixed_dictionaries({}, optional={name: VALUES[field.kind] for name, field in SHARED_FIELDS.items()})
EAST = timezone(timedelta(hours=5, minutes=45))
MOMENTS = st.timedeltas(timedelta(), timedelta(days=20_000)).map(lambda later: NOW.astimezone(EAST) + later)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
@settings(max_examples=20)
@given(details=DETAILS, at=MOMENTS, sequence=st.integers(1, 2**31 - 1))
def test_every_body_fits_its_schema_and_its_model(
    event_type: str, details: dict[str, Any], at: datetime, sequence: int
) -> None:
    announced = {name: f"some {name}" for name in EVENT_TYPES[event_type].model_fields}
    thin = thin_data(event_type, announced)
    assert thin is not None
    owed = OwedEvent("evt-x", event_type, "c-x", sequence, at, thin)
    sent = cloud_event(
        owed,
        {} if event_type in NEED_NO_CONSENT else details,
        public_url=PUBLIC_URL,
        about="evt-y",
    )
    body = json.loads(sent)
    assert {body["data"][name] for name in ABOUT if name in announced} <= {"evt-y"}
    schema = served_schema(PUBLIC_URL, event_type, CATALOGUE[event_type].version)
    assert schema is not None
    Draft202012Validator(schema, format_checker=FormatChecker(["date"])).validate(body)
    CATALOGUE[event_type].model.model_validate_json(json.dumps(body["data"]))
    assert list(body) == list(example(PUBLIC_URL, event_type))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_details_in_the_outbox_are_refused(event_type: str) -> None:
    announced = {name: f"some {name}" for name in EVENT_TYPES[event_type].model_fields}
    assert thin_data(event_type, {**announced, "details": {"region": "ML01"}}) is None
