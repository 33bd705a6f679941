"""Reads who a person is, what was found in screening and what makes them vulnerable, for `states.gather`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from models.types import BigId
from states.bulk import SetStatement, as_date, as_json, as_time
from states.fact_rows import Reader, of_cases
from states.facts import AssessmentFact, VulnerabilityFact


def _returnee(rows: Iterator[Any]) -> dict[str, Any]:
    ((_, birth_date, precision, vulnerabilities),) = rows
    return {
        "birth_date": as_date(birth_date),
        "birth_precision": precision,
        "vulnerabilities": frozenset(as_json(vulnerabilities)),
    }


def _assessments(rows: Iterator[Any]) -> dict[str, Any]:
    return {
        "assessments": {
            instrument: AssessmentFact(instrument, score, band, frozenset(as_json(flags)), as_time(assessed_at))
            for _, instrument, score, band, flags, assessed_at in rows
        }
    }


def _vulnerabilities(rows: Iterator[Any]) -> dict[str, Any]:
    return {"identified": {code: VulnerabilityFact(*rest) for _, code, *rest in rows}}


PROTECTION_GROUPS: Final[dict[str, tuple[SetStatement, Reader]]] = {
    "returnee": (
        SetStatement(
            'SELECT c.id, p.birth_date, p.birth_precision, p.vulnerabilities FROM "case" AS c '
            "JOIN returnee AS p ON p.id = c.returnee_id WHERE c.id IN (SELECT r.id FROM {rows})",
            id=BigId,
        ),
        _returnee,
    ),
    "assessments": (
        of_cases(
            "instrument, score, band, flags, assessed_at",
            "assessment",
            "AND taken_back_at IS NULL ORDER BY case_id, assessed_at, id",
        ),
        _assessments,
    ),
    "vulnerabilities": (of_cases("code, kind, urgency, status", "vulnerability"), _vulnerabilities),
}
"""The statement and the reader of each of these groups."""
