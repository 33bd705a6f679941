"""A trial of an endpoint: one signed event of no case, sent as any other is, and remembered nowhere.

`segin partner test` calls it and explains the answer.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from integrations.catalogue.schemas import CONTENT_TYPE, SOURCE, dataschema
from integrations.webhooks.claim import Endpoint
from integrations.webhooks.post import ATTEMPT_SECONDS, Poster
from integrations.webhooks.signatures import signed_headers
from models.events import TrialEvent, TrialMessage

TYPE: Final = "segin.test"

_MESSAGE: Final = TrialMessage(fr="Ceci est un événement d'essai de Segin.", en="This is a test event of Segin.")


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of it. `outcome` is one of `outcomes`."""

    event_uid: str
    outcome: str
    status_code: int | None
    duration_ms: int


async def try_endpoint(
    endpoint: Endpoint,
    *,
    public_url: str,
    random_bytes: Callable[[int], bytes],
    now: datetime,
    allow_loopback: bool,
) -> Trial:
    """Send one test event under an id of its own, signed with all secrets that are in force. `now` is the time of its
    signature, so that of this machine's clock."""
    uid = "evt-" + base64.b32encode(random_bytes(16)).decode().rstrip("=").lower()
    attributes = {
        "specversion": "1.0",
        "id": uid,
        "source": SOURCE,
        "type": TYPE,
        "time": now.astimezone(UTC).replace(microsecond=0),
        "datacontenttype": "application/json",
        "dataschema": dataschema(public_url, TYPE),
    }
    body = JSONFormat().write(CloudEvent(attributes, TrialEvent(message=_MESSAGE).model_dump()))
    signed = signed_headers(endpoint.secret, uid, body, now, others=endpoint.others)
    async with Poster(allow_loopback=allow_loopback, connections=1, timeout=ATTEMPT_SECONDS) as poster:
        began = time.perf_counter()
        answer = await poster.post(endpoint.url, {"Content-Type": CONTENT_TYPE, **signed}, body)
        duration = time.perf_counter() - began
    return Trial(uid, answer.outcome, answer.status_code, round(duration * 1000))
