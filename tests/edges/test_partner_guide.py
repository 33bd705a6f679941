"""The partners' guide says the same in both languages, and names only what is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from api_client import HERE
from sqlalchemy import create_engine

from deployments.cli import app
from integrations.api.app import api
from integrations.api.scopes import SCOPES
from models.events import CATALOGUE

FOLDER = Path(__file__).parents[2] / "docs" / "partners"
GUIDES = {language: (FOLDER / f"guide.{language}.md").read_text() for language in ("fr", "en")}
BOTH = pytest.mark.parametrize("text", list(GUIDES.values()), ids=list(GUIDES))


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> Iterator[list[str]]:
    """The commands of the blocks, each as its words."""
    for block in blocks(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line)


def without_blocks(text: str) -> str:
    return re.sub(r"^```sh\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    """The routes that the API describes."""
    described = api(
        create_engine("sqlite://"), HERE, clock=lambda: datetime.now(UTC), new_id=lambda: "", readiness=lambda: "ready"
    )
    return dict(described.openapi()["paths"])


def test_both_languages_have_the_same_parts_and_examples() -> None:
    french, english = GUIDES["fr"], GUIDES["en"]
    assert blocks(french) == blocks(english) != []
    parts = [re.findall(r"^(#+ \d?)", without_blocks(text), re.MULTILINE) for text in (french, english)]
    assert parts[0] == parts[1]
    named = [sorted(set(re.findall(r"`([^`\n]+)`", without_blocks(text)))) for text in (french, english)]
    assert named[0] == named[1], "what is code in one language is in the other too"


@BOTH
def test_each_link_leads_to_something(text: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) >= 8
    assert [link for link in links if not (FOLDER / link).exists()] == []


@BOTH
def test_each_request_is_one_that_the_api_takes(text: str, paths: dict[str, Any]) -> None:
    told = [tuple(each.split(" /v1")) for each in re.findall(r"`((?:GET|POST) /v1/[^`]+)`", text)]
    for words in commands(text):
        if words[0] == "curl":
            address = next(word for word in words if word.startswith("https://segin.example.org/v1"))
            path = address.removeprefix("https://segin.example.org/v1").partition("?")[0]
            told.append(("POST" if "POST" in words else "GET", path.replace("$ID", "{id}").replace("$CODE", "{code}")))
    assert len(told) >= 15
    assert [(method, path) for method, path in told if method.lower() not in paths.get(path, {})] == []


@BOTH
def test_each_command_scope_and_type_is_there(text: str) -> None:
    found = [words for words in commands(text) if words[0] == "segin"]
    assert len(found) >= 7
    for words in found:
        command: Any = typer.main.get_command(app)
        for name in words[1:3]:
            command = command.commands[name]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
        assert {scope for option, scope in pairwise(words) if option == "--scope"} <= set(SCOPES)
    assert {"consent.revoked", "referral.revoked", "segin.test"} <= set(CATALOGUE)
    assert set(re.findall(r"`([a-z]+:[a-z]+)`", text)) <= set(SCOPES)
