"""Partners that owe an acknowledgement and do not give it: who they are, and telling the coordinator of each case once.

`states.partner_reminders` asks the partner first; the nightly run calls both. A referral without an answer is told to
staff by the deadlines of its pathway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from models.case import Case
from models.events import CATALOGUE
from models.partner import Event, Partner
from models.sharing import PartnerEvent, SharingAgreement, Showing
from models.work import Notice
from states.calendar import Span
from states.calendars.offices import office_days
from states.notices import NewNotice, NoticeKind, write_partner_notices
from states.pathways.shelf import pathways_of

ASKS: Final = frozenset(name for name, kind in CATALOGUE.items() if kind.asks and kind.takes_back)
"""The types of event that ask for an acknowledgement: they take back what a partner knows. (A referral that was made
asks for an answer of its own.)"""

TOLD: Final = "coordinator"
"""The role that is told of a silent partner."""

_WITHOUT_AGREEMENT: Final = "P3D"


class SilentPartner(NamedTuple):
    """An event that `partner` (its code) should have acknowledged by `due_at`: it was shown at `since`. `then_due_at`
    is until when the partner has after its reminder, or would have after one now. `agreement` is the code of the one
    that it was shown under; what takes something back needs none, so that under which the partner last saw something of
    the case (none: it never did)."""

    partner: str
    event_type: str
    since: datetime
    due_at: datetime
    then_due_at: datetime
    agreement: str | None
    partner_event_id: int
    case_id: int
    office_id: int | None


def silent_partners(session: Session, asks: Collection[str], *, now: datetime) -> list[SilentPartner]:
    """The events of the types `asks` that were shown and are not acknowledged in time, the longest silent first.

    The time is the agreement's `acknowledge_within`, by the calendar of the case's pathway and office like any other
    deadline; three days where there is no agreement. Raises ValueError for a time that is no span.
    """
    return sorted(unacknowledged(session, asks, now), key=lambda silent: (silent.since, silent.partner_event_id))


def escalate_silence(session: Session, asks: Collection[str], *, now: datetime, limit: int) -> int:
    """Write a line for the coordinator of the case's office about up to `limit` of them that nobody was told of, and
    return how many; 0: nothing is left. The partner was reminded before, and has had the same time again. Nobody is
    told twice, even if two runs do it at once. Four statements."""
    told = select(col(Notice.id)).where(col(Notice.partner_event_id) == col(PartnerEvent.id)).exists()
    reminded = col(PartnerEvent.reminded_at).is_not(None)
    silent_still = (each for each in unacknowledged(session, asks, now, reminded, ~told) if each.then_due_at <= now)
    lines = [
        NewNotice(
            *(silent.case_id, NoticeKind.PARTNER_SILENT, TOLD, silent.office_id, now),
            partner_event_id=silent.partner_event_id,
        )
        for silent in islice(silent_still, limit)
    ]
    return write_partner_notices(session, lines)


_EARLIER: Final = aliased(PartnerEvent)
_AGREEMENT: Final = func.coalesce(
    col(PartnerEvent.agreement_id),
    select(col(_EARLIER.agreement_id))
    .where(
        *(col(_EARLIER.partner_id) == col(PartnerEvent.partner_id), col(_EARLIER.case_id) == col(PartnerEvent.case_id)),
        *(col(_EARLIER.sequence) < col(PartnerEvent.sequence), col(_EARLIER.agreement_id).is_not(None)),
    )
    .order_by(col(_EARLIER.sequence).desc())
    .limit(1)
    .correlate(PartnerEvent)
    .scalar_subquery(),
)


def unacknowledged(
    session: Session, asks: Collection[str], now: datetime, *which: ColumnElement[bool]
) -> Iterator[SilentPartner]:
    """The events that were due by `now`, of those for which these conditions on PartnerEvent hold, in the order in
    which they were put in line. Three statements."""
    query: Select[*tuple[Any, ...]] = (
        select(
            *(col(Partner.code), col(Event.type), col(PartnerEvent.shown_at), col(PartnerEvent.id)),
            col(PartnerEvent.reminded_at),
            *(col(SharingAgreement.code).label("agreement"), col(SharingAgreement.acknowledge_within)),
            *(col(Case.id).label("case_id"), col(Case.office_id), col(Case.pathway_version_id)),
        )
        .join(Event, col(Event.id) == col(PartnerEvent.event_id))
        .join(Partner, col(Partner.id) == col(PartnerEvent.partner_id))
        .join(Case, col(Case.id) == col(PartnerEvent.case_id))
        .join(SharingAgreement, col(SharingAgreement.id) == _AGREEMENT, isouter=True)
        .where(
            *(col(PartnerEvent.status) == Showing.SHOWN, col(PartnerEvent.acknowledged_at).is_(None)),
            *(col(PartnerEvent.shown_at) < now, col(Event.type).in_(asks), *which),
        )
    )
    rows = session.execute(query.order_by(col(PartnerEvent.id))).all()
    days, pathways = office_days(session), pathways_of(session, {row.pathway_version_id for row in rows})
    for row in rows:
        calendar = pathways[row.pathway_version_id].calendar.locally(days.of(row.office_id))
        span = Span.parse(row.acknowledge_within or _WITHOUT_AGREEMENT)
        if (due_at := calendar.add(row.shown_at, span)) <= now:
            then = calendar.add(row.reminded_at or now, span)
            yield SilentPartner(
                *(row[0], row.type, row.shown_at, due_at, then, row.agreement, row.id, row.case_id, row.office_id)
            )
