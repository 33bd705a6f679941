"""The schemas are valid JSON Schema, take what is sent and refuse what is no event; the examples are such events."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from edges.catalogue_files import COMMAND, EXAMPLES, PUBLIC_URL, example_file, written
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import dataschema, published, served_schema
from integrations.sharing.covering import NEED_NO_CONSENT
from models.events import CATALOGUE, EVENT_TYPES, ShownDeadline
from models.shared_fields import SHARED_FIELDS


def validator(event_type: str) -> Draft202012Validator:
    schema = served_schema(PUBLIC_URL, event_type, CATALOGUE[event_type].version)
    assert schema is not None
    return Draft202012Validator(schema, format_checker=FormatChecker(["date"]))


@pytest.mark.parametrize(("event_type", "version"), published())
def test_each_is_a_schema_under_its_own_address(event_type: str, version: int) -> None:
    schema = served_schema(f"{PUBLIC_URL}/", event_type, version)
    assert schema is not None
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"{PUBLIC_URL}/v1/schemas/{event_type}/{version}"
    assert "$ref" not in written(schema)


@pytest.mark.parametrize(("event_type", "version"), [("case.deleted", 1), ("case.arrived", 0), ("case.arrived", 99)])
def test_there_is_no_other(event_type: str, version: int) -> None:
    assert served_schema(PUBLIC_URL, event_type, version) is None


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_each_example_is_such_an_event_and_is_kept_as_a_file(event_type: str) -> None:
    event = example(PUBLIC_URL, event_type)
    validator(event_type).validate(event)
    CATALOGUE[event_type].model.model_validate(event["data"])
    assert datetime.fromisoformat(event["time"]).tzinfo
    assert example_file(event_type).read_text() == written(event), f"Run {COMMAND}."
    assert JSONFormat().read(None, json.dumps(event)).get_type() == event_type


def test_no_example_is_left_over() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} == set(CATALOGUE)
    assert "synthetic" in (EXAMPLES / "README.md").read_text()


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_dataschema_leads_to_the_schema_of_the_data(event_type: str) -> None:
    event = example(PUBLIC_URL, event_type)
    address, _, pointer = dataschema(PUBLIC_URL, event_type).partition("#")
    part: Any = served_schema(PUBLIC_URL, event_type, CATALOGUE[event_type].version)
    assert part["$id"] == address
    for step in pointer.split("/")[1:]:
        part = part[step]
    Draft202012Validator(part).validate(event["data"])
    with pytest.raises(ValidationError):
        Draft202012Validator(part).validate({})


def test_a_new_version_has_its_own_address_and_leaves_the_one_before_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    first = served_schema(PUBLIC_URL, "case.arrived", 1)
    kind = CATALOGUE["case.arrived"]
    monkeypatch.setitem(CATALOGUE, "case.arrived", kind._replace(shown=(*kind.shown, ShownDeadline)))
    assert served_schema(PUBLIC_URL, "case.arrived", 1) == first
    second = served_schema(PUBLIC_URL, "case.arrived", 2)
    assert second is not None
    assert dataschema(PUBLIC_URL, "case.arrived") == f"{second['$id']}#/properties/data"
    assert second["properties"]["data"]["required"] == ["case", "deadline"]
    assert ("case.arrived", 2) in published()


WRONG: dict[str, dict[str, Any]] = {
    "another type": {"type": "case.closed"},
    "another source": {"source": "urn:other"},
    "a number as sequence": {"sequence": 7},
    "no padding": {"sequence": "7"},
    "the schema of another type": {"dataschema": dataschema(PUBLIC_URL, "case.closed")},
    "no case": {"data": {}},
    "a state of null": {"data": {"case": "c-x", "state": None}},
    "a birth date that is none": {"data": {"case": "c-x", "details": {"birth_date": "1990-13-01"}}},
    "needs that are no list": {"data": {"case": "c-x", "details": {"needs": "training"}}},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_event_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        validator("case.arrived").validate(example(PUBLIC_URL, "case.arrived") | WRONG[name])


def test_no_attribute_may_be_missing() -> None:
    event = example(PUBLIC_URL, "case.arrived")
    for name in event:
        with pytest.raises(ValidationError):
            validator("case.arrived").validate({key: value for key, value in event.items() if key != name})


def test_a_field_of_later_passes() -> None:
    event = example(PUBLIC_URL, "case.arrived")
    later = {"traceparent": "x", "data": {**event["data"], "new": 1, "details": {"new": 2}}}
    validator("case.arrived").validate({**event, **later})


def test_details_are_the_fields_that_may_be_shared_and_all_of_them_may_be_missing() -> None:
    schema = served_schema(PUBLIC_URL, "case.arrived", 1)
    assert schema is not None
    details = schema["properties"]["data"]["properties"]["details"]
    assert list(details["properties"]) == list(SHARED_FIELDS)
    assert "required" not in details
    for name, field in SHARED_FIELDS.items():
        kind = {"date": "string", "list": "array"}.get(field.kind, field.kind)
        assert details["properties"][name]["type"] == kind
        assert details["properties"][name].get("format") == ("date" if field.kind == "date" else None)


def test_what_takes_something_back_or_reminds_cannot_carry_details() -> None:
    for name in EVENT_TYPES:
        kind = CATALOGUE[name]
        assert ["details" in shown.model_fields for shown in kind.shown] == [name not in NEED_NO_CONSENT] * kind.version


def test_what_is_shown_is_what_was_announced_and_details() -> None:
    """An event in the outbox never has details, whoever wrote it: they are each partner's own."""
    for name, announced in EVENT_TYPES.items():
        assert issubclass(CATALOGUE[name].model, announced)
        assert CATALOGUE[name].model.model_fields.keys() - announced.model_fields.keys() <= {"details"}
        assert "details" not in announced.model_fields


def test_these_ask_for_an_answer() -> None:
    asks = {name for name, kind in CATALOGUE.items() if kind.asks}
    takes_back = {name for name, kind in CATALOGUE.items() if kind.takes_back}
    assert takes_back == {"consent.revoked", "referral.revoked", "case.corrected"}
    assert asks == takes_back | {"referral.made"}


def test_a_pathway_cannot_announce_a_test_event() -> None:
    assert set(CATALOGUE) - set(EVENT_TYPES) == {"segin.test"}


def test_everything_has_a_title_in_both_languages_and_no_two_the_same() -> None:
    for titles in ([kind.fr for kind in CATALOGUE.values()], [kind.en for kind in CATALOGUE.values()]):
        assert all(titles)
        assert len(set(titles)) == len(titles)
