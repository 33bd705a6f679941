"""`segin pathway diff` and `migrate`: what another version would mean for the caseload, and moving cases to it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from deployments.cli.desk import AsLogin, AsRole, Desk, acting, desk
from deployments.cli.output import DONE, IN_PART, AsJson
from deployments.cli.pathway import pathway_app
from deployments.cli.pathway_change_view import show_diff, show_migration
from deployments.wave_run import WaveRun, run_undo, run_waves
from models.database import read_session
from models.errors import WrongUse
from models.waves import MigrationWave, WaveStatus
from states.change.caseload import chunks_of_open, count_open
from states.change.consequences import consequences, verdicts
from states.change.mapping import read_names
from states.change.report import consequences_document, differences_document
from states.change.shares import read_share
from states.change.sides import Change, change_between, published_id, read_side
from states.change.wave_report import next_wave, wave_document
from states.change.waves import WaveOptions

_CHUNK = 2000

Old = Annotated[str, typer.Argument(metavar="OLD", help="A published version: mali@2, or 2.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="Another version of the same pathway, or a pathway file.")]
Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OLD=NEW", help="What is called differently: a state, or RECORD.STATUS. Repeatable."),
]
Keep = Annotated[bool, typer.Option("--keep-deadlines", help="What runs already keeps its due time.")]


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands beside those of `segin pathway`."""
    pathway_app.command("diff")(diff)
    pathway_app.command("migrate")(migrate)


def diff(
    old: Old,
    new: New,
    mapped: Mapped = None,
    keep_deadlines: Keep = False,
    to_file: Annotated[
        Path | None, typer.Option("--verdicts", metavar="FILE", help="Write the verdict on each case to a CSV file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two versions in words, and what that means for the open cases of the old one. Writes nothing
    to the database."""
    with desk(as_json=as_json) as work:
        change = _change(work, old, new, mapped, keep_deadlines=keep_deadlines)
        found = None
        if change.old.id is not None:
            with read_session(work.engine) as session:
                found = consequences(session, change.way, change.ways, _open_cases(session, change), work.now())
                if to_file is not None:
                    _write_verdicts(session, change, to_file)
        data = {
            "old": change.old.label,
            "new": change.new.label,
            "names": change.way.names.as_pairs(),
            "changes": differences_document(change, work.out.language),
            "consequences": None if found is None else consequences_document(change, found, work.out.language),
        }
        work.out.show(data, lambda console: show_diff(console, work.out, data))


def migrate(
    old: Old,
    new: New,
    mapped: Mapped = None,
    size: Annotated[
        str, typer.Option("--wave", help="How many cases a wave takes: 5% of the open ones, or 200.")
    ] = "5%",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the next wave would do, change nothing.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Go on, wave after wave, while none stops.")] = False,
    max_refused: Annotated[
        str, typer.Option("--max-refused", help="A wave stops when more of its cases cannot be moved.")
    ] = "1%",
    max_breaches: Annotated[
        str,
        typer.Option("--max-breaches", help="A wave stops when a clock runs out by the move for more of its cases."),
    ] = "1%",
    keep_deadlines: Keep = False,
    undo: Annotated[int | None, typer.Option("--undo", metavar="WAVE", min=1, help="Take this wave back.")] = None,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    as_json: AsJson = False,
) -> None:
    """Move the open cases of a version to another published one, wave by wave; an interrupted wave goes on.

    Exits with 3 when a wave stopped, or when not every case of a wave could be taken back.
    """
    if undo is not None and (dry_run or every):
        raise WrongUse(
            "A wave is taken back by itself.",
            "Une vague se défait seule.",
            remedy="Leave --dry-run and --all out.",
            remedy_fr="Retirez --dry-run et --all.",
        )
    with desk(as_json=as_json) as work:
        change = _change(work, old, new, mapped, keep_deadlines=keep_deadlines)
        before = published_id(change.old)
        with read_session(work.engine) as session:
            actor = acting(session, login, role)
        options = WaveOptions(
            *(read_share(size), change.way.names, keep_deadlines), read_share(max_refused), read_share(max_breaches)
        )
        planned = None
        ran: list[MigrationWave] = []
        if dry_run:
            with read_session(work.engine) as session:
                planned = next_wave(session, change, options, work.now(), work.out.language, chunk=_CHUNK)
        else:
            with work.out.progress.status(work.out.say("Les dossiers…", "The cases…")) as status:

                def tell(wave: MigrationWave) -> None:
                    done = wave.undone + wave.kept if undo else wave.moved + wave.refused + wave.left_out
                    status.update(f"{work.out.say('Vague', 'Wave')} {wave.number} · {done:,}/{wave.cases:,}")

                run = WaveRun(work.engine, actor, work.correlation_id, work.now, tell)
                ran = [run_undo(run, change, undo)] if undo else run_waves(run, change, options, every=every)
        with read_session(work.engine) as session:
            data: dict[str, Any] = {
                "old": change.old.label,
                "new": change.new.label,
                "dry_run": planned,
                "waves": [wave_document(session, wave, work.out.language) for wave in ran],
                "left": sum(count_open(session, before, change.old.pathway).values()),
            }
        work.out.show(data, lambda console: show_migration(console, work.out, data))
    stopped = any(wave.status == WaveStatus.STOPPED or wave.kept for wave in ran)
    raise typer.Exit(IN_PART if stopped else DONE)


def _change(work: Desk, old: str, new: str, mapped: list[str] | None, *, keep_deadlines: bool) -> Change:
    name = work.pathway().name
    with read_session(work.engine) as session:
        before, after = (read_side(session, side, name) for side in (old, new))
    names = read_names(mapped or [], before.pathway, after.pathway)
    return change_between(before, after, names, keep_deadlines=keep_deadlines)


def _open_cases(session: Session, change: Change) -> Iterator[list[int]]:
    """The ids of the open cases; between two chunks nobody is kept from writing."""
    for chunk in chunks_of_open(session, change.way.old_id, change.old.pathway, _CHUNK):
        yield chunk
        session.rollback()


def _write_verdicts(session: Session, change: Change, file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["case", "state", "goal", "verdict", "why"])
        for each in verdicts(session, change.way, _open_cases(session, change)):
            why = " ".join(reason.code for reason in each.reasons)
            rows.writerow([each.code, each.state, each.goal, each.verdict, why])
