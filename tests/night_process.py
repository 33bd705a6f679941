"""Runs nights in a process of its own, so that a test can stop it: python night_process.py URL AS_OF CHUNK STALL LATER.

Prints a line for each committed chunk, then the report as JSON; the exit code is that of the command line. It stands
still after STALL chunks (0: never) until somebody lets it go on; its clock is LATER minutes late.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from flows.night_receipts import NightsReport, Progress
from flows.night_steps import NightOptions
from flows.nights import run_nights
from models.database import create_engine_for
from models.errors import SeginError

CLOCK = datetime(2024, 8, 1, 3, tzinfo=UTC)


def run(engine: Engine, as_of: date, chunk: int, stall: int = 0, later: int = 0) -> NightsReport:
    """The run itself; a test calls it for what an undisturbed run gives."""
    chunks = 0

    def tell(progress: Progress) -> None:
        nonlocal chunks
        chunks += 1
        print(progress.as_of, progress.step, progress.changed, flush=True)
        if chunks == stall:
            os.kill(os.getpid(), signal.SIGSTOP)

    return run_nights(
        engine,
        as_of,
        clock=lambda: CLOCK + timedelta(minutes=later),
        tz=ZoneInfo("Africa/Bamako"),
        options=NightOptions(chunk=chunk),
        on_progress=tell,
    )


def main(url: str, as_of: str, *numbers: str) -> int:
    """The exit code."""
    engine = create_engine_for(url)
    try:
        report = run(engine, date.fromisoformat(as_of), *map(int, numbers))
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
