"""Runs nights in a process of its own, so that a test can kill it: python night_process.py URL AS_OF CHUNK [STALL].

Prints a line for each committed chunk, then the report as JSON; the exit code is that of the command line. With STALL
it stops after that many chunks until somebody continues it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flows.night_receipts import Progress
from flows.night_steps import NightOptions
from flows.nights import run_nights
from models.database import create_engine_for
from models.errors import SeginError

CLOCK = datetime(2024, 8, 1, 3, tzinfo=UTC)


def main(url: str, as_of: str, chunk: str, stall: str = "0") -> int:
    """The exit code."""
    chunks = 0

    def tell(progress: Progress) -> None:
        nonlocal chunks
        chunks += 1
        print(progress.as_of, progress.step, progress.changed, flush=True)
        if chunks == int(stall):
            os.kill(os.getpid(), signal.SIGSTOP)

    engine = create_engine_for(url)
    try:
        report = run_nights(
            engine,
            date.fromisoformat(as_of),
            clock=lambda: CLOCK,
            tz=ZoneInfo("Africa/Bamako"),
            options=NightOptions(chunk=int(chunk)),
            on_progress=tell,
        )
    except SeginError as error:
        print(json.dumps({"error": type(error).__name__}), flush=True)
        return error.exit_code
    finally:
        engine.dispose()
    nights = [str(night.as_of) for night in report.nights]
    print(json.dumps({"nights": nights, "changed": report.changed, "already_done": report.already_done}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
