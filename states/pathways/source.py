"""YAML read defensively, with the line of everything that it says. `states.pathways.loader` reads pathways with it.

Only plain data comes through: mappings with text keys, lists, text, whole numbers, true, false and null. Dates, `on`
and `no` stay text. Anchors, aliases, tags, duplicate keys, deep nesting and large files are refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import yaml

from models.errors import WrongUse

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 24

Path = tuple[str | int, ...]

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_CONSTANTS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Problem(NamedTuple):
    """One thing that is wrong in a file: where, what, and what to do about it."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} {self.remedy}"


class FileProblems(WrongUse):
    """The file cannot be used. `problems` lists everything that is wrong with it, `file`, `line` and `remedy` the
    first of them."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        first = problems[0]
        self.file, self.line = first.file, first.line
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(lines, remedy="")
        self.remedy = first.remedy


class Source:
    """A YAML document: its `value`, and the line on which each part of it stands."""

    def __init__(self, file: str, value: dict[str, Any], lines: dict[Path, int]) -> None:
        self.file = file
        self.value = value
        self._lines = lines

    def line(self, path: Path) -> int:
        """The line of the part at `path`, or of the nearest part around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def problem(self, path: Path, what: str, remedy: str) -> Problem:
        return Problem(self.file, self.line(path), what, remedy)


class Findings:
    """The problems found in one document, in the order in which they were found."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def add(self, path: Path, what: str, remedy: str) -> None:
        self.problems.append(self._source.problem(path, what, remedy))

    def known(self, path: Path, kind: str, key: str, known: Collection[str]) -> bool:
        """Whether `key` is one of the known names; else a problem that shows the nearest of them."""
        if key in known:
            return True
        close = get_close_matches(key, known, 1)
        remedy = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(known) or 'none'}."
        self.add(path, f"There is no {kind} '{key}'.", remedy)
        return False

    def line(self, path: Path) -> int:
        """The line of another part, to point at it."""
        return self._source.line(path)


def read_yaml(text: str, file: str) -> Source:
    """The document in `text`; `file` is the name that problems carry. Raises FileProblems."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise FileProblems([Problem(file, 1, "The text is not Unicode.", "Save the file as UTF-8.")]) from None
    if size > MAX_BYTES:
        what = f"The file has {size:,} bytes; {MAX_BYTES:,} are the most that is read."
        raise FileProblems([Problem(file, 1, what, "Split the process, or check that this is the right file.")])
    try:
        return _Reader(file).read(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"This is not YAML: {error.problem or error.context}."
        line = mark.line + 1 if mark else 1
        raise FileProblems([Problem(file, line, what, "Check the indentation, colons and quotes here.")]) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        what = "There is a character that no YAML file may hold."
        raise FileProblems([Problem(file, line, what, "Remove control characters; save the file as UTF-8.")]) from None


class _Reader:
    """Builds the value from parser events without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._problems: list[Problem] = []
        self._open: list[tuple[dict[str, Any] | list[Any], Path]] = []
        self._key: list[str | None] = []
        self._root: Any = None

    def read(self, events: Iterator[Any]) -> Source:
        documents = 0
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(line, "A second document begins here.", "Keep one document in a file.")
            elif isinstance(event, yaml.AliasEvent):
                self._fail(line, f"The alias *{event.anchor} is not read.", "Write the content out.")
            elif isinstance(event, yaml.NodeEvent):
                self._node(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._key.pop()
        if self._problems:
            raise FileProblems(self._problems)
        if not isinstance(self._root, dict):
            self._fail(1, "The file holds no mapping of names to content.", "Start from a bundled pathway.")
        return Source(self._file, self._root, self._lines)

    def _node(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._fail(line, f"The anchor &{event.anchor} is not read.", "Write the content out where it is used.")
        if event.tag is not None and event.tag != "!":
            self._fail(line, f"The tag {event.tag} is not read.", "Write plain text, numbers, lists and mappings.")
        if isinstance(event, yaml.ScalarEvent):
            if self._open and isinstance(self._open[-1][0], dict) and self._key[-1] is None:
                self._name(event.value, line)
            else:
                self._place(_scalar(event), line)
            return
        if self._open and isinstance(self._open[-1][0], dict) and self._key[-1] is None:
            self._fail(line, "A list or mapping is used as a name.", "Write a plain name before the colon.")
        if len(self._open) >= MAX_DEPTH:
            self._fail(line, f"The content is nested more than {MAX_DEPTH} deep.", "Flatten it.")
        content: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(content, line)
        self._open.append((content, path))
        self._key.append(None)

    def _name(self, name: str, line: int) -> None:
        content, path = self._open[-1]
        if name in content:
            first = self._lines[(*path, name)]
            what = f"'{name}' is written twice in the same place; first on line {first}."
            self._problems.append(Problem(self._file, line, what, "Keep one of the two."))
        else:
            self._lines[(*path, name)] = line
        self._key[-1] = name

    def _place(self, value: Any, line: int) -> Path:
        if not self._open:
            self._root = value
            self._lines[()] = line
            return ()
        content, path = self._open[-1]
        if isinstance(content, list):
            content.append(value)
            path = (*path, len(content) - 1)
        else:
            name = self._key[-1]
            assert name is not None  # noqa: S101  (the parser alternates names and values)
            content.setdefault(name, value)
            path = (*path, name)
            self._key[-1] = None
        self._lines.setdefault(path, line)
        return path

    def _fail(self, line: int, what: str, remedy: str) -> None:
        raise FileProblems([*self._problems, Problem(self._file, line, what, remedy)])


def _scalar(event: Any) -> str | int | bool | None:
    if not event.implicit[0]:
        return str(event.value)
    if event.value in _CONSTANTS:
        return _CONSTANTS[event.value]
    return int(event.value) if _WHOLE.fullmatch(event.value) else str(event.value)
