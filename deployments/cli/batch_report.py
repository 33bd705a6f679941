"""The report of a batch: counted on the screen, as a document, and as a file with one line for each case."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from deployments.cli.output import Output
from integrations.manifests.error_file import escaped
from models import Batch
from states.batches.outcomes import Line, Tally
from states.moves import OutcomeKind

_KINDS = {
    OutcomeKind.MOVED: ("avance", "moved"),
    OutcomeKind.ALREADY_DONE: ("déjà fait", "done before"),
    OutcomeKind.REFUSED: ("refusé", "refused"),
    OutcomeKind.STALE: ("changé entre-temps", "changed meanwhile"),
    OutcomeKind.UNKNOWN: ("inconnu", "unknown"),
    "waiting": ("en attente", "waiting"),
}


@contextmanager
def report_file(path: Path | None) -> Iterator[Any]:
    """A CSV writer for the file, or None; a path that cannot be written is refused before anything begins."""
    if path is None:
        yield None
        return
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(["Dossier / Case", "Issue / Outcome", "Motifs", "Reasons"])
        yield writer


def report_cells(out: Output, lines: Iterable[Line]) -> Iterator[list[str]]:
    for code, kind, reasons in lines:
        texts = (" ".join(reason.text_fr for reason in reasons), " ".join(reason.text_en for reason in reasons))
        yield [escaped(text) for text in (code, out.say(*_KINDS[kind or "waiting"]), *texts)]


def report_document(
    batch: Batch | None, tally: Tally, trigger: str | None, report: Path | None, *, dry_run: bool
) -> dict[str, Any]:
    """The counts, and each reason with its cases."""
    return {
        "batch": None if batch is None else batch.uid,
        "trigger": trigger if batch is None else batch.trigger,
        "status": None if batch is None else batch.status,
        "dry_run": dry_run,
        "total": tally.total,
        "outcomes": dict(tally.outcomes),
        "reasons": [
            {**reason._asdict(), "cases": number, "codes": tally.codes[reason]}
            for reason, number in tally.cases.most_common()
        ],
        "report": None if report is None else str(report),
    }


def render_report(out: Output, console: Console, tally: Tally) -> None:
    """The same for a person to read."""
    counts = sorted(tally.outcomes.items(), key=lambda each: -each[1])
    console.print(
        out.table(
            [("Issue", "Outcome"), ("Dossiers", "Cases")],
            [
                *([out.say(*_KINDS[kind]), number] for kind, number in counts),
                [out.say("en tout", "in all"), tally.total],
            ],
        )
    )
    if tally.cases:
        rows = (
            [number, out.say(reason.text_fr, reason.text_en), " ".join(tally.codes[reason])]
            for reason, number in tally.cases.most_common()
        )
        headers = [("Dossiers", "Cases"), ("Motif", "Reason"), ("Par exemple", "For instance")]
        console.print("", out.table(headers, rows), sep="\n")
