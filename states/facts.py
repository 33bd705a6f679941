"""What guards may know about a case, as plain values. `states.gather` reads them from the database in a fixed number
of statements for a whole batch; tests and simulations build them by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

from states.calendar import NO_LOCAL_DAYS, LocalDays
from states.history import Past

CAME_TO_NOTHING: Final = {
    "enrolment": frozenset({"withdrawn", "lapsed", "taken_back"}),
    "grant": frozenset({"rejected", "cancelled", "taken_back"}),
}
"""Where an enrolment or a grant is of which nothing came: it counts as if it had never been."""

OVER: Final = {
    "enrolment": CAME_TO_NOTHING["enrolment"] | {"completed", "dropped_out"},
    "grant": CAME_TO_NOTHING["grant"] | {"verified"},
}
"""Where an enrolment or a grant is that is not under way any more."""


class AssessmentFact(NamedTuple):
    """The newest result of one instrument."""

    instrument: str
    score: int | None
    band: str | None
    flags: frozenset[str]
    assessed_at: datetime


class VulnerabilityFact(NamedTuple):
    """One vulnerability: what it is, how pressing (emergency, urgent, normal), and where it is in its small machine."""

    kind: str
    urgency: str
    status: str


class PlanFact(NamedTuple):
    """The newest revision of the case plan."""

    status: str
    needs: frozenset[str]
    author_id: int | None
    approver_id: int | None


class EnrolmentFact(NamedTuple):
    """The newest training enrolment that came to something; `certified` when any of them has its certificate."""

    status: str
    certified: bool


class GrantFact(NamedTuple):
    """The newest livelihood grant that was not rejected or cancelled."""

    status: str
    proposed_by: int | None
    approved_by: int | None
    approved_at: datetime | None


class GrantPlanFact(NamedTuple):
    """The business plan of one grant: its kind, its amount and what was bought of it (XOF), and who signed."""

    kind: str
    amount_xof: int
    spent_xof: int
    proposed_by: int | None
    endorsed_by: int | None


class RecordFact(NamedTuple):
    """One record with a small machine of its own: where it is, who made it, which partner it is for (none: nobody's),
    and the code of the record that it leans on, as a referral does on a consent."""

    kind: str
    code: str
    status: str
    made_by: int | None
    partner_id: int | None = None
    leans_on: str | None = None


class AttemptFact(NamedTuple):
    """A try to reach the person; `result` as in `states.follow_up_words`."""

    at: datetime
    channel: str
    result: str


class ClockFact(NamedTuple):
    """A deadline or timer that runs, on hold or not, and how often it was waived."""

    id: int
    key: str
    record: str | None
    due_at: datetime
    waivers: int


@dataclass(frozen=True, slots=True)
class Facts:
    """One case at one instant. Groups that no guard of the asked triggers needs are left at their defaults.

    `birth_precision` is exact, year or approximate; `vulnerabilities` what the manifest said, `identified`
    what was identified, by code. `consents` are the purposes given and not revoked, `consents_recorded` those asked at
    all; `shares` says what may be shared with each partner who was asked about by name (none: the person said no),
    under none with any other partner; `visits` the follow-up months visited; `attempts` the tries to reach the person,
    the oldest first; `exit_talks` the closing reasons that were talked about; `open_tasks` and `open_deadlines` the
    keys that are open or held; `done_tasks` the keys ever done; `records` everything of the case that has a small
    machine of its own, by code; `shown` the partners who saw something under a consent, by its code; `local_days` what
    the calendar of the case's office adds to the pathway's; `clocks` the deadlines and timers that run, the oldest
    first; `past` what taking back the last transition needs.
    `grants` are its business plans, by code.
    """

    case_id: int
    state: str
    version: int
    entered_state_at: datetime
    arrival_date: date
    registered_at: datetime
    previous_state: str | None = None
    held_at: datetime | None = None
    priority: str = "normal"
    closure_reason: str | None = None
    region_pcode: str | None = None
    office_id: int | None = None
    birth_date: date | None = None
    birth_precision: str = "exact"
    vulnerabilities: frozenset[str] = frozenset()
    identified: dict[str, VulnerabilityFact] = field(default_factory=dict)
    consents: frozenset[str] = frozenset()
    consents_recorded: frozenset[str] = frozenset()
    shares: dict[int | None, frozenset[str] | None] = field(default_factory=dict)
    assessments: dict[str, AssessmentFact] = field(default_factory=dict)
    plan: PlanFact | None = None
    sessions_attended: int = 0
    enrolment: EnrolmentFact | None = None
    grant: GrantFact | None = None
    grants: dict[str, GrantPlanFact] = field(default_factory=dict)
    visits: frozenset[int] = frozenset()
    attempts: tuple[AttemptFact, ...] = ()
    exit_talks: frozenset[str] = frozenset()
    open_referrals: int = 0
    open_tasks: frozenset[str] = frozenset()
    done_tasks: frozenset[str] = frozenset()
    open_deadlines: frozenset[str] = frozenset()
    records: dict[str, RecordFact] = field(default_factory=dict)
    shown: dict[str, tuple[int, ...]] = field(default_factory=dict)
    local_days: LocalDays = NO_LOCAL_DAYS
    clocks: tuple[ClockFact, ...] = ()
    past: Past | None = None


FACT_GROUPS = (
    "returnee",
    "vulnerabilities",
    "consents",
    "assessments",
    "plan",
    "sessions",
    "enrolment",
    "grant",
    "grants",
    "visits",
    "attempts",
    "exit_talks",
    "referrals",
    "tasks",
    "deadlines",
    "records",
    "shown",
    "clocks",
)
"""The groups of `Facts` that cost a query of their own; the case row is always there. A guard names those it reads."""

PAST = "past"
"""The group that only taking back a transition reads; it is large, so it is asked for by name."""
