"""What every flow here is made of: steps that run in a thread, and tell Prefect nothing about a person when they fail.

The flows' modules declare their Prefect tasks with `step`, and get the database and the clock here.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, ParamSpec, TypeVar, cast

import structlog
from prefect import runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, StateType
from sqlalchemy import Engine

from models.database import create_engine_for
from models.errors import SeginError
from models.settings import load_settings

P = ParamSpec("P")
R = TypeVar("R")

CHUNK: Final = 5_000
"""Rows that one transaction of a flow takes on: a second or two, in which other writers wait."""

log = structlog.get_logger()


class StepFailed(SeginError):
    """A step met an error whose text may quote a row. Prefect keeps state messages in clear, so it gets the type."""


def step(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, Awaitable[R]]]:
    """Make a Prefect task of a function that works on the database; it runs in a thread, under this name.

    `run_name` names each run from the arguments, as in `file {number}`. These are ids, dates and paths, the result is
    counts. An error that we raised on purpose goes on as it is, any other as StepFailed.
    """

    def make(work: Callable[P, R]) -> Callable[P, Awaitable[R]]:
        @functools.wraps(work)
        async def carry_out(*args: P.args, **kwargs: P.kwargs) -> R:
            return await in_thread(work, *args, **kwargs)

        prefect_task = task(
            name=name, task_run_name=run_name, persist_result=False, cache_policy=NO_CACHE, log_prints=False
        )
        return cast("Callable[P, Awaitable[R]]", prefect_task(carry_out))

    return make


async def in_thread(work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work in a thread. Its errors leave no text of their own. Raises SeginError and StepFailed."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except SeginError:
        raise
    except Exception as error:  # whatever it is, its text must not reach Prefect
        log.error("step.failed", step=work.__name__, exc_info=error)
        kind = type(error).__name__
        raise StepFailed(
            f"The step {work.__name__} failed ({kind}); the log of the process that ran it says where.",
            f"L'étape {work.__name__} a échoué ({kind}) ; le journal technique du processus dit où.",
        ) from None


def ended_as(name: str, message: str, summary: dict[str, int]) -> dict[str, int]:
    """What a flow returns to end in a state with this name that is no failure; whoever called it gets the summary."""
    return cast("dict[str, int]", State(type=StateType.COMPLETED, name=name, message=message, data=summary))


@contextmanager
def bound_run(flow: str) -> Iterator[str | None]:
    """Bind the flow and its run to each line logged meanwhile, and give the run's id (none when called directly)."""
    run_id = cast("str | None", runtime.flow_run.id)
    with structlog.contextvars.bound_contextvars(flow=flow, flow_run_id=run_id, correlation_id=run_id):
        yield run_id


def database() -> Engine:
    """The engine of this process for the database of the settings, made once."""
    return _engine(load_settings().database_url)


def wall_clock() -> datetime:
    """Now, in UTC: the clock of every flow that is not given another."""
    return datetime.now(UTC)


@functools.cache
def _engine(url: str) -> Engine:
    return create_engine_for(url)
