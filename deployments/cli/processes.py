"""`segin up` and `segin demo`: all of Segin on this machine, and seven months of it in a few minutes."""

from __future__ import annotations

import typer
from rich.console import Console

from deployments.logging import configure_logging
from deployments.up import up
from models.settings import load_settings


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("up")(start)


def start() -> int:
    """Start the Prefect server, the web and the worker on this machine, until Ctrl-C.

    Exits with 1 when one of them ends by itself.
    """
    settings = load_settings()
    configure_logging(settings)
    return up(settings, Console(highlight=False))
