"""The values that go into and come out of a decision: actor, move, effects, decision, refusal, outcome.

`states.decide` makes decisions and refusals, `states.advance` outcomes; every edge builds moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member of staff by id, a partner's system (role `partner`, `partner_id`), or the system (role
    `system`)."""

    role: str
    id: int | None = None
    office_id: int | None = None
    partner_id: int | None = None


SYSTEM = Actor(role="system")

ANYBODY: Final = 0
"""The id of somebody who is nobody's author or approver: what a guard says of them it says of everybody else."""


@dataclass(frozen=True, slots=True)
class Move:
    """A request to fire a trigger on one case.

    `command_id` makes a retry safe: the same id moves once. `expected_version` none means "whatever it is now".
    `reason` is a code (a closing or hold reason), `note` free text (sensitive), `data` small facts that the
    transition's guards and deadlines may name. `record` is the code of the record that the move is about (a referral,
    a grant): the one that it makes, or the one that it takes a step on.
    `details` says that whoever fires it writes what it stands for in the same transaction (`states.casework`): a visit,
    a referral. Without them such a move is refused.
    `objections` are what stands against it outside of the case, as whoever fires it found under a lock: a course that
    is full, a budget that is spent.
    """

    case_id: int
    trigger: str
    actor: Actor
    command_id: str
    correlation_id: str
    expected_version: int | None = None
    reason: str | None = None
    note: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    record: str | None = None
    details: bool = False
    objections: tuple[Reason, ...] = ()


class OpenTask(NamedTuple):
    """Open a task from the template `key`; `state` is the state that it ends with (none: it outlives states), `record`
    the code of the record that it is about."""

    key: str
    role: str
    state: str | None
    priority: str
    due_at: datetime | None
    record: str | None = None


class EndTask(NamedTuple):
    """End an open or held task: done because the transition was what it asked for, or cancelled. `record`: only the
    one about this record (none: all of this key)."""

    key: str
    done: bool
    record: str | None = None


class SetDeadline(NamedTuple):
    """Start a clock. `next_at` is the first instant at which the sweep must look at it (due, for a timer too), `record`
    the code of the record that it is about."""

    key: str
    kind: str
    state: str | None
    due_at: datetime
    next_at: datetime
    record: str | None = None


class EndDeadline(NamedTuple):
    """Stop a clock: met (kept or late, by its due time) or cancelled. `record`: only the one about this record (none:
    all of this key)."""

    key: str
    met: bool
    record: str | None = None


class SetRecord(NamedTuple):
    """A record of the case takes a step in its own small machine; `from_status` none: it is made in this moment."""

    kind: str
    code: str
    from_status: str | None
    to_status: str


class RewriteTask(NamedTuple):
    """An existing task of the case is, from now on, open or held (`status`) and as said here. Whoever has it keeps it,
    unless its `role` changes: then it is `staff_id`'s (none: to be assigned). `first_due_at` none: as it was."""

    id: int
    key: str
    state: str | None
    role: str
    staff_id: int | None
    priority: str
    status: str
    due_at: datetime | None
    first_due_at: datetime | None = None


class RewriteDeadline(NamedTuple):
    """An existing clock of the case is, from now on, open or held (`status`) and as said here."""

    id: int
    key: str
    state: str | None
    status: str
    due_at: datetime
    first_due_at: datetime
    next_at: datetime | None
    level: int
    overdue_at: datetime | None
    escalated_at: datetime | None


class Corrects(NamedTuple):
    """The move takes back the journal row `seq` of the case."""

    seq: int


class UndoStep(NamedTuple):
    """What the step `trigger` wrote on the record `code` is put back; the record is at `to_status` again. `earlier` is
    the seq of the step that it took before (none: it was made with another row)."""

    trigger: str
    code: str
    earlier: int | None
    to_status: str


class Restore(NamedTuple):
    """The case's own fields are as they were in the state that it goes back to, not as for one that enters it."""

    entered_state_at: datetime
    previous_state: str | None
    held_at: datetime | None
    closure_reason: str | None
    closed_at: datetime | None


class WaiveDeadline(NamedTuple):
    """A running deadline gets more time, to the instant `until`, or is lifted (none)."""

    id: int
    key: str
    until: datetime | None


class HoldClocks(NamedTuple):
    """Tasks and deadlines stand still from now on."""


class ResumeClocks(NamedTuple):
    """Held tasks and deadlines go on, each due as much later as they stood still."""


class SetPriority(NamedTuple):
    """The case's urgency changes: emergency, urgent or normal."""

    priority: str


class Announce(NamedTuple):
    """Write an event of this type into the outbox; `data` is thin, codes only. `only_for` are the partners that it is
    for (none: everybody who subscribes)."""

    type: str
    data: Mapping[str, Any]
    only_for: tuple[int, ...] | None = None


Effect = (
    OpenTask
    | EndTask
    | SetDeadline
    | EndDeadline
    | RewriteTask
    | RewriteDeadline
    | WaiveDeadline
    | SetRecord
    | Corrects
    | UndoStep
    | Restore
    | HoldClocks
    | ResumeClocks
    | SetPriority
    | Announce
)


class Reason(NamedTuple):
    """One named reason why not. `code` names the guard (or unknown_trigger, wrong_state, role_not_allowed),
    `missing` the field whose change would lift it; the texts are whole sentences without personal data."""

    code: str
    text_fr: str
    text_en: str
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a move does: the state it leads to and its effects, in the order in which they are written."""

    from_state: str
    to_state: str
    trigger: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a move is not possible: every reason, not only the first."""

    from_state: str
    trigger: str
    reasons: tuple[Reason, ...]


class OutcomeKind(StrEnum):
    """N moves give N outcomes, each one of these."""

    MOVED = "moved"
    REFUSED = "refused"
    STALE = "stale"
    UNKNOWN = "unknown"
    ALREADY_DONE = "already_done"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one move. `seq` and `to_state` are set when it moved or had moved before; `reasons` when refused;
    `version` is the case's present version (none for an unknown case)."""

    kind: OutcomeKind
    case_id: int
    command_id: str
    version: int | None = None
    seq: int | None = None
    from_state: str | None = None
    to_state: str | None = None
    reasons: tuple[Reason, ...] = ()
