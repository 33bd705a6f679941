"""The webhooks of the OpenAPI document: whole by FastAPI's model of OpenAPI, with examples that fit their schemas."""

from __future__ import annotations

from typing import Any

import pytest
from edges.catalogue_files import PUBLIC_URL
from fastapi.openapi.models import OpenAPI, PathItem
from jsonschema import Draft202012Validator

from integrations.catalogue.openapi_webhooks import openapi_webhooks
from models.events import CATALOGUE

WEBHOOKS = openapi_webhooks(PUBLIC_URL)


def document() -> OpenAPI:
    return OpenAPI.model_validate(
        {"openapi": "3.1.0", "info": {"title": "Segin", "version": "1"}, "paths": {}, "webhooks": WEBHOOKS}
    )


def test_there_is_one_for_each_type_and_all_of_it_is_openapi() -> None:
    webhooks = document().webhooks
    assert webhooks is not None
    assert list(webhooks) == list(CATALOGUE)
    names = []
    for item in webhooks.values():
        assert isinstance(item, PathItem)
        assert item.post is not None
        assert not item.model_extra
        assert not item.post.model_extra
        names.append(item.post.operationId)
    assert len(set(names)) == len(CATALOGUE)


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_each_example_fits_its_schema_and_the_headers_theirs(event_type: str) -> None:
    request: dict[str, Any] = WEBHOOKS[event_type]["post"]
    content = request["requestBody"]["content"]["application/cloudevents+json"]
    Draft202012Validator.check_schema(content["schema"])
    Draft202012Validator(content["schema"]).validate(content["example"])
    assert content["example"]["type"] == event_type
    headers = {each["name"]: each["schema"] for each in request["parameters"]}
    assert list(headers) == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    for rules in headers.values():
        Draft202012Validator(rules).validate(rules["examples"][0])
