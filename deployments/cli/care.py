"""`segin care`: psychosocial sessions with their notes, and who looked at them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from deployments.cli.acts import Acting, CommandId, new_code, record, text_of
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, acting, desk, typed_code
from deployments.cli.output import AsJson
from models import WrongUse
from models.caseload import find_case
from models.database import read_session, write_session
from states.casework.sessions import NoteRefused, SessionHeld, looks_at, read_note, record_sessions, sessions_of
from states.moves import Outcome

care_app = typer.Typer(no_args_is_help=True, help="Psychosocial care: sessions, and who looked at their notes.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(care_app, name="care")


@care_app.command("session")
def session_(
    code: Code,
    login: AsLogin = None,
    role: AsRole = "psychosocial_worker",
    kind: Annotated[str, typer.Option(help="individual, family or group.")] = "individual",
    held_at: Annotated[datetime | None, typer.Option(help="When it was held, in the programme's time zone.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="The person did not come.")] = False,
    occasion: Annotated[str | None, typer.Option(help="Code of the session that others of the family share.")] = None,
    note: Annotated[Path | None, typer.Option(help="A file with the note, or - for the standard input.")] = None,
    command_id: CommandId = None,
    as_json: AsJson = False,
) -> None:
    """Record a session. The note comes from a file, and is sealed before it is written."""

    said = text_of(note).strip() or None if note else None  # nobody waits for it while others want to write

    def act(at: Acting) -> tuple[Outcome, dict[str, Any]]:
        now = at.desk.now()
        when = now if held_at is None else held_at.replace(tzinfo=at.desk.settings.timezone)
        held = SessionHeld(
            **at.signed,
            code=new_code(),
            kind=kind,
            held_at=when,
            attended=not missed,
            occasion=occasion,
            note=said,
        )
        (outcome,) = record_sessions(at.session, [held], seal=at.desk.seal(), now=now)
        return outcome, {"session": held.code, "occasion": held.occasion or held.code}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@care_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """The sessions of a case: when, of what kind, who came. Never a note."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        held = [each._asdict() for each in sessions_of(session, case.id or 0)]
        out = work.out
        table = out.table(
            [
                ("Séance", "Session"),
                ("Quand", "When"),
                ("Genre", "Kind"),
                ("Présence", "Came"),
                ("Niveau de soins", "Level of care"),
                ("Note", "Note"),
            ],
            (
                [
                    *(each["session"], out.when(each["held_at"]), each["kind"], out.yes(each["attended"])),
                    *(each["level"], out.yes(each["note"])),
                ]
                for each in held
            ),
        )
        out.show({"code": case.code, "sessions": held}, lambda console: console.print(table))


@care_app.command("note")
def note_(
    session_code: Annotated[str, typer.Argument(metavar="SESSION", help="Code of the session.", callback=typed_code)],
    login: AsLogin = None,
    as_json: AsJson = False,
) -> None:
    """The note of a session, for the roles that the pathway lets read it. Each look is kept, a refused one too."""
    if login is None:
        raise WrongUse(
            "Whoever reads a note says who they are.",
            "Qui lit une note dit qui il est.",
            remedy="Add --as LOGIN.",
            remedy_fr="Ajoutez --as IDENTIFIANT.",
        )
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        reader = acting(session, login, "")
        try:
            text = read_note(session, session_code, reader=reader, seal=work.seal(), now=work.now())
        except NoteRefused:
            session.commit()
            raise
        session.commit()
        shown = text if text is not None else work.out.say("Pas de note.", "No note.")
        work.out.show({"session": session_code, "note": text}, lambda console: console.print(shown))


@care_app.command("reads")
def reads(code: Code, as_json: AsJson = False) -> None:
    """Who looked at the notes of a case, and who was refused; the newest first."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        looks = [look._asdict() for look in looks_at(session, case.id or 0)]
        table = work.out.table(
            [
                ("Quand", "When"),
                ("Personne", "Person"),
                ("Rôle", "Role"),
                ("Quoi", "What"),
                ("De", "Of"),
                ("Permis", "Allowed"),
            ],
            (
                [
                    *(work.out.when(look["at"]), look["login"], look["role"], look["what"], look["record"]),
                    work.out.yes(look["allowed"]),
                ]
                for look in looks
            ),
        )
        work.out.show({"code": case.code, "reads": looks}, lambda console: console.print(table))
