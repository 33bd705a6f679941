"""Agreements, consents and referrals for the tests of sharing, written straight into the tables. All synthetic."""

from __future__ import annotations

import json
from datetime import date, datetime
from itertools import count
from typing import Any

from edges.webhook_outbox import NOW
from sqlmodel import Session, col, select

from integrations.sharing.covering import Shown, Withheld
from integrations.sharing.projection import enqueue, show
from integrations.webhooks.subscriptions import add_partner
from models import Case, Consent, Event, Partner, PartnerEvent, Referral, SharingAgreement

URL = "https://segin.example.org"
TODAY = NOW.date()
EVERYTHING = ["case.arrived", "case.advanced", "case.closed", "referral.made", "deadline.overdue"]

_numbers = count(1)


def partner(session: Session, code: str) -> Partner:
    return add_partner(session, code=code, name=f"Partner {code}", now=NOW)


def agree(session: Session, to: Partner, **given: Any) -> SharingAgreement:
    """An agreement about every type of event, of the code of the partner unless another is given."""
    row = SharingAgreement(
        **{
            "code": f"with-{to.code}",
            "version": 1,
            "partner_id": to.id,
            "title": "Fictif",
            "purpose": "sharing",
            "event_types": EVERYTHING,
            "fields": ["region", "family_name"],
            "valid_from": date(2024, 1, 1),
            "created_at": NOW,
            **given,
        }
    )
    session.add(row)
    session.flush()
    return row


def consent(session: Session, case: Case, to: Partner | None = None, **given: Any) -> Consent:
    """An answer about sharing: with this partner, else with any."""
    row = Consent(
        **{
            "code": f"consent-{next(_numbers)}",
            "case_id": case.id,
            "purpose": "sharing",
            "partner_id": to.id if to else None,
            "any_partner": to is None,
            "information": ["name"],
            "recorded_at": NOW,
            **given,
        }
    )
    session.add(row)
    session.flush()
    return row


def refer(session: Session, case: Case, to: Partner, **given: Any) -> Referral:
    row = Referral(
        **{
            "code": f"referral-{next(_numbers)}",
            "case_id": case.id,
            "partner_id": to.id,
            "services": ["health"],
            "priority": "urgent",
            "reason": "synthetic reason",
            "made_at": NOW,
            **given,
        }
    )
    session.add(row)
    session.flush()
    return row


def owe(session: Session, *events: Event, to: Partner) -> list[int]:
    """Put the events in line for the partner: the ids of its rows."""
    session.flush()
    enqueue(session, [(event.id or 0, to.id or 0) for event in events])
    query = select(PartnerEvent.id).where(
        col(PartnerEvent.event_id).in_([event.id for event in events]), col(PartnerEvent.partner_id) == to.id
    )
    return [id_ or 0 for id_ in session.exec(query.order_by(col(PartnerEvent.event_id))).all()]


def shown(session: Session, *ids: int, day: date = TODAY, now: datetime = NOW) -> dict[int, Shown | Withheld]:
    return show(session, ids, public_url=URL, day=day, now=now)


def row(session: Session, id_: int) -> PartnerEvent:
    return session.get_one(PartnerEvent, id_, populate_existing=True)


def body(session: Session, id_: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row(session, id_).body or "null")
    return found
