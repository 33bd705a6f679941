"""The AsyncAPI project's own parser takes the document, reads every message in it, and finds what is wrong in one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from edges.catalogue_files import PUBLIC_URL
from edges.node_packages import installed

from integrations.catalogue.asyncapi import asyncapi
from models.events import CATALOGUE, EVENT_TYPES

pytestmark = pytest.mark.slow  # npm installs the parser first

ERROR = 0
ADDRESSES = (PUBLIC_URL, "http://127.0.0.1:4200", "https://office.example.org/segin/")


def documents() -> dict[str, dict[str, Any]]:
    wrong_type, nowhere = asyncapi(PUBLIC_URL), asyncapi(PUBLIC_URL)
    wrong_type["components"]["schemas"]["case.arrived"]["properties"]["data"]["type"] = "case"
    nowhere["operations"]["push"]["messages"].append({"$ref": "#/channels/webhook/messages/case.deleted"})
    return {"wrong type": wrong_type, "nowhere": nowhere} | {address: asyncapi(address) for address in ADDRESSES}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the parser found in each document."""
    result = subprocess.run(
        ["node", "check.mjs"],
        cwd=installed(Path(__file__).parent / "asyncapi", tmp_path_factory.mktemp("node") / "asyncapi"),
        input=json.dumps(documents()),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)


def errors(found: Any) -> list[str]:
    return [each["path"] for each in found["diagnostics"] if each["severity"] == ERROR]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_parser_finds_nothing_wrong_and_every_event(parsed: Any, address: str) -> None:
    found = parsed[address]
    assert errors(found) == []
    # That there is a newer version of AsyncAPI is all that it has to say.
    assert {each["code"] for each in found["diagnostics"]} <= {"asyncapi-latest-version"}
    assert found["version"] == "3.0.0"
    assert found["operations"] == {
        "push": {"action": "send", "channels": ["webhook"], "messages": list(CATALOGUE)},
        "fetch": {"action": "send", "channels": ["feed"], "messages": list(EVENT_TYPES)},
    }
    assert found["payloads"] == len(CATALOGUE) + len(EVENT_TYPES)


def test_the_parser_would_tell_of_a_schema_that_is_none(parsed: Any) -> None:
    assert "components.schemas.case.arrived.properties.data.type" in errors(parsed["wrong type"])


def test_the_parser_would_tell_of_a_message_that_is_nowhere(parsed: Any) -> None:
    assert errors(parsed["nowhere"])
