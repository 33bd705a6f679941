"""Reads what guards need to know about training and livelihood; `states.gather` has the other groups of facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from states.bulk import SetStatement, as_time
from states.fact_rows import Reader, of_cases
from states.facts import CAME_TO_NOTHING, EnrolmentFact, GrantFact, GrantPlanFact


def _enrolment(rows: Iterator[Any]) -> dict[str, Any]:
    found = [row for row in rows if row[1] not in CAME_TO_NOTHING["enrolment"]]
    if not found:
        return {}
    return {"enrolment": EnrolmentFact(found[-1][1], any(certified for *_, certified in found))}


def _grant(rows: Iterator[Any]) -> dict[str, Any]:
    found = [row for row in rows if row[1] not in CAME_TO_NOTHING["grant"]]
    if not found:
        return {}
    _, status, proposed_by, approved_by, approved_at = found[-1]
    return {"grant": GrantFact(status, proposed_by, approved_by, as_time(approved_at))}


def _grants(rows: Iterator[Any]) -> dict[str, Any]:
    return {"grants": {code: GrantPlanFact(*plan) for _, code, *plan in rows}}


LIVING: Final[dict[str, tuple[SetStatement, Reader]]] = {
    "enrolment": (
        of_cases("status, CASE WHEN certificate_at IS NULL THEN 0 ELSE 1 END", "training_enrolment"),
        _enrolment,
    ),
    "grant": (of_cases("status, proposed_by, approved_by, approved_at", "livelihood_grant"), _grant),
    "grants": (
        of_cases("code, kind, amount_xof, spent_xof, proposed_by, endorsed_by", "livelihood_grant"),
        _grants,
    ),
}
"""Statement and reader of each group."""
