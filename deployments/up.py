"""All of Segin on one machine: the Prefect server, the web and the worker, children of one process that stops them.

`segin up` calls `up`. Ctrl-C or SIGTERM ends everything within seconds; a child that dies ends everything too.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from deployments.children import Child
from deployments.environment import client_environment
from deployments.ports import require_port, url_of
from deployments.ready import make_ready, published_pathway
from deployments.server import is_healthy, prefect_server
from models.database import create_engine_for
from models.settings import Settings

STOP_SECONDS: Final = 8.0
LOOK_SECONDS: Final = 0.2


def up(settings: Settings, console: Console, announce: Callable[[dict[str, str]], None] | None = None) -> int:
    """Start everything, say where it is, and wait. 0 after Ctrl-C or SIGTERM, 1 when a child ended by itself.

    `announce` gets the places once all is started; none: they are printed on `console` as a table.

    Raises SeginError when a port is taken, the database is of another version, or Prefect does not start.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as started:
        try:
            children = _start(settings, console, started)
            (announce or partial(_show_places, settings, console))(places(settings))
            return _watch(children, console, settings.language)
        except KeyboardInterrupt:
            console.print(_say(settings, "Arrêt en cours…", "Stopping…"))
            return 0
        finally:
            # What follows takes a few seconds at most; a second Ctrl-C would only leave processes behind.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)


def _start(settings: Settings, console: Console, started: ExitStack) -> list[Child]:
    require_port(settings.web_host, settings.web_port, "SEGIN_WEB_PORT")
    engine = create_engine_for(settings.database_url)
    try:
        make_ready(settings, engine)
        published_pathway(settings, engine)
    finally:
        engine.dispose()
    children = []
    ui_url = settings.prefect_api_url.removesuffix("/api")
    if ui_url == f"http://{settings.prefect_host}:{settings.prefect_port}":
        with console.status(_say(settings, "Démarrage du serveur Prefect…", "Starting the Prefect server…")):
            server = started.enter_context(
                prefect_server(settings.data_dir, settings.prefect_port, settings.prefect_host)
            )
        children.append(server.child)
    elif not is_healthy(settings.prefect_api_url):
        console.print(
            _say(settings, "Prefect est injoignable ; le service attend.", "Prefect is away; the worker waits.")
        )
    environment = client_environment(settings.data_dir, settings.prefect_api_url)
    for name in ("web", "worker"):
        child = Child(name, f"deployments.{name}", environment=environment)
        started.callback(child.stop, STOP_SECONDS)
        children.append(child)
    return children


def _watch(children: Sequence[Child], console: Console, language: str) -> int:
    while True:
        for child in children:
            if child.exit_code is not None:
                text = {
                    "fr": f"Le processus {child.name} s'est terminé (code {child.exit_code}) : tout s'arrête.",
                    "en": f"The process {child.name} ended by itself (exit code {child.exit_code}): everything stops.",
                }[language]
                console.print(text, style="bold red")
                return 1
        time.sleep(LOOK_SECONDS)


def places(settings: Settings) -> dict[str, str]:
    """Where everything is: the health page, Prefect's pages, the database (without its password), the files."""
    return {
        "health": url_of(settings.web_host, settings.web_port),
        "prefect": settings.prefect_api_url.removesuffix("/api"),
        "database": make_url(settings.database_url).render_as_string(hide_password=True),
        "files": str(settings.data_dir.absolute()),
    }


def _show_places(settings: Settings, console: Console, where: dict[str, str]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    labels = {
        "health": ("État", "Health"),
        "prefect": ("Prefect", "Prefect"),
        "database": ("Base de données", "Database"),
        "files": ("Fichiers", "Files"),
    }
    for name, place in where.items():
        table.add_row(_say(settings, *labels[name]), place)
    console.print(table)
    console.print(_say(settings, "Ctrl-C arrête tout.", "Ctrl-C stops everything."))


def _say(settings: Settings, fr: str, en: str) -> str:
    return fr if settings.language == "fr" else en
