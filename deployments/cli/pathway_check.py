"""`segin pathway check` and `publish`: a pathway file looked at before cases run on it, and put on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text as Line
from sqlalchemy import select
from sqlmodel import Session, col

from deployments.cli.desk import desk, paper
from deployments.cli.output import DONE, FAILED, AsJson, Output
from deployments.cli.pathway import pathway_app
from models import Staff
from models.database import read_session, write_session
from states.pathways.checker import check_pathway, errors_of
from states.pathways.loader import read_text
from states.pathways.problems import FileProblems, Problem, Severity, walk_in_words
from states.pathways.shelf import publish

PathwayFileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A pathway file, or a bundled one's name.")]

_SHOWN = 200
"""A terminal shows so many problems; `--json` has them all."""


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands beside those of `segin pathway`."""
    pathway_app.command("check")(check)
    pathway_app.command("publish")(publish_)


def check(
    file: PathwayFileArgument,
    staff: Annotated[
        bool, typer.Option("--staff", help="Say too which roles nobody in the database has, and what waits for them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Everything that is wrong or doubtful in a pathway file, each with a walk that shows it. No database is needed."""
    if staff:
        with desk(as_json=as_json) as work, read_session(work.engine) as session:
            out, staffed = work.out, _staffed(session)
    else:
        out, staffed = paper(as_json=as_json), None
    try:
        text, name = read_text(file)
        problems = check_pathway(text, name, staffed=staffed)
    except FileProblems as error:  # too large to be looked at
        name, problems = error.file, list(error.problems)
    errors = len(errors_of(problems))
    data = {
        "file": name,
        "publishable": not errors,
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": [problem_data(problem) for problem in problems],
    }
    out.show(data, lambda console: print_problems(console, out, name, problems))
    raise typer.Exit(FAILED if errors else DONE)


def publish_(file: PathwayFileArgument, as_json: AsJson = False) -> None:
    """Check a pathway file and publish it. What is published never changes; the same content again changes nothing."""
    text, name = read_text(file)
    with desk(as_json=as_json) as work:
        with write_session(work.engine) as session:
            now = work.now()
            row = publish(session, text, now, name=name)
            new = row.published_at == now
            session.commit()
        followed = work.pathway_version_id() == row.id
        with read_session(work.engine) as session:
            problems = check_pathway(text, name, staffed=_staffed(session))
        data = {
            "name": row.name,
            "version": row.version,
            "content_hash": row.content_hash,
            "published_at": row.published_at,
            "new": new,
            "followed": followed,
            "warnings": [problem_data(problem) for problem in problems],
        }

        def render(console: Console) -> None:
            out = work.out
            called = f"{row.name} v{row.version}"
            done = out.say("publié", "published") if new else out.say("déjà publié", "published already")
            console.print(f"{called} : {done} ({out.when(row.published_at)}, {row.content_hash[:12]}).")
            console.print(
                out.say("Les nouveaux dossiers le suivent.", "New cases follow it.")
                if followed
                else out.say(
                    f"Les nouveaux dossiers ne le suivent pas encore : réglez SEGIN_PATHWAY={file}.",
                    f"New cases do not follow it yet: set SEGIN_PATHWAY={file}.",
                )
            )
            if problems:
                print_problems(console, out, name, problems)

        work.out.show(data, render)


def problem_data(problem: Problem) -> dict[str, Any]:
    """One problem as a program reads it."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "line": problem.line,
        "what": problem.what.en,
        "what_fr": problem.what.fr,
        "remedy": problem.remedy.en,
        "remedy_fr": problem.remedy.fr,
        "walk": [{"trigger": step.trigger, "state": step.state} for step in problem.walk],
    }


def print_problems(console: Console, out: Output, name: str, problems: Sequence[Problem]) -> None:
    """The problems for a person to read, errors and warnings as they stand in the file, then what they come to."""
    file, language = PurePath(name).name, out.language
    for problem in problems[:_SHOWN]:
        error = problem.severity is Severity.ERROR
        kind = out.say("erreur", "error") if error else out.say("à revoir", "warning")
        head = Line(f"{file}:{problem.line} ", style="bold")
        head.append(f"{kind} · {problem.code}", style="red" if error else "yellow")
        console.print(head)
        console.print(f"  {problem.what.in_(language)}")
        if problem.walk:
            console.print(f"  {out.say('par exemple : ', 'for example: ')}{walk_in_words(problem.walk)}")
        console.print(f"  → {problem.remedy.in_(language)}")
    if len(problems) > _SHOWN:
        console.print(f"… +{len(problems) - _SHOWN} (--json)")
    errors = len(errors_of(problems))
    warnings = len(problems) - errors
    if errors:
        said = out.say("ne peut pas être publié", "cannot be published")
    elif warnings:
        said = out.say("peut être publié", "can be published")
    else:
        said = out.say("rien à redire", "nothing to object to")
    counts = out.say(f"{errors} erreur(s), {warnings} à revoir", f"{errors} error(s), {warnings} warning(s)")
    console.print(Line(f"{file} : {said} ({counts}).", style="bold red" if errors else "bold"))


def _staffed(session: Session) -> frozenset[str]:
    """The roles that somebody at work has."""
    return frozenset(session.scalars(select(col(Staff.role)).where(col(Staff.active)).distinct()))
