"""`segin pathway`: the process that cases follow, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from deployments.cli.desk import desk
from deployments.cli.output import AsJson, Output
from models.database import read_session
from states.pathways.shelf import current_version, pathways_of
from states.pathways.words import describe

pathway_app = typer.Typer(no_args_is_help=True, help="The process that cases follow.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(pathway_app, name="pathway")


@pathway_app.command("show")
def show(
    name: Annotated[str | None, typer.Argument(help="The pathway; by default the one of the settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """The newest published version: its states, every transition with all that it does, its tasks and deadlines."""
    with desk(as_json=as_json) as work:
        version_id = work.pathway_version_id() if name is None else None
        with read_session(work.engine) as session:
            if version_id is None:
                version_id = current_version(session, name or "").id or 0
            words = describe(pathways_of(session, [version_id])[version_id], work.out.language)
        work.out.show(words, lambda console: console.print(*_blocks(work.out, words), sep="\n"))


def _blocks(out: Output, words: dict[str, Any]) -> Iterator[RenderableType]:
    yield Text(f"{words['title']} · {words['name']} v{words['version']}", style="bold")
    yield out.table(
        [("État", "State"), ("Nom", "Name"), ("Genre", "Kind")],
        ([state["key"], state["title"], state["kind"]] for state in words["states"]),
    )
    for transition in words["transitions"]:
        yield Text(f"\n{transition['from']} · {transition['trigger']} – {transition['title']}", style="bold")
        yield Text(f"  {out.say('qui', 'who')}: {', '.join(transition['roles'])}")
        for guard in transition["guards"]:
            when = f" ({guard['when']})" if guard["when"] else ""
            yield Text(f"  {out.say('sinon refusé', 'else refused')}: {guard['refusal']}{when}")
        for way in transition["ways"]:
            yield Text(f"  → {way['to']}: {' ; '.join(way['effects']) or '–'}")
    yield out.table(
        [
            ("Échéance", "Deadline"),
            ("Quand", "When due"),
            ("Rappels", "Reminders"),
            ("Escalade", "Ladder"),
        ],
        (
            [
                deadline["title"],
                deadline["due"],
                ", ".join(deadline["reminders"]),
                ", ".join(f"+{step['after']}: {step['role']}" for step in deadline["ladder"]),
            ]
            for deadline in words["deadlines"]
        ),
        title="\n" + out.say("Échéances", "Deadlines"),
    )
