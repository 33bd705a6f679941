"""What harms when it leaks is never shared by default: fields of sensitive columns are sensitive themselves."""

from __future__ import annotations

import pytest
from sqlmodel import SQLModel

from models import Case, CasePlan, Referral, Returnee, Vulnerability
from models.shared_fields import SHARED_FIELDS

NO_COLUMN_SAYS_SO = {"closure_reason", "priority"}
"""Why a case was closed may name an illness, and its priority a danger."""

COLUMNS: dict[str, tuple[type[SQLModel], str]] = {
    "region": (Case, "region_pcode"),
    "district": (Case, "district_pcode"),
    "office": (Case, "office_id"),
    "arrival_date": (Case, "arrival_date"),
    "departure_country": (Case, "departure_country"),
    "closure_reason": (Case, "closure_reason"),
    "priority": (Case, "priority"),
    "needs": (CasePlan, "needs"),
    "vulnerabilities": (Vulnerability, "kind"),
    **{name: (Returnee, name) for name in ("family_name", "given_names", "sex", "birth_date", "birth_precision")},
    "phone": (Returnee, "phone"),
    **{f"referral_{name}": (Referral, name) for name in ("services", "priority", "reason", "contact")},
}


def test_every_field_has_its_column() -> None:
    assert COLUMNS.keys() == SHARED_FIELDS.keys()


@pytest.mark.parametrize("name", SHARED_FIELDS)
def test_a_field_of_a_sensitive_column_is_sensitive(name: str) -> None:
    table, column = COLUMNS[name]
    info = table.__table__.c[column].info  # type: ignore[attr-defined]
    sensitive = info["classification"] == "sensitive" or name in NO_COLUMN_SAYS_SO
    assert SHARED_FIELDS[name].sensitive == sensitive
