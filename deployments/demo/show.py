"""The progress of the demonstration on a terminal, or one line a month where there is none."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class DayByDay:
    """Says what is being done, and how many of the days are played."""

    def __init__(self, console: Console, language: str, first: date, last: date) -> None:
        self._console = console
        self._french = language != "en"
        self._first = first
        self._days = (last - first).days + 1
        self._month = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._opened.enter_context(self._bar)
        self._task = self._bar.add_task("", total=self._days)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def say(self, fr: str, en: str) -> None:
        """What is being done now."""
        text = fr if self._french else en
        self._bar.update(self._task, description=text)
        if not self._console.is_terminal:
            self._console.print(f"· {text}")

    def day(self, day: date) -> None:
        """This day begins."""
        self._bar.update(self._task, completed=(day - self._first).days, description=f"{day:%Y-%m-%d}")
        if not self._console.is_terminal and f"{day:%Y-%m}" != self._month:
            self._month = f"{day:%Y-%m}"
            self._console.print(f"· {self._month}")
