"""What the routes know of the Segin that serves them: its address, its days, and whether it is about to stop.

`integrations.api.app` puts it on the application; a route takes `Here`.
"""

# Annotations are values here: those of `installation` are read by the framework.

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from integrations.manifests.headers import Layouts
from integrations.manifests.profile import Profile


class Intake(NamedTuple):
    """What lists of people are taken in by: the `pathway` file that new cases follow, the profile of the country, the
    headers of a mapping file (none: the bundled ones), and where new codes come from."""

    pathway: str
    profile: Profile
    layouts: Layouts | None
    random_bytes: Callable[[int], bytes]


class Installation(NamedTuple):
    """`public_url` is the address under which partners reach it, `timezone` that of the programme's days; `stopping`
    says whether the process ends, so that nobody is kept waiting; `intake` is for lists of people who arrive."""

    public_url: str
    timezone: tzinfo
    stopping: Callable[[], bool]
    intake: Intake

    def day(self, now: datetime) -> date:
        """The programme's day at that moment."""
        return now.astimezone(self.timezone).date()


def installation(request: Request) -> Installation:
    """A dependency: the installation that serves this request."""
    found: Installation = request.app.state.installation
    return found


Here = Annotated[Installation, Depends(installation)]
