"""`segin db`: make or upgrade the database, save it, and have it checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.desk import desk
from deployments.cli.output import DONE, FAILED, AsJson
from deployments.ready import bring_up_to_date
from models.backup import back_up, database_faults
from models.migrate import current, head

db_app = typer.Typer(no_args_is_help=True, help="The database: upgrade, backup, verify.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(db_app, name="db")


@db_app.command("upgrade")
def upgrade_(as_json: AsJson = False) -> None:
    """Bring the database to this version's schema and publish the pathway of the settings."""
    with desk(as_json=as_json, ready=False) as work:
        before = current(work.engine)
        bring_up_to_date(work.settings, work.engine)
        after = head()
        text = work.out.say(f"Base à jour (révision {after}).", f"The database is up to date (revision {after}).")
        work.out.show(
            {"before": before, "after": after, "changed": before != after}, lambda console: console.print(text)
        )


@db_app.command("backup")
def backup(
    folder: Annotated[Path | None, typer.Argument(help="Where to; by default the settings' backup folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Save a copy while others go on working; the copy is read back before it counts."""
    with desk(as_json=as_json, ready=False) as work:
        made = back_up(work.engine, folder or work.settings.backup_dir, f"segin-{work.now():%Y%m%dT%H%M%SZ}")
        text = work.out.say(
            f"Copie enregistrée : {made.path} ({made.size} octets).", f"Saved: {made.path} ({made.size} bytes)."
        )
        work.out.show({"path": str(made.path), "bytes": made.size}, lambda console: console.print(text))


@db_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Have the database check its own files and references. Exits with 1 when something is wrong."""
    with desk(as_json=as_json, ready=False) as work:
        faults = database_faults(work.engine)
        revision, newest = current(work.engine), head()

        def render(console: Console) -> None:
            for fault in faults:
                console.print(f"· {fault}", style="red")
            if not faults:
                console.print(work.out.say("La base est saine.", "The database is sound."))
            if revision != newest:
                console.print(
                    work.out.say("Son schéma n'est pas à jour : ", "Its schema is not up to date: ")
                    + "segin db upgrade"
                )

        work.out.show({"sound": not faults, "faults": faults, "revision": revision, "newest": newest}, render)
    raise typer.Exit(FAILED if faults else DONE)
