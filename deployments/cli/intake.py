"""`segin intake` and `segin duplicates`: manifests in, and a person's word on who is the same."""

from __future__ import annotations

import dataclasses
import secrets
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from deployments.cli.desk import AsLogin, AsRole, Desk, acting, desk
from deployments.cli.output import DONE, FAILED, IN_PART, AsJson
from integrations.manifests.duplicates import Decided, decide_different, decide_returned_again, decide_same
from integrations.manifests.error_file import error_file
from integrations.manifests.evidence import WHY
from integrations.manifests.files import manifests_at
from integrations.manifests.headers import load_mapping
from integrations.manifests.intake import IntakeSummary, take_in
from integrations.manifests.known import KnownPeople
from integrations.manifests.problems import REASONS
from integrations.manifests.profile import load_profile
from integrations.manifests.registrar import Registrar
from integrations.manifests.unreadable import UnreadableManifest
from integrations.manifests.waiting import WaitingRow, list_waiting
from models.database import read_session, write_session
from states.codes import case_code
from states.moves import SYSTEM, Actor

duplicates_app = typer.Typer(no_args_is_help=True, help="Rows that wait because somebody very like them is known.")

COUNTS = ("rows", "registered", "rejected", "already_known", "waiting")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("intake")(intake)
    app.add_typer(duplicates_app, name="duplicates")


