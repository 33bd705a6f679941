"""An event as a partner sees it: CloudEvents 1.0 in structured JSON, and the Standard Webhooks headers that sign it.

`claim` builds the body once for each delivery, the sender signs it at each attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from integrations.webhooks.signatures import sign
from models.errors import SeginError
from models.events import EVENT_TYPES

SOURCE: Final = "urn:segin:cases"
CONTENT_TYPE: Final = JSONFormat.CONTENT_TYPE
SEQUENCE_DIGITS: Final = 10


class EventNotInCatalogue(SeginError):
    """An event has a type or data that the catalogue does not know, so no partner may see it."""


class AnnouncedEvent(Protocol):
    """What the envelope needs of an `event` row."""

    @property
    def uid(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def sequence(self) -> int: ...
    @property
    def correlation_id(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


def envelope(event: AnnouncedEvent) -> bytes:
    """The same bytes for the same event, whenever it is sent and to whomever.

    The order of keys is the catalogue's, since JSONB forgets the one that was written. `sequence` is padded with zeros
    because the CloudEvents sequence extension wants text order to be event order. Raises EventNotInCatalogue.
    """
    data = _thin(event)
    attributes = {
        "specversion": "1.0",
        "id": event.uid,
        "source": SOURCE,
        "type": event.type,
        "subject": data["case"],
        "time": event.occurred_at.astimezone(UTC),
        "datacontenttype": "application/json",
        "sequence": f"{event.sequence:0{SEQUENCE_DIGITS}d}",
        "sequencetype": "Integer",
        "correlationid": event.correlation_id,
    }
    return JSONFormat().write(CloudEvent(attributes, data))


def signed_headers(
    secret: str, event_uid: str, body: bytes, at: datetime, *, others: Sequence[str] = ()
) -> dict[str, str]:
    """The three Standard Webhooks headers for an attempt made at `at` (aware; any time zone), signed with the secret
    and with the `others` that are in force beside it."""
    moment = at.astimezone(UTC)  # the library replaces the time zone instead of converting
    return {
        "webhook-id": event_uid,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(sign(key, event_uid, body, moment) for key in (secret, *others)),
    }


def _thin(event: AnnouncedEvent) -> dict[str, Any]:
    model = EVENT_TYPES.get(event.type)
    if model is None:
        raise EventNotInCatalogue(f"The catalogue has no event type {event.type}.")
    try:
        return model.model_validate(event.data).model_dump(mode="json", exclude_none=True)
    except ValidationError:
        # Its text would quote the data.
        raise EventNotInCatalogue(f"The data of event {event.uid} is not that of {event.type}.") from None
