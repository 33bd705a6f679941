"""Real processes for the tests: started with settings of their own, looked at through /proc, known by their pid."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE_SECONDS = 240
SEGIN = ("-c", "from deployments.cli import main; main()")
"""Arguments of the interpreter that make it the command `segin`."""


def environment_with(**settings: object) -> Mapping[str, str]:
    """This process's environment without settings of Segin and Prefect, and with these (`data_dir=...`)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEGIN_", "PREFECT_"))}
    return kept | {f"SEGIN_{name.upper()}": str(value) for name, value in settings.items()}


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that must come sooner or later; AssertionError, naming it, when it does not."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up, f"never came: {what}"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie that waits to be noticed."""
    try:
        return _stat(pid)[0] not in "ZX"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """Everything that the process has started, and what that has started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
            except OSError:
                continue
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def command_of(pid: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def _stat(pid: int) -> list[str]:
    """State, parent, ... of a process."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
