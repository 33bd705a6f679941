"""The resident worker: dispatches transitions, sweeps urgent deadlines, sends webhooks and serves the deployments.

Its flows run in its own loop, a tenth of a second each. Without a Prefect server it waits: what people do goes on, is
kept, and is carried out when the server is back; webhooks do not need it. `segin up` starts it, or
`python -m deployments.worker` where the server is another machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import structlog

from deployments.children import end_with_parent
from deployments.environment import client_environment
from deployments.logging import configure_logging
from deployments.patience import Patience
from deployments.server import is_healthy
from deployments.serving import keep_serving
from flows import deadlines, dispatch
from flows.steps import database, in_thread, wall_clock
from integrations.webhooks.sender import Sender
from models.settings import Settings, load_settings

DEADLINES_SECONDS: Final = 30.0
GRACE_SECONDS: Final = 3.0
LAST_SECONDS: Final = 6.0

log = structlog.get_logger()


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Do all the worker's work until `stop` is set; then finish what is under way, or drop it after GRACE_SECONDS.

    What is dropped is taken up again by the next worker. Raises when one of the loops has an error of its own.
    """
    sending = asyncio.Event()
    sender = Sender(
        database(),
        clock=wall_clock,
        random=secrets.SystemRandom().random,
        public_url=settings.public_url,
        timezone=settings.timezone,
        mappings=settings.bridges_dir,
        allow_loopback=settings.allow_loopback_webhooks,
    )
    async with asyncio.TaskGroup() as group:
        loops = [
            group.create_task(loop)
            for loop in (
                keep_up(
                    "dispatch", dispatch.dispatch, dispatch.waits, settings.dispatch_interval, settings, stop, sending
                ),
                keep_up("deadlines", deadlines.deadlines, deadlines.waits, DEADLINES_SECONDS, settings, stop, sending),
                keep_serving(settings, stop),
                sender.run_forever(stop=stop, wake=sending),
            )
        ]
        log.info("worker.started", pid=os.getpid())
        await stop.wait()
        _, late = await asyncio.wait(loops, timeout=GRACE_SECONDS)
        for loop in late:
            loop.cancel()
    log.info("worker.stopped")


async def keep_up(
    name: str,
    run: Callable[[], Awaitable[Any]],
    waits: Callable[[datetime], bool],
    seconds: float,
    settings: Settings,
    stop: asyncio.Event,
    sending: asyncio.Event,
) -> None:
    """Look every `seconds` whether something waits; if so run the flow once, for all of it, and wake the sender.

    While Prefect or the database is away, look less and less often, at least each ten seconds.
    """
    patience = Patience(seconds)
    while not stop.is_set():
        try:
            if await in_thread(waits, wall_clock()):
                if not await asyncio.to_thread(is_healthy, settings.prefect_api_url):
                    raise ConnectionError("the Prefect server does not answer")
                await run()
                sending.set()
            patience.reward()
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look may go well
            patience.failed()
            log.warning("worker.waits", flow=name, error_type=type(error).__name__)
        await patience.wait(stop)


def main(arguments: list[str]) -> None:
    """Work until SIGTERM or SIGINT. The loop has a thread of its own, since Prefect's runner takes the main thread's
    signals for itself."""
    settings = load_settings()
    environment = client_environment(settings.data_dir, settings.prefect_api_url)
    if environment != dict(os.environ):
        # Prefect has read its environment already, when it was imported: begin again with the right one.
        os.execve(sys.executable, [sys.executable, "-m", "deployments.worker", *arguments], environment)  # noqa: S606
    configure_logging(settings)
    end_with_parent(arguments)
    failed: list[BaseException] = []
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        try:
            loop.run_until_complete(work(settings, stop))
        except BaseException as error:
            log.error("worker.failed", exc_info=error)
            failed.append(error)

    asked: list[float] = []

    def end(*_: object) -> None:
        asked.append(time.monotonic())
        loop.call_soon_threadsafe(stop.set)

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, end)
    # When its server is away, Prefect's runner prints a page of traceback; all that we say is on standard error.
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        thread = threading.Thread(target=run, name="worker")
        thread.start()
        while thread.is_alive():
            thread.join(0.2)
            if asked and time.monotonic() - asked[0] > LAST_SECONDS:
                # Prefect's runner can wait for ever for a run that ended while it was being stopped.
                log.warning("worker.ended_at_last")
                os._exit(1 if failed else 0)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
