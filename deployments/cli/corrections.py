"""`segin case correct`: take back the last transition of a case, with a reason."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from deployments.cli.acts import CommandId, say_refused
from deployments.cli.cases import Code, case_app
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import DONE, FAILED, AsJson
from models import WrongUse
from models.caseload import find_case
from models.database import write_session
from states.advance import advance_case, foresee_cases
from states.moves import Move, OutcomeKind
from states.pathways.shelf import pathways_of
from states.taking_back import TakenBack, foresee_taking_back, sentence


def add_commands(_app: typer.Typer) -> None:
    """Put this room's command beside those of `segin case`."""
    case_app.command("correct")(correct)


def correct(
    code: Code,
    reason: Annotated[str, typer.Option(help="What the mistake was; it goes to the journal and counts as sensitive.")],
    login: AsLogin = None,
    role: AsRole = "coordinator",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be taken back, and change nothing.")
    ] = False,
    expected_version: Annotated[int | None, typer.Option(help="Refuse when the case has moved since.")] = None,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Take back the last transition of a case. Nothing is deleted; partners who heard of it get a correction."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        case = find_case(session, code)
        pathway = pathways_of(session, [case.pathway_version_id])[case.pathway_version_id]
        move = Move(
            case_id=case.id or 0,
            trigger=_trigger([one.trigger for one in pathway.table.values() if one.takes_back]),
            actor=acting(session, login, role),
            command_id=command_id or f"cli:{uuid.uuid4().hex}",
            correlation_id=work.correlation_id,
            expected_version=expected_version,
            note=reason,
        )
        now, case_code = work.now(), case.code
        found = foresee_taking_back(session, move, now=now, lock=not dry_run)
        outcome = foresee_cases(session, [move], now=now)[0] if dry_run else advance_case(session, move, now=now)
        session.commit()
        moved = outcome.kind is OutcomeKind.MOVED
        done = moved or outcome.kind is OutcomeKind.ALREADY_DONE
        taken = found if moved and isinstance(found, TakenBack) else None
        document = {
            "code": case_code,
            "outcome": outcome.kind,
            "dry_run": dry_run,
            "version": outcome.version,
            "command_id": move.command_id,
            "reasons": [each._asdict() for each in outcome.reasons],
            "taken_back": None if taken is None else {k: v for k, v in asdict(taken).items() if k not in _WORDS},
            "sentence": None if taken is None else sentence(taken, foreseen=dry_run)._asdict(),
        }

        def render(console: Console) -> None:
            if taken is not None:
                said = sentence(taken, foreseen=dry_run)
                console.print(f"{case_code} · {work.out.say(said.fr, said.en)}")
            elif done:
                console.print(f"{case_code} : {work.out.say('déjà fait', 'done before')}")
            else:
                say_refused(work.out, console, case_code, outcome)

        work.out.show(document, render)
    raise typer.Exit(DONE if done else FAILED)


_WORDS = ("title", "state")


def _trigger(named: list[str]) -> str:
    if not named:
        raise WrongUse(
            "The pathway of this case takes nothing back.",
            "Le parcours de ce dossier n'annule rien.",
            remedy="Give it a transition with `takes_back: true` (see docs/pathway.md).",
            remedy_fr="Donnez-lui une transition avec `takes_back: true` (voir docs/pathway.md).",
        )
    return named[0]
