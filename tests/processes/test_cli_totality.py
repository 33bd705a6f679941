"""No command is left out: each explains itself, has `--json`, answers wrong use in one object, and is documented."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from command_line import documented_keys, documented_sections

from deployments.cli import app, main


def _commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, command) of everything that does something by itself: `tasks` too, although it has commands below it."""
    below = getattr(command, "commands", {})
    if path and (not below or command.invoke_without_command):
        yield path, command
    for name, child in below.items():
        yield from _commands(child, f"{path} {name}".strip())


COMMANDS = dict(_commands(typer.main.get_command(app)))


def _answer(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[bytes]
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["segin", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capture.readouterr()
    return left.value.code, out.decode(), err.decode()


@pytest.mark.parametrize("path", COMMANDS)
def test_each_command_and_each_of_its_parameters_is_explained(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    unexplained = [parameter.name for parameter in command.params if not getattr(parameter, "help", None)]
    assert unexplained == []
    assert any("--json" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize("path", COMMANDS)
def test_each_command_answers_wrong_use_with_one_object_that_says_where_to_look(
    path: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, err = _answer([*path.split(), "--no-such-option", "--json"], monkeypatch, capsysbinary)
    error = json.loads(out)["error"]
    assert (code, err) == (2, "")
    assert "--no-such-option" in error["message"]
    assert (error["exit_code"], path in error["remedy"], path in error["remedy_fr"]) == (2, True, True)


def test_help_is_an_answer_and_a_group_without_a_command_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, err = _answer(["--help"], monkeypatch, capsysbinary)
    assert (code, err) == (0, "")
    assert {name for path in COMMANDS if (name := path.split()[0]) not in out} == set()
    code, out, err = _answer(["case"], monkeypatch, capsysbinary)
    assert code == 2
    assert "preview" in out
    assert err.strip().splitlines() == ["→ `segin case --help` l'explique."]


def test_half_a_character_does_not_break_the_answer(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = _answer(["case", "list", "--\udcff", "--json"], monkeypatch, capsysbinary)
    assert (code, json.loads(out)["error"]["exit_code"]) == (2, 2)


def test_options_of_a_group_that_would_be_lost_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = _answer(["tasks", "--json", "done", "1"], monkeypatch, capsysbinary)
    assert code == 2
    assert json.loads(out)["error"]["remedy"] == "Write for instance segin tasks done 17 --json."


def test_each_command_is_documented_and_nothing_else_is() -> None:
    assert set(documented_sections()) == set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS)
def test_each_section_has_the_options_of_its_command_the_keys_and_an_example(path: str) -> None:
    section = documented_sections()[path]
    options = {
        name
        for parameter in COMMANDS[path].params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }
    assert set(re.findall(r"--[a-z][a-z-]+", section)) <= options
    acting = {"--json", "--as"} | ({"--role"} if "--as" in options else set())
    assert options - acting <= set(re.findall(r"--[a-z][a-z-]+", section))
    assert "JSON: " in section
    assert path == "demo" or documented_keys(path)
    assert re.search(rf"^    (SEGIN_\w+=\w+ )?segin {path}\b", section, re.MULTILINE)
