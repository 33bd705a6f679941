"""Partners that owe an answer, for the tests of silence and reminders, in rows of their own. All synthetic."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from night_cases import ARRIVAL
from sqlmodel import Session, col, select

from models import Event, Partner, PartnerEvent, SharingAgreement

NUMBERS = count(1)


def agree(session: Session, partner: Partner, within: str, code: str = "accord") -> SharingAgreement:
    row = SharingAgreement(
        code=code,
        version=1,
        partner_id=partner.id or 0,
        title="Accord fictif",
        purpose="sharing",
        acknowledge_within=within,
        valid_from=date(2024, 1, 1),
        created_at=ARRIVAL,
    )
    session.add(row)
    session.flush()
    return row


def add_partner(session: Session, code: str) -> Partner:
    row = Partner(code=code, name="Fictif", created_at=ARRIVAL)
    session.add(row)
    session.flush()
    return row


def owe(
    session: Session, partner: Partner, case_id: int, agreement: SharingAgreement | None, **columns: Any
) -> PartnerEvent:
    """An event of the case as it was shown to the partner when its case was new, unless something else is said; and
    one under the agreement before it, for what takes something back is shown under none."""
    if agreement is not None:
        owe(session, partner, case_id, None, type="case.advanced", agreement_id=agreement.id)
    number = next(NUMBERS)
    happened = Event(
        uid=f"silence-{number}",
        case_id=case_id,
        sequence=1000 + number,
        seq=1,
        type=columns.pop("type", "consent.revoked"),
        occurred_at=ARRIVAL,
        correlation_id="test",
    )
    session.add(happened)
    session.flush()
    given: dict[str, Any] = {"status": "shown", "shown_at": ARRIVAL} | columns
    row = PartnerEvent(
        uid=f"evt-{number}",
        event_id=happened.id or 0,
        partner_id=partner.id or 0,
        case_id=case_id,
        sequence=number,
        **given,
    )
    session.add(row)
    session.flush()
    return row


def reminders(session: Session) -> list[Event]:
    return list(session.exec(select(Event).where(Event.type == "acknowledgement.due").order_by(col(Event.id))))
