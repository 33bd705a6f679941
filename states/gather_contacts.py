"""Reads consents, referrals, follow-up and the records with small machines, for `states.gather`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from models.types import BigId
from states.bulk import SetStatement, as_json, as_time
from states.fact_rows import Reader, of_cases
from states.facts import AttemptFact, RecordFact
from states.records import RECORD_TABLES

STANDS: Final = "AND taken_back_at IS NULL ORDER BY case_id, id"
"""What was taken back is no fact."""


def _consents(rows: Iterator[Any]) -> dict[str, Any]:
    """The newest answer counts, for each purpose and recipient by itself."""
    newest: dict[tuple[str, int | None, bool], tuple[bool, frozenset[str]]] = {}
    for _, purpose, partner_id, any_partner, status, information in rows:
        newest[purpose, partner_id, bool(any_partner)] = status == "given", frozenset(as_json(information))
    shares: dict[int | None, frozenset[str] | None] = {}
    for (purpose, partner_id, any_partner), (given, information) in newest.items():
        if purpose == "sharing" and (partner_id is not None or (any_partner and given)):
            shares[partner_id] = information if given else None
    return {
        "consents": frozenset(purpose for (purpose, *_), (given, _) in newest.items() if given),
        "consents_recorded": frozenset(purpose for purpose, *_ in newest),
        "shares": shares,
    }


def _visits(rows: Iterator[Any]) -> dict[str, Any]:
    return {"visits": frozenset(months for _, months in rows)}


def _attempts(rows: Iterator[Any]) -> dict[str, Any]:
    return {"attempts": tuple(AttemptFact(as_time(at), channel, result) for _, at, channel, result in rows)}


def _exit_talks(rows: Iterator[Any]) -> dict[str, Any]:
    return {"exit_talks": frozenset(about for _, about in rows)}


def _referrals(rows: Iterator[Any]) -> dict[str, Any]:
    ((_, open_referrals),) = rows
    return {"open_referrals": open_referrals}


def _records(rows: Iterator[Any]) -> dict[str, Any]:
    return {"records": {code: RecordFact(kind, code, *rest) for _, kind, code, *rest in rows}}


def _shown(rows: Iterator[Any]) -> dict[str, Any]:
    found: dict[str, tuple[int, ...]] = {}
    for _, code, partner_id in rows:
        found[code] = (*found.get(code, ()), partner_id)
    return {"shown": found}


def _all_records() -> SetStatement:
    """The records of the cases, of every kind in one statement, the oldest of each kind first."""
    parts = [
        f"SELECT case_id, '{kind}', code, status, {where.made_by or 'CAST(NULL AS BIGINT)'}, "  # noqa: S608
        f"{where.partner or 'CAST(NULL AS BIGINT)'}, {where.leans_on or 'CAST(NULL AS VARCHAR)'}, id "
        f"FROM {where.table} WHERE case_id IN (SELECT id FROM wanted) AND {where.standing}"
        for kind, where in RECORD_TABLES.items()
    ]
    united = " UNION ALL ".join(parts)
    columns = "case_id, kind, code, status, made_by, partner_id, leans_on"
    return SetStatement(
        f"WITH wanted AS (SELECT r.id AS id FROM {{rows}}), found ({columns}, id) "  # noqa: S608
        f"AS ({united}) SELECT {columns} FROM found ORDER BY case_id, kind, id",
        id=BigId,
    )


_SHOWN: Final = SetStatement(
    """WITH asked AS (SELECT case_id, id, code FROM consent WHERE case_id IN (SELECT r.id FROM {rows}))
    SELECT a.case_id, a.code, o.partner_id FROM asked AS a
    JOIN partner_event AS o ON o.consent_id = a.id AND o.status = 'shown'
    UNION SELECT a.case_id, a.code, d.partner_id FROM asked AS a JOIN disclosure AS d ON d.consent_id = a.id
    ORDER BY 1, 2, 3""",
    id=BigId,
)

CONTACT_GROUPS: Final[dict[str, tuple[SetStatement, Reader]]] = {
    "consents": (of_cases("purpose, partner_id, any_partner, status, information", "consent"), _consents),
    "visits": (of_cases("months", "follow_up_visit", STANDS), _visits),
    "attempts": (of_cases("at, channel, result", "contact_attempt", STANDS), _attempts),
    "exit_talks": (of_cases("about", "exit_interview", STANDS), _exit_talks),
    "referrals": (
        of_cases("COUNT(*)", "referral", "AND status IN ('in_progress', 'accepted') GROUP BY case_id"),
        _referrals,
    ),
    "records": (_all_records(), _records),
    "shown": (_SHOWN, _shown),
}
"""The statement and the reader of each of these groups."""
