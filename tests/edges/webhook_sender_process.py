"""A sender as a process of its own, so that a test can kill it: `python webhook_sender_process.py DATABASE_URL`.

`DATABASE_URL NOW POINT NUMBER` has it kill itself, as kill -9 would, when it comes to one of the `POINTS` for the
NUMBERth time; NOW is the instant at which its clock stands still. A point that is "-" is never reached.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from integrations.webhooks import sender
from integrations.webhooks.post import Poster
from models.database import create_engine_for

POINTS = (
    *("before claim", "before the commit of a claim", "after claim", "before send", "after send"),
    *("before record", "before the commit of a record", "after record"),
)


def stop_at(point: str, number: int) -> None:
    """Make this process end at that point, without another word, when it comes there for the `number`th time."""
    left = number
    done: set[str] = set()

    def here(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def noted(name: str, function: Callable[..., Any], counts: Callable[..., object]) -> Callable[..., Any]:
        """The function, with the points around it. `counts` gets its arguments and its value."""

        @wraps(function)
        def around(*arguments: Any, **named: Any) -> Any:
            if name != "record" or counts(arguments, None):
                here(f"before {name}")
            value = function(*arguments, **named)
            if counts(arguments, value):
                done.add(name)
            return value

        return around

    def before_commit(_session: Session) -> None:
        for name in done:
            here(f"before the commit of a {name}")

    def after_commit(_session: Session) -> None:
        for name in done:
            here(f"after {name}")
        done.clear()

    post = Poster.post

    async def posted(*arguments: Any) -> Any:
        here("before send")
        answer = await post(*arguments)
        here("after send")
        return answer

    vars(sender).update(
        claim=noted("claim", sender.claim, lambda _arguments, claimed: claimed),
        record=noted("record", sender.record, lambda arguments, _recorded: arguments[1]),
    )
    Poster.post = posted  # type: ignore[method-assign]
    event.listen(Session, "before_commit", before_commit)
    event.listen(Session, "after_commit", after_commit)


def wall_clock() -> datetime:
    return datetime.now(UTC)


def main(database_url: str, now: str = "", point: str = "-", number: str = "1") -> None:
    stop_at(point, int(number))
    instant = datetime.fromisoformat(now) if now else None
    asyncio.run(
        sender.Sender(
            create_engine_for(database_url),
            clock=lambda: instant or wall_clock(),
            signature_clock=wall_clock,
            random=random.random,
            public_url="https://segin.example.org",
            timezone=UTC,
            allow_loopback=True,
        ).deliver_due()
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
