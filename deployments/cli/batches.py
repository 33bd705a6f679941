"""`segin case batch` and `segin case batches`: one move for every case that a filter finds."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from deployments.cli import case_filter as which
from deployments.cli.batch_report import render_report, report_cells, report_document, report_file
from deployments.cli.cases import case_app, move_data
from deployments.cli.desk import AsLogin, AsRole, Desk, acting, desk
from deployments.cli.output import DONE, FAILED, IN_PART, AsJson, Limit
from models import BatchStatus, WrongUse
from models.caseload import CaseFilter
from models.database import read_session, write_session
from states.batches.order import Order
from states.batches.outcomes import Line, Tally, batch_lines, foresee, foresee_batch
from states.batches.run import decline_batch, find_batch, list_batches, open_batch, run_batch


def add_commands(_app: typer.Typer) -> None:
    """Put this room's commands below `case`."""
    case_app.command("batch")(batch_)
    case_app.command("batches")(batches)


def batch_(
    trigger: Annotated[
        str | None, typer.Argument(help="The move, as `segin case preview` names it; none with --resume.")
    ] = None,
    state: which.State = None,
    region: which.Region = None,
    office: which.Office = None,
    priority: which.Priority = None,
    overdue: which.Overdue = False,
    assignee: which.Assignee = None,
    hold_reason: which.HoldReason = None,
    pathway_version: which.PathwayVersion = None,
    arrived_from: which.ArrivedFrom = None,
    arrived_to: which.ArrivedTo = None,
    age: which.Age = None,
    registered_for: which.RegisteredFor = None,
    in_state_for: which.InStateFor = None,
    still_for: which.StillFor = None,
    everything: Annotated[bool, typer.Option("--all", help="All cases, when no filter is given.")] = False,
    reason: Annotated[str | None, typer.Option(help="Code of the reason, where the move asks for one.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for each journal; it counts as sensitive.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that the move asks for; repeatable.")] = None,
    login: AsLogin = None,
    role: AsRole = "coordinator",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
    any_version: Annotated[
        bool, typer.Option("--whatever-version", help="Move the cases that change meanwhile too.")
    ] = False,
    resume: Annotated[str | None, typer.Option(metavar="BATCH", help="Go on with a batch that stopped.")] = None,
    report: Annotated[Path | None, typer.Option(help="File (CSV) for one line a case.")] = None,
    shown: Annotated[int, typer.Option(min=0, max=1000, help="Codes to show for each reason.")] = 5,
    chunk: Annotated[int, typer.Option(min=1, max=10_000, help="Cases moved in one commit.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Move every case that the filter finds; each has exactly one outcome, and an interrupted batch goes on.

    Exits with 0 when all moved (or would, with --dry-run), 3 when a part did, 1 when none did.
    """
    with desk(as_json=as_json) as work:
        wanted = which.case_filter(
            work,
            state=state,
            region=region,
            office=office,
            priority=priority,
            overdue=overdue,
            assignee=assignee,
            hold_reason=hold_reason,
            pathway_version=pathway_version,
            arrived_from=arrived_from,
            arrived_to=arrived_to,
            age=age,
            registered_for=registered_for,
            in_state_for=in_state_for,
            still_for=still_for,
        )
        _check(trigger, wanted, resume, everything=everything, may_start=dry_run or yes or sys.stdin.isatty())
        tally = Tally(shown)

        def order(session: Session) -> Order:
            return Order(trigger or "", acting(session, login, role), reason, note, move_data(data or []))

        with report_file(report) as lines:
            if not dry_run:
                uid = resume
                if uid is None:
                    uid = f"B-{uuid.uuid4().hex[:10].upper()}"
                    with write_session(work.engine) as session:
                        open_batch(session, wanted, order(session), uid=uid, any_version=any_version, now=work.now())
                        session.commit()
                if yes or _confirmed(work, uid, shown):
                    _run(work, uid, chunk)
                resume = uid
            with read_session(work.engine) as session:
                batch = None if resume is None else find_batch(session, resume)
                if batch is None:
                    found = foresee(session, wanted, order(session), now=work.now())
                elif dry_run:
                    found = foresee_batch(session, batch, now=work.now())
                else:
                    found = batch_lines(session, batch)
                _count(work, tally, found, lines)
        document = report_document(batch, tally, trigger, report, dry_run=dry_run)
        work.out.show(document, lambda console: render_report(work.out, console, tally))
    raise typer.Exit(DONE if tally.moved == tally.total else IN_PART if tally.moved else FAILED)


def batches(limit: Limit = 20, as_json: AsJson = False) -> None:
    """The newest batches: what was ordered, by whom, for how many cases, and how far it is."""
    with desk(as_json=as_json) as work, read_session(work.engine) as session:
        rows: list[dict[str, Any]] = [
            {
                "batch": batch.uid,
                "trigger": batch.trigger,
                "filter": batch.filter,
                "at": batch.created_at,
                "by": login,
                "total": batch.total,
                "status": batch.status,
                "finished_at": batch.finished_at,
            }
            for batch, login in list_batches(session, limit=limit)
        ]
        table = work.out.table(
            [
                *(("Lot", "Batch"), ("Action", "Move"), ("Commandé", "Ordered"), ("Par", "By")),
                *(("Dossiers", "Cases"), ("Statut", "Status")),
            ],
            (
                [row["batch"], row["trigger"], work.out.when(row["at"]), row["by"], row["total"], row["status"]]
                for row in rows
            ),
        )
        work.out.show({"batches": rows}, lambda console: console.print(table))


def _check(trigger: str | None, wanted: CaseFilter, resume: str | None, *, everything: bool, may_start: bool) -> None:
    if (resume is None) == (trigger is None) or (resume is not None and (everything or wanted != CaseFilter())):
        raise WrongUse(
            "Name a move and its cases, or a batch to go on with.",
            "Nommez une action et ses dossiers, ou un lot à poursuivre.",
            remedy="segin case batch hold --state arrived --reason security, or segin case batch --resume BATCH.",
            remedy_fr="segin case batch hold --state arrived --reason security, ou segin case batch --resume LOT.",
        )
    if resume is None and (wanted == CaseFilter()) != everything:
        raise WrongUse(
            "Say which cases are meant: a filter, or --all without one.",
            "Dites quels dossiers : un filtre, ou --all sans filtre.",
            remedy="`segin case list` with the same options shows the cases.",
            remedy_fr="`segin case list` avec les mêmes options montre les dossiers.",
        )
    if not may_start:
        raise WrongUse(
            "A batch asks before it begins, and here is nobody to ask.",
            "Un lot demande confirmation, et il n'y a personne à qui la demander.",
            remedy="Look with --dry-run, then give --yes.",
            remedy_fr="Regardez avec --dry-run, puis donnez --yes.",
        )


def _confirmed(work: Desk, uid: str, shown: int) -> bool:
    """Whether the batch is to run: unless it was begun before, shows what would happen, and asks."""
    tally = Tally(shown)
    with read_session(work.engine) as session:
        batch = find_batch(session, uid)
        if batch.status != BatchStatus.PROPOSED:
            return True
        _count(work, tally, foresee_batch(session, batch, now=work.now()), None)
    render_report(work.out, work.out.progress, tally)
    if typer.confirm(work.out.say("Commencer ?", "Begin?"), err=True):
        return True
    with write_session(work.engine) as session:
        decline_batch(session, find_batch(session, uid), now=work.now())
        session.commit()
    return False


def _run(work: Desk, uid: str, chunk: int) -> None:
    say, progress = work.out.say, work.out.progress
    progress.print(
        say(
            f"Lot {uid}. S'il s'arrête : segin case batch --resume {uid}",
            f"Batch {uid}. Should it stop: segin case batch --resume {uid}",
        )
    )
    with write_session(work.engine) as session:
        batch = find_batch(session, uid)
        while settled := run_batch(session, batch, now=work.now(), limit=chunk):
            session.commit()
            progress.print(say(f"{settled} dossiers de plus", f"{settled} more cases") + f" / {batch.total}")
        session.commit()


def _count(work: Desk, tally: Tally, chunks: Iterator[list[Line]], lines: Any) -> None:
    for chunk in chunks:
        tally.add(chunk)
        if lines is not None:
            lines.writerows(report_cells(work.out, chunk))
