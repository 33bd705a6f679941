"""`segin` as a person or a program calls it: a process of its own, over a data folder or a database URL of its own.

A process is forked from a server that has imported the commands, which saves each the seconds that this takes; with
`started` a new interpreter is started instead, as a shell does. Every call checks what holds for all: the exit code;
with `--json` one object and nothing else on standard output, with the keys that docs/cli.md names; and nobody's name in
what everybody may read.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from running_processes import PATIENCE_SECONDS, SEGIN, environment_with

from deployments.cli import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["deployments.cli", "pytest"])
ROOT = Path(__file__).parents[1]
MANIFESTS = ROOT / "deployments" / "demo" / "manifests"
TAKEN_IN = ("001-2024-01-05-LBY.csv", "004-2024-01-06-NER.xlsx", "012-2024-01-30-LBY.xlsx")
"""The bundled manifests of the caseload that the tests of commands share."""

_SECTION = re.compile(r"^## `segin ([a-z ]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_KEYS = re.compile(r"^JSON: (`.+?)\.?$\n\n", re.MULTILINE | re.DOTALL)


def documented_sections() -> dict[str, str]:
    """Command path → the text of its section in docs/cli.md."""
    return dict(_SECTION.findall((ROOT / "docs" / "cli.md").read_text(encoding="utf-8")))


def documented_keys(command: str) -> set[str]:
    """The keys of the command's JSON object, by docs/cli.md: those before the first full stop, outside brackets."""
    found = _KEYS.search(documented_sections()[command])
    assert found is not None, command
    return set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", found[1]).split(". ")[0]))


@dataclass(frozen=True)
class Finished:
    """How a process ended and what it said."""

    code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)


@dataclass
class CommandLine:
    """Runs commands with the settings given. `private` holds what no error may say: names from the manifests."""

    data_dir: Path
    settings: dict[str, object] = field(default_factory=dict)
    private: frozenset[str] = field(default=frozenset(), repr=False)
    started: bool = False

    def json(self, *arguments: object, code: int = 0, **settings: object) -> dict[str, Any]:
        """The one object that the command prints with `--json`."""
        return self.checked(arguments, self.text(*arguments, "--json", code=code, **settings), code)

    def checked(self, arguments: tuple[object, ...], out: str, code: int) -> dict[str, Any]:
        """The one object that `out` is: what docs/cli.md says, or an error that names nobody and knows a remedy."""
        __tracebackhide__ = True  # a failure must not show what `out` says of people
        document: dict[str, Any] = json.loads(out)
        assert isinstance(document, dict)
        if "error" in document:
            self._names_nobody(out)
            assert document.keys() == {"error"}
            assert document["error"].keys() == {"message", "message_fr", "remedy", "remedy_fr", "exit_code"}
            assert document["error"]["exit_code"] == code
            assert all(document["error"].values())
        else:
            assert document.keys() == documented_keys(_command_of(arguments))
        return document

    def error(self, *arguments: object, code: int, **settings: object) -> str:
        """The message and remedy, in English, of a command that fails."""
        error = self.json(*arguments, code=code, **settings)["error"]
        return f"{error['message']} {error['remedy']}"

    def text(self, *arguments: object, code: int = 0, **settings: object) -> str:
        """What the command prints on standard output."""
        return self.run(*arguments, code=code, **settings).stdout

    def run(self, *arguments: object, code: int = 0, **settings: object) -> Finished:
        """What the process said; it left with `code` and named nobody on standard error."""
        environment = environment_with(**({"data_dir": self.data_dir} | self.settings | settings))
        done = (_start if self.started else _fork)([str(argument) for argument in arguments], environment)
        assert done.code == code, f"{_command_of(arguments)} left with {done.code}"
        self._names_nobody(done.stderr)
        return done

    def _names_nobody(self, text: str) -> None:
        said = set(re.findall(r"\w+", text.casefold()))
        assert not said & self.private, "a person is named where everybody may read"


def _start(arguments: list[str], environment: Mapping[str, str]) -> Finished:
    done = subprocess.run(
        [sys.executable, *SEGIN, *arguments],
        env=environment,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def _fork(arguments: list[str], environment: Mapping[str, str]) -> Finished:
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = FORKS.Process(target=_become, args=(arguments, dict(environment), out.name, err.name))
        process.start()
        process.join(PATIENCE_SECONDS)
        assert process.exitcode is not None, "the command never ended"
        return Finished(process.exitcode, out.read().decode(), err.read().decode())


def _become(arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for name, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(name, os.O_WRONLY), descriptor)
    sys.argv = ["segin", *arguments]
    main()


@dataclass(frozen=True)
class TakenIn:
    """The caseload: its data folder, the manifests that went in, what `segin intake` said, the names in them."""

    data_dir: Path
    manifests: Path
    said: dict[str, Any]
    names: frozenset[str] = field(repr=False)


def _command_of(arguments: tuple[object, ...]) -> str:
    """The command path that the arguments begin with."""
    words = [str(argument) for argument in arguments]
    sections = documented_sections()
    return max((path for path in sections if words[: len(path.split())] == path.split()), key=len, default="")
