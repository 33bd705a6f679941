"""Writes down what became of a manifest: the file, each of its rows, and the candidates of those that wait.

`intake` calls it after the new people were registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from integrations.manifests.problems import RejectedRow
from integrations.manifests.sorting import SortedRows
from integrations.manifests.table import ManifestTable
from models.manifest import Manifest
from states.bulk import insert_into
from states.moves import Actor


class _Row(NamedTuple):
    """A row as the table `manifest_row` keeps it, in the order of the insert statement."""

    line: int
    outcome: str
    reason: str | None = None
    column: str | None = None
    found: str | None = None
    expected: str | None = None
    warnings: tuple[str, ...] = ()
    raw: dict[str, Any] | None = None
    case_id: int | None = None


_INSERT_ROWS: Final = insert_into("manifest_row", "manifest_id", *_Row._fields, returning="line, id")
_INSERT_CANDIDATES: Final = insert_into("duplicate_candidate", "manifest_row_id", "rank", "returnee_id", "score", "why")


def record_manifest(session: Session, table: ManifestTable, found: SortedRows, now: datetime, actor: Actor) -> int:
    """Writes the manifest, its rows and the candidates, in three statements; gives the manifest's id."""
    manifest = Manifest(
        checksum=table.checksum,
        filename=table.file,
        layout=table.layout,
        received_at=now,
        received_by=actor.id,
        rows=len(table.rows),
        registered=len(found.new),
        rejected=len(found.rejected),
        already_known=len(found.known),
        waiting=len(found.waiting),
    )
    session.add(manifest)
    session.flush()
    manifest_id = written(manifest.id)
    rows = sorted(_rows(table, found), key=lambda row: row.line)
    row_ids: dict[int, int] = dict(
        map(tuple, _INSERT_ROWS.execute(session, [(manifest_id, *row) for row in rows])) if rows else ()
    )
    candidates = [
        (row_ids[row.line], rank, written(candidate.person.returnee_id), candidate.score, candidate.why)
        for row, best in found.waiting
        for rank, candidate in enumerate(best, start=1)
    ]
    if candidates:
        _INSERT_CANDIDATES.execute(session, candidates)
    return manifest_id


def written(value: int | None) -> int:
    """The id of something that the database has given one."""
    if value is None:
        raise AssertionError("what was written has an id")
    return value


def _rows(table: ManifestTable, found: SortedRows) -> Iterator[_Row]:
    """The rows as they are kept: as they came when rejected, as they were understood when they wait."""
    cells = {raw.line: table.texts_of(raw) for raw in table.rows}
    headers = [column.header for column in table.columns]
    for rejected in found.rejected:
        yield _rejected(rejected, headers, cells[rejected.line])
    for row, person in found.known:
        reason = "already_waiting" if person.waiting else "already_registered"
        yield _Row(row.line, "already_known", reason, warnings=row.warnings, case_id=person.case_id)
    for row, _ in found.waiting:
        yield _Row(row.line, "waiting", "possible_duplicate", warnings=row.warnings, raw=row.to_json())
    for row, person in found.new:
        yield _Row(row.line, "registered", warnings=row.warnings, case_id=person.case_id)


def _rejected(row: RejectedRow, headers: list[str], cells: list[str]) -> _Row:
    """The first problem in columns of its own; all of them, and the row as it came, for the error file."""
    first = row.problems[0]
    raw = {
        "columns": headers,
        "cells": cells,
        "problems": [[problem.column, problem.reason, problem.found] for problem in row.problems],
    }
    expected = f"{first.texts.expected_fr} / {first.texts.expected_en}"
    return _Row(row.line, "rejected", first.reason, first.column, first.found, expected, raw=raw)
