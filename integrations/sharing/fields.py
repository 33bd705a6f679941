"""The values of the shared fields, for many cases and referrals in a constant number of statements.

`projection` reads them for what it shows; which of them a partner gets is `covering`'s to say.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import String
from sqlmodel import Session

from models.types import BigId
from states.bulk import SetStatement, as_date, as_json
from states.fact_rows import of_cases

Values = dict[str, Any]
"""Values by field, as JSON has them; None is what is not known."""

_READ: Final = (
    *("region", "district", "office", "arrival_date", "departure_country", "closure_reason", "priority"),
    *("family_name", "given_names", "sex", "phone", "birth_date", "birth_precision"),
)

_CASES = SetStatement(
    "SELECT c.id, c.region_pcode, c.district_pcode, o.code, c.arrival_date, c.departure_country, c.closure_reason, "
    "c.priority, p.family_name, p.given_names, p.sex, p.phone, p.birth_date, p.birth_precision "
    'FROM "case" AS c JOIN returnee AS p ON p.id = c.returnee_id LEFT JOIN office AS o ON o.id = c.office_id '
    "WHERE c.id IN (SELECT r.id FROM {rows})",
    id=BigId,
)
_NEEDS = of_cases("needs", "case_plan", "AND status = 'approved' ORDER BY case_id, revision")
_VULNERABILITIES = of_cases(
    "kind", "vulnerability", "AND status IN ('identified', 'addressed') GROUP BY case_id, kind ORDER BY case_id, kind"
)
_REFERRALS = SetStatement(
    "SELECT code, case_id, partner_id, services, priority, reason, contact FROM referral "
    "WHERE code IN (SELECT r.code FROM {rows})",
    code=String(),
)


@dataclass(frozen=True, slots=True)
class ReferralValues:
    """Whose referral it is, and its fields; they are for its own partner alone."""

    case_id: int
    partner_id: int
    values: Values = field(repr=False)


def case_values(session: Session, case_ids: Collection[int]) -> dict[int, Values]:
    """Every field of these cases that is no referral's. Needs are those of the newest approved plan; vulnerabilities
    those that are neither resolved nor dismissed. Three statements."""
    rows = [(id_,) for id_ in sorted(set(case_ids))]
    found: dict[int, Values] = {}
    for id_, *values in _CASES.execute(session, rows):
        found[id_] = dict(zip(_READ, values, strict=True))
        found[id_] |= {name: _day(found[id_][name]) for name in ("arrival_date", "birth_date")}
        if found[id_]["birth_date"] is None:
            found[id_]["birth_precision"] = None
    for id_, needs in _NEEDS.execute(session, rows):
        found[id_]["needs"] = as_json(needs)
    for id_, kind in _VULNERABILITIES.execute(session, rows):
        found[id_].setdefault("vulnerabilities", []).append(kind)
    return found


def referral_values(session: Session, codes: Collection[str]) -> dict[str, ReferralValues]:
    """The fields of the referrals with these codes. One statement."""
    rows = _REFERRALS.execute(session, [(code,) for code in sorted(set(codes))])
    return {
        code: ReferralValues(
            case_id,
            partner_id,
            {
                "referral_services": as_json(services),
                "referral_priority": priority,
                "referral_reason": reason,
                "referral_contact": contact,
            },
        )
        for code, case_id, partner_id, services, priority, reason, contact in rows
    }


def _day(value: Any) -> str | None:
    day = as_date(value)
    return None if day is None else str(day.isoformat())
