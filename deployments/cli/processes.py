"""`segin up` and `segin demo`: all of Segin on this machine, and seven months of it in a few minutes.

What they start is imported only when they are called: Prefect takes seconds to load, and reads its settings then.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from deployments.cli.output import AsJson, Output, print_json
from deployments.logging import configure_logging
from models.settings import load_settings


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("demo")(demo)
    app.command("up")(up_)


def demo(
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day to play; by default 2024-07-31.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, another season.")] = 2024,
    as_json: AsJson = False,
) -> None:
    """Play January to July 2024 with the bundled manifests, simulated staff, a real Prefect server and two partners.

    It has a folder of its own below the data folder and begins afresh each time; your database is not touched.
    """
    from deployments.demo.run import LAST, DemoOptions, run_demo
    from deployments.demo.view import show_summary

    settings = load_settings()
    configure_logging(settings)
    out = Output(settings, as_json=as_json)
    options = DemoOptions(until=LAST if until is None else until.date(), seed=seed)
    summary = run_demo(settings, options, out.progress)
    out.show(summary, lambda console: show_summary(summary, console, settings.language))


def up_(as_json: AsJson = False) -> None:
    """Start Prefect, the web and the worker on this machine, say where they are, and wait for Ctrl-C.

    With --json the places are one object on standard output once all is started; the rest goes to standard error.
    """
    from deployments.up import up

    settings = load_settings()
    configure_logging(settings)
    out = Output(settings, as_json=as_json)
    console, announce = (out.progress, print_json) if as_json else (out.console, None)
    raise typer.Exit(up(settings, console, announce))
