"""Runs whose process was killed: the server gives them up, and only them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

from prefect import flow
from prefect.client.orchestration import get_client
from prefect_runs import PATIENCE_SECONDS, run_of

from deployments.automations import NAME, ensure_automation, silent_runs_crash
from deployments.server import ServerHandle
from flows.steps import ended_as

SLEEPER = """
import asyncio
from prefect import flow, runtime

@flow
async def sleeper():
    print(runtime.flow_run.id, flush=True)
    await asyncio.sleep(600)

asyncio.run(sleeper())
"""


@flow
async def ends_with_a_name_of_its_own() -> dict[str, int]:
    return ended_as("Locked", "", {})


def _ensure(silence: timedelta, times: int = 1) -> list[timedelta]:
    """Ensure the automation, and give the patience of all that the server then has under its name."""

    async def ensure() -> list[timedelta]:
        async with get_client() as client:
            for _ in range(times):
                await ensure_automation(client, silent_runs_crash(silence))
            return [found.trigger.within for found in await client.read_automations_by_name(NAME)]

    return asyncio.run(ensure())


def test_the_automation_is_there_once_and_as_described(prefect_server_handle: ServerHandle) -> None:
    assert _ensure(timedelta(seconds=90), times=3) == [timedelta(seconds=90)]
    assert _ensure(timedelta(seconds=60)) == [timedelta(seconds=60)]


def test_a_killed_run_becomes_crashed_and_a_finished_one_stays(prefect_server_handle: ServerHandle) -> None:
    """The shortest patience that Prefect allows; heartbeats would come each 30 seconds."""
    _ensure(timedelta(seconds=10))
    state = asyncio.run(ends_with_a_name_of_its_own(return_state=True))
    finished = str(state.state_details.flow_run_id)
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert sleeper.stdout is not None
    killed = sleeper.stdout.readline().strip()
    assert run_of(killed).state_name == "Running"
    sleeper.kill()
    sleeper.communicate()

    give_up = time.monotonic() + PATIENCE_SECONDS
    while run_of(killed).state_name == "Running" and time.monotonic() < give_up:
        time.sleep(0.5)

    assert run_of(killed).state_name == "Crashed"
    assert run_of(finished).state_name == "Locked"
    _ensure(timedelta(seconds=90))
