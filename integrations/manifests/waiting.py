"""The rows that wait because somebody very like them is known, beside their candidates, for whoever decides.

The console and the command line list them; `duplicates` takes the decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.manifests.arrival import ArrivalRow
from models.case import Case
from models.manifest import DuplicateCandidate, Manifest, ManifestRow
from models.returnee import Returnee

LATEST_FIRST: Final = (col(Case.arrival_date).desc(), col(Case.id).desc())
"""Somebody's newest return comes first."""


@dataclass(frozen=True, slots=True)
class CandidateView:
    """Somebody whom the row might be, with their latest return. `why` are keys of `evidence.WHY`, `score` 0-100."""

    rank: int
    score: int
    why: tuple[str, ...]
    returnee_id: int
    returnee_code: str
    case_code: str
    reference: str | None = field(repr=False)
    family_name: str = field(repr=False)
    given_names: str = field(repr=False)
    sex: str
    birth_date: date | None = field(repr=False)
    birth_precision: str
    phone: str | None = field(repr=False)
    arrival_date: date
    departure_country: str
    region_pcode: str | None
    district_pcode: str | None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row that waits, beside its candidates, best first."""

    row_id: int
    file: str
    received_at: datetime
    arrival: ArrivalRow
    candidates: tuple[CandidateView, ...]


def list_waiting(session: Session) -> list[WaitingRow]:
    """The rows that wait, oldest first, each with its candidates; two statements, however many wait."""
    query = (
        select(col(ManifestRow.id), col(Manifest.filename), col(Manifest.received_at), col(ManifestRow.raw))
        .join_from(ManifestRow, Manifest, col(ManifestRow.manifest_id) == col(Manifest.id))
        .where(col(ManifestRow.outcome) == "waiting")
        .order_by(col(ManifestRow.id))
    )
    rows = session.execute(query).all()
    candidates = _candidates(session) if rows else {}
    return [
        WaitingRow(row_id, file, received_at, ArrivalRow.from_json(raw), tuple(candidates.get(row_id, ())))
        for row_id, file, received_at, raw in rows
    ]


def _candidates(session: Session) -> Mapping[int, list[CandidateView]]:
    query = (
        select(DuplicateCandidate, Returnee, Case)
        .join_from(DuplicateCandidate, ManifestRow, col(DuplicateCandidate.manifest_row_id) == col(ManifestRow.id))
        .join(Returnee, col(DuplicateCandidate.returnee_id) == col(Returnee.id))
        .join(Case, col(Case.returnee_id) == col(Returnee.id))
        .where(col(ManifestRow.outcome) == "waiting")
        .order_by(col(DuplicateCandidate.manifest_row_id), col(DuplicateCandidate.rank), *LATEST_FIRST)
    )
    found: dict[int, list[CandidateView]] = defaultdict(list)
    for candidate, returnee, case in session.execute(query):
        views = found[candidate.manifest_row_id]
        if not views or views[-1].rank != candidate.rank:
            views.append(_view(candidate, returnee, case))
    return found


def _view(candidate: DuplicateCandidate, returnee: Returnee, case: Case) -> CandidateView:
    values: dict[str, Any] = {
        name: getattr(source, name)
        for source, names in (
            (candidate, ("rank", "score", "returnee_id")),
            (returnee, ("reference", "family_name", "given_names", "sex", "birth_date", "birth_precision", "phone")),
            (case, ("arrival_date", "departure_country", "region_pcode", "district_pcode")),
        )
        for name in names
    }
    return CandidateView(why=tuple(candidate.why), returnee_code=returnee.code, case_code=case.code, **values)
