"""YAML read defensively, with the line of everything that it says. `states.pathways.loader` reads pathways with it.

Only plain data comes through: mappings with text keys, lists, text, whole numbers, true, false and null. Dates, `on`
and `no` stay text. Anchors, aliases, tags, duplicate keys, deep nesting and large files are refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, Final

import yaml

from models.errors import WrongUse
from states.pathway import Text
from states.pathways.name_sayings import NAMES
from states.pathways.problems import SHOWN, FileProblems, Listed, Problem, Saying, Step, listed, problem
from states.pathways.sayings import SHAPE, YAML, kind_words
from states.pathways.walk_sayings import WALKS

MAX_BYTES: Final = 2_000_000
MAX_PARTS: Final = 250_000
MAX_DEPTH: Final = 24
MAX_ITEMS: Final = 5_000
"""A list within a part has at most so many items."""
MAX_PROBLEMS: Final = 1_000
"""So many problems are enough: what is found until then is said, and the rest not looked for."""

_SAYINGS: Final[dict[str, Saying]] = {**YAML, **SHAPE, **NAMES, **WALKS}

Path = tuple[str | int, ...]

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_CONSTANTS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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

    def problem(self, path: Path, code: str, /, *, walk: tuple[Step, ...] = (), **values: Any) -> Problem:
        """The problem with this code at the part, said with the values."""
        return problem(self.file, self.line(path), code, _SAYINGS[code], values, walk)


class Findings:
    """The problems found in one document, in the order in which they were found."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def add(self, path: Path, code: str, /, *, walk: tuple[Step, ...] = (), **values: Any) -> None:
        """One problem more. Raises FileProblems when there are enough."""
        self.problems.append(self._source.problem(path, code, walk=walk, **values))
        if len(self.problems) >= MAX_PROBLEMS:
            raise FileProblems(sorted(self.problems, key=lambda problem: problem.line))

    def known(self, path: Path, kind: str, key: str, known: Collection[str]) -> bool:
        """Whether `key` is one of the known names; else a problem that shows the nearest of them."""
        if key in known:
            return True
        # The search for what is meant takes its time; nobody reads its answers beyond the first ones.
        close = get_close_matches(key, known, 1) if len(self.problems) < SHOWN else []
        if close:
            self.add(path, "misspelt_name", kind=kind_words(kind), key=key, close=close[0])
        else:
            self.add(path, "unknown_name", kind=kind_words(kind), key=key, known=listed([*known]) or "–")
        return False

    def line(self, path: Path) -> int:
        """The line of another part, to point at it."""
        return self._source.line(path)


def read_content(path: FilePath) -> bytes:
    """What is in a file, of which no more is read than may be in one.

    Raises FileProblems for a file that is too large, OSError for what is no file or cannot be read.
    """
    if not path.is_file():  # a folder, or a pipe that would be waited for
        raise OSError
    with path.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _too_large(path.name)
    return content


def text_in_file(path: FilePath, called: Text, remedy: Text) -> str:
    """The text of a file. `called` is what errors call it, with its article.

    Raises FileProblems for a file that is too large, WrongUse for one that cannot be read or is no UTF-8.
    """
    try:
        return read_content(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        quoi = "n'est pas du texte UTF-8" if isinstance(error, UnicodeDecodeError) else "est illisible"
        raise WrongUse(
            f"{called.en} {path.name} {what}.",
            f"{called.fr} {path.name} {quoi}.",
            remedy=remedy.en,
            remedy_fr=remedy.fr,
        ) from None


def read_yaml(text: str, file: str) -> Source:
    """The document in `text`; `file` is the name that problems carry. Raises FileProblems."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise _problems(file, 1, "not_unicode") from None
    if size > MAX_BYTES:
        raise _too_large(file)
    try:
        return _Reader(file).read(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = Listed(error.problem or error.context or "")
        raise _problems(file, mark.line + 1 if mark else 1, "not_yaml", message=message) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        raise _problems(file, line, "bad_character") from None


def _too_large(file: str) -> FileProblems:
    return _problems(file, 1, "too_large", most=_figure(MAX_BYTES))


def _figure(number: int) -> Text:
    """A large number as each language groups it."""
    return Text(f"{number:,}".replace(",", "\N{NO-BREAK SPACE}"), f"{number:,}")


def _problems(file: str, line: int, code: str, **values: Any) -> FileProblems:
    return FileProblems([problem(file, line, code, YAML[code], values)])


class _Reader:
    """Builds the value from parser events without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Path, int] = {}
        self._problems: list[Problem] = []
        self._open: list[tuple[dict[str, Any] | list[Any], Path]] = []
        self._key: list[str | None] = []
        self._root: Any = None
        self._parts = 0

    def read(self, events: Iterator[Any]) -> Source:
        documents = 0
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fail(line, "second_document")
            elif isinstance(event, yaml.AliasEvent):
                self._fail(line, "alias", name=event.anchor)
            elif isinstance(event, yaml.NodeEvent):
                self._node(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._key.pop()
        if self._problems:
            raise FileProblems(self._problems)
        if not isinstance(self._root, dict):
            self._fail(1, "no_mapping")
        return Source(self._file, self._root, self._lines)

    def _node(self, event: Any, line: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            self._fail(line, "too_many_parts", most=_figure(MAX_PARTS))
        if event.anchor is not None:
            self._fail(line, "anchor", name=event.anchor)
        if event.tag is not None and event.tag != "!":
            self._fail(line, "tag", name=event.tag)
        if isinstance(event, yaml.ScalarEvent):
            if self._open and isinstance(self._open[-1][0], dict) and self._key[-1] is None:
                self._name(event.value, line)
            else:
                self._place(_scalar(event), line)
            return
        if self._open and isinstance(self._open[-1][0], dict) and self._key[-1] is None:
            self._fail(line, "name_not_plain")
        if len(self._open) >= MAX_DEPTH:
            self._fail(line, "too_deep", most=MAX_DEPTH)
        content: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(content, line)
        self._open.append((content, path))
        self._key.append(None)

    def _name(self, name: str, line: int) -> None:
        content, path = self._open[-1]
        if name in content:
            first = self._lines[(*path, name)]
            self._note(line, "written_twice", name=name, line=first)
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
            if len(content) > MAX_ITEMS and len(path) > 1:
                self._fail(line, "too_many_items", most=_figure(MAX_ITEMS))
            path = (*path, len(content) - 1)
        else:
            name = self._key[-1]
            assert name is not None  # noqa: S101  (the parser alternates names and values)
            content.setdefault(name, value)
            path = (*path, name)
            self._key[-1] = None
        self._lines.setdefault(path, line)
        return path

    def _note(self, at: int, code: str, /, **values: Any) -> None:
        self._problems.append(problem(self._file, at, code, YAML[code], values))
        if len(self._problems) >= MAX_PROBLEMS:
            raise FileProblems(self._problems)

    def _fail(self, at: int, code: str, /, **values: Any) -> None:
        self._note(at, code, **values)
        raise FileProblems(self._problems)


def _scalar(event: Any) -> str | int | bool | None:
    if not event.implicit[0]:
        return str(event.value)
    if event.value in _CONSTANTS:
        return _CONSTANTS[event.value]
    return int(event.value) if _WHOLE.fullmatch(event.value) else str(event.value)
