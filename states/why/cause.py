"""The values of the answer to "why is this case stuck?": what is looked at beside the facts, and the cause itself.

`states.why.reasoning` makes causes of situations; `states.why.situations` reads these from the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from states.facts import Facts
from states.pathway import Text


class CauseKind(StrEnum):
    """What can hold a case, in the order in which it is looked for: the first that applies is the cause.

    `hold`: the case is on hold. `silent_partner`: a partner has not answered a referral in time (before all else when
    the referral is an emergency or urgent, after the guards when it is not). `nobody_assigned`: a task is overdue that
    nobody has. `guard`: the case is late and the pathway bars the next move. `overdue_person`: somebody's task or
    deadline is overdue. `forgotten`: no task and no clock reminds anybody of the case. The last three hold no case:
    `waiting` for a timer of the pathway, `on_time`, `closed`.
    """

    HOLD = "hold"
    SILENT_PARTNER = "silent_partner"
    NOBODY_ASSIGNED = "nobody_assigned"
    GUARD = "guard"
    OVERDUE_PERSON = "overdue_person"
    FORGOTTEN = "forgotten"
    WAITING = "waiting"
    ON_TIME = "on_time"
    CLOSED = "closed"


STUCK = frozenset(CauseKind) - {CauseKind.WAITING, CauseKind.ON_TIME, CauseKind.CLOSED}
"""The kinds that hold a case."""


class Work(NamedTuple):
    """An open task, and the login of whoever has it (none: nobody)."""

    key: str
    record: str | None
    role: str
    login: str | None
    priority: str
    opened_at: datetime
    due_at: datetime | None


class Clock(NamedTuple):
    """A clock that runs: a deadline, or a timer."""

    key: str
    record: str | None
    kind: str
    due_at: datetime


class Unanswered(NamedTuple):
    """A referral that waits for its partner's answer; when that is due is in its clocks."""

    code: str
    partner: str
    partner_name: str
    priority: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """One case with its open work. `hold_reason` is the code with which its present hold began."""

    code: str
    facts: Facts
    tasks: tuple[Work, ...] = ()
    clocks: tuple[Clock, ...] = ()
    referrals: tuple[Unanswered, ...] = ()
    hold_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What holds a case, and the smallest action that frees it.

    `sentence` says both, without naming the returnee. `label` is what the causes of this `kind` and `about` (a guard
    with its missing field, a partner, a task, a deadline, a reason) are called together. The action is the move
    `trigger` or the task `task` (of `record`), and is up to `role`, of whom it is `login` who has it.
    """

    kind: CauseKind
    about: str
    label: Text
    sentence: Text
    since: datetime
    guard: str | None = None
    missing: str | None = None
    trigger: str | None = None
    task: str | None = None
    record: str | None = None
    role: str | None = None
    login: str | None = None
    partner: str | None = None

    @property
    def stuck(self) -> bool:
        """Whether it holds the case at all."""
        return self.kind in STUCK
