"""What makes the person of a case vulnerable and who answers for them, as lists that the command line, the API and the
console show."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from models import Guardian, Vulnerability
from states.pathways.shelf import pathways_of


class VulnerabilityLine(NamedTuple):
    """One vulnerability, with when each step was taken."""

    code: str
    kind: str
    urgency: str
    status: str
    source: str
    note: str | None
    identified_at: datetime
    addressed_at: datetime | None
    closed_at: datetime | None


class GuardianLine(NamedTuple):
    """Who answers, or answered, for the child."""

    code: str
    relation: str
    name: str
    phone: str | None
    status: str
    recorded_at: datetime
    verified_at: datetime | None
    ended_at: datetime | None


class Protection(NamedTuple):
    """Both, the oldest first."""

    vulnerabilities: tuple[VulnerabilityLine, ...]
    guardians: tuple[GuardianLine, ...]


def protection_of(session: Session, case_id: int, version_id: int, role: str) -> Protection | None:
    """What is known of the case; none for a role that does not see to it: one that the case's version of the pathway
    lets record no screening. Three statements."""
    table = pathways_of(session, [version_id])[version_id].table
    if not any(each.trigger == "record_screening" and role in each.roles for each in table.values()):
        return None
    found = session.exec(
        select(Vulnerability).where(Vulnerability.case_id == case_id).order_by(col(Vulnerability.id))
    ).all()
    guardians = session.exec(select(Guardian).where(Guardian.case_id == case_id).order_by(col(Guardian.id))).all()
    return Protection(
        tuple(VulnerabilityLine(*(getattr(row, name) for name in VulnerabilityLine._fields)) for row in found),
        tuple(GuardianLine(*(getattr(row, name) for name in GuardianLine._fields)) for row in guardians),
    )
