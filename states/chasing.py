"""Chases partners who have not answered a referral in time. The nightly run calls it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from models.care import Referral
from models.case import Case
from models.types import BigId, UtcDateTime
from states import bulk
from states.notices import NewNotice, NoticeKind, write_deadline_notices

CHASER = "coordinator"
"""The role that is told of a partner's silence."""

_CHASE = bulk.SetStatement(
    "UPDATE referral SET chased_at = r.at FROM {rows} WHERE referral.id = r.id", id=BigId, at=UtcDateTime()
)


def chase_silent_partners(session: Session, *, as_of: datetime, limit: int) -> int:
    """Tell the coordinators of up to `limit` referrals that are past due without an answer; return how many.

    Each referral is chased once, and none while its case is on hold or closed. Three statements.
    """
    silent = session.execute(
        select(col(Referral.id), col(Referral.case_id), col(Case.office_id))
        .join(Case, col(Case.id) == col(Referral.case_id))
        .where(
            col(Referral.status) == "in_progress",
            col(Referral.due_at) <= as_of,
            col(Referral.chased_at).is_(None),
            col(Case.held_at).is_(None),
            col(Case.closed_at).is_(None),
        )
        .order_by(col(Referral.due_at), col(Referral.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True, of=Referral)
    ).all()
    if silent:
        _CHASE.execute(session, [(referral.id, bulk.time_text(as_of)) for referral in silent])
    return write_deadline_notices(
        session,
        [NewNotice(row.case_id, NoticeKind.PARTNER_SILENT, CHASER, row.office_id, as_of) for row in silent],
    )
