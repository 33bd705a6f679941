"""`segin nightly` and `segin journal`: the night by hand, and the proof that the journal is whole."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deployments.cli.desk import Desk, desk
from deployments.cli.output import DONE, FAILED, AsJson
from flows.hand_over import ways_of
from flows.night_receipts import NightsReport, Progress
from flows.night_steps import NightOptions
from flows.night_watch import newest_night
from flows.nights import run_nights
from models.database import read_session
from states.journal import FAULTS, verify_journal

journal_app = typer.Typer(no_args_is_help=True, help="The append-only history of all cases.")


def add_commands(app: typer.Typer) -> None:
    """Put this room's commands on the command line."""
    app.command("nightly")(nightly)
    app.add_typer(journal_app, name="journal")


def nightly(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Night to run; none: the newest.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would change, change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a night and every one missing before it. A night that is done changes nothing.

    Works without Prefect; exits with 4 while another run is at work on the nights.
    """
    with desk(as_json=as_json) as work:
        newest = newest_night(work.now(), work.settings.timezone, work.settings.nightly_hour)
        day = newest if as_of is None else as_of.date()
        with work.out.progress.status(work.out.say("La nuit…", "The night…")) as status:

            def show(progress: Progress) -> None:
                status.update(f"{progress.as_of} ({progress.night}/{progress.nights}) · {progress.step}")

            report = run_nights(
                work.engine,
                day,
                clock=work.now,
                tz=work.settings.timezone,
                hour=work.settings.nightly_hour,
                options=NightOptions(
                    backup_dir=work.settings.backup_dir,
                    backups_kept=work.settings.backups_kept,
                    ways=ways_of(work.settings),
                ),
                on_progress=show,
                dry_run=dry_run,
            )
        data = {
            "as_of": report.as_of,
            "changed": report.changed,
            "already_done": report.already_done,
            "dry_run": report.dry_run,
            "nights": [dataclasses.asdict(night) for night in report.nights],
        }
        work.out.show(data, lambda console: _render_nights(console, work, report))


def _render_nights(console: Console, work: Desk, report: NightsReport) -> None:
    say = work.out.say
    if report.already_done:
        console.print(
            say(
                f"La nuit du {report.as_of} est déjà faite ; rien n'a changé.",
                f"The night of {report.as_of} is done already; nothing changed.",
            )
        )
        return
    if report.dry_run:
        console.print(say("À blanc : rien n'a été changé.", "Dry run: nothing was changed."), style="bold")
    changes: dict[str, int] = {}
    for night in report.nights:
        for name, count in night.changes.items():
            changes[name] = changes.get(name, 0) + count
    console.print(
        say(
            f"{len(report.nights)} nuit(s), {report.changed} changement(s).",
            f"{len(report.nights)} night(s), {report.changed} change(s).",
        )
    )
    if changes:
        console.print(work.out.table([("Quoi", "What"), ("Nombre", "Number")], sorted(changes.items())))


@journal_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Prove that the journal gives the present state of every case, and that no row was changed, removed or cut off."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        report = verify_journal(session)
        faults: list[dict[str, Any]] = [
            {
                "case": one.case_code,
                "seq": one.seq,
                "what": one.what,
                "text_fr": FAULTS[one.what][0],
                "text_en": FAULTS[one.what][1],
            }
            for one in report.broken
        ]

        def render(console: Console) -> None:
            console.print(
                work.out.say(
                    f"{report.cases} dossiers, {report.transitions} lignes de journal, {len(faults)} anomalie(s).",
                    f"{report.cases} cases, {report.transitions} journal rows, {len(faults)} fault(s).",
                )
            )
            for fault in faults[:50]:
                console.print(f"· {fault['case']} n° {fault['seq']}: {fault[f'text_{work.out.language}']}", style="red")

        work.out.show(
            {"cases": report.cases, "transitions": report.transitions, "broken": len(faults), "faults": faults}, render
        )
    raise typer.Exit(FAILED if report.broken else DONE)
