"""What the routes know of the Segin that serves them: its address, its days, and whether it is about to stop.

`integrations.api.app` puts it on the application; a route takes `Here`.
"""

# Annotations are values here: those of `installation` are read by the framework.

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Annotated, NamedTuple

from fastapi import Depends, Request


class Installation(NamedTuple):
    """`public_url` is the address under which partners reach it, `timezone` that of the programme's days; `stopping`
    says whether the process ends, so that nobody is kept waiting."""

    public_url: str
    timezone: tzinfo
    stopping: Callable[[], bool]

    def day(self, now: datetime) -> date:
        """The programme's day at that moment."""
        return now.astimezone(self.timezone).date()


def installation(request: Request) -> Installation:
    """A dependency: the installation that serves this request."""
    found: Installation = request.app.state.installation
    return found


Here = Annotated[Installation, Depends(installation)]
