"""Takes one arrival manifest in: every row ends as registered, rejected, already known or waiting. `flows.intake` and
the command line call `take_in` for each file, and commit; the partner API has the table already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from integrations.manifests.headers import Layouts
from integrations.manifests.known import KnownPeople
from integrations.manifests.reader import read_rows
from integrations.manifests.record import record_manifest, written
from integrations.manifests.registrar import Registrar
from integrations.manifests.sorting import sort_rows
from integrations.manifests.table import ManifestTable
from models.manifest import Manifest, ManifestRow

_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('segin intake', 0))")


@dataclass(frozen=True, slots=True)
class IntakeSummary:
    """What became of a manifest's rows; `rows` is the sum of the four outcomes. No personal data.

    `reasons` counts the rejected rows by reason; `skipped` the lines that are nobody's: blank, total, repeated header,
    note. A file that was taken in before is `seen_before`: its people are already known, and nothing was changed.
    """

    file: str
    checksum: str
    layout: str
    manifest_id: int
    rows: int
    registered: int
    rejected: int
    already_known: int
    waiting: int
    reasons: Mapping[str, int]
    skipped: Mapping[str, int]
    seen_before: bool = False


def take_in(
    session: Session,
    source: bytes | Path,
    file: str,
    people: KnownPeople,
    registrar: Registrar,
    layouts: Layouts | None = None,
) -> IntakeSummary:
    """Take a .xlsx or .csv manifest in, within the caller's transaction; `file` is its name, for messages.

    The number of SQL statements does not depend on the number of rows. The same bytes again change nothing. `layouts`
    are the headers to know when there is a mapping file. Raises UnreadableManifest before anything is written.
    """
    return take_in_table(session, read_rows(source, file, layouts), people, registrar)


def take_in_table(session: Session, table: ManifestTable, people: KnownPeople, registrar: Registrar) -> IntakeSummary:
    """`take_in` for a table that was read before."""
    if session.connection().dialect.name == "postgresql":
        # Two files taken in at once could hold the same new person; SQLite's write lock keeps them apart anyway.
        session.execute(_ONE_AT_A_TIME)
    before = session.execute(select(Manifest).where(col(Manifest.checksum) == table.checksum)).scalar_one_or_none()
    if before is not None:
        return _seen_before(session, table, before)
    people.catch_up(session)
    found = sort_rows(table, people, registrar.now.date())
    answers = registrar.register(session, [row for row, _ in found.new], table.checksum)
    for (_, person), answer in zip(found.new, answers, strict=True):
        person.returnee_id, person.case_id = answer.returnee_id, answer.case_id
    manifest_id = record_manifest(session, table, found, registrar.now, registrar.actor)
    people.saw_all(session)
    return IntakeSummary(
        file=table.file,
        checksum=table.checksum,
        layout=table.layout,
        manifest_id=manifest_id,
        rows=len(table.rows),
        registered=len(found.new),
        rejected=len(found.rejected),
        already_known=len(found.known),
        waiting=len(found.waiting),
        reasons=dict(Counter(row.reason for row in found.rejected)),
        skipped=_skipped(table),
    )


def _seen_before(session: Session, table: ManifestTable, manifest: Manifest) -> IntakeSummary:
    rejected = select(col(ManifestRow.reason), func.count()).where(
        col(ManifestRow.manifest_id) == manifest.id, col(ManifestRow.outcome) == "rejected"
    )
    return IntakeSummary(
        file=table.file,
        checksum=table.checksum,
        layout=table.layout,
        manifest_id=written(manifest.id),
        rows=manifest.rows,
        registered=0,
        rejected=manifest.rejected,
        already_known=manifest.rows - manifest.rejected,
        waiting=0,
        reasons={str(reason): count for reason, count in session.execute(rejected.group_by(col(ManifestRow.reason)))},
        skipped=_skipped(table),
        seen_before=True,
    )


def _skipped(table: ManifestTable) -> dict[str, int]:
    return {
        "blank": table.blank_rows,
        "total": len(table.total_lines),
        "repeated_header": len(table.repeated_header_lines),
        "note": len(table.note_lines),
    }
