"""The shape of a pathway file, checked by Pydantic; `docs/pathway.md` explains each part to its authors.

`states.pathways.loader` validates a file against `PathwayFile`; `states.pathways.checks` looks at what refers to what.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

import holidays
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from states.calendar import Span
from states.pathway import Text
from states.record_words import Words, record_words


def _span(value: object) -> Span:
    if not isinstance(value, str):
        said = "a span is text such as P3M, P15D, PT24H or '14 working days'"
        raise PydanticCustomError("no_span", said, {"given": value})
    try:
        return _parsed(value)
    except ValueError as error:
        raise PydanticCustomError("no_span", "{said}", {"said": str(error), "given": value}) from None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Span:
    return Span.parse(text)


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):  # unknown, not a name, or a folder of names
        said = "this time zone is not known; write one such as Africa/Bamako"
        raise PydanticCustomError("no_zone", said) from None


def _country(value: str) -> str:
    if value not in holidays.list_supported_countries():
        said = "there is no list of public holidays for this country; write an ISO 3166 code such as ML"
        raise PydanticCustomError("no_country", said)
    return value


def _list(value: object) -> object:
    """One name may stand for a list of one."""
    return [value] if isinstance(value, str | int | dict) else value


def _task(value: object) -> object:
    return {"task": value} if isinstance(value, str) else value


def _deadline(value: object) -> object:
    return {"deadline": value} if isinstance(value, str) else value


def _guard(value: object) -> object:
    return {"guard": value} if isinstance(value, str) else value


Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Keys = Annotated[list[Key], BeforeValidator(_list), Field(min_length=1)]
EVERYWHERE: Final = "*"
"""Stands for every state that is not final."""
Sources = Annotated[
    list[Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,62}|\*)$")]], BeforeValidator(_list), Field(min_length=1)
]
Sentence = Annotated[str, Field(min_length=1, max_length=400, pattern=r"\S")]
SpanText = Annotated[Span, BeforeValidator(_span)]
Base = Literal["now", "arrival"]
Priority = Literal["emergency", "urgent", "normal"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Plain = str | int | bool
CareLevel = Annotated[int, Field(ge=1, le=4, strict=True)]


class Part(BaseModel):
    """Every part refuses what it does not know: a misspelt key must not be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class TextPart(Part):
    """A text for users; both languages are asked for everywhere."""

    fr: Sentence
    en: Sentence

    @property
    def text(self) -> Text:
        return Text(self.fr, self.en)


class CalendarPart(Part):
    weekend: Annotated[list[Day], Field(max_length=6)]
    holidays: Annotated[str, AfterValidator(_country)] | None = None
    days_off: list[date] = []
    working_days: list[date] = []


class WhenPart(Part):
    priority: Annotated[list[Priority], BeforeValidator(_list), Field(min_length=1)] | None = None
    reason: Keys | None = None
    data: dict[Key, Annotated[list[Plain], BeforeValidator(_list), Field(min_length=1)]] = {}
    need: Key | None = None
    without: Literal["grant", "enrolment"] | None = None


class EndTaskPart(Part):
    task: Key
    when: WhenPart | None = None


class OpenTaskPart(EndTaskPart):
    unless_open: bool = False


class EndDeadlinePart(Part):
    deadline: Key
    when: WhenPart | None = None


class SetDeadlinePart(EndDeadlinePart):
    unless_open: bool = False


class TaskEffects(Part):
    open: list[Annotated[OpenTaskPart, BeforeValidator(_task)]] = []
    complete: list[Annotated[EndTaskPart, BeforeValidator(_task)]] = []
    cancel: list[Annotated[EndTaskPart, BeforeValidator(_task)]] = []


class DeadlineEffects(Part):
    set: list[Annotated[SetDeadlinePart, BeforeValidator(_deadline)]] = []
    meet: list[Annotated[EndDeadlinePart, BeforeValidator(_deadline)]] = []
    cancel: list[Annotated[EndDeadlinePart, BeforeValidator(_deadline)]] = []


class EntryPart(Part):
    open: list[Annotated[OpenTaskPart, BeforeValidator(_task)]] = []
    set: list[Annotated[SetDeadlinePart, BeforeValidator(_deadline)]] = []


class StatePart(Part):
    title: TextPart
    kind: Literal["active", "hold", "final"] = "active"
    shared: bool
    on_entry: EntryPart = EntryPart()
    on_return: EntryPart | None = None


class RecordPart(Part):
    """Something that a case carries, with states of its own."""

    title: TextPart
    states: Annotated[dict[Key, TextPart], Field(min_length=1)]
    made_with: Key | None = None


