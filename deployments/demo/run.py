"""`segin demo`: sets the stage in a folder of its own, plays the season, counts what came of it, and clears up.

Nothing that it starts outlives it: the Prefect server and the partners end with it, however it ends.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from sqlalchemy import Engine

from deployments.demo.cast import Roster, settle, sign_up
from deployments.demo.folder import demo_environment, fresh_folder
from deployments.demo.luck import Luck
from deployments.demo.means import provide
from deployments.demo.partner import PartnerProcess
from deployments.demo.phases import Phases
from deployments.demo.season import Season
from deployments.demo.show import DayByDay
from deployments.demo.story import read_cast, read_story
from deployments.demo.summary import summarise
from deployments.environment import client_environment
from deployments.logging import configure_logging
from deployments.server import prefect_server
from integrations.webhooks.subscriptions import list_subscriptions, new_secret, pause
from models.database import create_engine_for, read_session, write_session
from models.errors import WrongUse
from models.migrate import upgrade
from models.settings import Settings, load_settings
from states.pathway import Pathway
from states.pathways.loader import bundled_pathway
from states.pathways.shelf import pathways_of, publish

FIRST: Final = date(2024, 1, 1)
LAST: Final = date(2024, 7, 31)
NIGHTS_TOGETHER: Final = 7
"""Nights that share one flow run, as missed nights do: a run costs Prefect more than a night costs Segin."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What whoever runs it may choose: the last day to play, and the seed of all chance."""

    until: date = LAST
    seed: int = 2024


def run_demo(settings: Settings, options: DemoOptions, console: Console) -> dict[str, Any]:
    """Play the demonstration below `settings.data_dir`, show how far it is on `console`, and give the summary.

    Raises WrongUse for a day outside the season, LockedByAnotherRun while another demonstration runs there, and
    SeginError for a folder that it did not make.
    """
    if not FIRST <= options.until <= LAST:
        raise WrongUse(
            f"The demonstration plays from {FIRST} to {LAST}.",
            f"La démonstration va du {FIRST} au {LAST}.",
            remedy="Choose a day between the two for --until.",
            remedy_fr="Choisissez pour --until un jour entre les deux.",
        )
    phases = Phases()
    with ExitStack() as stage:
        stage.callback(signal.signal, signal.SIGTERM, signal.signal(signal.SIGTERM, signal.default_int_handler))
        folder = stage.enter_context(fresh_folder(settings.data_dir))
        stage.enter_context(demo_environment(folder))
        log = stage.enter_context((folder / "demo.log").open("w", encoding="utf-8"))
        configure_logging(load_settings(), log)
        stage.callback(configure_logging, settings)
        show = stage.enter_context(DayByDay(console, settings.language, FIRST, options.until))
        with phases.measure("total"):
            summary = _perform(folder, options, show, phases, stage)
    seconds = {name: round(spent, 1) for name, spent in phases.seconds.items()}
    return {
        "from": FIRST,
        "until": options.until,
        "seed": options.seed,
        "folder": str(folder),
        **summary,
        "wall_seconds": seconds.pop("total"),
        "phases": seconds,
    }


def _perform(folder: Path, options: DemoOptions, show: DayByDay, phases: Phases, stage: ExitStack) -> dict[str, Any]:
    """Set the stage, play, and count. What is started here ends with `stage`."""
    settings = load_settings()
    story, luck = read_story(), Luck(options.seed)
    with phases.measure("setup"):
        show.say("Base de données, bureaux et partenaires", "Database, offices and partners")
        engine = create_engine_for(settings.database_url)
        stage.callback(engine.dispose)
        partners = _Partners(stage)
        pathway, roster, helper_id = _settle(engine, partners, luck)
    with phases.measure("prefect"):
        show.say("Serveur Prefect", "Prefect server")
        server = stage.enter_context(prefect_server(folder))
        os.environ.update(client_environment(folder, server.api_url))
        # Prefect reads its environment when it is imported, so it must not be before.
        from deployments.demo.play import Play
        from deployments.demo.runs import count_runs
    season = Season(engine, pathway.calendar, story, luck, roster, helper_id)
    with resources.as_file(resources.files("deployments.demo") / "manifests") as manifests:
        play = Play(
            engine=engine,
            season=season,
            story=story,
            manifests=manifests,
            unwell=partners.unwell,
            timezone=settings.timezone,
            public_url=settings.public_url,
            first=FIRST,
            last=options.until,
            nights_together=NIGHTS_TOGETHER,
            phases=phases,
            seed=options.seed,
        )
        asyncio.run(play.run(show.day))
    with phases.measure("summary"):
        show.say("Bilan", "Summary")
        _close_the_endpoints(engine)
        with read_session(engine) as session:
            summary = summarise(session, play.end)
        return {
            **summary,
            "refusals": dict(season.refusals.most_common()),
            "partners": partners.received(),
            "flow_runs": asyncio.run(count_runs()),
        }


def _close_the_endpoints(engine: Engine) -> None:
    """What is not delivered waits, lest a `segin up` in this folder knocks at doors that are gone."""
    with write_session(engine) as session:
        for line in list_subscriptions(session):
            pause(session, line.id)
        session.commit()


class _Partners:
    """The two endpoints and the secrets that they share with Segin."""

    def __init__(self, stage: ExitStack) -> None:
        self.parts = read_cast().partners
        self.secrets = [new_secret(secrets.token_bytes) for _ in range(2)]
        self.well, self.unwell = (stage.enter_context(PartnerProcess(secret)) for secret in self.secrets)

    def received(self) -> dict[str, dict[str, int]]:
        """What reached each, as it counted itself."""
        both = ((self.parts.well, self.well), (self.parts.unwell, self.unwell))
        return {part.code: asdict(process.received()) for part, process in both}


def _settle(engine: Engine, partners: _Partners, luck: Luck) -> tuple[Pathway, Roster, int]:
    """A new database with the pathway, the staff and the partners; also the id of the partner that helps."""
    upgrade(engine)
    cast = read_cast()
    now = datetime.combine(FIRST, time(), UTC)
    with write_session(engine) as session:
        version_id = publish(session, bundled_pathway("mali"), now).id or 0
        roster = settle(session, cast, luck, now)
        provide(session, cast, roster, luck, now)
        well, unwell = partners.secrets
        helper_id = sign_up(session, cast.partners.well, partners.well.url, well, now)
        sign_up(session, cast.partners.unwell, partners.unwell.url, unwell, now)
        pathway = pathways_of(session, [version_id])[version_id]
        session.commit()
    return pathway, roster, helper_id
