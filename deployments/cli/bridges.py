"""`segin bridge`: a mapping file looked at before referrals leave by it, and what one referral becomes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.desk import paper
from deployments.cli.output import DONE, FAILED, AsJson, Output
from deployments.cli.pathway_check import problem_data
from integrations.bridges.bridge import bridge
from integrations.bridges.checks import sources_of
from integrations.bridges.loader import mapping_text, read_mapping
from integrations.bridges.mapping import EVENT_KINDS, Mapping
from models import WrongUse
from states.pathways.problems import FileProblems, Problem
from states.pathways.source import read_content

MappingFileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="A mapping file (.yaml), or a bundled one's name: primero, dhis2.")
]

bridge_app = typer.Typer(no_args_is_help=True, help="Referrals in the form of another system.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(bridge_app, name="bridge")


@bridge_app.command("check")
def check(file: MappingFileArgument, as_json: AsJson = False) -> None:
    """Everything that is wrong or doubtful in a mapping file, and which fields an agreement must allow for it."""
    out = paper(as_json=as_json)
    mapping: Mapping | None = None
    try:
        text, name = mapping_text(file)
        mapping, problems = read_mapping(text, name)
    except FileProblems as error:
        name, problems = error.file, list(error.problems)
    asked = {} if mapping is None else sources_of(mapping)
    shared = {source: needed for source, needed in asked.items() if source not in EVENT_KINDS}
    data = {
        "file": name,
        "system": None if mapping is None else mapping.system,
        "usable": mapping is not None,
        "fields": [*shared],
        "required": [source for source, needed in shared.items() if needed],
        "problems": [problem_data(each) for each in problems],
    }

    def render(console: Console) -> None:
        _print_problems(console, out, problems)
        if mapping is None:
            console.print(out.say(f"{name} : ne peut pas servir.", f"{name}: cannot be used."))
            return
        console.print(out.say(f"{name} : peut servir ({mapping.system}).", f"{name}: can be used ({mapping.system})."))
        for source, needed in shared.items():
            console.print(f"  {source}{out.say(' (obligatoire)', ' (required)') if needed else ''}")

    out.show(data, render)
    raise typer.Exit(DONE if mapping is not None else FAILED)


@bridge_app.command("preview")
def preview(
    file: MappingFileArgument,
    event: Annotated[
        str, typer.Argument(metavar="EVENT.json", help="A stored referral.made event, as a partner has it.")
    ],
    as_json: AsJson = False,
) -> None:
    """What one referral becomes over the bridge, without sending it. It names the person whom the event names."""
    out = paper(as_json=as_json)
    ready = bridge(file)
    body = json.loads(ready.body(_read_event(event)))
    data = {"mapping": ready.mapping.name, "content_type": ready.content_type, "body": body}
    out.show(data, lambda console: console.print(json.dumps(body, ensure_ascii=False, indent=2), soft_wrap=True))


def _read_event(where: str) -> bytes:
    try:
        return read_content(Path(where))
    except OSError:
        raise WrongUse(
            f"The event file {Path(where).name} cannot be read.",
            f"Le fichier d'événement {Path(where).name} est illisible.",
            remedy="Give the path of a file with one event in JSON.",
            remedy_fr="Donnez le chemin d'un fichier qui contient un événement en JSON.",
        ) from None


def _print_problems(console: Console, out: Output, problems: Sequence[Problem]) -> None:
    for each in problems:
        console.print(f"{each.file}:{each.line} {each.severity.value} · {each.code}", style="bold")
        console.print(f"  {each.what.in_(out.language)}")
        console.print(f"  → {each.remedy.in_(out.language)}")
