"""Plays the demonstration day by day: manifests come in, staff work, transitions are carried out, partners are told,
nights are run. `deployments.demo.run` calls it once Prefect, the partners and the database are there.

Everything that carries out goes through the real flows, so this module may only be imported when Prefect's environment
is set.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from deployments.demo.partner import Behaviour, PartnerProcess
from deployments.demo.phases import Phases
from deployments.demo.season import Season
from deployments.demo.story import Story
from flows.dispatch import dispatch, waits
from flows.intake import intake
from flows.nightly import nightly
from integrations.webhooks.sender import Sender


@dataclass
class Simulated:
    """The simulated clock: it stands still until somebody moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Play:
    """One performance, from the day `first` to the day `last`."""

    engine: Engine
    season: Season
    story: Story
    manifests: Path
    unwell: PartnerProcess
    timezone: ZoneInfo
    public_url: str
    first: date
    last: date
    nights_together: int
    phases: Phases
    seed: int

    @property
    def end(self) -> datetime:
        """The last instant of the last day."""
        return self._at(self.last, 24)

    async def run(self, on_day: Callable[[date], None]) -> None:
        """Play every day in turn."""
        clock = Simulated(self._at(self.first, 0))
        sender = Sender(
            self.engine,
            clock=clock,
            random=Random(self.seed).random,  # noqa: S311  (jitter, not a secret)
            # Receivers compare the signature's time with their own clocks, which are not simulated.
            signature_clock=lambda: datetime.now(UTC),
            public_url=self.public_url,
            timezone=self.timezone,
            allow_loopback=True,
        )
        arrivals = _by_day(self.manifests)
        day = self.first
        while day <= self.last:
            on_day(day)
            self._set_the_scene(day)
            with self.phases.measure("deliveries"):
                clock.now = self._at(day, 8)
                await sender.deliver_due()
            for file in arrivals.get(day, ()):
                with self.phases.measure("intake"):
                    await intake(file, now=self._at(day, 8))
            with self.phases.measure("staff"):
                await asyncio.to_thread(self.season.work_day, day)
            clock.now = self._at(day, 18)
            if waits(clock.now):
                with self.phases.measure("dispatch"):
                    await dispatch(now=clock.now)
            with self.phases.measure("deliveries"):
                await sender.deliver_due()
                clock.now = self._at(day, 23)
                await sender.deliver_due()
            if self._nights_are_due(day):
                with self.phases.measure("nights"):
                    await nightly(as_of=day)
            day += timedelta(days=1)

    def _nights_are_due(self, day: date) -> bool:
        """The first night by itself, for nothing is missing before it; then several at once; the last in any case."""
        number = (day - self.first).days
        return number % self.nights_together == 0 or day == self.last

    def _set_the_scene(self, day: date) -> None:
        if day in (self.story.partner_fails.start, self.story.partner_slow.start, self.story.partner_slow.end):
            if day in self.story.partner_fails:
                self.unwell.behave(Behaviour.FAILING)
            elif day in self.story.partner_slow:
                self.unwell.behave(Behaviour.SLOW)
            else:
                self.unwell.behave(Behaviour.WELL)

    def _at(self, day: date, hour: int) -> datetime:
        return (datetime.combine(day, time(), self.timezone) + timedelta(hours=hour)).astimezone(UTC)


def _by_day(manifests: Path) -> dict[date, list[Path]]:
    """The manifests by the day of arrival that their names give (`NNN-YYYY-MM-DD-COUNTRY`)."""
    found: dict[date, list[Path]] = defaultdict(list)
    for file in sorted(manifests.glob("*-*-*-*-*.*")):
        found[date.fromisoformat(file.stem[4:14])].append(file)
    return found