def intake(
    path: Annotated[Path, typer.Argument(exists=True, help="A manifest (.xlsx, .csv) or a folder of them.")],
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="YAML file that names other headers.")
    ] = None,
    errors: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the rejected rows to this CSV file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take manifests in: each row ends as registered, rejected, already known or waiting.

    The same file again changes nothing. Exits with 3 when some files could not be read, 1 when none could.
    """
    with desk(as_json=as_json) as work:
        files = manifests_at(path)
        if errors is not None:
            errors.touch(mode=0o600)  # before anything is taken in: a path that cannot be written is refused in time
        layouts_file = mapping or work.settings.mapping_file
        layouts = None if layouts_file is None else load_mapping(layouts_file)
        profile = load_profile(work.settings.country_profile)
        registrar = _registrar(work, SYSTEM)
        people = KnownPeople(profile)
        taken: list[IntakeSummary] = []
        refused: list[UnreadableManifest] = []
        for file in track(files, work.out.say("Manifestes", "Manifests"), console=work.out.progress, transient=True):
            with write_session(work.engine) as session:
                try:
                    taken.append(take_in(session, file, file.name, people, registrar, layouts))
                    session.commit()
                except UnreadableManifest as refusal:
                    refused.append(refusal)
        if errors is not None:
            with read_session(work.engine) as session:
                text = error_file(session, [summary.manifest_id for summary in taken])
            errors.write_text(text, encoding="utf-8-sig", newline="")
        data = {"files": len(files), "refused_files": len(refused)}
        data |= {name: sum(getattr(summary, name) for summary in taken) for name in COUNTS}
        reasons: dict[str, int] = {}
        for summary in taken:
            for reason, count in summary.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + count
        document: dict[str, Any] = data | {
            "reasons": reasons,
            "error_file": None if errors is None else str(errors),
            "manifests": [dataclasses.asdict(summary) for summary in taken],
            "refused": [
                {
                    "file": one.file,
                    "code": one.code,
                    "message_fr": one.message_fr,
                    "message_en": one.message_en,
                    "remedy_fr": one.remedy_fr,
                    "remedy": one.remedy,
                }
                for one in refused
            ],
        }
        work.out.show(document, lambda console: _render(console, work, data, reasons, refused, errors))
    raise typer.Exit(DONE if not refused else IN_PART if taken else FAILED)


def _registrar(work: Desk, actor: Actor) -> Registrar:
    code = partial(case_code, secrets.token_bytes)
    return Registrar(work.pathway_version_id(), work.now(), actor, work.correlation_id, code)


def _render(
    console: Console,
    work: Desk,
    data: dict[str, int],
    reasons: dict[str, int],
    refused: list[UnreadableManifest],
    errors: Path | None,
) -> None:
    say = work.out.say
    names = [
        ("fichiers", "files"),
        ("lignes", "rows"),
        ("inscrites", "registered"),
        ("rejetées", "rejected"),
        ("déjà connues", "already_known"),
        ("en attente", "waiting"),
    ]
    console.print(" · ".join(f"{data[key]} {say(fr, key.replace('_', ' '))}" for fr, key in names))
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        texts = REASONS[reason]
        console.print(f"  {count} × {say(texts.message_fr, texts.message_en)}")
    for one in refused:
        console.print(say(one.message_fr, one.message_en), style="red")
        console.print(f"  → {say(one.remedy_fr, one.remedy)}")
    if errors is not None:
        console.print(say("Lignes rejetées à corriger : ", "Rejected rows to correct: ") + str(errors))
    elif data["rejected"]:
        console.print(say("Pour les corriger : --errors FICHIER.csv", "To correct them: --errors FILE.csv"))
    if data["waiting"]:
        console.print(say("À décider : segin duplicates list", "To decide: segin duplicates list"))


@duplicates_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The rows that wait, beside their best candidates."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        waiting = list_waiting(session)
        data = {"waiting": [dataclasses.asdict(row) for row in waiting]}
        work.out.show(data, lambda console: _render_waiting(console, work, waiting))


def _render_waiting(console: Console, work: Desk, waiting: list[WaitingRow]) -> None:
    say = work.out.say
    for row in waiting:
        arrival = row.arrival
        birth = arrival.birth_date or "–"
        console.print(f"{row.row_id} · {row.file}, {say('ligne', 'line')} {arrival.line}", style="bold")
        lines: list[list[object]] = [
            ["", f"{arrival.family_name} {arrival.given_names}", arrival.sex, birth, arrival.arrival_date, "", ""]
        ]
        for one in row.candidates:
            why = ", ".join(say(*WHY[key]) for key in one.why if key in WHY)
            lines.append(
                [
                    one.rank,
                    f"{one.family_name} {one.given_names}",
                    one.sex,
                    one.birth_date or "–",
                    one.arrival_date,
                    one.score,
                    why,
                ]
            )
        console.print(
            work.out.table(
                [
                    ("N°", "No"),
                    ("Nom", "Name"),
                    ("Sexe", "Sex"),
                    ("Naissance", "Birth"),
                    ("Arrivée", "Arrival"),
                    ("Score", "Score"),
                    ("Pourquoi", "Why"),
                ],
                lines,
            ),
            "",
        )
    console.print(
        say(
            f"{len(waiting)} ligne(s) en attente. Décidez : segin duplicates same LIGNE [--candidate N], "
            "different LIGNE, ou again LIGNE pour un nouveau retour de la même personne.",
            f"{len(waiting)} row(s) waiting. Decide: segin duplicates same ROW [--candidate N], "
            "different ROW, or again ROW for another return of the same person.",
        )
    )


Row = Annotated[int, typer.Argument(help="Number of the waiting row.")]
Candidate = Annotated[int, typer.Option(min=1, max=3, help="Which candidate, the best is 1.")]


@duplicates_app.command("same")
def same(
    row: Row, candidate: Candidate = 1, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False
) -> None:
    """The row is the candidate, and their return is known: no second case."""
    with desk(as_json=as_json) as work, write_session(work.engine) as session:
        actor = acting(session, login, role)
        decided = decide_same(session, row, rank=candidate, now=work.now(), actor=actor)
        session.commit()
        _show_decided(work, decided)


@duplicates_app.command("again")
def again(
    row: Row, candidate: Candidate = 1, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False
) -> None:
    """The row is the candidate, who left and returned once more: a new case for the known person."""
    with desk(as_json=as_json) as work:
        with read_session(work.engine) as session:
            registrar = _registrar(work, acting(session, login, role))
        with write_session(work.engine) as session:
            decided = decide_returned_again(session, row, rank=candidate, registrar=registrar)
            session.commit()
        _show_decided(work, decided)


@duplicates_app.command("different")
def different(row: Row, login: AsLogin = None, role: AsRole = "coordinator", as_json: AsJson = False) -> None:
    """The row is nobody who is known: the person is registered."""
    with desk(as_json=as_json) as work:
        with read_session(work.engine) as session:
            registrar = _registrar(work, acting(session, login, role))
        with write_session(work.engine) as session:
            decided = decide_different(session, row, registrar=registrar)
            session.commit()
        _show_decided(work, decided)


def _show_decided(work: Desk, decided: Decided) -> None:
    text = work.out.say(
        f"Ligne {decided.row_id} → dossier {decided.case_code}", f"Row {decided.row_id} → case {decided.case_code}"
    )
    again = "" if decided.changed else work.out.say(" (déjà décidé)", " (decided before)")
    work.out.show(decided._asdict(), lambda console: console.print(text + again))
