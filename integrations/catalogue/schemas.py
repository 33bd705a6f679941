"""JSON Schema 2020-12 of every event in every version: the whole CloudEvent as a partner receives it.

The API serves them under their `$id`. They are open: a receiver must let fields pass that it does not know, so that
a later addition needs no new version; that nothing else is sent is held by the closed models of `models.events`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from models.events import CATALOGUE, CaseEvent

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SOURCE: Final = "urn:segin:cases"
DATA: Final = "#/properties/data"
CONTENT_TYPE: Final = "application/cloudevents+json"
SEQUENCE_DIGITS: Final = 10
# What comes with every pushed event, by Standard Webhooks: name, rules and example.
SIGNED_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "webhook-id": {
        "type": "string",
        "description": "The id of the event, the same at every attempt: an id that you know is done",
        "examples": ["evt-voipkzmyvjpfprupggzfnorr4l"],
    },
    "webhook-timestamp": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "When this attempt was made, in seconds since 1970; refuse what is older than five minutes",
        "examples": ["1709625600"],
    },
    "webhook-signature": {
        "type": "string",
        "pattern": "^v1a?,",
        "description": "Signatures of `id.timestamp.body`, separated by spaces; one that you can verify is enough",
        "examples": ["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
    },
}
# An event that is about no case has no place among the events of one.
CASE_ATTRIBUTES: Final = ("subject", "sequence", "sequencetype")


_SEQUENCE: Final = f"^[0-9]{{{SEQUENCE_DIGITS}}}$"


def sequence_text(sequence: int) -> str:
    """The number of an event among those of its case: padded, because the text order has to be event order."""
    return f"{sequence:0{SEQUENCE_DIGITS}d}"


def published() -> list[tuple[str, int]]:
    """Every type in every version, in the order of the catalogue."""
    return [(name, version) for name, kind in CATALOGUE.items() for version in range(1, kind.version + 1)]


def schema_url(public_url: str, event_type: str, version: int) -> str:
    """Where the schema of the whole event is served; its `$id`."""
    return f"{public_url.rstrip('/')}/v1/schemas/{event_type}/{version}"


def dataschema(public_url: str, event_type: str) -> str:
    """The CloudEvents attribute of an event that is sent today. It must name the schema of `data` alone, which is a
    part of the served one. Raises KeyError for an unknown type."""
    return schema_url(public_url, event_type, CATALOGUE[event_type].version) + DATA


def served_schema(public_url: str, event_type: str, version: int) -> dict[str, Any] | None:
    """The schema as a document of its own, or none when there is no such type or version."""
    if (event_type, version) not in published():
        return None
    named = {"$schema": DIALECT, "$id": schema_url(public_url, event_type, version)}
    return {**named, **event_schema(event_type, version)}


def event_schema(event_type: str, version: int) -> dict[str, Any]:
    """The schema without its address, to be put into another document; nothing in it refers to anything outside it."""
    kind = CATALOGUE[event_type]
    model = kind.shown[version - 1]
    path = f"/v1/schemas/{event_type}/{version}{DATA}"
    attributes: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": _text("The event's own id, opaque: the same at every attempt and on every way", minLength=1),
        "source": {"const": SOURCE},
        "type": {"const": event_type},
        "subject": _text("Your code of the case: nobody else knows the case by it", minLength=1),
        "time": _text("When it happened", format="date-time"),
        "datacontenttype": {"const": "application/json"},
        "dataschema": _text("The schema of `data`", format="uri", pattern=f"{re.escape(path)}$"),
        "sequence": _text("The number of the event among your events of the case, from 1", pattern=_SEQUENCE),
        "sequencetype": {"const": "Integer"},
        "data": _inlined(model.model_json_schema(schema_generator=_AsSent)),
    }
    if not issubclass(model, CaseEvent):
        attributes = {name: value for name, value in attributes.items() if name not in CASE_ATTRIBUTES}
    return {
        "title": f"{kind.fr} / {kind.en}",
        "type": "object",
        "properties": attributes,
        "required": list(attributes),
    }


def _text(description: str, **rules: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **rules}


class _AsSent(GenerateJsonSchema):
    """What has no value is left out of an event, so null is no value of a field; and objects are open."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        return {name: rule for name, rule in found.items() if name not in ("title", "additionalProperties")}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without `$defs`: each `$ref` gives way to what it refers to."""
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            part = {**definitions[part["$ref"].removeprefix("#/$defs/")], **part}
        return {name: inline(value) for name, value in part.items() if name != "$ref"}

    found: dict[str, Any] = inline(schema)
    return found
