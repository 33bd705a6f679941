"""A referral as a case of Primero with the services that are asked for: the body of `POST /api/v2/cases`.

The shape is that of Primero's API documentation (doc/api/cases/post.md) and of the referrals in OpenFn's
primero-progres sample data; which fields there are is the configuration of each Primero, and so the mapping's.
"""

from __future__ import annotations

from typing import Any

from integrations.bridges.mapping import PrimeroMapping
from integrations.bridges.referral import Referral


def primero_case(mapping: PrimeroMapping, referral: Referral) -> dict[str, Any]:
    """The request's document. Raises NotOverTheBridge."""
    services = mapping.services
    codes = referral.codes_of("data.services_section", services.each, required=services.required)
    case: dict[str, Any] = referral.filled("data", mapping.case)
    case["services_section"] = [
        referral.for_service(code).filled("data.services_section", services.fields) for code in codes
    ]
    return {"data": case}
