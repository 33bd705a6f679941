"""`segin` as a person or a program calls it: a process of its own, over a data folder or a database URL of its own.

Every call checks what holds for all: the exit code; with `--json` one object and nothing else on standard output, with
the keys that docs/cli.md names; and nobody's name in what everybody may read.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from running_processes import PATIENCE_SECONDS, SEGIN, environment_with

ROOT = Path(__file__).parents[1]
MANIFESTS = ROOT / "deployments" / "demo" / "manifests"
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


@dataclass
class CommandLine:
    """Runs commands with the settings given. `private` holds what no error may say: names from the manifests."""

    data_dir: Path
    settings: dict[str, object] = field(default_factory=dict)
    private: frozenset[str] = frozenset()

    def json(self, *arguments: object, code: int = 0, **settings: object) -> dict[str, Any]:
        """The one object that the command prints with `--json`."""
        return self.checked(arguments, self.text(*arguments, "--json", code=code, **settings), code)

    def checked(self, arguments: tuple[object, ...], out: str, code: int) -> dict[str, Any]:
        """The one object that `out` is: what docs/cli.md says, or an error that names nobody and knows a remedy."""
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

    def run(self, *arguments: object, code: int = 0, **settings: object) -> subprocess.CompletedProcess[str]:
        """The finished process; it left with `code` and named nobody on standard error."""
        done = subprocess.run(
            [sys.executable, *SEGIN, *map(str, arguments)],
            env=environment_with(**({"data_dir": self.data_dir} | self.settings | settings)),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == code, f"{_command_of(arguments)} left with {done.returncode}"
        self._names_nobody(done.stderr)
        return done

    def _names_nobody(self, text: str) -> None:
        said = set(re.findall(r"\w+", text.casefold()))
        assert not said & self.private, "a person is named where everybody may read"


def _command_of(arguments: tuple[object, ...]) -> str:
    """The command path that the arguments begin with."""
    words = [str(argument) for argument in arguments]
    sections = documented_sections()
    return max((path for path in sections if words[: len(path.split())] == path.split()), key=len, default="")