class CarePart(Part):
    """Psychosocial care: which level a result asks for (by instrument and band, or by flag), and which roles read the
    notes of sessions."""

    levels: dict[Key, dict[Key, CareLevel]] = {}
    flags: dict[Key, CareLevel] = {}
    notes: list[Key] = []


class RecordStepPart(Part):
    kind: Key
    from_: Annotated[list[Key], BeforeValidator(_list)] = Field(alias="from", default=[])
    to: Key


class TaskPart(Part):
    title: TextPart
    role: Key
    state: Key | None = None
    record: Key | None = None
    priority: Priority = "normal"
    base: Base = "now"
    due: SpanText | None = None


class LadderPart(Part):
    after: SpanText
    role: Key


class ClockPart(Part):
    title: TextPart
    owner: Key
    state: Key | None = None
    record: Key | None = None
    base: Base = "now"
    due: SpanText


class WaiverPart(Part):
    extend: SpanText | None = None
    lift: bool = False
    times: Annotated[int, Field(ge=1, le=99, strict=True)] = 1


class DeadlinePart(ClockPart):
    reminders: list[SpanText] = []
    ladder: Annotated[list[LadderPart], Field(min_length=1)]
    urgent: bool = False
    announce: str | None = None
    waiver: WaiverPart | None = None


class TimerPart(ClockPart):
    before: SpanText | None = None
    trigger: Key
    reason: Key | None = None
    data: dict[Key, Plain] = {}


class GuardPart(Part):
    guard: Key
    with_: dict[Key, Any] = Field(default={}, alias="with")
    when: WhenPart | None = None


class TransitionPart(Part):
    trigger: Key
    from_: Sources = Field(alias="from")
    to: Key | None = None
    record: RecordStepPart | None = None
    details: bool = False
    takes_back: bool = False
    waives: bool = False
    roles: Keys
    guards: Annotated[list[Annotated[GuardPart, BeforeValidator(_guard)]], Field(max_length=50)] = []
    priority: Priority | None = None
    tasks: TaskEffects = TaskEffects()
    deadlines: DeadlineEffects = DeadlineEffects()
    announce: list[str] = []


class ReasonsPart(Part):
    close: Annotated[dict[Key, TextPart], Field(min_length=1)]
    hold: dict[Key, TextPart] = {}
    record: dict[Key, TextPart] = {}
    waive: dict[Key, TextPart] = {}

    @property
    def all(self) -> dict[str, TextPart]:
        """Every reason; one that stands in two groups is one."""
        return {**self.waive, **self.record, **self.hold, **self.close}


class RegistrationPart(EntryPart):
    announce: list[str]


class PathwayFile(Part):
    pathway: Key
    version: Annotated[int, Field(ge=1, strict=True)]
    title: TextPart
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    calendar: CalendarPart
    initial: Key
    roles: Annotated[dict[Key, TextPart], Field(min_length=1)]
    reasons: ReasonsPart
    states: Annotated[dict[Key, StatePart], Field(min_length=1)]
    triggers: Annotated[dict[Key, TextPart], Field(min_length=1)]
    fields: dict[Key, TextPart] = {}
    records: dict[Key, RecordPart] = {}
    vulnerabilities: dict[Key, Priority] = {}
    care: CarePart = CarePart()
    tasks: dict[Key, TaskPart] = {}
    deadlines: dict[Key, DeadlinePart] = {}
    timers: dict[Key, TimerPart] = {}
    registration: RegistrationPart
    transitions: Annotated[list[TransitionPart], Field(min_length=1)]

    @model_validator(mode="after")
    def _everywhere(self) -> Self:
        """`from: "*"` is written out, so that nobody else has to know of it."""
        states = [key for key, state in self.states.items() if state.kind != "final"]
        for index, part in enumerate(self.transitions):
            if EVERYWHERE in part.from_:
                others = [key for key in part.from_ if key not in (EVERYWHERE, *states)]
                self.transitions[index] = part.model_copy(update={"from_": [*states, *others]})
        return self

    @property
    def clocks(self) -> dict[str, DeadlinePart | TimerPart]:
        """Deadlines and timers, which share one space of names."""
        return {**self.deadlines, **self.timers}

    @property
    def words(self) -> Words:
        """What guards' parameters may name, by kind: key to title."""
        return {
            **record_words(),
            "role": {key: part.text for key, part in self.roles.items()},
            "reason": {key: part.text for key, part in self.reasons.all.items()},
            "state": {key: part.title.text for key, part in self.states.items()},
            "clock": {key: part.title.text for key, part in self.clocks.items()},
            "field": {key: part.text for key, part in self.fields.items()},
            "record state": {
                f"{kind}.{key}": Text(f"{part.title.fr} : {state.fr}", f"{part.title.en}: {state.en}")
                for kind, part in self.records.items()
                for key, state in part.states.items()
            },
        }
