"""What a person sees of a run in Prefect's pages: how far it is, and a table of counts. Best effort, never a condition.

The flows that take longer than a moment use it; called directly, without a run, it does nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import structlog
from prefect import runtime
from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact

R = TypeVar("R")

log = structlog.get_logger()


class ProgressBar:
    """A bar from 0 to 100 per cent below the run. `key` is lower-case with dashes; the text says what is counted."""

    def __init__(self, key: str, description: str) -> None:
        self._key = key
        self._description = description
        self._artifact: UUID | None = None

    async def show(self, done: int, total: int) -> None:
        """Say that `done` of `total` are done."""
        if runtime.flow_run.id is None:
            return
        percent = 100.0 * done / total if total else 100.0
        if self._artifact is None:
            self._artifact = await _best_effort(
                acreate_progress_artifact(progress=percent, key=self._key, description=self._description)
            )
        else:
            await _best_effort(aupdate_progress_artifact(self._artifact, progress=percent))


async def show_counts(key: str, description: str, rows: Sequence[Mapping[str, str | int]]) -> None:
    """Leave a table of counts below the run."""
    if runtime.flow_run.id is not None:
        await _best_effort(acreate_table_artifact(table=[dict(row) for row in rows], key=key, description=description))


async def _best_effort(asked: Awaitable[R]) -> R | None:
    """A server that is down must not stop the work that is shown there."""
    try:
        return await asked
    except Exception as error:  # noqa: BLE001 - of whatever kind, it concerns the picture only
        log.warning("progress.not_shown", error_type=type(error).__name__)
        return None
