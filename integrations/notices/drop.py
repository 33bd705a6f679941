"""The daily files of a partner without a system: a CSV and an Excel file, each whole or not there at all.

The hand-over calls it outside of any transaction. Files go into a folder that is there already, named by the partner's
code, and nowhere else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from integrations.notices import outcomes
from integrations.notices.tables import Line, as_csv, as_workbook

_FOLDER: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_MAKERS: Final = {"csv": as_csv, "xlsx": as_workbook}


def put_down(
    root: Path, partner: str, lines: Sequence[Line], *, day: date, first: int, last: int, language: str
) -> str:
    """Write `DAY-FIRST-LAST.csv` and `.xlsx` into the partner's folder; what became of it (`outcomes`).

    A file of the same positions that is there already, of whatever day, is left as it is: it was handed over before.
    """
    try:
        folder = _open_folder(root, partner)
    except OSError:
        return outcomes.FOLDER_MISSING
    try:
        there = os.listdir(folder)  # noqa: PTH208  (a folder that is open, not a path)
        for kind, make in _MAKERS.items():
            of_these = re.compile(rf"\d{{4}}-\d\d-\d\d-{first}-{last}\.{kind}")
            if not any(of_these.fullmatch(name) for name in there):
                _put(folder, f"{day}-{first}-{last}.{kind}", make(lines, language))
    except OSError:
        return outcomes.WRITING_FAILED
    finally:
        os.close(folder)
    return outcomes.OK


def make_folder(root: Path, partner: str) -> None:
    """Make the partner's folder, for its owner alone, unless it is there. Raises OSError when it cannot be made, or
    when something else is in its place."""
    with suppress(FileExistsError):
        (root / _checked(partner)).mkdir(mode=0o700)
    os.close(_open_folder(root, partner))


def _open_folder(root: Path, partner: str) -> int:
    """The folder itself, held open: nobody can put another one in its place. Raises OSError."""
    return os.open(root / _checked(partner), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _checked(partner: str) -> str:
    if not _FOLDER.fullmatch(partner):
        raise NotADirectoryError
    return partner


def _put(folder: int, name: str, content: bytes) -> None:
    """Write under another name, see it onto the disk, and only then give it its own."""
    partial = f".{name}.partial"
    with suppress(FileNotFoundError):
        os.unlink(partial, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(partial, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial, dir_fd=folder)
    os.fsync(folder)
