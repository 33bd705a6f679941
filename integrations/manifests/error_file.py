"""The rejected rows of manifests as a CSV file to correct and send back. The command line and the console offer it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.manifests.problems import REASONS
from models.manifest import Manifest, ManifestRow

# The texts of a problem in French, then in English, before the columns as they came.
_COLUMNS: Final = (
    "Fichier / File",
    "Ligne / Line",
    "Colonne / Column",
    "Trouvé / Found",
    "Motif / Reason",
    "Problème",
    "Attendu",
    "Problem",
    "Expected",
)
_EVALUATED: Final = ("=", "+", "-", "@", "\t", "\r")


def error_file(session: Session, manifest_ids: Sequence[int]) -> str:
    """One line for each problem of each rejected row, in the order of the files, then the row's cells as they came.

    Semicolons, and texts that a spreadsheet would evaluate are escaped with an apostrophe. Write it as `utf-8-sig`,
    so that Excel reads the accents. The content is personal.
    """
    query = (
        select(col(Manifest.filename), col(ManifestRow.line), col(ManifestRow.raw))
        .join_from(ManifestRow, Manifest, col(ManifestRow.manifest_id) == col(Manifest.id))
        .where(col(ManifestRow.manifest_id).in_(manifest_ids), col(ManifestRow.outcome) == "rejected")
        .order_by(col(Manifest.id), col(ManifestRow.line))
    )
    rows = session.execute(query).all()
    headers = list(dict.fromkeys(header for *_, raw in rows for header in raw["columns"] if header))
    written = io.StringIO(newline="")
    lines = csv.writer(written, delimiter=";", lineterminator="\r\n")
    lines.writerow([escaped(text) for text in (*_COLUMNS, *headers)])
    for file, line, raw in rows:
        cells = dict(zip(raw["columns"], raw["cells"], strict=False))
        for problem in raw["problems"]:
            told = (file, str(line), *_told(*problem), *(cells.get(header, "") for header in headers))
            lines.writerow([escaped(text) for text in told])
    return written.getvalue()


def _told(column: str, reason: str, found: str | None) -> tuple[str, ...]:
    texts = REASONS[reason]
    fr, en = (texts.message_fr, texts.expected_fr), (texts.message_en, texts.expected_en)
    return column, found or "", reason, *fr, *en


def escaped(text: Any) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    plain = str(text)
    return f"'{plain}" if plain.startswith(_EVALUATED) else plain
