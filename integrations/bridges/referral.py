"""A referral as a bridge reads it from the bytes of an event, and the values that a mapping makes of its fields.

`primero` and `dhis2` fill their documents with it. Pure: the same bytes and mapping give the same values.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from integrations.bridges import errors
from integrations.bridges.mapping import SERVICE, SOURCES, Mapping, Plain, Value

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:segin:bridges")
_CODE = Annotated[str, StringConstraints(min_length=1, max_length=200)]

Filled = Plain | list[Plain]


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    case: _CODE
    referral: _CODE
    details: dict[str, Any] = Field(default_factory=dict)


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: _CODE
    type: Literal["referral.made"]
    time: AwareDatetime
    data: _Data


class Referral:
    """One `referral.made` event, read for one mapping. `service` is the entry of a list that is being written."""

    def __init__(self, event: str, at: datetime, data: _Data, mapping: Mapping, service: str | None = None) -> None:
        self.codes = {"case": data.case, "referral": data.referral, "event": event}
        self._at = at
        self._data = data
        self._mapping = mapping
        self._service = service

    def for_service(self, service: str) -> Referral:
        """The same referral, for the entry about one of its services."""
        return Referral(self.codes["event"], self._at, self._data, self._mapping, service)

    def fill(self, field: str, value: Value) -> Filled | None:
        """What a field gets; none when it stays empty. Raises NotOverTheBridge."""
        if value.constant is not None:
            return value.constant
        if value.uuid is not None:
            return self._uuid(value.uuid)
        assert value.from_ is not None  # noqa: S101  (the mapping was checked)
        said = self._said(field, value.from_)
        if said is None:
            if value.required:
                raise errors.missing(self._mapping.name, field, value.from_)
            return None
        if not isinstance(said, list):
            return self._translated(field, value, said)
        # Two of our codes may be one of theirs, which stands once.
        codes = list(dict.fromkeys(self._translated(field, value, each) for each in said))
        return codes if value.join is None else value.join.join(map(as_text, codes))

    def need(self, field: str, value: Value) -> Filled:
        """What a field gets that the other system cannot do without. Raises NotOverTheBridge."""
        filled = self.fill(field, value)
        if filled is None:
            raise errors.missing(self._mapping.name, field, value.from_ or "")
        return filled

    def filled(self, where: str, values: dict[str, Value]) -> dict[str, Filled]:
        """The fields that have a value, in the order of the mapping."""
        made = {name: self.fill(f"{where}.{name}", value) for name, value in values.items()}
        return {name: each for name, each in made.items() if each is not None}

    def moment(self, field: str, source: str) -> datetime:
        """When something was, in UTC; a day begins at midnight. Raises NotOverTheBridge."""
        if source == "time":
            return self._at
        said = self._said(field, source)
        if said is None:
            raise errors.missing(self._mapping.name, field, source)
        return datetime.combine(date.fromisoformat(str(said)), datetime.min.time(), UTC)

    def codes_of(self, field: str, source: str, *, required: bool) -> list[str]:
        """The codes of a list. Raises NotOverTheBridge."""
        said = self._said(field, source)
        if said is None and required:
            raise errors.missing(self._mapping.name, field, source)
        # A code that is named twice would be two entries under one id.
        return list(dict.fromkeys(map(as_text, said))) if isinstance(said, list) else []

    def _said(self, field: str, source: str) -> Plain | list[Any] | None:
        """What a source says in this event, of its kind; none when it is empty or was not shared."""
        match source:
            case "case" | "referral" | "event":
                return self.codes[source]
            case "time":
                return self._at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
            case "day":
                return self._at.date().isoformat()
            case _ if source == SERVICE:
                return self._service
        said = self._data.details.get(source)
        if said is None or said in ("", []):
            return None
        if not _is_kind(said, SOURCES[source]):
            raise errors.wrong_kind(self._mapping.name, field, source)
        return said  # type: ignore[no-any-return]  # its kind was just looked at

    def _translated(self, field: str, value: Value, said: Plain) -> Plain:
        if value.table is None:
            return said
        table = self._mapping.tables[value.table]
        code = as_text(said)
        if code not in table:
            raise errors.no_code(self._mapping.name, field, value.from_ or "", value.table)
        return table[code]

    def _uuid(self, of: str) -> str:
        code = f"{self.codes['referral']}/{self._service}" if of == SERVICE else self.codes[of]
        return str(uuid.uuid5(_NAMESPACE, f"{of}:{code}"))


def read_referral(body: bytes, mapping: Mapping) -> Referral:
    """The referral in the bytes of a stored event. Raises NotOverTheBridge."""
    try:
        event = _Event.model_validate_json(body)
        at = event.time.astimezone(UTC)
    except (ValidationError, OverflowError):
        # The text of the error would quote the event.
        raise errors.not_a_referral(mapping.name) from None
    return Referral(event.id, at, event.data, mapping)


def as_text(value: Plain) -> str:
    """A value as text: true and false in small letters, as JSON has them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_kind(value: Any, kind: str) -> bool:
    match kind:
        case "list":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _is_day(value)
    return isinstance(value, str)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
