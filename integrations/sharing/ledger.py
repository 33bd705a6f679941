"""A person's sharing ledger: which partner got which field, when, by which way, on which grounds, and what it did not.

`segin sharing` shows it; the console and the person's own copy of the file come from it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from integrations.sharing.still_covered import still_covered
from models.consents import Consent
from models.events import CATALOGUE
from models.partner import Event, Partner
from models.sharing import Disclosure, PartnerEvent, SharingAgreement, Showing

STREAM: Final = "stream"
STOPPED: Final = "stopped"
LOOK: Final = "look"
TAKING_BACK: Final = frozenset(name for name, kind in CATALOGUE.items() if kind.takes_back)


@dataclass(frozen=True)
class LedgerEntry:
    """One thing that a partner got (`fields`, on the grounds of an agreement and a consent), or that was `withheld` and
    why. A retraction has neither fields nor grounds.

    `way`: the `models.sharing.Way` by which the partner first had it; `stream`: it waits in the partner's stream;
    `stopped`: it did, until the person took the consent back, and is not sent any more; a `look` at the case; none for
    what was withheld, whose time is that of the event. `what` is the type of the event, or what was looked at; `event`
    the partner's own id of it. `received_at` is when the partner surely had it.
    """

    at: datetime
    partner: str
    partner_name: str
    way: str | None
    what: str
    event: str | None
    fields: list[str]
    agreement: str | None
    agreement_version: int | None
    consent: str | None
    received_at: datetime | None
    acknowledged_at: datetime | None
    reminded_at: datetime | None
    withheld: str | None

    @property
    def takes_back(self) -> bool:
        """Whether it took something back, so that the partner has to acknowledge it."""
        return self.withheld is None and self.what in TAKING_BACK


def sharing_ledger(session: Session, case_id: int) -> list[LedgerEntry]:
    """Everything about this case that was shown to partners or withheld from them, the oldest first; nothing of what
    still waits. Two statements."""
    entries = [*_events(session, case_id), *_looks(session, case_id)]
    return sorted(entries, key=lambda each: (each.at, each.partner))


def _events(session: Session, case_id: int) -> list[LedgerEntry]:
    query = (
        select(
            *(PartnerEvent, col(Event.type), col(Event.occurred_at), col(Partner.code), col(Partner.name)),
            *(col(SharingAgreement.code), col(SharingAgreement.version), col(Consent.code), still_covered()),
        )
        .join(Event, col(Event.id) == col(PartnerEvent.event_id))
        .join(Partner, col(Partner.id) == col(PartnerEvent.partner_id))
        .outerjoin(SharingAgreement, col(SharingAgreement.id) == col(PartnerEvent.agreement_id))
        .outerjoin(Consent, col(Consent.id) == col(PartnerEvent.consent_id))
        .where(col(PartnerEvent.case_id) == case_id, col(PartnerEvent.status) != Showing.WAITING)
        .order_by(col(PartnerEvent.event_id))
    )
    found = []
    for row, type_, occurred_at, partner, name, agreement, version, consent, covered in session.execute(query):
        shown = row.status == Showing.SHOWN
        found.append(
            LedgerEntry(
                at=row.shown_at if shown else occurred_at,
                partner=partner,
                partner_name=name,
                way=(row.received_by or (STREAM if covered else STOPPED)) if shown else None,
                what=type_,
                event=row.uid if shown else None,
                fields=row.fields,
                agreement=agreement,
                agreement_version=version,
                consent=consent,
                received_at=row.received_at,
                acknowledged_at=row.acknowledged_at,
                reminded_at=row.reminded_at,
                withheld=row.reason,
            )
        )
    return found


def _looks(session: Session, case_id: int) -> list[LedgerEntry]:
    query = (
        select(
            *(Disclosure, col(Partner.code), col(Partner.name)),
            *(col(SharingAgreement.code), col(SharingAgreement.version), col(Consent.code)),
        )
        .join(Partner, col(Partner.id) == col(Disclosure.partner_id))
        .join(SharingAgreement, col(SharingAgreement.id) == col(Disclosure.agreement_id))
        .outerjoin(Consent, col(Consent.id) == col(Disclosure.consent_id))
        .where(col(Disclosure.case_id) == case_id)
        .order_by(col(Disclosure.id))
    )
    return [
        LedgerEntry(
            at=row.at,
            partner=partner,
            partner_name=name,
            way=LOOK,
            what=row.what,
            event=None,
            fields=row.fields,
            agreement=agreement,
            agreement_version=version,
            consent=consent,
            received_at=row.at,
            acknowledged_at=None,
            reminded_at=None,
            withheld=None,
        )
        for row, partner, name, agreement, version, consent in session.execute(query)
    ]
