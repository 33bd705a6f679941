"""The demonstration's own folder, `demo` in the data folder: made afresh by each run, never anybody else's data."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import LockedByAnotherRun, SeginError
from models.settings import PREFIX

MARK: Final = "made-by-segin-demo"
KEPT_SETTINGS: Final = ("LANGUAGE", "LOG_FORMAT", "LOG_LEVEL")
"""Settings of whoever runs the demonstration that it follows; the others could lead it to real data."""


@contextlib.contextmanager
def fresh_folder(data_dir: Path) -> Iterator[Path]:
    """An empty folder `demo` in the data folder, kept from other runs; what an earlier run left there is removed.

    Raises SeginError for a folder that no demonstration made, LockedByAnotherRun while another run uses it.
    """
    folder = data_dir.absolute() / "demo"
    mark = folder / MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise SeginError(
            f"The folder {folder} was not made by the demonstration, so it is left alone.",
            f"Le dossier {folder} n'a pas été créé par la démonstration : il n'est pas touché.",
            remedy="Move it away, or choose another SEGIN_DATA_DIR.",
            remedy_fr="Déplacez-le, ou choisissez un autre SEGIN_DATA_DIR.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with mark.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedByAnotherRun(
                "Another demonstration is running in this folder.",
                "Une autre démonstration est en cours dans ce dossier.",
                remedy="Wait for it, or choose another SEGIN_DATA_DIR.",
                remedy_fr="Attendez-la, ou choisissez un autre SEGIN_DATA_DIR.",
            ) from None
        for left in folder.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            elif left != mark:
                left.unlink()
        yield folder


@contextlib.contextmanager
def demo_environment(folder: Path) -> Iterator[None]:
    """Settings that lead every part of this process to the demonstration's own database, and back at the end."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in KEPT_SETTINGS:
            del os.environ[name]
    os.environ[f"{PREFIX}DATA_DIR"] = str(folder)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
