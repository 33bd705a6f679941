"""How long to wait for something that is away: as long as usual at first, then twice as long each time, up to a limit.

The loops of the worker wait with it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

LONGEST_SECONDS: Final = 10.0


class Patience:
    """Waits `usual` seconds between two tries, longer after each `failed`, and as usual again after `reward`."""

    def __init__(self, usual: float) -> None:
        self._usual = usual
        self._next = usual

    def failed(self) -> None:
        """The next wait is twice as long as the last."""
        self._next = min(2 * self._next, max(self._usual, LONGEST_SECONDS))

    def reward(self) -> None:
        """It worked: the next wait is the usual one."""
        self._next = self._usual

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait, but not beyond `stop`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), self._next)
