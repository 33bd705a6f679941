"""`segin pathway`: the process that cases follow, its published versions, in words and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from deployments.cli.desk import desk, paper
from deployments.cli.output import AsJson, Output
from models.database import read_session
from models.errors import WrongUse
from states.pathway import Pathway
from states.pathways.drawing import draw_svg
from states.pathways.loader import load_pathway, read_text
from states.pathways.mermaid import draw_mermaid
from states.pathways.shelf import current_version, numbered_version, pathways_of, published
from states.pathways.words import describe

pathway_app = typer.Typer(no_args_is_help=True, help="The process that cases follow.")

WhichPathway = Annotated[
    str | None, typer.Argument(help="A published pathway, or a file (.yaml); by default the one of the settings.")
]
Version = Annotated[int | None, typer.Option(min=1, help="A published version; by default the newest.")]


class Format(StrEnum):
    """What a diagram can be."""

    SVG = "svg"
    MERMAID = "mermaid"


class Language(StrEnum):
    """The languages of a pathway's texts."""

    FRENCH = "fr"
    ENGLISH = "en"


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(pathway_app, name="pathway")


@pathway_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The published versions, with the cases that run on each."""
    with desk(as_json=as_json) as work:
        followed = work.pathway().content_hash
        with read_session(work.engine) as session:
            rows = published(session)
        out = work.out
        table = out.table(
            [
                ("Parcours", "Pathway"),
                ("Version", "Version"),
                ("Publié le", "Published"),
                ("Contenu", "Content"),
                ("Dossiers ouverts", "Open cases"),
                ("Dossiers", "Cases"),
                ("Suivi", "Followed"),
            ],
            (
                [
                    *(row.name, row.version, out.when(row.published_at), row.content_hash[:12]),
                    *(row.open_cases, row.cases, out.yes(row.content_hash == followed)),
                ]
                for row in rows
            ),
        )
        data = [{**row._asdict(), "followed": row.content_hash == followed} for row in rows]
        out.show({"versions": data}, lambda console: console.print(table))


@pathway_app.command("show")
def show(which: WhichPathway = None, version: Version = None, as_json: AsJson = False) -> None:
    """A pathway in words: its states, every transition with all that it does, its tasks and deadlines."""
    pathway, out = _pathway(which, version, as_json=as_json)
    words = describe(pathway, out.language)
    out.show(words, lambda console: console.print(*_blocks(out, words), sep="\n"))


@pathway_app.command("diagram")
def diagram(
    which: WhichPathway = None,
    version: Version = None,
    format_: Annotated[Format, typer.Option("--format", help="A picture (svg) or Mermaid text.")] = Format.SVG,
    output: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    language: Annotated[
        Language | None, typer.Option(help="Of its texts; by default the language of the settings.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a pathway: where cases can be and what leads on from there."""
    pathway, out = _pathway(which, version, as_json=as_json)
    draw = draw_svg if format_ is Format.SVG else draw_mermaid
    drawn = draw(pathway, language or out.language)
    if output is not None:
        output.write_text(drawn, encoding="utf-8")
    data = {
        "name": pathway.name,
        "version": pathway.version,
        "format": format_,
        "path": None if output is None else str(output),
        "diagram": drawn if output is None else None,
    }
    said = out.say(f"Dessiné dans {output}.", f"Drawn to {output}.")
    out.show(data, lambda console: console.print(said) if output else typer.echo(drawn, nl=False))


def _pathway(which: str | None, version: int | None, *, as_json: bool) -> tuple[Pathway, Output]:
    """The pathway that is meant, and where to print; a file needs no database."""
    if which is not None and Path(which).suffix in (".yaml", ".yml"):
        if version is not None:
            raise WrongUse(
                "A file has no published versions to choose from.",
                "Un fichier n'a pas de versions publiées entre lesquelles choisir.",
                remedy="Leave --version out, or give the pathway's name.",
                remedy_fr="Retirez --version, ou donnez le nom du parcours.",
            )
        out = paper(as_json=as_json)
        return load_pathway(*read_text(which)), out
    with desk(as_json=as_json) as work:
        if which is None and version is None:
            return work.pathway(), work.out
        name = which or work.pathway().name
        with read_session(work.engine) as session:
            row = current_version(session, name) if version is None else numbered_version(session, name, version)
            assert row.id is not None  # noqa: S101  (it was just read)
            return pathways_of(session, [row.id])[row.id], work.out


def _blocks(out: Output, words: dict[str, Any]) -> Iterator[RenderableType]:
    yield Text(f"{words['title']} · {words['name']} v{words['version']}", style="bold")
    yield out.table(
        [("État", "State"), ("Nom", "Name"), ("Genre", "Kind")],
        ([state["key"], state["title"], state["kind"]] for state in words["states"]),
    )
    if words["records"]:
        yield out.table(
            [("Élément", "Record"), ("Nom", "Name"), ("Étapes", "States")],
            ([kind["key"], kind["title"], ", ".join(kind["states"].values())] for kind in words["records"]),
        )
    for transition in words["transitions"]:
        yield Text(f"\n{transition['from']} · {transition['trigger']} – {transition['title']}", style="bold")
        yield Text(f"  {out.say('qui', 'who')}: {', '.join(transition['roles'])}")
        if transition["record"]:
            yield Text(f"  {transition['record']}")
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
