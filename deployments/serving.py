"""Serves the deployments from the worker: registers them, starts their runs as processes, asks for a missed night.

Prefect's runner gives up after three failed questions in a row, so it is started anew for as long as the worker runs.
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
from flows import nightly
from flows.steps import in_thread, wall_clock
from models.settings import Settings

log = structlog.get_logger()


async def keep_serving(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, through every absence of the server; then end the runs that are still going."""
    patience = Patience(1.0)
    while not stop.is_set():
        serving = asyncio.create_task(serve(settings, patience))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        stopped.cancel()
        [outcome, _] = await asyncio.gather(serving, stopped, return_exceptions=True)
        if not stop.is_set():
            patience.failed()
            log.warning("serving.interrupted", error_type=type(outcome).__name__)
            await patience.wait(stop)


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
