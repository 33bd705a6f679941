"""The body of an event as one partner gets it: CloudEvents 1.0 in structured JSON, under the partner's own codes.

`projection` writes it once; the same bytes go over every way. It has no id of Segin's own, so that its codes join
nothing that two partners have. Its time is the second in which it happened: docs/sharing.md says what that gives away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from integrations.catalogue.schemas import SOURCE, dataschema, sequence_text
from models.events import EVENT_TYPES


class OwedEvent(NamedTuple):
    """An event for one partner. `uid`, `case` and `sequence` are the partner's own; `thin` comes from `thin_data`."""

    uid: str
    type: str
    case: str
    sequence: int
    occurred_at: datetime
    thin: Mapping[str, Any]


def thin_data(event_type: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event's own data, in the order of the catalogue, with Segin's codes still in it; none when the catalogue does
    not know the type or the data are not of it."""
    model = EVENT_TYPES.get(event_type)
    try:
        return None if model is None else model.model_validate(data).model_dump(mode="json", exclude_none=True)
    except ValidationError:
        return None


ABOUT: Final = ("corrects", "event")
"""The data that name another event."""


def cloud_event(event: OwedEvent, details: Mapping[str, Any], *, public_url: str, about: str | None = None) -> bytes:
    """The body. `details` are the fields that the partner may see, by name; `about` is the partner's own id of the
    event that this one takes back or reminds of: Segin's own never stands there."""
    data = {**event.thin, "case": event.case}
    data |= {name: about for name in ABOUT if name in data}
    if details:
        data["details"] = dict(details)
    attributes = {
        "specversion": "1.0",
        "id": event.uid,
        "source": SOURCE,
        "type": event.type,
        "subject": event.case,
        "time": event.occurred_at.astimezone(UTC).replace(microsecond=0),
        "datacontenttype": "application/json",
        "dataschema": dataschema(public_url, event.type),
        "sequence": sequence_text(event.sequence),
        "sequencetype": "Integer",
    }
    return JSONFormat().write(CloudEvent(attributes, data))
