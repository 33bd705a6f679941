"""Serves the deployments from the worker: registers them, starts their runs as processes, asks for a missed night.

Prefect's runner gives up when its server is away, or waits for ever, so it is started anew for as long as the worker
runs.
"""

from __future__ import annotations

import asyncio

import structlog
from prefect.client.orchestration import get_client
from prefect.deployments import arun_deployment
from prefect.runner import Runner

from deployments.automations import ensure_automation, silent_runs_crash
from deployments.patience import Patience
from deployments.schedules import NAME, NIGHTLY, register
from deployments.server import is_healthy
from flows import nightly
from flows.steps import in_thread, wall_clock
from models.settings import Settings

LOOKS, LOOK_SECONDS = 6, 5.0
"""So many looks in a row, so far apart, without an answer: the server is lost."""
END_SECONDS = 10.0
"""How long a runner may take to end before a new one is started."""

log = structlog.get_logger()


async def keep_serving(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, through every absence of the server; then end the runs that are still going."""
    patience = Patience(1.0)
    while not stop.is_set():
        serving = asyncio.create_task(serve(settings, patience))
        others = {asyncio.create_task(stop.wait()), asyncio.create_task(_lost(settings))}
        await asyncio.wait({serving, *others}, return_when=asyncio.FIRST_COMPLETED)
        for task in (serving, *others):
            task.cancel()
        await asyncio.wait({serving, *others}, timeout=END_SECONDS)
        if not stop.is_set():
            patience.failed()
            log.warning("serving.interrupted", error_type=_error_type(serving))
            await patience.wait(stop)


async def _lost(settings: Settings) -> None:
    """Returns when the server has not answered for a while: the runner's own look-out can break at that moment, and it
    would then wait for ever."""
    silent = 0
    while silent < LOOKS:
        await asyncio.sleep(LOOK_SECONDS)
        silent = 0 if await asyncio.to_thread(is_healthy, settings.prefect_api_url) else silent + 1


def _error_type(serving: asyncio.Task[None]) -> str | None:
    """What ended the serving; none when it is still about to end, or was told to."""
    error = serving.exception() if serving.done() and not serving.cancelled() else None
    return type(error).__name__ if error else None


async def serve(settings: Settings, patience: Patience) -> None:
    """Register, ask for the night if it is missing, and serve until the server is lost."""
    runner = Runner(name=NAME, query_seconds=1, pause_on_shutdown=False)
    async with get_client() as client:
        await ensure_automation(client, silent_runs_crash())
    await register(runner, settings)
    if await in_thread(nightly.is_missing, wall_clock()):
        # The schedule remembers a night whose hour passed, but not one that was killed or lost with the server's file.
        await arun_deployment(NIGHTLY, timeout=0)
        log.info("serving.night_requested")
    patience.reward()
    log.info("serving.started")
    await runner.start()
