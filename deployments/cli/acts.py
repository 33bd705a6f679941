"""How a command records what staff did in one case: who acts, the act, the commit, and what became of it."""

from __future__ import annotations

import secrets
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlmodel import Session

from deployments.cli.desk import Desk, acting, desk
from deployments.cli.output import DONE, FAILED, Output
from models import WrongUse
from models.caseload import find_case
from models.database import write_session
from states.codes import case_code
from states.moves import Outcome, OutcomeKind

CommandId = Annotated[
    str | None, typer.Option("--command-id", help="Makes a retry safe: the same id is recorded once.")
]

new_code = partial(case_code, secrets.token_bytes)
"""A code never given before, for a new record."""


@dataclass(frozen=True)
class Acting:
    """Somebody at work on one case. `signed` is what every act carries: case, actor, command id, correlation id."""

    desk: Desk
    session: Session
    signed: Mapping[str, Any]


def record(
    code: str,
    *,
    login: str | None,
    role: str,
    command_id: str | None,
    as_json: bool,
    act: Callable[[Acting], tuple[Outcome, dict[str, Any]]],
    warn: Callable[[Output, Mapping[str, Any]], str | None] = lambda _out, _more: None,
) -> None:
    """Do the act on the case with this code and say what became of it; what else `act` gives is shown with it, and
    whatever `warn` makes of it first of all.

    A refusal says every reason and exits with 1.
    """
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        case = find_case(session, code)
        signed = {
            "case_id": case.id,
            "actor": acting(session, login, role),
            "command_id": command_id or f"cli:{uuid.uuid4().hex}",
            "correlation_id": work.correlation_id,
        }
        case_code_ = case.code
        outcome, more = act(Acting(work, session, signed))
        session.commit()
        done = outcome.kind in (OutcomeKind.MOVED, OutcomeKind.ALREADY_DONE)
        document = {
            "code": case_code_,
            "outcome": outcome.kind,
            "version": outcome.version,
            "command_id": signed["command_id"],
            "reasons": [reason._asdict() for reason in outcome.reasons],
            **more,
        }

        def render(console: Console) -> None:
            if (warning := warn(work.out, more)) is not None:
                console.print(warning, style="bold red")
            if done:
                again = work.out.say(" (déjà fait)", " (done before)")
                said = work.out.say("enregistré", "recorded")
                console.print(f"{case_code_} : {said}{again if outcome.kind is OutcomeKind.ALREADY_DONE else ''}")
                for name, value in more.items():
                    shown = work.out.yes(value) if isinstance(value, bool) else value
                    console.print(f"  {name} : {shown}")
                return
            say_refused(work.out, console, case_code_, outcome)

        work.out.show(document, render)
    raise typer.Exit(DONE if done else FAILED)


def say_refused(out: Output, console: Console, code: str, outcome: Outcome) -> None:
    """Why nothing became of an act on the case with this code: somebody else changed it, or every reason against it."""
    if outcome.kind is OutcomeKind.STALE:
        fr = f"{code} a changé entre-temps (version {outcome.version}) ; relisez-le puis recommencez."
        en = f"{code} has changed since (version {outcome.version}); read it again, then retry."
        console.print(out.say(fr, en))
        return
    console.print(out.say(f"{code} : refusé.", f"{code}: refused."), style="bold red")
    for reason in outcome.reasons:
        console.print(f"  · {out.say(reason.text_fr, reason.text_en)}")


def lines_of(file: Path) -> list[str]:
    """The lines of a file, without what surrounds them. As `text_of`."""
    return [line.strip() for line in text_of(file).splitlines()]


def text_of(file: Path) -> str:
    """The text of a file, or of the standard input for `-`: what is personal is not given on the command line, where
    everybody on the machine can read it. Raises WrongUse when it is no text."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise WrongUse(
            f"{file.name} is no text in UTF-8.",
            f"{file.name} n'est pas un texte en UTF-8.",
            remedy="Save it as UTF-8.",
            remedy_fr="Enregistrez-le en UTF-8.",
        ) from None
