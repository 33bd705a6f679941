"""What a mapping file says: which field of the other system is filled from which field of a referral, and how.

`loader` reads files into these models, `checks` looks at what they name, `primero` and `dhis2` fill them. `SOURCES` are
the fields that a `referral.made` event can have; nothing else can leave.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from models.shared_fields import SHARED_FIELDS

SERVICE: Final = "service"
"""Within `services` of a Primero mapping: the one service that the entry is about."""

EVENT_KINDS: Final = {"case": "string", "referral": "string", "event": "string", "time": "time", "day": "date"}
"""Of the event itself: the partner's code of the case, the codes of the referral and the event, when it was, and the
day of that (both UTC)."""

SOURCES: Final[dict[str, str]] = {**EVENT_KINDS, **{name: field.kind for name, field in SHARED_FIELDS.items()}}
"""Source field → what it holds: string, date, time, boolean, integer or list (of strings)."""

_UID: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")


def is_uid(value: object) -> bool:
    """Whether a value can be an identifier of DHIS2: eleven letters and digits, a letter first."""
    return isinstance(value, str) and _UID.fullmatch(value) is not None


def _uid(value: str) -> str:
    if is_uid(value):
        return value
    raise PydanticCustomError("no_uid", "write a UID: eleven letters and digits without accents, a letter first")


Uid = Annotated[str, AfterValidator(_uid)]

TargetField = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _plain(value: Any) -> Any:
    if isinstance(value, int) or (isinstance(value, str) and value):
        return value
    raise PydanticCustomError("not_plain", "write a text, a whole number, true or false")


Plain = Annotated[str | int | bool, BeforeValidator(_plain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Value(_Part):
    """How one field is filled: `from` a source (each of its codes looked up in `table`, a list joined by `join`), with
    a `constant`, or with a `uuid` made of the code of the case, referral, event or service: the same at every
    sending."""

    from_: str | None = Field(default=None, alias="from")
    constant: Plain | None = None
    uuid: Literal["case", "referral", "event", "service"] | None = None
    table: TableName | None = None
    join: str | None = Field(default=None, min_length=1, max_length=3)
    required: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.from_, self.constant, self.uuid]
        if sum(each is not None for each in ways) != 1:
            raise PydanticCustomError("one_way", "write one of 'from', 'constant' and 'uuid'")
        if self.from_ is None and (self.table or self.join or self.required):
            raise PydanticCustomError("only_from", "'table', 'join' and 'required' go with 'from'")
        return self


class Services(_Part):
    """One entry of `services_section` for each code of a list; within it `from: service` is that code."""

    each: str
    required: bool = False
    fields: dict[TargetField, Value] = Field(min_length=1)


class _Mapping(_Part):
    """`already_there` are the answers by which the other system says that it has had the referral before."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    tables: dict[TableName, dict[str, Plain]] = {}
    already_there: list[Annotated[int, Field(ge=400, le=499)]] = []


class PrimeroMapping(_Mapping):
    """A case of Primero with its services: the `data` of `POST /api/v2/cases`."""

    system: Literal["primero"]
    case: dict[TargetField, Value] = Field(min_length=1)
    services: Services


class TrackedEntity(_Part):
    """The person; its identifier is made of the partner's code of the case."""

    type: Uid
    org_unit: Value
    attributes: dict[Uid, Value] = {}


class Enrollment(_Part):
    """The enrolment; its identifier is made of the code of the referral. `enrolled_at` names a source with a date."""

    program: Uid
    org_unit: Value
    enrolled_at: str
    occurred_at: str | None = None
    status: Literal["ACTIVE", "COMPLETED", "CANCELLED"] = "ACTIVE"
    attributes: dict[Uid, Value] = {}


class ProgramEvent(_Part):
    """What happened; its identifier is made of the id of the event. `occurred_at` names a source with a date."""

    stage: Uid
    org_unit: Value
    occurred_at: str
    status: Literal["ACTIVE", "COMPLETED", "VISITED", "SCHEDULE", "OVERDUE", "SKIPPED"] = "ACTIVE"
    data_values: dict[Uid, Value] = {}


class Dhis2Mapping(_Mapping):
    """A tracked entity with one enrolment and one event: the body of `POST /api/tracker`."""

    system: Literal["dhis2"]
    tracked_entity: TrackedEntity
    enrollment: Enrollment
    event: ProgramEvent


Mapping = PrimeroMapping | Dhis2Mapping

SYSTEMS: Final[dict[str, type[PrimeroMapping] | type[Dhis2Mapping]]] = {
    "primero": PrimeroMapping,
    "dhis2": Dhis2Mapping,
}
