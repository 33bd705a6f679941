"""The AsyncAPI 3.0 document: what Segin sends to a partner's address, and the same events for the partner to fetch.

The partner API serves it. Segin is the application that it describes, so every operation is `send`.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from integrations.catalogue.examples import example
from integrations.catalogue.schemas import CONTENT_TYPE, SIGNED_HEADERS, event_schema
from models.events import CATALOGUE, EVENT_TYPES

VERSION: Final = "1.0.0"
DESCRIPTION: Final = (
    "Ce qui arrive aux dossiers, tel que chaque partenaire a le droit de l'apprendre : poussé à son adresse, ou lu par "
    "lui-même, en octets identiques.\n\n"
    "What happens to cases, as far as each partner may learn of it: pushed to its address, or fetched by itself, as "
    "the same bytes. At least once, and in order for each case."
)


def asyncapi(public_url: str) -> dict[str, Any]:
    """The document, for the Segin that is reached at this address."""
    pushed = {name: _message(public_url, name) | {"headers": _ref("schemas/signature")} for name in CATALOGUE}
    fetched = {name: _message(public_url, name) for name in EVENT_TYPES}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:segin:cases",
        "info": {
            "title": "Segin : événements pour les partenaires / events for partners",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "partners"}],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"segin": _segin(public_url), "partner": PARTNER},
        "channels": {
            "webhook": {
                "address": None,
                "title": "Votre adresse / Your address",
                "description": "A signed POST to the address that you subscribed, one event each.",
                "servers": [{"$ref": "#/servers/partner"}],
                "messages": pushed,
            },
            "feed": {
                "address": "/v1/events",
                "title": "Lecture / Feed",
                "description": "The events that you were shown, in their order, to be fetched after the last one that "
                "you have. The page around them is described in the OpenAPI document.",
                "servers": [{"$ref": "#/servers/segin"}],
                "messages": fetched,
            },
        },
        "operations": {
            "push": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "title": "Pousser un événement / Push an event",
                "description": "Repeated until you answer 2xx, for three days. 410 ends the subscription; 429 and 503 "
                "with Retry-After put it off; a redirect counts as a failure.",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
                "messages": [{"$ref": f"#/channels/webhook/messages/{name}"} for name in pushed],
            },
            "fetch": {
                "action": "send",
                "channel": {"$ref": "#/channels/feed"},
                "title": "Lire les événements / Fetch events",
                "description": "For a partner that was away, or takes no requests from outside.",
                "bindings": {"http": {"method": "GET", "query": AFTER, "bindingVersion": "0.3.0"}},
                "messages": [{"$ref": f"#/channels/feed/messages/{name}"} for name in fetched],
            },
        },
        "components": {
            "schemas": {"signature": SIGNATURE}
            | {name: event_schema(name, kind.version) for name, kind in CATALOGUE.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of the partner API"}
            },
        },
    }


PARTNER: Final = {
    "host": "{host}",
    "protocol": "https",
    "description": "You. Segin proves itself by its signature, not by a password.",
    "variables": {"host": {"default": "partner.example.org", "description": "The host of your address"}},
}
SIGNATURE: Final = {"type": "object", "properties": SIGNED_HEADERS, "required": list(SIGNED_HEADERS)}
AFTER: Final = {
    "type": "object",
    "properties": {"after": {"type": "string", "description": "Where to go on; without it, from the beginning"}},
}


def _segin(public_url: str) -> dict[str, Any]:
    address = urlsplit(public_url.rstrip("/"))
    return {
        "host": address.netloc,
        "protocol": address.scheme,
        "description": "Segin",
        "security": [_ref("securitySchemes/token")],
    } | ({"pathname": address.path} if address.path else {})


def _message(public_url: str, event_type: str) -> dict[str, Any]:
    kind = CATALOGUE[event_type]
    return {
        "name": event_type,
        "title": f"{kind.fr} / {kind.en}",
        "summary": f"Version {kind.version}{'; you are expected to answer' if kind.asks else ''}",
        "contentType": CONTENT_TYPE,
        "payload": _ref(f"schemas/{event_type}"),
        "examples": [{"name": "synthetic", "payload": example(public_url, event_type)}],
    }


def _ref(component: str) -> dict[str, str]:
    return {"$ref": f"#/components/{component}"}
