"""A published schema stays what its partners built on; and what tells so tells every change that would break them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from edges.catalogue_files import COMMAND, PUBLIC_URL, PUBLISHED, schema_file
from edges.schema_changes import breaking_changes

from integrations.catalogue.schemas import published, served_schema

FROZEN = sorted((file.parent.name, int(file.stem)) for file in PUBLISHED.glob("*/*.json"))
REMEDY = (
    "Partners built on this version, and events that were sent in it still lead to it. Leave it as it was, append a "
    f"model to what the type has in `shown` in models/events.py (a new version), and run {COMMAND}."
)


def test_every_version_is_frozen_and_none_is_forgotten() -> None:
    assert sorted(published()) == FROZEN, f"For a new type or version run {COMMAND}; no old one may be missing."


@pytest.mark.parametrize(("event_type", "version"), FROZEN)
def test_no_published_version_changed_in_a_breaking_way(event_type: str, version: int) -> None:
    frozen = json.loads(schema_file(event_type, version).read_text())
    changes = breaking_changes(frozen, served_schema(PUBLIC_URL, event_type, version))
    assert not changes, f"{event_type} version {version}: {'; '.join(changes)}. {REMEDY}"


BASE: dict[str, Any] = {
    "$id": "https://segin.example.org/v1/schemas/x/1",
    "title": "Example",
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "data": {
            "type": "object",
            "properties": {
                "case": {"type": "string", "minLength": 1},
                "state": {"type": "string"},
                "needs": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["case"],
        },
    },
    "required": ["kind", "data"],
}
Change = Callable[[dict[str, Any], dict[str, Any]], object]
"""Of the whole event and of its `data`, in place."""

BREAKING: dict[str, tuple[Change, list[str]]] = {
    "a field removed": (lambda _, data: data["properties"].pop("state"), ["event.data.state: removed"]),
    "a field renamed": (
        lambda _, data: data["properties"].update(status=data["properties"].pop("state")),
        ["event.data.state: removed"],
    ),
    "a required field removed": (
        lambda _, data: (data["properties"].pop("case"), data["required"].clear()),
        ["event.data.case: removed"],
    ),
    "a type changed": (
        lambda _, data: data["properties"]["state"].update(type="integer"),
        ["event.data.state: type was 'string', is 'integer'"],
    ),
    "null allowed": (
        lambda _, data: data["properties"]["state"].update(type=["string", "null"]),
        ["event.data.state: type was 'string', is ['string', 'null']"],
    ),
    "a type taken away": (
        lambda _, data: data["properties"]["state"].pop("type"),
        ["event.data.state: type was 'string', is None"],
    ),
    "the type of items changed": (
        lambda _, data: data["properties"]["needs"]["items"].update(type="integer"),
        ["event.data.needs[]: type was 'string', is 'integer'"],
    ),
    "items no longer described": (
        lambda _, data: data["properties"]["needs"].pop("items"),
        ["event.data.needs[]: {'type': 'string'} became None"],
    ),
    "optional became required": (
        lambda _, data: data["required"].append("state"),
        ["event.data.state: was optional, is required"],
    ),
    "required became optional": (
        lambda _, data: data["required"].remove("case"),
        ["event.data.case: was required, is optional"],
    ),
    "a required field added": (
        lambda _, data: (data["properties"].update(office={"type": "string"}), data["required"].append("office")),
        ["event.data.office: added, and required"],
    ),
    "an enum narrowed": (
        lambda event, _: event["properties"]["kind"].update(enum=["a"]),
        ["event.kind: enum was ['a', 'b'], is ['a']"],
    ),
    "an enum widened": (
        lambda event, _: event["properties"]["kind"].update(enum=["a", "b", "c"]),
        ["event.kind: enum was ['a', 'b'], is ['a', 'b', 'c']"],
    ),
    "an enum brought in": (
        lambda _, data: data["properties"]["state"].update(enum=["arrived"]),
        ["event.data.state: enum was None, is ['arrived']"],
    ),
    "additional properties closed": (
        lambda _, data: data.update(additionalProperties=False),
        ["event.data: additionalProperties was None, is False"],
    ),
    "a rule tightened": (
        lambda _, data: data["properties"]["case"].update(minLength=5),
        ["event.data.case: minLength was 1, is 5"],
    ),
    "a rule given up": (
        lambda _, data: data["properties"]["case"].pop("minLength"),
        ["event.data.case: minLength was 1, is None"],
    ),
    "a format brought in": (
        lambda _, data: data["properties"]["state"].update(format="uri"),
        ["event.data.state: format was None, is 'uri'"],
    ),
    "the address changed": (
        lambda event, _: event.update({"$id": "https://segin.example.org/v1/schemas/x/2"}),
        [f"event: $id was '{BASE['$id']}', is 'https://segin.example.org/v1/schemas/x/2'"],
    ),
    "a field that takes nothing any more": (
        lambda _, data: data["properties"].update(state=False),
        ["event.data.state: {'type': 'string'} became False"],
    ),
    "two changes at once": (
        lambda event, data: (event["properties"]["kind"].update(enum=["b"]), data["properties"].pop("needs")),
        ["event.data.needs: removed", "event.kind: enum was ['a', 'b'], is ['b']"],
    ),
}

HARMLESS: dict[str, Change] = {
    "nothing": lambda *_: None,
    "an optional field": lambda _, data: data["properties"].update(office={"type": "string"}),
    "an optional attribute": lambda event, _: event["properties"].update(traceparent={"type": "string"}),
    "an optional object with required fields of its own": lambda _, data: data["properties"].update(
        details={"type": "object", "properties": {"region": {"type": "string"}}, "required": ["region"]}
    ),
    "words": lambda event, data: (event.update(title="Other"), data["properties"]["state"].update(description="It")),
    "a field on its way out": lambda _, data: data["properties"]["state"].update(deprecated=True),
    "another order": lambda event, _: (event["required"].reverse(), event["properties"]["kind"]["enum"].reverse()),
}


def changed(change: Change) -> dict[str, Any]:
    event = copy.deepcopy(BASE)
    change(event, event["properties"]["data"])
    return event


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_somebody_is_told(name: str) -> None:
    change, told = BREAKING[name]
    assert sorted(breaking_changes(BASE, changed(change))) == told


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_passes(name: str) -> None:
    assert breaking_changes(BASE, changed(HARMLESS[name])) == []
