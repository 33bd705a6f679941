"""The `webhooks` part of an OpenAPI 3.1 document: the request that a partner gets for each type of event.

The partner API merges it into its own document.
"""

from __future__ import annotations

from typing import Any, Final

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import CONTENT_TYPE, SIGNED_HEADERS, event_schema
from models.events import CATALOGUE

# Only the status counts: a body is thrown away.
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "2XX": {"description": "Reçu ; rien d'autre n'est lu. / Received; nothing else is read."},
    "410": {"description": "L'abonnement prend fin. / The subscription ends."},
    "429": {"description": "Plus tard, selon Retry-After. / Later, by Retry-After."},
    "503": {"description": "Plus tard, selon Retry-After. / Later, by Retry-After."},
    "default": {"description": "Nouvel essai, pendant trois jours. / Tried again, for three days."},
}


def openapi_webhooks(public_url: str) -> dict[str, Any]:
    """A path item for each type of event, by its name; nothing in it refers to anything outside it."""
    return {name: {"post": _request(public_url, name)} for name in CATALOGUE}


def _request(public_url: str, event_type: str) -> dict[str, Any]:
    kind = CATALOGUE[event_type]
    content = {"schema": event_schema(event_type, kind.version), "example": example(public_url, event_type)}
    return {
        "operationId": f"receive_{event_type.replace('.', '_')}",
        "tags": ["webhooks"],
        "summary": f"{kind.fr} / {kind.en}",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": rules} for name, rules in SIGNED_HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {CONTENT_TYPE: content}},
        "responses": ANSWERS,
        "security": [],
    }
