"""What a command prints: one JSON object with `--json`, else something for a person to read. Used by every command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from models.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many lines.")]

DONE, FAILED, WRONG_USE, IN_PART, LOCKED = 0, 1, 2, 3, 4
"""Exit codes of every command."""


class Output:
    """Prints in the language of the settings and in the programme's time zone; progress goes to standard error."""

    def __init__(self, settings: Settings, *, as_json: bool) -> None:
        self.as_json = as_json
        self.language = settings.language
        self.timezone: ZoneInfo = settings.timezone
        # Into a file or a pipe, lines are as long as they need to be.
        # What people wrote (a name, a path) is shown as it is, brackets and colons included.
        width = None if sys.stdout.isatty() else 240
        self.console = Console(highlight=False, markup=False, emoji=False, width=width)
        self.progress = Console(stderr=True, highlight=False)

    def say(self, fr: str, en: str) -> str:
        """The text in the language of the settings."""
        return fr if self.language == "fr" else en

    def yes(self, answer: bool) -> str:
        """Yes or no."""
        return self.say("oui", "yes") if answer else self.say("non", "no")

    def show(self, data: Mapping[str, Any], render: Callable[[Console], None]) -> None:
        """Print `data` as JSON, or let `render` write it for a person."""
        if self.as_json:
            print_json(data)
        else:
            render(self.console)

    def when(self, moment: datetime | None) -> str:
        """A time as the programme's clocks show it; a dash for none."""
        return "–" if moment is None else moment.astimezone(self.timezone).strftime("%Y-%m-%d %H:%M")

    def table(self, headers: Iterable[tuple[str, str]], rows: Iterable[Iterable[object]], *, title: str = "") -> Table:
        """A table; `headers` are (French, English), numbers are set to the right."""
        table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
        lines = [list(row) for row in rows]
        for place, (fr, en) in enumerate(headers):
            number = bool(lines) and all(isinstance(line[place], int) for line in lines)
            table.add_column(self.say(fr, en), justify="right" if number else "left", overflow="fold")
        for line in lines:
            table.add_row(*("–" if cell is None or cell == "" else str(cell) for cell in line))
        return table


def print_json(data: Mapping[str, Any]) -> None:
    """One object on standard output, readable and in UTF-8 whatever the terminal's encoding. What is no text (half a
    character that somebody typed) is escaped."""
    text = json.dumps(data, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.buffer.write(text.encode(errors="backslashreplace") + b"\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
