"""Follow-up: visits with what was found, tries to reach a person, and what those who leave early say.

`states.casework.follow_up` writes them, each with its row of the journal (`seq`). What is taken back stays, marked.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, sensitive


class FollowUpVisit(SQLModel, table=True):
    """A follow-up visit, known by the calendar months after follow-up began (3, 6, 12).

    A visit to a household is one `occasion` with a row for each member: visits made are counted by occasion, people by
    row. `intention` is whether the person means to migrate again (yes, no, unsure), with `why` and what `could_change`
    it; all answers are codes of `states.follow_up_words`, `satisfaction` is 1 to 5.
    """

    __tablename__ = "follow_up_visit"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    seq: int | None = internal(default=None)
    occasion: str = internal(index=True)
    months: int = internal()
    visited_at: datetime = personal(sa_type=UtcDateTime)
    outcome: str = sensitive()
    income: str | None = sensitive(default=None)
    housing: str | None = sensitive(default=None)
    well_being: str | None = sensitive(default=None)
    satisfaction: int | None = sensitive(default=None)
    intention: str | None = sensitive(default=None)
    why: list[str] = sensitive(default_factory=list, sa_type=Json)
    could_change: list[str] = sensitive(default_factory=list, sa_type=Json)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note: str | None = sensitive(default=None)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class ContactAttempt(SQLModel, table=True):
    """One try to reach a person: by phone, visit, relative or authority; reached, not_reached, refused or moved."""

    __tablename__ = "contact_attempt"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    seq: int | None = internal(default=None)
    at: datetime = personal(sa_type=UtcDateTime)
    channel: str = internal()
    result: str = personal()
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note: str | None = sensitive(default=None)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class ExitInterview(SQLModel, table=True):
    """Why somebody leaves the programme early (`about`: the closing reason to come), and what could change it.

    `heard_from` is the person, a relative, or nobody."""

    __tablename__ = "exit_interview"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    seq: int | None = internal(default=None)
    about: str = sensitive()
    heard_from: str = sensitive(default="person")
    why: list[str] = sensitive(default_factory=list, sa_type=Json)
    could_change: list[str] = sensitive(default_factory=list, sa_type=Json)
    recorded_at: datetime = personal(sa_type=UtcDateTime)
    staff_id: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    note: str | None = sensitive(default=None)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
