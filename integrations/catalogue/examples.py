"""One synthetic example of each event, as a partner receives it. Nobody in them exists.

`docs/partners/events` holds them as files, and both documents of the catalogue quote them.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from integrations.catalogue.schemas import CASE_ATTRIBUTES, SOURCE, dataschema, sequence_text
from models.events import CATALOGUE, CaseEvent

# A type that is not here has an example without a state, as when the pathway does not share it.
STATES: Final = {
    "case.registered": "registered",
    "case.arrived": "arrived",
    "case.advanced": "planning",
    "case.resumed": "planning",
    "case.closed": "closed",
    "case.reopened": "planning",
    "case.migrated": "planning",
    "case.corrected": "arrived",
    "plan.approved": "planning",
    "training.enrolled": "training",
    "training.certified": "training",
    "grant.approved": "livelihood",
    "grant.delivered": "livelihood",
    "visit.recorded": "follow_up",
    "deadline.overdue": "arrived",
}
MESSAGE: Final = {"fr": "Ceci est un événement d'essai de Segin.", "en": "This is a test event of Segin."}
OF_A_CASE: Final = {"region": "ML01", "district": "ML0101", "arrival_date": "2024-03-02"}
OF_A_REFERRAL: Final = {
    "region": "ML01",
    "family_name": "EXEMPLE",
    "given_names": "Personne Fictive",
    "birth_date": "1990-01-01",
    "birth_precision": "year",
    "referral_services": ["training"],
    "referral_priority": "normal",
}


def example(public_url: str, event_type: str) -> dict[str, Any]:
    """The event as it is sent today, among those of one made-up case. Raises KeyError for an unknown type."""
    model = CATALOGUE[event_type].model
    number = list(CATALOGUE).index(event_type) + 1
    case = f"c-{_letters('case')}"
    event = {
        "specversion": "1.0",
        "id": f"evt-{_letters(event_type)}",
        "source": SOURCE,
        "type": event_type,
        "subject": case,
        "time": f"2024-03-{number:02d}T08:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": dataschema(public_url, event_type),
        "sequence": sequence_text(number),
        "sequencetype": "Integer",
    }
    if not issubclass(model, CaseEvent):
        return {name: event[name] for name in event if name not in CASE_ATTRIBUTES} | {"data": {"message": MESSAGE}}
    return event | {"data": _data(event_type, model, case)}


def _data(event_type: str, model: type[CaseEvent], case: str) -> dict[str, Any]:
    known = {
        "case": case,
        "state": STATES.get(event_type),
        "deadline": "screening_begun",
        "referral": "50MJ-MASC-5MQ2-F",
        "corrects": f"evt-{_letters('case.advanced')}",
        "event": f"evt-{_letters('consent.revoked')}",
        "due_at": "2024-03-30T00:00:00Z",
        "details": OF_A_REFERRAL if event_type.startswith("referral.") else OF_A_CASE,
    }
    return {name: known[name] for name in model.model_fields if known[name] is not None}


def _letters(name: str) -> str:
    """26 letters as a partner's own codes have them, made up from a name."""
    return base64.b32encode(hashlib.sha256(f"example {name}".encode()).digest()).decode()[:26].lower()
