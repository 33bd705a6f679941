"""A published version of a pathway, compiled: immutable, checked, and laid out for `states.decide`.

`states.pathways.loader` builds it from YAML; the engine, the sweeps and the edges read it and never change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from states.calendar import Calendar, Span
from states.facts import OVER, Facts
from states.moves import Announce, Effect, EndDeadline, EndTask, Move, Reason

PRIORITIES = ("emergency", "urgent", "normal")
"""From the most to the least pressing."""


class Text(NamedTuple):
    """One text for users in both languages."""

    fr: str
    en: str

    def in_(self, language: str) -> str:
        """French unless English is asked for."""
        return self.en if language == "en" else self.fr


class StateKind(StrEnum):
    """In a `hold` state the clocks stand still; in a `final` state nothing is left to do."""

    ACTIVE = "active"
    HOLD = "hold"
    FINAL = "final"


class State(NamedTuple):
    """Where a case can be. Partners may learn that a case is in a `shared` state."""

    key: str
    title: Text
    kind: StateKind
    shared: bool


class TaskTemplate(NamedTuple):
    """Human work. Ends with `state` (none: it outlives states); due `due` after `base` (now or arrival). `record` is
    the kind of record that it is about (none: the case)."""

    key: str
    title: Text
    role: str
    state: str | None
    priority: str
    base: str
    due: Span | None
    record: str | None = None

    def due_from(self, calendar: Calendar, now: datetime, arrival: date) -> datetime | None:
        """When it is due if it is opened `now` in a case whose person arrived on `arrival`; none: never."""
        return None if self.due is None else calendar.add(arrival if self.base == "arrival" else now, self.due)


class LadderStep(NamedTuple):
    """Whom to tell when a deadline is overdue by `after`."""

    after: Span
    role: str


class WaiverTerms(NamedTuple):
    """What may be waived of a deadline: more time, up to `extend` after it is due, or after now when it is overdue
    (none: no more time), or all of it (`lift`), so many `times`."""

    extend: Span | None
    lift: bool
    times: int


class DeadlineTemplate(NamedTuple):
    """A clock. `kind` is deadline or timer. It runs out `due` after `base` (now or arrival), less `before`.

    A deadline is its `owner`'s (a role), is reminded of `reminders` before it is due, then climbs its `ladder`;
    `announce` is the event written when it is overdue. A timer fires `trigger` with `reason` and `data`. `record` is
    the kind of record that it is about (none: the case).
    """

    key: str
    kind: str
    title: Text
    owner: str
    state: str | None
    base: str
    due: Span
    before: Span | None = None
    reminders: tuple[Span, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    urgent: bool = False
    announce: str | None = None
    trigger: str | None = None
    reason: str | None = None
    data: Mapping[str, Any] = {}
    record: str | None = None
    waiver: WaiverTerms | None = None

    def due_from(self, calendar: Calendar, now: datetime, arrival: date) -> datetime:
        """When it runs out if it starts `now` in a case whose person arrived on `arrival`."""
        due = calendar.add(arrival if self.base == "arrival" else now, self.due)
        return due if self.before is None else calendar.subtract(due, self.before)


class When(NamedTuple):
    """A condition on a guard or an effect. Everything that is set must hold.

    `priority`: the case's priority (for effects, as the move leaves it). `reason`, `data`: what the move says. `need`:
    the plan asks for it and the move does not waive it. `without`: the case has no grant, or no enrolment, under
    way.
    """

    priority: tuple[str, ...] | None = None
    reason: tuple[str, ...] | None = None
    data: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    need: str | None = None
    without: str | None = None

    def holds(self, facts: Facts, move: Move, priority: str) -> bool:
        if self.priority is not None and priority not in self.priority:
            return False
        if self.reason is not None and move.reason not in self.reason:
            return False
        if not all(move.data.get(name) in values for name, values in self.data):
            return False
        if self.need is not None and (facts.plan is None or self.need not in facts.plan.needs - waived_needs(move)):
            return False
        if self.without is None:
            return True
        found = getattr(facts, self.without)
        return found is None or found.status in OVER[self.without]

    @property
    def reads(self) -> frozenset[str]:
        """The groups of facts that it looks at."""
        groups = {self.without} if self.without else set()
        return frozenset(groups | {"plan"} if self.need else groups)


def waived_needs(move: Move) -> frozenset[str]:
    """The needs of the plan that the move waives: `data["waived"]`, a list of names; nothing when it is malformed."""
    listed = move.data.get("waived", ())
    if not isinstance(listed, list | tuple) or not all(isinstance(need, str) for need in listed):
        return frozenset()
    return frozenset(listed)


class GuardUse(NamedTuple):
    """A guard with its parameters, as one transition uses it. `refusal` is what `check` answers when it does not hold.

    `asks` names the part of a move that it checks (reason, note, or a field of data), with the `choices` that it lets
    through.
    """

    name: str
    check: Callable[[Facts, Move, datetime], Reason | None]
    refusal: Reason
    when: When | None
    reads: frozenset[str]
    asks: str | None = None
    choices: tuple[Any, ...] = ()


class EndRule(NamedTuple):
    """End something if `when` holds, else do `otherwise` (none: nothing)."""

    when: When
    effect: EndTask | EndDeadline
    otherwise: EndTask | EndDeadline | None


class OpenRule(NamedTuple):
    """Open a task. `unless_open`: one that is already open stays as it is."""

    template: TaskTemplate
    when: When | None
    unless_open: bool


class SetRule(NamedTuple):
    """Start a clock. `unless_open`: one that already runs stays as it is."""

    template: DeadlineTemplate
    when: When | None
    unless_open: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """Everything that a transition does on its way to one state, in the order in which it is written: `fixed` (ends,
    clocks held or resumed, priority), `ends` under a condition, `sets`, `opens`, `announces`."""

    to_state: str
    priority: str | None = None
    fixed: tuple[Effect, ...] = ()
    ends: tuple[EndRule, ...] = ()
    sets: tuple[SetRule, ...] = ()
    opens: tuple[OpenRule, ...] = ()
    announces: tuple[Announce, ...] = ()


class RecordKind(NamedTuple):
    """Something that a case carries and that has states of its own, such as a referral."""

    key: str
    title: Text
    states: Mapping[str, Text]


class Care(NamedTuple):
    """The policy of psychosocial care. `levels` (instrument, then band) and `flags` say which of IASC's four levels of
    support a result asks for; `notes` are the roles that read the notes of sessions."""

    levels: Mapping[str, Mapping[str, int]]
    flags: Mapping[str, int]
    notes: frozenset[str]

    def level(self, instrument: str, band: str | None, flags: Iterable[str]) -> int | None:
        """The level that one result asks for; none when the policy does not speak of it."""
        asked = [self.flags[flag] for flag in flags if flag in self.flags]
        if band in self.levels.get(instrument, {}):
            asked.append(self.levels[instrument][band or ""])
        return max(asked, default=None)


class RecordStep(NamedTuple):
    """The step that a transition is for a record: made in `to` (no `sources`), or taken on from one of `sources`."""

    kind: str
    sources: tuple[str, ...]
    to: str


@dataclass(frozen=True, slots=True)
class Transition:
    """What a trigger does in one state. `branches` has one entry, or, for a way back to where the case came from
    (`to_previous`), one for each state that it may have come from. `record` is the step that it is for one of the
    case's records, `details` that it stands for something that has to be written with it; `takes_back` that it
    takes back the last transition of the case."""

    state: str
    trigger: str
    internal: bool
    to_previous: bool
    roles: frozenset[str]
    guards: tuple[GuardUse, ...]
    branches: Mapping[str, Branch]
    only: Branch | None
    reads: frozenset[str]
    record: RecordStep | None = None
    details: bool = False
    takes_back: bool = False
    waives: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Pathway:
    """See the module. `table` is the lookup of every decision: (state, trigger) to transition. `entries` says what
    entering each state begins, `vulnerabilities` how pressing each is when nobody says otherwise, `care` the policy of
    psychosocial care."""

    name: str
    version: int
    title: Text
    content_hash: str
    timezone: ZoneInfo
    calendar: Calendar
    initial: str
    states: Mapping[str, State]
    triggers: Mapping[str, Text]
    fields: Mapping[str, Text]
    roles: Mapping[str, Text]
    close_reasons: Mapping[str, Text]
    hold_reasons: Mapping[str, Text]
    record_reasons: Mapping[str, Text]
    waive_reasons: Mapping[str, Text]
    tasks: Mapping[str, TaskTemplate]
    deadlines: Mapping[str, DeadlineTemplate]
    records: Mapping[str, RecordKind]
    vulnerabilities: Mapping[str, str]
    care: Care
    entries: Mapping[str, Branch]
    registration: Branch
    table: Mapping[tuple[str, str], Transition]
    needed: Mapping[str, frozenset[str]]
    urgent_deadlines: frozenset[str]

    def needs(self, trigger: str) -> frozenset[str]:
        """The groups of `states.facts.FACT_GROUPS` that deciding on this trigger reads; none for an unknown one."""
        return self.needed.get(trigger, frozenset())
