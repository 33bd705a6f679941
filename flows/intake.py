"""Takes arrival manifests in, a file or a folder of them: each file is a step of its own, with its own commit.

A coordinator starts it from Prefect's pages, the demo from code. A file that cannot be read stops nobody else's, and
the same files again change nothing.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from prefect import flow

from flows.progress import ProgressBar, show_counts
from flows.steps import StepFailed, bound_run, database, ended_as, in_thread, step, wall_clock
from integrations.manifests.files import manifests_at
from integrations.manifests.headers import Layouts, load_mapping
from integrations.manifests.intake import take_in
from integrations.manifests.known import KnownPeople
from integrations.manifests.profile import load_profile
from integrations.manifests.registrar import Registrar
from integrations.manifests.unreadable import UnreadableManifest
from models.database import write_session
from models.errors import SeginError
from models.settings import load_settings
from states.codes import case_code
from states.moves import SYSTEM
from states.pathways.loader import read_pathway
from states.pathways.shelf import publish

ROWS: Final = ("rows", "registered", "rejected", "already_known", "waiting")

log = structlog.get_logger()


@dataclass
class Reception:
    """What a run keeps from file to file. `people` is renewed when a file failed half-way."""

    people: KnownPeople
    registrar: Registrar
    layouts: Layouts | None


@flow(name="intake", persist_result=False, log_prints=False)
async def intake(path: Path, now: datetime | None = None) -> dict[str, int]:
    """Take in the manifest at `path`, or each one in the folder, and give counts of `files`, `refused` and ROWS.

    Files are taken in the order of their names, and known here by their number in it: a name may name somebody. Ends
    as CompletedInPart when some files were refused, as Failed when all were. `now` none: the wall clock.
    """
    with bound_run("intake") as run_id:
        files = await in_thread(manifests_at, path)
        reception = await in_thread(open_reception, now or wall_clock(), run_id or f"intake-{uuid.uuid4().hex}")
        bar = ProgressBar("intake", f"{len(files)} manifests")
        table = []
        for number, file in enumerate(files, start=1):
            await bar.show(number - 1, len(files))
            table.append({"file": number, **await _outcome(number, file, reception)})
        await bar.show(len(files), len(files))
        await show_counts("intake-counts", "Manifests in the order of their file names", table)
    counts = {name: sum(line.get(name, 0) for line in table) for name in ROWS}
    refused = sum(line["outcome"] != "taken in" for line in table)
    if refused == len(files):
        raise StepFailed(
            f"None of the {len(files)} manifests could be taken in.",
            f"Aucun des {len(files)} manifestes n'a pu être pris en compte.",
        )
    summary = {"files": len(files), "refused": refused, **counts}
    if refused:
        return ended_as("CompletedInPart", f"{refused} of {len(files)} manifests could not be taken in.", summary)
    return summary


def open_reception(now: datetime, correlation_id: str) -> Reception:
    """Get ready by the settings: the pathway published, the profile of the country and the headers read."""
    settings = load_settings()
    with write_session(database()) as session:
        version = publish(session, read_pathway(settings.pathway), now)
        session.commit()
    registrar = Registrar(version.id or 0, now, SYSTEM, correlation_id, partial(case_code, secrets.token_bytes))
    layouts = None if settings.mapping_file is None else load_mapping(settings.mapping_file)
    return Reception(KnownPeople(load_profile(settings.country_profile)), registrar, layouts)


@step("take a manifest in", run_name="file {number}")
def take_file_in(number: int, file: Path, reception: Reception) -> dict[str, int]:
    """Take one file in, and give the counts of ROWS."""
    with write_session(database()) as session:
        try:
            summary = take_in(session, file, file.name, reception.people, reception.registrar, reception.layouts)
            session.commit()
        except UnreadableManifest as refusal:
            # Its texts quote the file's headers, and a file without any begins with somebody's row.
            log.warning("intake.refused", refusal=refusal.code)
            raise StepFailed(
                f"File {number} is refused: {refusal.code}. `segin intake` explains it.",
                f"Le fichier {number} est refusé : {refusal.code}. `segin intake` l'explique.",
            ) from None
        except BaseException:
            reception.people = KnownPeople(reception.people.profile)
            raise
    counts = {name: int(getattr(summary, name)) for name in ROWS}
    log.info("intake.taken_in", checksum=summary.checksum, **counts)
    return counts


async def _outcome(number: int, file: Path, reception: Reception) -> dict[str, Any]:
    try:
        return {"outcome": "taken in", **await take_file_in(number, file, reception)}
    except SeginError as error:
        return {"outcome": error.message_en}
