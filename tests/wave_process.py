"""Moves a caseload to another version in a process of its own, so that a test can kill it: URL CHUNK WAVE.

Prints a line for each committed chunk, then how the waves ended as JSON. The clock stands still.
"""

from __future__ import annotations

import json
import sys

from changing_pathways import CHIEF, NOW, RENAMED
from sqlalchemy import Engine

from deployments.wave_run import WaveRun, run_waves
from models.database import create_engine_for, read_session
from models.errors import SeginError
from models.waves import MigrationWave
from states.change.mapping import read_names
from states.change.shares import read_share
from states.change.sides import change_between, read_side
from states.change.waves import WaveOptions


def run(engine: Engine, chunk: int, size: str) -> list[MigrationWave]:
    """All waves of this size; a test calls it for what an undisturbed run gives."""
    with read_session(engine) as session:
        old, new = (read_side(session, side, "small") for side in ("1", "2"))
    names = read_names([RENAMED], old.pathway, new.pathway)
    options = WaveOptions(read_share(size), names, False, read_share("0"), read_share("100%"))
    change = change_between(old, new, names, keep_deadlines=False)

    def tell(wave: MigrationWave) -> None:
        print(f"wave {wave.number} {wave.moved}/{wave.cases}", flush=True)

    run_ = WaveRun(engine, CHIEF, "wave-process", lambda: NOW, tell, chunk)
    return run_waves(run_, change, options, every=True)


def main(url: str, chunk: str, size: str) -> int:
    """The exit code."""
    engine = create_engine_for(url)
    try:
        waves = run(engine, int(chunk), size)
    except SeginError as error:
        print(json.dumps({"error": type(error).__name__}), flush=True)
        return error.exit_code
    finally:
        engine.dispose()
    print(json.dumps({"waves": [[wave.number, wave.status, wave.moved] for wave in waves]}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
