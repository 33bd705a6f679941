"""What can be wrong with a pathway file, as values: where, how bad, what and what to do in French and English, and the
shortest walk that shows it. The readers and checks of `states.pathways` make them, the command line prints them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from models.errors import WrongUse
from states.pathway import Text

SHOWN: Final = 50
"""A message lists so many problems; a file that is wrong all over is not made better by a longer list."""

_LONGEST: Final = 80


class Severity(StrEnum):
    """An `error` keeps a pathway from being published; a `warning` is for its author to think about."""

    ERROR = "error"
    WARNING = "warning"


class Saying(NamedTuple):
    """How one kind of problem is said; both texts may have values in braces."""

    what: Text
    remedy: Text
    severity: Severity = Severity.ERROR


def say(fr: str, en: str, remedy_fr: str, remedy_en: str) -> Saying:
    """Words of an error."""
    return Saying(Text(fr, en), Text(remedy_fr, remedy_en))


def warn(fr: str, en: str, remedy_fr: str, remedy_en: str) -> Saying:
    """Words of a warning."""
    return Saying(Text(fr, en), Text(remedy_fr, remedy_en), Severity.WARNING)


class Step(NamedTuple):
    """One step of a walk: the trigger that was fired (none: the case is registered), and the state that it led to."""

    trigger: str | None
    state: str


class Problem(NamedTuple):
    """One thing that is wrong in a file. `walk` is a shortest way on which a case meets it, if a walk shows it."""

    file: str
    line: int
    code: str
    severity: Severity
    what: Text
    remedy: Text
    walk: tuple[Step, ...] = ()

    def in_(self, language: str) -> str:
        """The problem on one line."""
        shown = f" ({walk_in_words(self.walk)})" if self.walk else ""
        return f"{self.file}:{self.line}: {self.what.in_(language)}{shown} {self.remedy.in_(language)}"

    def __str__(self) -> str:
        return self.in_("en")


class FileProblems(WrongUse):
    """The file cannot be used. `problems` lists everything that is wrong with it, `file`, `line` and `remedy` the
    first of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = problems[0]
        self.file, self.line = first.file, first.line
        more = len(problems) - SHOWN
        lines = {language: [each.in_(language) for each in problems[:SHOWN]] for language in ("en", "fr")}
        if more > 0:
            lines["en"].append(f"... and {more} more.")
            lines["fr"].append(f"... et {more} de plus.")
        super().__init__("\n".join(lines["en"]), "\n".join(lines["fr"]))
        self.remedy, self.remedy_fr = first.remedy.en, first.remedy.fr


def problem(
    file: str, line: int, code: str, saying: Saying, values: dict[str, Any], walk: tuple[Step, ...] = ()
) -> Problem:
    """The problem that `saying` says with these values; a value that is a `Text` is said in its language."""
    fr, en = ({name: shown(each, language) for name, each in values.items()} for language in ("fr", "en"))
    what = Text(saying.what.fr.format(**fr), saying.what.en.format(**en))
    remedy = Text(saying.remedy.fr.format(**fr), saying.remedy.en.format(**en))
    return Problem(file, line, code, saying.severity, what, remedy, walk)


def shown(value: Any, language: str) -> str:
    """A value as a message may show it: what a file says must not steer a terminal, nor fill it."""
    text = value.in_(language) if isinstance(value, Text) else str(value)
    cut = text if isinstance(value, Text | Listed) or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(
        each if each.isprintable() or each == "\N{NO-BREAK SPACE}" else f"\\u{ord(each):04x}" for each in cut
    )


class Listed(str):
    """A value that is a list of names already cut to a length, or the message of a validator."""


def listed(names: Sequence[str], most: int = 8) -> Listed:
    """`a, b, c`, or the first of them and how many more."""
    head = ", ".join(shown(name, "en") for name in names[:most])
    return Listed(head if len(names) <= most else f"{head}, … (+{len(names) - most})")


def walk_in_words(walk: Sequence[Step]) -> str:
    """`registered –confirm_arrival→ arrived`."""
    return "".join(step.state if step.trigger is None else f" –{step.trigger}→ {step.state}" for step in walk)
