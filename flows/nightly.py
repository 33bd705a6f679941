"""The night in Prefect: runs `flows.nights`, shows how far it is, and leaves its receipt below the run.

The deployment's schedule starts it at the hour of the night, the worker when it finds a night missing, the demo from
code. The work itself needs no Prefect: `segin nightly` does the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import structlog
from prefect import flow

from flows.hand_over import ways_of
from flows.night_receipts import NightReceipt, NightsReport, Progress
from flows.night_steps import NightOptions
from flows.night_watch import newest_night, night_is_missing
from flows.nights import run_nights
from flows.progress import ProgressBar, show_counts
from flows.steps import bound_run, database, ended_as, step, wall_clock
from models.database import read_session
from models.errors import LockedByAnotherRun
from models.settings import load_settings

SHOWN_EVERY_SECONDS: Final = 0.5

log = structlog.get_logger()


@flow(name="nightly", persist_result=False, log_prints=False)
async def nightly(as_of: date | None = None) -> dict[str, int]:
    """Run the night of `as_of` (none: the newest whose hour has come) and every one missing before it.

    Gives counts of `nights`, rows `changed`, `already_done` and `locked`. Ends as AlreadyDone when there was nothing
    to do, and as Locked while another run is at work; neither is a failure.
    """
    settings = load_settings()
    as_of = as_of or newest_night(wall_clock(), settings.timezone, settings.nightly_hour)
    with bound_run("nightly") as run_id:
        try:
            report = await run(as_of, run_id, _shown_on(ProgressBar("night-progress", f"Nights up to {as_of}")))
        except LockedByAnotherRun:
            log.warning("nightly.locked", as_of=as_of)
            return ended_as("Locked", "Another run is at work on the nights.", _counts(locked=1))
        if report.already_done:
            return ended_as("AlreadyDone", "already_done", _counts(already_done=1))
        await show_counts("night-changes", "What each night changed", [_changes(night) for night in report.nights])
        before, after = report.nights[0].before, report.nights[-1].after
        await show_counts("night-counts", f"Before and after, up to {as_of}", _before_and_after(before, after))
        log.info("nightly.done", as_of=as_of, nights=len(report.nights), changed=report.changed)
    return _counts(nights=len(report.nights), changed=report.changed)


def is_missing(now: datetime) -> bool:
    """Whether the newest night whose hour has come is not done, once nights have begun."""
    settings = load_settings()
    with read_session(database()) as session:
        return night_is_missing(session, newest_night(now, settings.timezone, settings.nightly_hour))


@step("run the nights")
def run(as_of: date, run_id: str | None, on_progress: Callable[[Progress], None]) -> NightsReport:
    """Run them by the settings."""
    settings = load_settings()
    return run_nights(
        database(),
        as_of,
        clock=wall_clock,
        tz=settings.timezone,
        hour=settings.nightly_hour,
        options=NightOptions(
            backup_dir=settings.backup_dir, backups_kept=settings.backups_kept, ways=ways_of(settings)
        ),
        flow_run_id=run_id,
        on_progress=on_progress,
    )


def _shown_on(bar: ProgressBar) -> Callable[[Progress], None]:
    """Passes progress from the thread at work to the bar, now and then, without waiting for it."""
    loop = asyncio.get_running_loop()
    shown = 0.0

    def show(progress: Progress) -> None:
        nonlocal shown
        if time.monotonic() - shown >= SHOWN_EVERY_SECONDS:
            shown = time.monotonic()
            done = (progress.night - 1) * progress.steps + progress.steps_done
            asyncio.run_coroutine_threadsafe(bar.show(done, progress.nights * progress.steps), loop)

    return show


def _counts(**known: int) -> dict[str, int]:
    return {"nights": 0, "changed": 0, "already_done": 0, "locked": 0} | known


def _changes(night: NightReceipt) -> dict[str, str | int]:
    return {"night": str(night.as_of), **night.changes}


def _before_and_after(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str | int]]:
    """One line for each count, those of a group under `group.name`."""
    flat = [_flat(before), _flat(after)]
    return [{"count": name, "before": flat[0].get(name, 0), "after": flat[1].get(name, 0)} for name in flat[1]]


def _flat(counts: Mapping[str, Any], prefix: str = "") -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for name, value in counts.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found
