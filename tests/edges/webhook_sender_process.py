"""A sender as a process of its own, so that a test can kill it: `python webhook_sender_process.py DATABASE_URL`."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime

from integrations.webhooks.sender import deliver_due
from models.database import create_engine_for


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    asyncio.run(deliver_due(create_engine_for(sys.argv[1]), clock=_now, random=random.random, allow_loopback=True))
