"""`segin up` and `segin demo`: all of Segin on this machine, and seven months of it in a few minutes.

What they start is imported only when they are called: Prefect takes seconds to load, and reads its settings then.
"""

from __future__ import annotations

import typer

from deployments.cli.output import AsJson, Output, print_json
from deployments.logging import configure_logging
from models.settings import load_settings


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("up")(up_)


def up_(as_json: AsJson = False) -> None:
    """Start Prefect, the web and the worker on this machine, say where they are, and wait for Ctrl-C.

    With --json the places are one object on standard output, and what happens goes to standard error.
    """
    from deployments.up import places, up

    settings = load_settings()
    configure_logging(settings)
    out = Output(settings, as_json=as_json)
    if as_json:
        print_json(places(settings))
    raise typer.Exit(up(settings, out.progress if as_json else out.console))
