"""What screening finds: assessments that repeat, the definitions that scored them, vulnerabilities, guardians.

`states.casework` writes them; guards read them through `states.facts`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.types import BigId, Json, UtcDateTime, internal, personal, public, sensitive


class InstrumentDefinition(SQLModel, table=True):
    """A version of an instrument as it was when it first scored somebody (`document`, as JSON). It never changes
    afterwards, so that what it scored can be read for ever."""

    __tablename__ = "instrument_definition"
    __table_args__ = (UniqueConstraint("instrument", "version", name="uq_instrument_definition_version"),)

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    instrument: str = public()
    version: int = public()
    fingerprint: str = public()
    document: str = public()
    first_used_at: datetime = internal(sa_type=UtcDateTime)


class Assessment(SQLModel, table=True):
    """A vulnerability screening or a scored instrument (K6, PHQ-4, PHQ-9, WHO-5), with the version that scored it.

    `subscales` has the score and band of each subscale. `seq` is the journal row; what was recorded by mistake is
    `taken_back_at`."""

    __tablename__ = "assessment"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    seq: int | None = internal(default=None)
    instrument: str = sensitive()
    version: str = internal()
    answers: dict[str, Any] = sensitive(sa_type=Json)
    score: int | None = sensitive(default=None)
    band: str | None = sensitive(default=None)
    percent: int | None = sensitive(default=None)
    subscales: dict[str, Any] | None = sensitive(default=None, sa_type=Json)
    flags: list[str] = sensitive(default_factory=list, sa_type=Json)
    assessed_at: datetime = internal(sa_type=UtcDateTime)
    assessed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    taken_back_at: datetime | None = internal(default=None, sa_type=UtcDateTime)


class Vulnerability(SQLModel, table=True):
    """Something that makes a person vulnerable, with how pressing it is (emergency, urgent, normal).

    Status: identified, addressed, resolved, or dismissed (it was none). `source`: manifest, screening or session."""

    __tablename__ = "vulnerability"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    kind: str = sensitive()
    urgency: str = sensitive()
    status: str = internal(default="identified")
    source: str = internal()
    note: str | None = sensitive(default=None)
    identified_at: datetime = internal(sa_type=UtcDateTime)
    identified_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    addressed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    addressed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    closed_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    closed_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)


class Guardian(SQLModel, table=True):
    """Who answers for a child: a parent, a relative, an institution or the social service.

    Status: recorded, verified, ended."""

    __tablename__ = "guardian"

    id: int | None = internal(default=None, primary_key=True, sa_type=BigId)
    code: str = internal(unique=True)
    case_id: int = internal(foreign_key="case.id", index=True, sa_type=BigId)
    relation: str = personal()
    name: str = personal()
    phone: str | None = personal(default=None)
    status: str = internal(default="recorded")
    recorded_at: datetime = internal(sa_type=UtcDateTime)
    recorded_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    verified_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    verified_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
    ended_at: datetime | None = internal(default=None, sa_type=UtcDateTime)
    ended_by: int | None = internal(default=None, foreign_key="staff.id", sa_type=BigId)
