"""A referral as a tracked entity of DHIS2 with an enrolment and an event: the nested body of `POST /api/tracker`.

The shape is that of the tracker chapter of the DHIS2 developer documentation (2.36 and later), which takes every value
of an attribute and data element as text.
"""

from __future__ import annotations

import hashlib
import string
from datetime import datetime
from typing import Any, Final

from integrations.bridges.mapping import Dhis2Mapping, Value
from integrations.bridges.referral import Referral, as_text

_LETTERS: Final = string.ascii_letters
_SIGNS: Final = string.digits + string.ascii_letters
_UID_LENGTH: Final = 11


def tracker_payload(mapping: Dhis2Mapping, referral: Referral) -> dict[str, Any]:
    """The request's document. The same case is the same tracked entity, the same referral the same enrolment and the
    same event the same event, so that a second sending changes what is there. Raises NotOverTheBridge."""
    entity = mapping.tracked_entity
    tracked = {
        "trackedEntity": uid_of("tracked_entity", entity.type, referral.codes["case"]),
        "trackedEntityType": entity.type,
        "orgUnit": referral.need("tracked_entity.org_unit", entity.org_unit),
        "attributes": _values(referral, "tracked_entity.attributes", "attribute", entity.attributes),
        "enrollments": [_enrollment(mapping, referral)],
    }
    return {"trackedEntities": [tracked]}


def _enrollment(mapping: Dhis2Mapping, referral: Referral) -> dict[str, Any]:
    enrollment = mapping.enrollment
    enrolled = {
        "enrollment": uid_of("enrollment", enrollment.program, referral.codes["referral"]),
        "program": enrollment.program,
        "orgUnit": referral.need("enrollment.org_unit", enrollment.org_unit),
        "enrolledAt": _moment(referral.moment("enrollment.enrolled_at", enrollment.enrolled_at)),
        "status": enrollment.status,
        "attributes": _values(referral, "enrollment.attributes", "attribute", enrollment.attributes),
        "events": [_event(mapping, referral)],
    }
    if enrollment.occurred_at is not None:
        enrolled["occurredAt"] = _moment(referral.moment("enrollment.occurred_at", enrollment.occurred_at))
    return enrolled


def _event(mapping: Dhis2Mapping, referral: Referral) -> dict[str, Any]:
    event = mapping.event
    return {
        "event": uid_of("event", event.stage, referral.codes["event"]),
        "program": mapping.enrollment.program,
        "programStage": event.stage,
        "orgUnit": referral.need("event.org_unit", event.org_unit),
        "occurredAt": _moment(referral.moment("event.occurred_at", event.occurred_at)),
        "status": event.status,
        "dataValues": _values(referral, "event.data_values", "dataElement", event.data_values),
    }


def uid_of(kind: str, within: str, code: str) -> str:
    """The UID of an object: about 65 bits of a SHA-256 over its kind, its type or program, and the code it stands
    for."""
    number = int.from_bytes(hashlib.sha256(f"segin/{kind}/{within}/{code}".encode()).digest())
    number, first = divmod(number, len(_LETTERS))
    uid = _LETTERS[first]
    for _ in range(_UID_LENGTH - 1):
        number, sign = divmod(number, len(_SIGNS))
        uid += _SIGNS[sign]
    return uid


def _moment(moment: datetime) -> str:
    """As the examples of the documentation write it: without a zone. It is UTC, which is also the time of Mali."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _values(referral: Referral, where: str, name: str, values: dict[str, Value]) -> list[dict[str, str]]:
    filled = referral.filled(where, values)
    # A list was joined, which the checks of the mapping see to.
    return [{name: uid, "value": as_text(value)} for uid, value in filled.items() if not isinstance(value, list)]
