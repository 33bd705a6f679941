"""Child processes that end with their parent: started here, known by their pid, stopped in time.

`deployments.server` and `deployments.up` start them; each child's own `main` calls `end_with_parent` first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

WITH_PARENT: Final = "--with-parent"
"""Argument that tells a child that its standard input is a pipe from its parent."""

_LAST_WORDS_SECONDS: Final = 10.0


class Child:
    """A process that runs one of our modules, in a session of its own so that Ctrl-C reaches only the parent.

    Its standard input is a pipe that nobody writes to: it closes when the parent ends, however the parent ends.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        log: Path | None = None,
    ) -> None:
        """Start `python -m module arguments --with-parent`. With `log` its output goes there, else to ours."""
        self.name = name
        with contextlib.ExitStack() as opened:
            output = None if log is None else opened.enter_context(log.open("wb"))
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, WITH_PARENT],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def stop(self, grace_seconds: float) -> None:
        """Ask it to end, wait, then kill it; whatever it started itself and left behind is killed too."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        # The child led its own process group, so the group's number is still its pid.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def end_with_parent(arguments: Sequence[str]) -> None:
    """If this process was started as a `Child`: end it when its parent is gone, first asking, then killing."""
    if WITH_PARENT in arguments:
        threading.Thread(target=_wait_for_the_end, name="parent", daemon=True).start()


def _wait_for_the_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
