"""`segin instrument`: the questionnaires that there are, and a programme's own files looked at before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import paper
from deployments.cli.output import DONE, FAILED, AsJson
from models.settings import load_settings
from states.instruments import load_catalogue
from states.instruments.catalogue import read_file
from states.instruments.definition import Awaited, Definition
from states.pathways.problems import FileProblems

instrument_app = typer.Typer(no_args_is_help=True, help="Questionnaires: list them, check a programme's own.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(instrument_app, name="instrument")


@instrument_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Every version of every instrument, with its source and licence. No database is needed."""
    out = paper(as_json=as_json)
    rows = [_document(each) for each in load_catalogue(load_settings().instruments_dir)]
    table = out.table(
        [
            ("Instrument", "Instrument"),
            ("Version", "Version"),
            ("Nom", "Name"),
            ("Items", "Items"),
            ("Coté", "Scored"),
            ("Source", "Source"),
            ("Licence", "Licence"),
        ],
        (
            [
                row["instrument"],
                row["version"],
                row["title_fr"] if out.language == "fr" else row["title"],
                row["items"],
                out.yes(row["missing"] is None),
                row["source"],
                row["licence"],
            ]
            for row in rows
        ),
    )

    def render(console: Console) -> None:
        console.print(table)
        for row in rows:
            if row["missing"]:
                console.print(out.say(row["missing_fr"], row["missing"]))

    out.show({"instruments": rows}, render)


@instrument_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A file with one instrument.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Everything that is wrong in an instrument's file, each with its line and a remedy. No database is needed."""
    out = paper(as_json=as_json)
    problems: list[dict[str, Any]] = []
    definition: Definition | None = None
    said: list[str] = []
    try:
        definition = read_file(file)
    except FileProblems as faulty:
        said = [each.in_(out.language) for each in faulty.problems]
        problems = [
            {
                "code": each.code,
                "line": each.line,
                "what": each.what.en,
                "what_fr": each.what.fr,
                "remedy": each.remedy.en,
                "remedy_fr": each.remedy.fr,
            }
            for each in faulty.problems
        ]
    document = None if definition is None else _document(definition)
    data = {"file": file.name, "usable": definition is not None, "instrument": document, "problems": problems}

    def render(console: Console) -> None:
        for line in said:
            console.print(line)
        if definition is not None:
            console.print(f"{file.name} : {definition.instrument} v{definition.version} – {out.say('bon', 'fine')}")

    out.show(data, render)
    raise typer.Exit(FAILED if problems else DONE)


def _document(definition: Definition) -> dict[str, Any]:
    scored = None if isinstance(definition, Awaited) else definition
    missing = definition.missing if isinstance(definition, Awaited) else None
    return {
        "instrument": definition.instrument,
        "version": definition.version,
        "kind": definition.kind,
        "title": definition.title.en,
        "title_fr": definition.title.fr,
        "items": len(scored.order) if scored else None,
        "roles": list(scored.roles) if scored else [],
        "source": definition.source,
        "licence": definition.licence,
        "missing": missing.en if missing else None,
        "missing_fr": missing.fr if missing else None,
    }
