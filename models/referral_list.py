"""Referrals as the command line shows them: a page of them, one in full, and a partner or consent by its code.

Read only. A page names nobody; one in full is for eyes that may see it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlmodel import Session, col

from models.case import Case
from models.consents import Consent
from models.errors import WrongUse
from models.partner import Partner
from models.referrals import Referral
from models.work import Deadline, DeadlineStatus


class ReferralLine(NamedTuple):
    """A referral, and what is awaited of it: `due_at` is the nearest of its deadlines that run (none: nothing is)."""

    code: str
    case: str
    partner: str
    priority: str
    status: str
    made_at: datetime
    due_at: datetime | None


class ReferralFile(NamedTuple):
    """One referral in full, with the code of the consent that it leans on."""

    line: ReferralLine
    referral: Referral
    consent: str | None


def list_referrals(
    session: Session,
    *,
    now: datetime,
    status: str | None = None,
    partner: str | None = None,
    case: str | None = None,
    overdue: bool = False,
    limit: int,
) -> list[ReferralLine]:
    """The referrals that these filters let through, those due first first. `overdue`: something awaited is late."""
    due = nearest_due()
    query = _lines(due)
    if status is not None:
        query = query.where(col(Referral.status) == status)
    if partner is not None:
        query = query.where(col(Partner.code) == partner)
    if case is not None:
        query = query.where(col(Case.code) == case)
    if overdue:
        query = query.where(due <= now)
    rows = session.execute(query.order_by(due.is_(None), due, col(Referral.id)).limit(limit))
    return [_line(row) for row in rows]


def referral_file(session: Session, code: str) -> ReferralFile:
    """The referral with this code. Raises WrongUse when there is none."""
    row = session.execute(_lines(nearest_due()).where(col(Referral.code) == code)).first()
    if row is None:
        raise WrongUse(
            "There is no such referral.",
            "Cette orientation n'existe pas.",
            remedy="Take its code from `segin referral list`.",
            remedy_fr="Prenez son code dans `segin referral list`.",
        )
    referral = session.scalars(select(Referral).where(col(Referral.code) == code)).one()
    consent = select(col(Consent.code)).where(col(Consent.id) == referral.consent_id)
    return ReferralFile(_line(row), referral, session.scalar(consent))


def consents_of(session: Session, case_id: int) -> list[tuple[Consent, str | None]]:
    """The answers of the person of this case, the first one first, each with the code of its partner."""
    query = (
        select(Consent, col(Partner.code))
        .join(Partner, col(Partner.id) == col(Consent.partner_id), isouter=True)
        .where(col(Consent.case_id) == case_id)
        .order_by(col(Consent.id))
    )
    return [(consent, code) for consent, code in session.execute(query)]


def nearest_due() -> ColumnElement[datetime]:
    """The nearest of a referral's deadlines that run, as a column of a query on referrals."""
    clocks = select(func.min(col(Deadline.due_at))).where(
        col(Deadline.record) == col(Referral.code),
        col(Deadline.case_id) == col(Referral.case_id),
        col(Deadline.kind) == "deadline",
        col(Deadline.status) == DeadlineStatus.OPEN,
    )
    return clocks.correlate(Referral).scalar_subquery()


def find_partner(session: Session, code: str) -> Partner:
    """The partner with this code. Raises WrongUse when there is none."""
    partner = session.scalars(select(Partner).where(col(Partner.code) == code)).first()
    if partner is None:
        raise WrongUse(
            f"There is no partner {code}.",
            f"Il n'y a pas de partenaire {code}.",
            remedy="See `segin partner list`.",
            remedy_fr="Voyez `segin partner list`.",
        )
    return partner


def _lines(due: ColumnElement[datetime]) -> Select[str, str, str, str, str, datetime, datetime]:
    return (
        select(
            col(Referral.code),
            col(Case.code),
            col(Partner.code),
            col(Referral.priority),
            col(Referral.status),
            col(Referral.made_at),
            due,
        )
        .join(Case, col(Case.id) == col(Referral.case_id))
        .join(Partner, col(Partner.id) == col(Referral.partner_id))
    )


def _line(row: Row[str, str, str, str, str, datetime, datetime]) -> ReferralLine:
    code, case, partner, priority, status, made_at, due_at = row
    return ReferralLine(code, case, partner, priority, status, made_at, due_at)
