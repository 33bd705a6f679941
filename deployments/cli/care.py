"""`segin care` and `segin plan`: psychosocial sessions with their notes, and the plan of a case with its history."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text as Line
from sqlalchemy import select
from sqlmodel import col

from deployments.cli.acts import Acting, CommandId, new_code, record, text_of
from deployments.cli.cases import Code
from deployments.cli.desk import AsLogin, AsRole, acting, desk
from deployments.cli.output import AsJson, Output
from models import PsychosocialSession, WrongUse
from models.caseload import find_case
from models.database import read_session, write_session
from models.plan_history import PlanRevision, plan_history
from states.casework.sessions import NoteRefused, SessionHeld, looks_at, read_note, record_sessions
from states.moves import Outcome

care_app = typer.Typer(no_args_is_help=True, help="Psychosocial care: sessions, and who looked at their notes.")
plan_app = typer.Typer(no_args_is_help=True, help="The reintegration plan of a case.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.add_typer(care_app, name="care")
    app.add_typer(plan_app, name="plan")


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
            note=text_of(note).strip() or None if note else None,
        )
        (outcome,) = record_sessions(at.session, [held], seal=at.desk.seal(), now=now)
        return outcome, {"session": held.code, "occasion": held.occasion or held.code}

    record(code, login=login, role=role, command_id=command_id, as_json=as_json, act=act)


@care_app.command("show")
def show(code: Code, as_json: AsJson = False) -> None:
    """The sessions of a case: when, of what kind, who came. Never a note."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        query = (
            select(PsychosocialSession)
            .where(col(PsychosocialSession.case_id) == case.id, col(PsychosocialSession.taken_back_at).is_(None))
            .order_by(col(PsychosocialSession.held_at), col(PsychosocialSession.id))
        )
        held: list[dict[str, Any]] = [
            {
                "session": each.code,
                "occasion": each.occasion,
                "kind": each.kind,
                "held_at": each.held_at,
                "attended": each.attended,
                "level": each.level,
                "note": each.note_sealed is not None,
            }
            for each in session.scalars(query)
        ]
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
    session_code: Annotated[str, typer.Argument(metavar="SESSION", help="Code of the session.")],
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
                    *(work.out.when(look["at"]), look["staff_id"], look["role"], look["what"], look["record"]),
                    work.out.yes(look["allowed"]),
                ]
                for look in looks
            ),
        )
        work.out.show({"code": case.code, "reads": looks}, lambda console: console.print(table))


@plan_app.command("show")
def plan(code: Code, as_json: AsJson = False) -> None:
    """The plan through its revisions: who drafted and approved it, and what became of each item."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        case = find_case(session, code)
        history = plan_history(session, case.id or 0)

        def render(console: Console) -> None:
            for revision in history:
                console.print(_heading(work.out, revision))
                console.print(_items(work.out, revision))

        work.out.show({"code": case.code, "revisions": [_document(each) for each in history]}, render)


_REVISION_NAMES = (
    *("code", "revision", "status", "in_force", "needs", "added", "left_out", "author", "drafted_at"),
    *("submitted_at", "approver", "approved_at"),
)
_ITEM_NAMES = (
    *("code", "level", "dimension", "need", "goal", "service", "mode", "provider", "referral", "starts_on", "ends_on"),
    *("status", "reason"),
)


def _document(revision: PlanRevision) -> dict[str, Any]:
    items = [{name: getattr(item, name) for name in _ITEM_NAMES} for item in revision.items]
    return {**{name: getattr(revision, name) for name in _REVISION_NAMES}, "items": items}


def _heading(out: Output, revision: PlanRevision) -> Line:
    force = out.say(" · en vigueur", " · in force") if revision.in_force else ""
    people = f"{revision.author or '–'} → {revision.approver or '–'}"
    return Line(f"\n{revision.revision} · {revision.status}{force} · {people}", style="bold")


def _items(out: Output, revision: PlanRevision) -> Any:
    return out.table(
        [
            ("Niveau", "Level"),
            ("Dimension", "Dimension"),
            ("Objectif", "Goal"),
            ("Service", "Service"),
            ("Mode", "Mode"),
            ("Statut", "Status"),
        ],
        ([item.level, item.dimension, item.goal, item.service, item.mode, item.status] for item in revision.items),
    )
